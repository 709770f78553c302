"""What each operation of the wire does. One function an operation; the table at the end names them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from kraty_actors.actors.engine import WrongGame
from kraty_actors.definitions import DefinitionFaults
from kraty_actors.domain.attempt import COMPLETED, FORCE_COMPLETED, AttemptView
from kraty_actors.domain.contest_messages import BoardView, GetBoard
from kraty_actors.domain.ids import bot_of_public_id, is_contest
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Refusal
from kraty_actors.gateway import translate
from kraty_actors.gateway.hub import View, ViewKey
from kraty_persistence import PlayerRow
from kraty_protocol import messages
from kraty_protocol.errors import Refused
from kraty_protocol.shapes import iso

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection

Handler = Callable[["Connection", int, Any], Awaitable[None]]


async def ping(connection: Connection, request_id: int, _fields: messages.ForPlayer) -> None:
    connection.reply(request_id, {"serverTime": iso(connection.gateway.engine.now_ms())})


# -- attempts


async def events_list(connection: Connection, request_id: int, fields: messages.EventsList) -> None:
    player = await _player(connection, fields)
    found = await connection.gateway.engine.listings(player.number, upcoming=fields.upcoming)
    connection.reply(request_id, {"events": [translate.listing(listed) for listed in found]})


async def events_start(connection: Connection, request_id: int, fields: messages.EventsStart) -> None:
    player = await _player(connection, fields)
    started = await connection.gateway.engine.start(player.number, fields.event_key)
    if isinstance(started, LobbyView):
        details = translate.forming(started)
        connection.refuse(request_id, Refused("lobby_forming", "the lobby waits for more players", details))
    else:
        connection.answer(request_id, started, translate.started)


async def events_finish(connection: Connection, request_id: int, fields: messages.AttemptFields) -> None:
    player = await _player(connection, fields)
    respond = partial(connection.answer, request_id, shape=_finished)
    connection.gateway.engine.finish(player.number, fields.attempt_id, respond)


async def attempts_get(connection: Connection, request_id: int, fields: messages.AttemptFields) -> None:
    player = await _player(connection, fields)
    respond = partial(connection.answer, request_id, shape=_attempt_and_rank)
    connection.gateway.engine.attempt(player.number, fields.attempt_id, respond)


def _finished(view: AttemptView) -> translate.Map:
    outcome = COMPLETED if view.status in (COMPLETED, FORCE_COMPLETED) else "expired"
    return {"attempt": translate.attempt(view), "outcome": outcome}


def _attempt_and_rank(view: AttemptView) -> translate.Map:
    return {"attempt": translate.attempt(view), "rank": view.rank}


# -- boards and lobbies


async def boards_read(connection: Connection, request_id: int, fields: messages.BoardsRead) -> None:
    player = await _named_player(connection, fields)
    viewer = player.number if player else None
    if fields.around is None:
        query = GetBoard(offset=fields.offset or 0, limit=fields.limit, viewer=viewer)
    else:
        around = await _participant(connection, fields.around, player)
        query = GetBoard(around=around, spread=fields.limit, viewer=viewer)
    board = await _board(connection, _board_id(fields), query)
    connection.answer(request_id, board, lambda view: translate.board(view, connection.gateway.engine.players, player))


async def boards_watch(connection: Connection, request_id: int, fields: messages.BoardsWatch) -> None:
    player = await _named_player(connection, fields)
    if fields.around is not None and player is None:
        raise Refused("validation_failed", "around 'self' needs a player", {"path": "around"})
    key = await _view_key(connection, _board_id(fields), fields, player)
    known = connection.gateway.hub.known(key)
    is_new = known is None or known.sub not in connection.watcher.views
    if is_new and len(connection.watcher.views) >= connection.watches_max:
        limit = connection.watches_max
        raise Refused("limit_reached", f"at most {limit} boards at once", {"name": "watches", "limit": limit})
    own = await _board(connection, key.board, GetBoard(viewer=player.number)) if player else None
    view = await connection.gateway.hub.watch(connection.watcher, key)
    if isinstance(view, Refusal):
        connection.answer(request_id, view)
        return
    connection.reply(request_id, _watching(view, player, own))
    if view.is_final:
        connection.gateway.hub.finish_for(connection.watcher, view)


async def boards_unwatch(connection: Connection, request_id: int, fields: messages.BoardsUnwatch) -> None:
    if not connection.gateway.hub.unwatch(connection.watcher, fields.sub):
        raise Refused("not_found", "nothing is watched under this name")
    connection.reply(request_id, {})


async def lobbies_get(connection: Connection, request_id: int, fields: messages.LobbiesGet) -> None:
    player = await _player(connection, fields)
    view = await connection.gateway.engine.lobby(player.number, fields.lobby_id)
    connection.answer(request_id, view, lambda lobby: {"lobby": translate.lobby(lobby)})


Resumed = tuple[dict[str, Any], Callable[[], object]]
"""What the reply to `hello` says of one view, and what is to be pushed after it."""


async def resumed(connection: Connection, wanted: Sequence[messages.ResumedView]) -> list[Resumed]:
    """What becomes of each view that a client held before its connection was lost."""
    return [await _resume(connection, one) for one in wanted]


async def _resume(connection: Connection, asked: messages.ResumedView) -> Resumed:
    hub, watcher = connection.gateway.hub, connection.watcher
    says = {"leaderboardId": asked.leaderboard_id, "sub": None, "version": asked.version, "how": "gone"}
    if not is_contest(asked.leaderboard_id):
        return says, _nothing
    key = await _view_key(connection, asked.leaderboard_id, asked, connection.player)
    view = await hub.watch(watcher, key, since=asked.version)
    if isinstance(view, Refusal):
        return says, _nothing
    says |= {"sub": view.sub, "version": view.version}
    if view.is_final:
        return {**says, "how": "final"}, partial(hub.finish_for, watcher, view)
    how = "delta" if view.knows(asked.version) else "snapshot"
    return {**says, "how": how}, partial(hub.resume, watcher, view)


def _nothing() -> None:
    return None


def _watching(view: View, player: PlayerRow | None, own: BoardView | Refusal | None) -> translate.Map:
    return {
        "sub": view.sub,
        "leaderboardId": view.key.board,
        "version": view.version,
        "total": view.total,
        "entries": translate.with_self(view.entries(), player),
        "self": translate.own_row(own) if isinstance(own, BoardView) else None,
    }


async def _view_key(connection: Connection, board: str, asked: Any, player: PlayerRow | None) -> ViewKey:
    picked = [await _participant(connection, name, player) for name in asked.participants]
    around = player.number if asked.around is not None and player is not None else None
    spread = asked.spread if around is not None else 0
    return ViewKey(board, asked.limit, around, spread, tuple(sorted({one for one in picked if one is not None})))


async def _board(connection: Connection, board: str, query: GetBoard) -> BoardView | Refusal:
    view = await connection.gateway.engine.read_board(board, query)
    if isinstance(view, BoardView):
        players = connection.gateway.engine.players
        await players.fetch(players.missing(standing.participant for standing in view.standings))
    return view


def _board_id(fields: Any) -> str:
    if fields.leaderboard_id is None or getattr(fields, "period", None) is not None:
        raise Refused("not_found", "no such board")
    board: str = fields.leaderboard_id
    return board


async def _participant(connection: Connection, name: str, player: PlayerRow | None) -> int | None:
    """The participant that a name means: `self`, a participantId, or for a trusted peer a player's id."""
    if name == "self":
        return player.number if player else None
    bot = bot_of_public_id(name)
    if bot is not None:
        return bot
    players = connection.gateway.engine.players
    row = await players.participant(name)
    if row is None and connection.player is None:
        row = await players.find(name)
    return row.number if row else None


# -- money


async def wallet_get(connection: Connection, request_id: int, fields: messages.ForPlayer) -> None:
    player = await _player(connection, fields)
    balances = await connection.gateway.engine.balances(player.number)
    connection.reply(request_id, {"balances": [{"key": key, "balance": held} for key, held in balances]})


async def grants_list(connection: Connection, request_id: int, fields: messages.GrantsList) -> None:
    player = await _player(connection, fields)
    engine = connection.gateway.engine
    page, following = await engine.grants(player.number, status=fields.status, limit=fields.limit, after=fields.after)
    now = engine.now_ms()
    connection.reply(request_id, {"grants": [translate.grant(row, now) for row in page], "next": following})


async def grants_claim(connection: Connection, request_id: int, fields: messages.GrantsClaim) -> None:
    player = await _player(connection, fields)
    engine = connection.gateway.engine
    claimed = await engine.claim(player.number, fields.grant_id)
    connection.answer(request_id, claimed, lambda row: {"grant": translate.grant(row, engine.now_ms())})


# -- operators


async def game_put(connection: Connection, request_id: int, fields: messages.GamePut) -> None:
    try:
        result = await connection.gateway.engine.put_game(fields.game, who=_who(connection))
    except DefinitionFaults as faults:
        raise _definition_refused(faults) from None
    except WrongGame as wrong:
        raise Refused("conflict", str(wrong)) from None
    connection.reply(request_id, translate.put(result))


async def events_put(connection: Connection, request_id: int, fields: messages.EventsPut) -> None:
    try:
        event, warnings = await connection.gateway.engine.put_event(fields.event, who=_who(connection))
    except DefinitionFaults as faults:
        raise _definition_refused(faults) from None
    connection.reply(request_id, translate.defined(event, warnings))


async def events_get(connection: Connection, request_id: int, fields: messages.EventFields) -> None:
    engine = connection.gateway.engine
    event = engine.catalogue.events.get(fields.event_key)
    if event is None:
        raise Refused("not_found", f"no event '{fields.event_key}'")
    connection.reply(request_id, translate.defined(event, engine.warnings(event)))


async def windows_list(connection: Connection, request_id: int, fields: messages.EventFields) -> None:
    engine = connection.gateway.engine
    event = engine.catalogue.events.get(fields.event_key)
    if event is None:
        raise Refused("not_found", f"no event '{fields.event_key}'")
    now = engine.now_ms()
    windows = [translate.window(window, event, now) for window in event.listed(now)]
    connection.reply(request_id, {"windows": windows})


async def events_finalize(connection: Connection, request_id: int, fields: messages.EventsFinalize) -> None:
    engine = connection.gateway.engine
    windows = await engine.finalize(fields.event_key, fields.window_id, who=_who(connection))
    if isinstance(windows, Refusal):
        connection.answer(request_id, windows)
        return
    event, now = engine.catalogue.events[fields.event_key], engine.now_ms()
    connection.reply(request_id, {"windows": [translate.window(window, event, now) for window in windows]})


def _definition_refused(faults: DefinitionFaults) -> Refused:
    details: Mapping[str, Any] = {"faults": translate.faults(faults.faults)}
    return Refused("validation_failed", "the definition has faults; nothing was changed", details)


def _who(connection: Connection) -> str:
    return connection.identity.role if connection.identity else ""


# -- who is meant


async def _player(connection: Connection, fields: messages.ForPlayer) -> PlayerRow:
    """The player of the token, or the one that a trusted peer names."""
    if connection.player is not None:
        return connection.player
    return await connection.gateway.engine.players.resolve(str(fields.player_id))


async def _named_player(connection: Connection, fields: messages.ForPlayer) -> PlayerRow | None:
    if connection.player is not None or fields.player_id is None:
        return connection.player
    return await connection.gateway.engine.players.find(fields.player_id)


HANDLERS: Mapping[str, Handler] = {
    "ping": ping,
    "events.list": events_list,
    "events.start": events_start,
    "events.finish": events_finish,
    "attempts.get": attempts_get,
    "boards.read": boards_read,
    "boards.watch": boards_watch,
    "boards.unwatch": boards_unwatch,
    "lobbies.get": lobbies_get,
    "wallet.get": wallet_get,
    "grants.list": grants_list,
    "grants.claim": grants_claim,
    "game.put": game_put,
    "events.put": events_put,
    "events.get": events_get,
    "windows.list": windows_list,
    "events.finalize": events_finalize,
}

IN_ORDER = frozenset({"ping", "events.finish", "attempts.get", "boards.unwatch"})
"""Operations that are handed on before the connection's next request is read: replies on one attempt come in order."""

CAUSES_PUSHES = frozenset({"events.start", "events.finalize"})
"""Operations that join several actors and of which one may push to the asker before the last has answered."""
