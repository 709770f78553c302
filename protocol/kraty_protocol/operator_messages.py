"""What the operations of operators take: definitions, steering events while they are live, and inquiries."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from kraty_protocol.fields import (
    Bag,
    Document,
    Fields,
    Finite,
    ForPlayer,
    Id,
    Instant,
    Key,
    MetricValue,
    Page,
    PlayerId,
    Positive,
    Text,
    Whole,
    each_once,
    fault,
)
from kraty_protocol.limits import (
    CORRECTED_PLAYERS,
    REPLAYED_DELIVERIES,
    SIMULATED_PLAYERS,
    SIMULATED_RUNS,
    STATS_ACTORS,
)


class GamePut(Fields):
    """A whole game file."""

    game: Document


class EventsPut(Fields):
    """One event's definition."""

    event: Document


class EventFields(Fields):
    """`events.get`, `windows.list`, and the steps of an event's life: publish, unpublish, pause, resume (R-26)."""

    event_key: Key


class EventsFinalize(EventFields):
    """All open windows of an event, or the one that is named."""

    window_id: Id | None = None


class WindowFields(Fields):
    """`windows.copyPrevious`, `windows.cancel` and `windows.report`."""

    window_id: Id


class WindowsOverride(WindowFields):
    """A window's own metadata, laid over the event's (R-25).

    Attributes:
        metadata: The whole bag, at most 16 KiB of JSON; None takes the override away.
    """

    null_counts: ClassVar[frozenset[str]] = frozenset({"metadata"})

    metadata: Bag | None


class WindowsExtend(WindowFields):
    """Another end for a window, and for the attempts that end with it (R-5)."""

    ends_at: Instant


class WindowsCorrect(WindowFields):
    """A finalized window derived again without some players.

    Attributes:
        without: 1..1000 players, each once.
        apply: Whether to carry the plan out, rather than only to show it.
    """

    without: Annotated[list[PlayerId], Field(min_length=1, max_length=CORRECTED_PLAYERS)]
    apply: bool = False

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        each_once("without", self.without)
        return self


def one_event(event_key: str | None, event: object) -> None:
    """Refuse a request that names no event, or two."""
    if event_key is None and event is None:
        raise fault("eventKey", "eventKey or event is required")
    if event_key is not None and event is not None:
        raise fault("event", "only one of eventKey and event")


class EventsPreview(Fields):
    """What final metric values would come to, in an event that is known or in one that is only an idea (R-46).

    Attributes:
        metrics: Raw values by metric; those left out are 0.
        winner_count: Among how many winners a pool is shared.
        seed: Rolls what chance has a part in.
    """

    event_key: Key | None = None
    event: Document | None = None
    metrics: dict[str, MetricValue]
    rank: Positive = 1
    winner_count: Positive = 1
    seed: Whole = 0

    @model_validator(mode="after")
    def _one_event(self) -> Self:
        one_event(self.event_key, self.event)
        return self


class EventsSimulate(Fields):
    """Whole windows of an event with simulated players, in an event that is known or in one that is only an idea
    (R-47).

    Attributes:
        players: How many players come.
        seed: The root of all chance.
        behaviour: How they play: a built-in behaviour, or one that the game has registered.
        runs: How many windows.
        afford: The share of players who can pay what a start costs, 0..1.
    """

    event_key: Key | None = None
    event: Document | None = None
    players: Annotated[Positive, Field(le=SIMULATED_PLAYERS)]
    seed: Whole = 0
    behaviour: Key = "mixed"
    runs: Annotated[Positive, Field(le=SIMULATED_RUNS)] = 1
    afford: Annotated[MetricValue, Field(le=1)] = 1

    @model_validator(mode="after")
    def _one_event(self) -> Self:
        one_event(self.event_key, self.event)
        return self


class EventsExplain(ForPlayer, WindowFields):
    """Why a player stood where they stood in a window, at an instant; by default now (R-57)."""

    at: Instant | None = None


class LobbiesStart(Fields):
    """A forming lobby that starts with who is there (R-31)."""

    lobby_id: Id


class AttemptsForceComplete(Fields):
    """An attempt that an operator completes (R-12); without a score it keeps its own."""

    attempt_id: Id
    score: Finite | None = None


class AttemptsVoid(Fields):
    """An attempt that shall not count, and why not (R-51)."""

    attempt_id: Id
    reason: Text


class AnomaliesList(Page):
    """What validators found: of one player, of one event, or of all (R-51)."""

    player_id: PlayerId | None = None
    event_key: Key | None = None


class WebhooksReplay(Fields):
    """Deliveries that were given up, to be tried again: those named, 1..1000, or all (R-53)."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=REPLAYED_DELIVERIES)] | None = None


class Stats(Fields):
    """How the server stands, and its busiest actors."""

    limit: Annotated[Positive, Field(le=STATS_ACTORS)] = 50


class BoardsPut(Fields):
    """One shared board's definition."""

    leaderboard: Document


class BoardsArchive(Fields):
    """A shared board that takes no more scores."""

    board_key: Key
