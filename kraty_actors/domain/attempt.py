"""One player's run inside one window (R-12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kraty_actors.domain.outcome import Pay, Plain
from kraty_actors.domain.validators.past import Past
from kraty_actors.domain.write_memory import WriteMemory

Number = int | float

IN_PROGRESS = "in_progress"
COMPLETED = "completed"
EXPIRED = "expired"
FORCE_COMPLETED = "force_completed"


@dataclass(slots=True)
class Attempt:
    """`score` is the attempt's own at its last write, `last_order` the contest's number of that input; `ended_at` is
    set once it has ended.

    Of what it gives to its board (R-29), `best` is the highest score of any write and `best_at` the board's moment of
    it. `fired` has a bit for each milestone that was paid, `fired_then` those of the newest write, which came at
    `wrote_at`. `past` is what raw values have been through (R-49). `previous` is the serial of the player's
    attempt before it.
    """

    serial: int
    player: int
    started_at: int
    ends_at: int | None
    raw: list[Number]
    score: Number
    memory: WriteMemory
    status: str = IN_PROGRESS
    writes: int = 0
    last_order: int = 0
    rank_then: int | None = None
    ended_at: int | None = None
    best: Number | None = None
    best_at: int = 0
    fired: int = 0
    fired_then: int = 0
    wrote_at: int = 0
    is_void: bool = False
    past: Past = None
    previous: int = -1

    def is_over_by(self, now: int) -> bool:
        """Whether it has ended, though its turn to be ended may come only in a later step."""
        return self.status != IN_PROGRESS or (self.ends_at is not None and now >= self.ends_at)

    @property
    def counts_as_completed(self) -> bool:
        return self.status in (COMPLETED, FORCE_COMPLETED)

    def dump(self) -> list[Plain]:
        return [
            self.serial,
            self.player,
            self.started_at,
            self.ends_at,
            self.raw,
            self.score,
            self.memory.dump(),
            self.status,
            self.writes,
            self.last_order,
            self.rank_then,
            self.ended_at,
            self.best,
            self.best_at,
            self.fired,
            self.fired_then,
            self.wrote_at,
            self.is_void,
            self.past,
        ]

    @classmethod
    def restored(cls, plain: list[Plain]) -> Attempt:
        attempt = cls(*plain)
        attempt.memory = WriteMemory.restored(plain[6])
        return attempt


@dataclass(slots=True)
class AttemptView:
    """An attempt as it stood when it was read. Not frozen: a frozen one takes three times as long."""

    attempt_id: str
    contest_id: str
    event_key: str
    has_board: bool
    in_lobby: bool
    player: int
    status: str
    metrics: dict[str, Number]
    metrics_raw: dict[str, Number]
    score: Number
    rank: int | None
    started_at: int
    ends_at: int | None
    window_ends_at: int | None
    completed_at: int | None
    last_seq: int

    def ended(self, status: str, at: int) -> AttemptView:
        """The same attempt once it has ended."""
        counts = status in (COMPLETED, FORCE_COMPLETED)
        return replace(self, status=status, completed_at=at if counts else None)


@dataclass(slots=True, frozen=True)
class FiredMilestone:
    """A milestone that a write has reached, and what it pays (R-44)."""

    key: str
    grants: Sequence[Pay]


@dataclass(slots=True)
class Written:
    """The answer to an applied write, or to its repetition. Not frozen either."""

    attempt_id: str
    seq: int | None
    status: str
    metrics: dict[str, Number]
    metrics_raw: dict[str, Number]
    score: Number
    rank: int | None
    repeated: bool
    fired: Sequence[FiredMilestone] = ()
