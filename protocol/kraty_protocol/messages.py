"""What each operation takes: the models of players' operations, and the table of all operations.

Those of servers and operators are in `kraty_protocol.server_messages` and `kraty_protocol.operator_messages`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from kraty_protocol.fields import (
    Fields,
    ForPlayer,
    Id,
    Key,
    MetricValue,
    Page,
    Period,
    PlayerId,
    Positive,
    Scalar,
    Text,
    Whole,
    fault,
)
from kraty_protocol.limits import CONTEXT_ENTRIES, RESUMED_VIEWS, ROLES, TOKEN_CHARS, WATCHED_PARTICIPANTS, Role
from kraty_protocol.operator_messages import (
    AnomaliesList,
    AttemptsForceComplete,
    AttemptsVoid,
    BoardsArchive,
    BoardsPut,
    EventFields,
    EventsExplain,
    EventsFinalize,
    EventsPreview,
    EventsPut,
    EventsSimulate,
    GamePut,
    LobbiesStart,
    Stats,
    WebhooksReplay,
    WindowFields,
    WindowsCorrect,
    WindowsExtend,
    WindowsOverride,
)
from kraty_protocol.server_messages import (
    GrantsCreate,
    InventoryChange,
    LobbiesPush,
    PlayersBan,
    PlayersPut,
    WalletChange,
)


class _BoardName(ForPlayer):
    """Names a board, by exactly one of two fields."""

    leaderboard_id: Id | None = None
    board_key: Key | None = None

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.leaderboard_id is None and self.board_key is None:
            raise fault("leaderboardId", "leaderboardId or boardKey is required")
        if self.leaderboard_id is not None and self.board_key is not None:
            raise fault("boardKey", "only one of leaderboardId and boardKey")
        return self


class _View(Fields):
    """The part of a board that a client wants to keep: the union of what is asked, the top 50 by default.

    Attributes:
        limit: The rows from the top; 0 when only other parts were asked for.
        around: Asks for the watcher's own row with `spread` rows on each side.
        participants: Rows by participantId.
    """

    limit: Annotated[Positive, Field(le=200)] = 50
    around: Literal["self"] | None = None
    spread: Annotated[Whole, Field(le=100)] = 5
    participants: Annotated[list[Id], Field(max_length=WATCHED_PARTICIPANTS)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _only_what_is_asked(self) -> Self:
        if "limit" not in self.model_fields_set and (self.around is not None or self.participants):
            self.limit = 0
        return self


class ResumedView(_View):
    """A view that a client held before its connection was lost, and the version of its copy."""

    leaderboard_id: Id
    version: Whole


class Hello(Fields):
    """The first message. `role` and `playerId` count only where the server takes them without a token."""

    token: Annotated[str, Field(max_length=TOKEN_CHARS)] | None = None
    role: Role | None = None
    player_id: PlayerId | None = None
    resume: Annotated[list[ResumedView], Field(max_length=RESUMED_VIEWS)] = Field(default_factory=list)


class EventsList(ForPlayer):
    """`upcoming` adds events whose next window is still to open (R-55)."""

    upcoming: bool = False


class EventsStart(ForPlayer):
    """`playerContext` serves placement only, never a condition (R-19)."""

    event_key: Key
    player_context: Annotated[dict[Id, Scalar], Field(max_length=CONTEXT_ENTRIES)] = Field(default_factory=dict)

    @field_validator("player_context", mode="before")
    @classmethod
    def _null_entries_are_absent(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {key: value for key, value in given.items() if value is not None}


class EventsProgress(ForPlayer):
    """A progress write (R-8, R-15).

    The conversation checks this operation by hand, for speed (see `kraty_protocol.progress`); this model is
    what that check is held against.
    """

    attempt_id: Id
    metrics: Annotated[dict[str, MetricValue], Field(min_length=1)] | None = None
    metric_value: MetricValue | None = None
    mode: Literal["increment", "set"] = "increment"
    seq: Positive | None = None
    idempotency_key: Id | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if self.metrics is None and self.metric_value is None:
            raise fault("metrics", "metrics or metricValue is required")
        if self.metrics is not None and self.metric_value is not None:
            raise fault("metricValue", "only one of metrics and metricValue")
        if self.seq is not None and self.idempotency_key is not None:
            raise fault("idempotencyKey", "only one of seq and idempotencyKey")
        return self


class AttemptFields(ForPlayer):
    """`events.finish` and `attempts.get`."""

    attempt_id: Id


class BoardsRead(_BoardName):
    """A page from `offset`, or the rows around one participant (R-33).

    Attributes:
        limit: Rows of the page, 1..200 (50), or with `around` rows on each side, 0..100 (10).
        around: "self" or a participantId (for servers a player's id).
        period: Which period of a shared board: "current", or the instant in ms at which it began.
    """

    limit: Annotated[Whole, Field(le=200)] = 50
    offset: Whole | None = None
    around: Id | None = None
    period: Period | None = None

    @model_validator(mode="after")
    def _page_or_around(self) -> Self:
        if self.around is None:
            if self.limit == 0:
                raise fault("limit", "limit is 1..200")
        elif self.offset is not None:
            raise fault("offset", "only one of offset and around")
        elif "limit" not in self.model_fields_set:
            self.limit = 10
        elif self.limit > 100:
            raise fault("limit", "with around, limit is 0..100")
        return self


class BoardsWatch(_BoardName, _View):
    """A view to be kept up to date by pushes (R-34)."""


class BoardsPeriods(ForPlayer):
    """The periods of one shared board (R-32)."""

    board_key: Key


class BoardsUnwatch(ForPlayer):
    """Ends the view that `boards.watch` named."""

    sub: Id


class LobbyFields(ForPlayer):
    """`lobbies.get` and `lobbies.leave`."""

    lobby_id: Id


class GrantsList(ForPlayer, Page):
    """A page of grants, by default of every status."""

    status: Literal["pending", "claimed", "expired"] | None = None


class GrantFields(ForPlayer):
    """`grants.claim` and `crates.open`."""

    grant_id: Id


class ProfileSet(ForPlayer):
    """What boards show of a player, set by the player where the game allows it; left out, it stays."""

    name: Text | None = None
    avatar: Text | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """What may be asked.

    Attributes:
        model: Its fields.
        roles: Who may ask.
        needs_player: Whether servers and operators have to name the player in `playerId`.
    """

    model: type[Fields]
    roles: frozenset[str] = ROLES
    needs_player: bool = False


def _player(model: type[ForPlayer]) -> Operation:
    return Operation(model, needs_player=True)


def _server(model: type[Fields]) -> Operation:
    return Operation(model, frozenset({"server", "operator"}), needs_player=issubclass(model, ForPlayer))


def _operator(model: type[Fields]) -> Operation:
    return Operation(model, frozenset({"operator"}), needs_player=issubclass(model, ForPlayer))


OPERATIONS: Mapping[str, Operation] = {
    "hello": Operation(Hello),
    "ping": Operation(ForPlayer),
    "events.list": _player(EventsList),
    "events.start": _player(EventsStart),
    "events.progress": _player(EventsProgress),
    "events.finish": _player(AttemptFields),
    "attempts.get": _player(AttemptFields),
    "boards.read": Operation(BoardsRead),
    "boards.watch": Operation(BoardsWatch),
    "boards.unwatch": Operation(BoardsUnwatch),
    "boards.periods": Operation(BoardsPeriods),
    "lobbies.get": _player(LobbyFields),
    "lobbies.leave": _player(LobbyFields),
    "wallet.get": _player(ForPlayer),
    "inventory.get": _player(ForPlayer),
    "grants.list": _player(GrantsList),
    "grants.claim": _player(GrantFields),
    "profile.set": _player(ProfileSet),
    "players.put": _server(PlayersPut),
    "players.get": _server(ForPlayer),
    "wallet.credit": _server(WalletChange),
    "wallet.debit": _server(WalletChange),
    "inventory.grant": _server(InventoryChange),
    "inventory.revoke": _server(InventoryChange),
    "lobbies.push": _server(LobbiesPush),
    "game.put": _operator(GamePut),
    "events.put": _operator(EventsPut),
    "events.get": _operator(EventFields),
    "events.publish": _operator(EventFields),
    "events.unpublish": _operator(EventFields),
    "events.pause": _operator(EventFields),
    "events.resume": _operator(EventFields),
    "events.finalize": _operator(EventsFinalize),
    "events.preview": _operator(EventsPreview),
    "events.simulate": _operator(EventsSimulate),
    "events.explain": _operator(EventsExplain),
    "windows.list": _operator(EventFields),
    "windows.override": _operator(WindowsOverride),
    "windows.copyPrevious": _operator(WindowFields),
    "windows.extend": _operator(WindowsExtend),
    "windows.cancel": _operator(WindowFields),
    "windows.report": _operator(WindowFields),
    "windows.correct": _operator(WindowsCorrect),
    "lobbies.start": _operator(LobbiesStart),
    "attempts.forceComplete": _operator(AttemptsForceComplete),
    "boards.put": _operator(BoardsPut),
    "boards.archive": _operator(BoardsArchive),
    "crates.open": _player(GrantFields),
    "grants.create": _server(GrantsCreate),
    "players.ban": _server(PlayersBan),
    "players.unban": _server(PlayersBan),
    "players.lookup": _operator(ForPlayer),
    "anomalies.list": _operator(AnomaliesList),
    "attempts.void": _operator(AttemptsVoid),
    "webhooks.dead": _operator(Page),
    "webhooks.replay": _operator(WebhooksReplay),
    "audit.list": _operator(Page),
    "stats": _operator(Stats),
}
"""Every operation by its name on the wire."""
