"""Boards: an event's own, and the shared ones that outlive windows (R-28..R-32)."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from kraty_actors.definitions.base import Model
from kraty_actors.definitions.identity import Keyed
from kraty_actors.definitions.scalars import Flag, Instant, Number, Seconds, ShortText, Whole, Zone

MAX_CAPACITY = 1_000_000
MAX_LOBBY_CAPACITY = 1_000
MAX_LEAGUES = 32
DEFAULT_GROUP_CAPACITY = 50


def _spelled(proper: dict[str, str], every: Any) -> BeforeValidator:
    return BeforeValidator(
        lambda value: proper.get(value, value) if isinstance(value, str) else value, json_schema_input_type=every
    )


Sort: TypeAlias = Literal["desc", "asc"]
Aggregation: TypeAlias = Annotated[
    Literal["best", "sum", "latest"],
    _spelled({"last": "latest"}, Literal["best", "sum", "latest", "last"]),
]
Mode: TypeAlias = Annotated[
    Literal["global", "grouped", "segmented", "lobby_matched", "none"],
    _spelled(
        {"global_segmented": "segmented"},
        Literal["global", "grouped", "segmented", "global_segmented", "lobby_matched", "none"],
    ),
]
FillStrategy: TypeAlias = Literal["fill_with_bots", "start_short", "wait_full"]
_FILL_BOTS: dict[bool | None, FillStrategy] = {True: "fill_with_bots", False: "start_short"}


class MatchBy(Model):
    """Who may share a lobby."""

    attribute: ShortText = Field(examples=["skill"])
    """A player attribute that holds a number."""
    max_difference: Annotated[float, Number(0)] = Field(examples=[100])
    """How far apart two players may be."""
    widen_per_second: Annotated[float, Number(0)] = 0
    """How much the range grows for each second of waiting."""


class Places(Model):
    """How many places of a league move."""

    places: Annotated[int, Whole(1)] = Field(examples=[3])
    """The number of places."""


class Leaderboard(Model):
    """How an event ranks its players (R-29..R-31). A field that the mode does not use is a warning."""

    mode: Mode = "global"
    """One board (global), cohorts (grouped), leagues (segmented), lobbies (lobby_matched) or no board (none)."""
    score_aggregation: Aggregation = "best"
    """How a player's attempts make one row; `last` is `latest`."""
    sort: Sort = "desc"
    """Which scores rank first: the highest (desc) or the lowest (asc)."""
    capacity: Annotated[int, Whole(2, MAX_CAPACITY)] | None = None
    """Seats of a board. lobby_matched: required, 2 to 1000; grouped: 50; segmented: one division a league."""
    cohort_by: ShortText | None = None
    """grouped: a player attribute to split by first."""
    leagues: Annotated[tuple[ShortText, ...], Field(min_length=1, max_length=MAX_LEAGUES)] = (
        "bronze",
        "silver",
        "gold",
        "platinum",
        "diamond",
    )
    """segmented: the leagues from the lowest to the highest."""
    promotion: Places | None = None
    """segmented: the places that move up at finalization."""
    relegation: Places | None = None
    """segmented: the places that move down at finalization."""
    matchmaking: Literal["auto", "external"] = "auto"
    """lobby_matched: formed by the server, or pushed by the game's own matchmaker."""
    fill_timeout_seconds: Seconds | None = None
    """lobby_matched: how long a lobby waits for players; default `settings.lobby.fillTimeoutSeconds`."""
    fill_bots: Flag | None = None
    """lobby_matched: instead of fillStrategy: true is fill_with_bots, false is start_short."""
    fill_strategy: FillStrategy | None = Field(default_factory=lambda data: _FILL_BOTS.get(data.get("fill_bots")))
    """lobby_matched: what happens then; default `settings.lobby.fillStrategy`."""
    match_by: MatchBy | None = None
    """lobby_matched: who may share a lobby; default anyone."""

    @property
    def seats(self) -> int | None:
        """Seats of one board, bots included; None without a limit."""
        if self.mode == "grouped":
            return self.capacity or DEFAULT_GROUP_CAPACITY
        return self.capacity if self.mode in ("lobby_matched", "segmented") else None


class SharedBoard(Keyed):
    """A ranking that outlives windows; events name it in contributesTo (R-32)."""

    sort: Sort = "desc"
    """Which scores rank first: the highest (desc) or the lowest (asc)."""
    score_aggregation: Aggregation = "best"
    """How a player's attempts make one row; `last` is `latest`."""
    reset_cadence: Literal["never", "daily", "weekly", "monthly", "season"] = "never"
    """When a new period begins; weeks on Monday 00:00, months on the 1st at 00:00."""
    timezone: Zone = "UTC"
    """The zone of those midnights."""
    season_ends_at: Instant | None = None
    """When the season ends; required with resetCadence "season"."""
    archived: Flag = False
    """Takes no more scores."""
