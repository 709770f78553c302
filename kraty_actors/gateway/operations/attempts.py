"""Events as players see them, and their attempts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kraty_actors.domain.attempt import COMPLETED, FORCE_COMPLETED, AttemptView
from kraty_actors.domain.lobby import LobbyView, Unmatched
from kraty_actors.gateway import translate
from kraty_actors.gateway.operations.people import acting_player, the_player
from kraty_protocol import messages
from kraty_protocol.errors import Refused
from kraty_protocol.fields import ForPlayer
from kraty_protocol.shapes import iso

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def ping(connection: Connection, request_id: int, _fields: ForPlayer) -> None:
    connection.reply(request_id, {"serverTime": iso(connection.gateway.engine.now_ms())})


async def events_list(connection: Connection, request_id: int, fields: messages.EventsList) -> None:
    player = await acting_player(connection, fields)
    found = await connection.gateway.engine.listings.of(player, upcoming=fields.upcoming)
    frame = connection.gateway.listings.reply(connection.conversation.codec, request_id, found)
    connection.reply_encoded(request_id, frame)


async def events_start(connection: Connection, request_id: int, fields: messages.EventsStart) -> None:
    player = await acting_player(connection, fields)
    started = await connection.gateway.engine.entrance.start(player, fields.event_key, fields.player_context)
    if isinstance(started, LobbyView | Unmatched):
        details = translate.forming(started)
        connection.refuse(request_id, Refused("lobby_forming", "the lobby waits for more players", details))
    else:
        connection.answer(request_id, started, translate.started)


async def events_finish(connection: Connection, request_id: int, fields: messages.AttemptFields) -> None:
    player = await acting_player(connection, fields)
    respond = partial(connection.answer, request_id, shape=_finished)
    connection.gateway.engine.finish(player.number, fields.attempt_id, respond)


async def attempts_get(connection: Connection, request_id: int, fields: messages.AttemptFields) -> None:
    player = await the_player(connection, fields)
    respond = partial(connection.answer, request_id, shape=_attempt_and_rank)
    connection.gateway.engine.attempt(player.number, fields.attempt_id, respond)


def _finished(view: AttemptView) -> translate.Map:
    outcome = COMPLETED if view.status in (COMPLETED, FORCE_COMPLETED) else "expired"
    return {"attempt": translate.attempt(view), "outcome": outcome}


def _attempt_and_rank(view: AttemptView) -> translate.Map:
    return {"attempt": translate.attempt(view), "rank": view.rank}
