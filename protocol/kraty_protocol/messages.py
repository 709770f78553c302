"""What each operation takes: one model per operation, and the table of all operations.

Attributes are snake_case, wire fields camelCase. A field that is null is as good as absent, an unknown one is
a fault, and a whole number may come as 3 or as 3.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from kraty_protocol.codec import number
from kraty_protocol.limits import (
    CONTEXT_ENTRIES,
    ID_CHARS,
    MAX_WHOLE,
    RESUMED_VIEWS,
    ROLES,
    TOKEN_CHARS,
    WATCHED_PARTICIPANTS,
    Role,
)


def _whole(value: Any) -> Any:
    return number(value) if isinstance(value, float) else value


def _json(value: Any) -> Any:
    """Refuse what MessagePack can carry and JSON cannot, or the other way round."""
    if isinstance(value, dict):
        for item in value.values():
            _json(item)
    elif isinstance(value, list):
        for item in value:
            _json(item)
    elif isinstance(value, bytes) or (isinstance(value, float) and not isfinite(value)):
        raise PydanticCustomError("json", "not JSON: binary data, NaN or an infinity")
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise PydanticCustomError("json", "a whole number over 64 bits")
    return value


def _metric_value(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_WHOLE:
        return number(value)
    raise PydanticCustomError("metric_value", "a finite number of 0..2^53 - 1")


def _scalar(value: Any) -> Any:
    if isinstance(value, str | bool | int | float):
        return _json(value)
    raise PydanticCustomError("scalar", "text, a number, true or false")


def _fault(path: str, message: str) -> PydanticCustomError:
    """A fault that lies between fields; it is told at one of them."""
    return PydanticCustomError("fields", "{message}", {"path": path, "message": message})


Id = Annotated[str, Field(min_length=1, max_length=ID_CHARS)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
PlayerId = Annotated[str, Field(pattern=r"^[^\p{Cc}]{1,64}$")]
Whole = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=MAX_WHOLE)]
Positive = Annotated[Whole, Field(ge=1)]
MetricValue = Annotated[int | float, PlainValidator(_metric_value)]
Scalar = Annotated[str | bool | int | float, PlainValidator(_scalar)]
Document = Annotated[dict[str, Any], AfterValidator(_json)]


class Fields(BaseModel):
    """The fields of one operation, beside `id` and `op`."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        known = {field.alias for field in cls.model_fields.values()}
        return {key: value for key, value in given.items() if value is not None or key not in known}


class ForPlayer(Fields):
    """Fields of an operation that one player does.

    Servers and operators name the player in `playerId`; for a player, whom the token names, it is an unknown
    field.
    """

    player_id: PlayerId | None = None


class _BoardName(ForPlayer):
    """Names a board, by exactly one of two fields."""

    leaderboard_id: Id | None = None
    board_key: Key | None = None

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.leaderboard_id is None and self.board_key is None:
            raise _fault("leaderboardId", "leaderboardId or boardKey is required")
        if self.leaderboard_id is not None and self.board_key is not None:
            raise _fault("boardKey", "only one of leaderboardId and boardKey")
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
    participants: Annotated[list[Id], Field(max_length=WATCHED_PARTICIPANTS)] = []

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
    resume: Annotated[list[ResumedView], Field(max_length=RESUMED_VIEWS)] = []


class EventsList(ForPlayer):
    """`upcoming` adds events whose next window is still to open (R-55)."""

    upcoming: bool = False


class EventsStart(ForPlayer):
    """`playerContext` serves placement only, never a condition (R-19)."""

    event_key: Key
    player_context: dict[Id, Scalar] = {}

    @field_validator("player_context", mode="before")
    @classmethod
    def _null_entries_are_absent(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {key: value for key, value in given.items() if value is not None}

    @field_validator("player_context")
    @classmethod
    def _few_entries(cls, given: dict[str, Any]) -> dict[str, Any]:
        if len(given) > CONTEXT_ENTRIES:
            raise PydanticCustomError("too_many", f"at most {CONTEXT_ENTRIES} entries")
        return given


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
            raise _fault("metrics", "metrics or metricValue is required")
        if self.metrics is not None and self.metric_value is not None:
            raise _fault("metricValue", "only one of metrics and metricValue")
        if self.seq is not None and self.idempotency_key is not None:
            raise _fault("idempotencyKey", "only one of seq and idempotencyKey")
        return self


class AttemptFields(ForPlayer):
    """`events.finish` and `attempts.get`."""

    attempt_id: Id


class BoardsRead(_BoardName):
    """A page from `offset`, or the rows around one participant (R-33).

    Attributes:
        limit: Rows of the page, 1..200 (50), or with `around` rows on each side, 0..100 (10).
        around: "self" or a participantId (for servers a player's id).
        period: "current" or the instant at which a period of a shared board began.
    """

    limit: Annotated[Whole, Field(le=200)] = 50
    offset: Whole | None = None
    around: Id | None = None
    period: Id | None = None

    @model_validator(mode="after")
    def _page_or_around(self) -> Self:
        if self.around is None:
            if self.limit == 0:
                raise _fault("limit", "limit is 1..200")
        elif self.offset is not None:
            raise _fault("offset", "only one of offset and around")
        elif "limit" not in self.model_fields_set:
            self.limit = 10
        elif self.limit > 100:
            raise _fault("limit", "with around, limit is 0..100")
        return self


class BoardsWatch(_BoardName, _View):
    """A view to be kept up to date by pushes (R-34)."""


class BoardsUnwatch(ForPlayer):
    """Ends the view that `boards.watch` named."""

    sub: Id


class LobbiesGet(ForPlayer):
    """One lobby."""

    lobby_id: Id


class GrantsList(ForPlayer):
    """A page of grants, newest first; `after` is the `next` of the page before."""

    status: Literal["pending", "claimed", "expired"] | None = None
    limit: Annotated[Positive, Field(le=200)] = 50
    after: Id | None = None


class GrantsClaim(ForPlayer):
    """One grant."""

    grant_id: Id


class GamePut(Fields):
    """A whole game file."""

    game: Document


class EventsPut(Fields):
    """One event's definition."""

    event: Document


class EventFields(Fields):
    """`events.get` and `windows.list`."""

    event_key: Key


class EventsFinalize(EventFields):
    """All open windows of an event, or the one that is named."""

    window_id: Id | None = None


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


def _operator(model: type[Fields]) -> Operation:
    return Operation(model, roles=frozenset({"operator"}))


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
    "lobbies.get": _player(LobbiesGet),
    "wallet.get": _player(ForPlayer),
    "grants.list": _player(GrantsList),
    "grants.claim": _player(GrantsClaim),
    "game.put": _operator(GamePut),
    "events.put": _operator(EventsPut),
    "events.get": _operator(EventFields),
    "windows.list": _operator(EventFields),
    "events.finalize": _operator(EventsFinalize),
}
"""Every operation by its name on the wire."""
