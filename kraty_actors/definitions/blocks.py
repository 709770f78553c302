"""The blocks that a bot's behaviour is made of, each with its parameters (R-37, R-38)."""

from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import Field

from kraty_actors.definitions.base import Model
from kraty_actors.definitions.scalars import MAX_SECONDS, Number, Ratio, Scalar, Seconds, Whole, refuse

Positive = Annotated[float, Number(0, above=True)]
Elapsed = Annotated[float, Number(0, MAX_SECONDS)]


class BlockParams(Model):
    """The parameters of one block."""

    ends: ClassVar[bool] = False
    """Whether a sequence can go on to a next step after it."""
    aims_at: ClassVar[str | None] = None
    """The attribute that defaults to the event's largest metric target."""


class IdleParams(BlockParams):
    """Keeps its score."""


class WaitParams(BlockParams):
    """Keeps its score for a while."""

    ends: ClassVar[bool] = True
    seconds: Elapsed = Field(examples=[60])
    """How long."""


class ProgressLinearParams(BlockParams):
    """Rises evenly to a score."""

    ends: ClassVar[bool] = True
    aims_at: ClassVar[str | None] = "target_score"
    target_score: Positive | None = None
    """The score to reach; default the event's largest metric target."""
    duration_seconds: Seconds = Field(examples=[3_600])
    """In how long."""
    jitter: Ratio = 0
    """How far the duration may vary, as a share of it, 0 to 1."""


class ProgressBurstParams(BlockParams):
    """Rises slowly, then all at once."""

    ends: ClassVar[bool] = True
    aims_at: ClassVar[str | None] = "target_score"
    target_score: Positive | None = None
    """The score to reach; default the event's largest metric target."""
    duration_seconds: Seconds = Field(examples=[120])
    """The time that burstAt is a share of."""
    burst_at: Ratio = 0.5
    """When the burst begins, as a share of the duration, 0 to 1."""
    burst_seconds: Elapsed | None = None
    """How long the burst takes; default a tenth of the duration."""
    before: Ratio = 0.2
    """The share of the way that is made before the burst, 0 to 1."""


class TrackPositionParams(BlockParams):
    """Moves towards the score at a rank."""

    target_rank: Annotated[int, Whole(1)] = Field(examples=[5])
    """The rank to follow."""
    offset: Annotated[float, Number()] = 0
    """Added to the score at that rank."""
    max_step: Positive | None = None
    """The most that one tick may move; default no limit."""


class MatchPlayerPaceParams(BlockParams):
    """Rises towards the leading human's score, and never falls."""

    ratio: Positive = 1
    """The share of that score to aim for."""
    jitter: Ratio = 0
    """How far the aim may vary, as a share of it, 0 to 1."""
    max_step: Positive | None = None
    """The most that one tick may move; default no limit."""


class CompleteAtParams(BlockParams):
    """Stands at a score from some moment on."""

    aims_at: ClassVar[str | None] = "score"
    seconds: Elapsed = Field(examples=[600])
    """When."""
    score: Positive | None = None
    """The score; default the event's largest metric target."""


class CompleteParams(BlockParams):
    """Stays at its score for good."""


class QuitParams(BlockParams):
    """Leaves the board."""


class RandomStepWithFallParams(BlockParams):
    """One step up, or back to 0, at each write of a human on its board (R-37)."""

    aims_at: ClassVar[str | None] = "target"
    target: Positive | None = None
    """Where it stops for good; default the event's largest metric target."""
    fall_chance: Ratio = 0.3
    """The chance of falling at a tick, 0 to 1."""
    step: Annotated[int, Whole(1)] = 1
    """How far a step goes, a whole number of at least 1."""


PARAMS: dict[str, type[BlockParams]] = {
    "idle": IdleParams,
    "wait": WaitParams,
    "progress_linear": ProgressLinearParams,
    "progress_burst": ProgressBurstParams,
    "track_position": TrackPositionParams,
    "match_player_pace": MatchPlayerPaceParams,
    "complete_at": CompleteAtParams,
    "complete": CompleteParams,
    "quit": QuitParams,
    "random_step_with_fall": RandomStepWithFallParams,
}
"""The parameters of every block that definitions may name."""


class _Block(Scalar):
    """The name of a block that is known by then (R-39)."""

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or value not in PARAMS:
            *names, last = (f"'{name}'" for name in PARAMS)
            raise refuse(f"must be {', '.join(names)} or {last}")
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(PARAMS)}


BlockName: TypeAlias = Annotated[str, _Block()]
