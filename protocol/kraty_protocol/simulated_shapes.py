"""What a simulation answers."""

from typing import Literal, TypedDict

Number = int | float


class Spread(TypedDict):
    """A figure over all runs of a simulation, or over all lobbies or players in them: its mean, and which values are
    not exceeded in how many percent."""

    mean: Number
    min: Number
    p5: Number
    p25: Number
    p50: Number
    p75: Number
    p95: Number
    max: Number


class SimulatedSource(TypedDict):
    """How much of something a run pays for one kind of reason, in the mean."""

    sourceKind: Literal["event_completion", "event_milestone", "event_window", "crate_open"]
    mean: Number


class SimulatedPayout(TypedDict):
    """What comes and goes of one currency, item or crate; `net` is paid less income."""

    type: Literal["currency", "item", "crate"]
    key: str
    paid: Spread
    income: Spread
    net: Spread
    sources: list[SimulatedSource]


class SimulatedPool(TypedDict):
    """A pool, and what is left of it."""

    currencyKey: str
    pool: int
    remainder: Spread


class SimulatedMoment(TypedDict):
    """How many attempts are completed so many seconds after the beginning."""

    seconds: Number
    mean: Number
    p5: Number
    p95: Number


class SimulatedLobbies(TypedDict):
    """How lobbies fill; `full` is the share of those that start without an empty seat."""

    started: Spread
    neverStarted: Spread
    full: Spread
    fillSeconds: Spread | None
    humans: Spread | None
    waitSeconds: Spread | None


class SimulatedBots(TypedDict):
    """What bots do to players: the share of boards that a player wins, and the ranks of players with and without
    them."""

    humanWinRate: Spread
    rankWith: Spread
    rankWithout: Spread
    placesLost: Spread


class SimulatedRefusal(TypedDict):
    """How often a run refuses players something, in the mean."""

    code: str
    mean: Number


class SimulatedEntry(TypedDict):
    """A row of a final board."""

    rank: int
    kind: Literal["player", "bot"]
    name: str
    score: Number
    rankAmongHumans: int | None


class SimulatedBoard(TypedDict):
    """The top of a final board of the first run."""

    league: str | None
    total: int
    entries: list[SimulatedEntry]


class Simulated(TypedDict):
    """The answer to `events.simulate`: what whole windows would come to (R-47).

    `completed` and `rewarded` are shares of those who took part. `assumptions` say what was taken for granted. The same
    `fingerprint` is the same result.
    """

    eventKey: str
    players: int
    behaviour: str
    afford: Number
    runs: int
    seed: int
    startsAt: str
    endsAt: str
    assumptions: list[str]
    fingerprint: str
    participants: Spread
    attempts: Spread
    writes: Spread
    flagged: Spread
    completed: Spread
    rewarded: Spread
    winners: Spread
    payouts: list[SimulatedPayout]
    pool: SimulatedPool | None
    completions: list[SimulatedMoment]
    lobbies: SimulatedLobbies | None
    bots: SimulatedBots | None
    refusals: list[SimulatedRefusal]
    standings: list[SimulatedBoard]
