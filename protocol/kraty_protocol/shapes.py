"""The shapes that replies and pushes are made of, and the one way of writing an instant."""

from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict

Metrics = dict[str, int | float]
AttemptStatus = Literal["in_progress", "completed", "expired", "force_completed"]


def iso(at_ms: int) -> str:
    """An instant as it travels, such as `2026-11-22T20:00:00.000Z`, from milliseconds since the epoch."""
    seconds, millis = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def parse_iso(text: str) -> int:
    """Milliseconds since the epoch of an instant with `Z` or an offset.

    Raises:
        ValueError: It is not an instant, or names no zone.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"an instant without a zone: {text}")
    return round((instant - _EPOCH).total_seconds() * 1000)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Attempt(TypedDict):
    """One player's run inside one window (R-12)."""

    attemptId: str
    eventKey: str
    windowId: str
    leaderboardId: str | None
    lobbyId: str | None
    status: AttemptStatus
    metrics: Metrics
    metricsRaw: Metrics
    score: int | float
    startedAt: str
    endsAt: str | None
    completedAt: str | None
    lastSeq: int


class Entry(TypedDict):
    """One row of a board (R-28). `isSelf` is there in replies only."""

    participantId: str
    kind: Literal["player", "bot"]
    name: str | None
    avatar: str | None
    country: str | None
    score: int | float
    rank: int
    isSelf: NotRequired[bool]


class OwnRow(TypedDict):
    """Where the asking player stands."""

    rank: int
    score: int | float


class Board(TypedDict):
    """The answer to `boards.read`."""

    leaderboardId: str
    mode: str
    finalized: bool
    version: int
    total: int
    entries: list[Entry]
    self: OwnRow | None


class Watch(TypedDict):
    """The answer to `boards.watch`."""

    sub: str
    leaderboardId: str
    version: int
    total: int
    entries: list[Entry]
    self: OwnRow | None


class Missing(TypedDict):
    """What a player is short of."""

    resource: str
    needed: int
    have: int


class Metric(TypedDict):
    """A metric as a listing shows it; null where the definition says nothing."""

    key: str
    target: int | float | None
    cap: int | float | None
    scorePerUnit: int | float | None
    capAtTarget: bool | None
    resetOn: dict[str, str] | None


class Listing(TypedDict):
    """One event as one player sees it (R-55)."""

    eventKey: str
    name: str
    windowId: str | None
    startsAt: str | None
    endsAt: str | None
    opensAt: str | None
    leaderboardId: str | None
    lobbyId: str | None
    league: str | None
    currentAttemptId: str | None
    type: str
    leaderboardMode: str
    metrics: list[Metric]
    entryRequirement: dict[str, Any] | None
    entryCost: dict[str, list[dict[str, Any]]] | None
    metadata: dict[str, Any]
    milestoneRewards: list[dict[str, Any]]
    rewardPolicy: dict[str, Any]
    requirementMet: bool
    affordable: bool
    missing: list[Missing]
    attemptsLeft: int | None


class Lobby(TypedDict):
    """A small board that forms before it plays (R-31); `participantCount` counts humans, `botSlots` bots."""

    id: str
    eventKey: str
    windowId: str
    key: str | None
    status: Literal["forming", "active", "closed"]
    capacity: int
    participantCount: int
    botSlots: int
    fillBy: str | None
    leaderboardId: str | None
    startedAt: str | None
    endsAt: str | None
    metadata: dict[str, Any]


WindowState = Literal["upcoming", "open", "closing", "finalized", "cancelled"]


class Window(TypedDict):
    """One occurrence of an event; `metadata` is merged, `override` the window's own bag (R-25)."""

    windowId: str
    eventKey: str
    startsAt: str
    endsAt: str | None
    state: WindowState
    metadata: dict[str, Any]
    override: dict[str, Any] | None
    revision: int


class Grant(TypedDict):
    """Something won (R-45)."""

    id: str
    kind: Literal["reward", "crate"]
    contents: dict[str, list[dict[str, Any]]]
    sourceKind: Literal["event_window", "event_completion", "event_milestone", "crate_open", "api", "admin"]
    sourceRefId: str | None
    parentGrantId: str | None
    status: Literal["pending", "claimed", "expired"]
    createdAt: str
    expiresAt: str | None
    claimedAt: str | None


class Grants(TypedDict):
    """The answer to `grants.list`, newest first; `next` goes into `after` for the next page."""

    grants: list[Grant]
    next: str | None


class OpenedCrate(TypedDict):
    """The answer to `crates.open` (R-41): the crate, what was in it, and the `grants` that came of it. The first of
    these is that of the contents, claimed; behind it the crates that were in it, still to be opened."""

    crate: Grant
    contents: dict[str, list[dict[str, Any]]]
    grants: list[Grant]


class GrantCreated(TypedDict):
    """The answer to `grants.create`; `applied` is false where the key was used before."""

    grant: Grant
    applied: bool


class Milestone(TypedDict):
    """A milestone that a write fired, with what it granted (R-44)."""

    key: str
    grants: list[Grant]


class Started(TypedDict):
    """The answer to `events.start`, and the push `attempt.started`."""

    attempt: Attempt
    leaderboardId: str | None
    windowEndsAt: str | None


class Progressed(TypedDict):
    """The answer to `events.progress`."""

    attemptId: str
    seq: int | None
    status: AttemptStatus
    metrics: Metrics
    metricsRaw: Metrics
    score: int | float
    rank: int | None
    milestonesFired: list[Milestone]
    repeated: NotRequired[bool]


class Finished(TypedDict):
    """The answer to `events.finish`."""

    attempt: Attempt
    outcome: Literal["completed", "expired"]


class AttemptRead(TypedDict):
    """The answer to `attempts.get`."""

    attempt: Attempt
    rank: int | None


class Balance(TypedDict):
    """What a wallet holds of one currency."""

    key: str
    balance: int


class Item(TypedDict):
    """How many of one item a player holds."""

    key: str
    quantity: int


class WalletChanged(TypedDict):
    """The answer to `wallet.credit` and `wallet.debit`; `applied` is false where the key was used before."""

    key: str
    balance: int
    applied: bool


class InventoryChanged(TypedDict):
    """The answer to `inventory.grant` and `inventory.revoke`; `applied` is false where the key was used before."""

    key: str
    quantity: int
    applied: bool


class Player(TypedDict):
    """A player as servers see one."""

    playerId: str
    participantId: str
    name: str | None
    avatar: str | None
    country: str | None
    attributes: dict[str, str | bool | int | float]
    banned: bool


class Period(TypedDict):
    """One period of a shared board, by whose board it can be read for ever (R-32)."""

    startsAt: str
    endsAt: str | None
    leaderboardId: str


class Periods(TypedDict):
    """The answer to `boards.periods`: the one that is open, and those that are over, newest first."""

    current: Period
    periods: list[Period]


class Error(TypedDict):
    """Why a request was refused; `code` is one of `kraty_protocol.errors.STATUS`."""

    code: str
    status: int
    message: str
    details: dict[str, Any]
