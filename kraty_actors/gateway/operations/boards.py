"""Reading and watching boards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from kraty_actors.actors.boards import PeriodName
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.ids import is_board
from kraty_actors.domain.outcome import Refusal
from kraty_actors.gateway import translate
from kraty_actors.gateway.hub import View, ViewKey
from kraty_actors.gateway.operations.people import named_player, participant
from kraty_persistence import PlayerRow
from kraty_protocol import messages
from kraty_protocol.errors import Refused

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def boards_read(connection: Connection, request_id: int, fields: messages.BoardsRead) -> None:
    player = await named_player(connection, fields)
    viewer = player.number if player else None
    if fields.around is None:
        query = GetBoard(offset=fields.offset or 0, limit=fields.limit, viewer=viewer)
    else:
        around = await participant(connection, fields.around, player)
        query = GetBoard(around=around, spread=fields.limit, viewer=viewer)
    board = await _board(connection, await _board_id(connection, fields, fields.period), query)
    connection.answer(request_id, board, lambda view: translate.board(view, connection.gateway.engine.players, player))


async def boards_periods(connection: Connection, request_id: int, fields: messages.BoardsPeriods) -> None:
    board = await connection.gateway.engine.boards.shared(fields.board_key)
    connection.answer(request_id, board, translate.periods)


async def boards_watch(connection: Connection, request_id: int, fields: messages.BoardsWatch) -> None:
    player = await named_player(connection, fields)
    if fields.around is not None and player is None:
        raise Refused("validation_failed", "around 'self' needs a player", {"path": "around"})
    key = await _view_key(connection, await _board_id(connection, fields), fields, player)
    if _is_one_too_many(connection, key):
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


def _is_one_too_many(connection: Connection, key: ViewKey) -> bool:
    known = connection.gateway.hub.known(key)
    is_new = known is None or known.sub not in connection.watcher.views
    return is_new and len(connection.watcher.views) >= connection.watches_max


async def boards_unwatch(connection: Connection, request_id: int, fields: messages.BoardsUnwatch) -> None:
    if not connection.gateway.hub.unwatch(connection.watcher, fields.sub):
        raise Refused("not_found", "nothing is watched under this name")
    connection.reply(request_id, {})


Resumed = tuple[dict[str, Any], Callable[[], object]]
"""What the reply to `hello` says of one view, and what is to be pushed after it."""


async def resumed(connection: Connection, wanted: Sequence[messages.ResumedView]) -> list[Resumed]:
    """What becomes of each view that a client held before its connection was lost."""
    return [await _resume(connection, one) for one in wanted]


async def _resume(connection: Connection, asked: messages.ResumedView) -> Resumed:
    hub, watcher = connection.gateway.hub, connection.watcher
    says = {"leaderboardId": asked.leaderboard_id, "sub": None, "version": asked.version, "how": "gone"}
    if not is_board(asked.leaderboard_id):
        return says, _nothing
    key = await _view_key(connection, asked.leaderboard_id, asked, connection.player)
    if _is_one_too_many(connection, key):
        return says, _nothing
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
    picked = [await participant(connection, name, player) for name in asked.participants]
    around = player.number if asked.around is not None and player is not None else None
    spread = asked.spread if around is not None else 0
    return ViewKey(board, asked.limit, around, spread, tuple(sorted({one for one in picked if one is not None})))


async def _board(connection: Connection, board: str, query: GetBoard) -> BoardView | Refusal:
    view = await connection.gateway.engine.boards.read(board, query)
    if isinstance(view, BoardView):
        players = connection.gateway.engine.players
        await players.fetch(players.missing(standing.participant for standing in view.standings))
    return view


async def _board_id(connection: Connection, fields: Any, period: PeriodName | None = None) -> str:
    """The board that is named by its id, or as a period of a shared one."""
    if fields.leaderboard_id is not None:
        if period is not None:
            raise Refused("validation_failed", "a period is one of a boardKey", {"path": "period"})
        board: str = fields.leaderboard_id
        return board
    named = await connection.gateway.engine.boards.named(fields.board_key, "current" if period is None else period)
    if isinstance(named, Refusal):
        raise Refused(named.code, named.message, named.details)
    return named
