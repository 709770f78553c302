"""The shapes that replies to operators are made of, beside those of `kraty_protocol.shapes`."""

from typing import Any, Literal, NotRequired, TypedDict

from kraty_protocol.shapes import Attempt, Balance, Grant, Item, Metrics, Player


class Finding(TypedDict):
    """What is odd in a definition that was taken all the same (R-3)."""

    path: str
    message: str


class Change(TypedDict):
    """A definition that a `game.put` changed, and its new revision."""

    kind: str
    key: str
    revision: int


class GameChanged(TypedDict):
    """The answer to `game.put`."""

    changed: list[Change]
    warnings: list[Finding]


class DefinedEvent(TypedDict):
    """An event as an operator sees it: its definition and where it stands (R-26)."""

    event: dict[str, Any]
    state: Literal["draft", "scheduled", "live", "paused", "finalized"]
    revision: int
    warnings: list[Finding]


class DefinedLeaderboard(TypedDict):
    """The answer to `boards.put` and `boards.archive`."""

    leaderboard: dict[str, Any]
    warnings: list[Finding]


class Paid(TypedDict):
    """How much of one currency was paid."""

    currencyKey: str
    amount: int


class Report(TypedDict):
    """What a finalized window came to, whole numbers all.

    `paid` is what stands granted for the end of the window, `remainder` the part of a pool that could not be shared
    (R-43). `grants` counts all that the window and its attempts gave and what came out of those, without what was taken
    back. `orphans` counts grants that nothing accounts for, and those that are due and not there: there are none, or
    something is wrong. Older servers leave the last two out.
    """

    windowId: str
    eventKey: str
    participants: int
    winners: int
    grants: NotRequired[int]
    paid: list[Paid]
    remainder: int
    orphans: NotRequired[int]


Entries = list[dict[str, Any]]
"""Fixed entries, as in the `contents` of a grant."""


class PreviewMilestone(TypedDict):
    """A milestone that would fire, with what it would grant, crates among it; `sampled` only where chance had a part
    in it, and then true."""

    key: str
    entries: Entries
    sampled: NotRequired[bool]


class PreviewGrant(TypedDict):
    """A grant that there would be; `sampled` says that chance had a part in it."""

    kind: Literal["reward", "crate"]
    sourceKind: Literal["event_window", "event_completion"]
    contents: dict[str, Entries]
    sampled: bool


class Preview(TypedDict):
    """The answer to `events.preview`: what these metric values would come to (R-46)."""

    score: int | float
    metrics: Metrics
    metricsRaw: Metrics
    completed: bool
    milestones: list[PreviewMilestone]
    grants: list[PreviewGrant]


class Correction(TypedDict):
    """What one player gains and loses by a correction: `take` is taken back, `owed` is what would be as well and is not
    there any more."""

    playerId: str
    rankBefore: int | None
    rankAfter: int | None
    grant: Entries
    take: Entries
    owed: Entries


class CorrectionPlan(TypedDict):
    """The answer to `windows.correct`.

    `plan` has the players who are left out, those who get or give back something, and of those who only move up the
    first; `players` counts all of the first two, `moved` all who stand higher. The sums are over all of them.
    """

    plan: list[Correction]
    players: int
    moved: int
    granted: Entries
    taken: Entries
    owed: Entries
    applied: bool


class Delivery(TypedDict):
    """A call to a webhook that was given up (R-53): after how many `attempts`, and what went wrong the last time."""

    id: str
    webhookKey: str
    eventName: str
    occurredAt: str
    attempts: int
    error: str | None


class Deliveries(TypedDict):
    """The answer to `webhooks.dead`, newest first; `next` goes into `after` for the next page."""

    deliveries: list[Delivery]
    next: str | None


class AuditRow(TypedDict):
    """Who changed what, and how it stood `before` and `after`; what these hold is the action's own affair."""

    id: str
    at: str
    who: str
    action: str
    subject: str
    before: Any
    after: Any


class AuditTrail(TypedDict):
    """The answer to `audit.list`, newest first; `next` goes into `after` for the next page."""

    audit: list[AuditRow]
    next: str | None


class MetricSnapshot(TypedDict):
    """Raw metrics before a write, and as they came, before any reset (R-50)."""

    before: Metrics
    after: Metrics


class Anomaly(TypedDict):
    """What one validator found in one write (R-50); `outcome` is what became of the whole write."""

    id: str
    playerId: str
    eventKey: str
    windowId: str
    attemptId: str
    validatorKey: str
    verdict: Literal["flag", "reject"]
    outcome: Literal["flag", "reject"]
    reason: str
    metricSnapshot: MetricSnapshot
    occurredAt: str


class Anomalies(TypedDict):
    """The answer to `anomalies.list`, newest first; `next` goes into `after` for the next page."""

    anomalies: list[Anomaly]
    next: str | None


class Lookup(TypedDict):
    """The answer to `players.lookup`: the last 50 of each list, newest first."""

    player: Player
    attempts: list[Attempt]
    grants: list[Grant]
    wallet: list[Balance]
    inventory: list[Item]
    anomalies: list[Anomaly]


class ActorStats(TypedDict):
    """One actor in memory. `key` is the event or the shared board that it belongs to, if that is still there.

    `mailbox` counts commands that wait for their turn, `inFlight` batches that are not durable yet, the oldest of which
    waits for `lagSeconds`. `batches` is the length of its journal. `perSecond` says how many commands it handled a
    second since the last look, null at the first.
    """

    actor: str
    kind: Literal["calendar", "window", "contest", "shared_board", "player_windows"]
    key: str | None
    mailbox: int
    inFlight: int
    lagSeconds: int | float
    batches: int
    handled: int
    perSecond: int | float | None
    watchers: int


class ServerStats(TypedDict):
    """The answer to `stats`. Counts are since the server started; `total` actors are in memory, and those of `actors`
    are the busiest.

    `waiting` counts commands in all mailboxes, `inFlight` batches that are not durable yet, and `journalLagSeconds` is
    how long the oldest of them has waited. `pressure` is 0, or under overload what is refused: 1 listings, 2 new
    watches too, 3 starts too, 4 reads too.
    """

    serverTime: str
    uptimeSeconds: int | float
    storeUp: bool
    connections: int
    unsentBytes: int
    watchers: int
    views: int
    answered: int
    writes: int
    refused: int
    shed: int
    pressure: int
    loopDelaySeconds: int | float
    waiting: int
    inFlight: int
    journalLagSeconds: int | float
    total: int
    actors: list[ActorStats]
