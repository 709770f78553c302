"""The shapes that the answer to `events.explain` is made of."""

from typing import Literal, NotRequired, TypedDict

from kraty_protocol.operator_shapes import Entries
from kraty_protocol.shapes import Attempt, Metrics


class ExplainedPlace(TypedDict):
    """A row of the board; `since` is when it came to its score. `playerId` is null for bots."""

    rank: int
    participantId: str
    playerId: str | None
    kind: Literal["player", "bot"]
    name: str | None
    score: int | float
    since: str
    isSelf: bool


class ExplainedDecision(TypedDict):
    """Why the neighbour stands where they stand.

    `rule`: `score`, or of equal scores `players_first` (players stand before bots), `earlier` (one came to it first) or
    `order` (in the same instant, one after the other). `by` is how much, in points or in seconds; `text` says it in
    words.
    """

    participantId: str
    rank: int
    rule: Literal["score", "players_first", "earlier", "order"]
    by: int | float | None
    text: str


class ExplainedFinding(TypedDict):
    """What a validator found in a write (R-50)."""

    validatorKey: str
    verdict: str
    reason: str


class ExplainedGrant(TypedDict):
    """What was granted for it."""

    id: str
    kind: Literal["reward", "crate"]
    sourceKind: str
    contents: dict[str, Entries]


class ExplainedMoment(TypedDict):
    """Something that happened to the player, and how they stood after it.

    `score` is the attempt's own. A `write` or a `rejected` one has what was `given` and in which `mode`; `resets` are
    the metrics that it pulled to 0, `capped` those that count less than their raw value.
    """

    at: str
    what: Literal[
        "charged", "refunded", "started", "write", "rejected", "ended", "voided", "banned", "unbanned", "paid"
    ]
    attemptId: str | None
    status: str | None
    score: int | float | None
    rank: int | None
    mode: NotRequired[str | None]
    given: NotRequired[Metrics]
    metrics: NotRequired[Metrics | None]
    metricsRaw: NotRequired[Metrics | None]
    resets: NotRequired[list[str]]
    capped: NotRequired[list[str]]
    findings: NotRequired[list[ExplainedFinding]]
    milestones: NotRequired[list[str]]
    costs: NotRequired[Entries]
    grants: NotRequired[list[ExplainedGrant]]


class ExplainedSample(TypedDict):
    """Where the player stood at an instant."""

    at: str
    score: int | float
    rank: int | None


class Explained(TypedDict):
    """The answer to `events.explain`: one player on one board, as it stood at an instant (R-57).

    `entries` are the rows around the player's. `history` has the last 200 of `historyCount`. Without a board, before a
    lobby has begun, and while the player is banned (`hidden`), there is no `self`.
    """

    windowId: str
    eventKey: str
    playerId: str
    at: str
    state: str
    leaderboardId: str | None
    total: int
    hidden: bool
    self: ExplainedPlace | None
    entries: list[ExplainedPlace]
    above: ExplainedDecision | None
    below: ExplainedDecision | None
    attempts: list[Attempt]
    history: list[ExplainedMoment]
    historyCount: int
    curve: list[ExplainedSample]
