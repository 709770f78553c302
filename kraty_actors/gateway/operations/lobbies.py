"""Lobbies, for those who sit in them and for those who make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kraty_actors.domain.lobby import LobbyView
from kraty_actors.gateway import translate
from kraty_actors.gateway.operations.people import acting_player, the_player, who
from kraty_protocol import messages, operator_messages, server_messages

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def lobbies_get(connection: Connection, request_id: int, fields: messages.LobbyFields) -> None:
    player = await the_player(connection, fields)
    view = await connection.gateway.engine.lobbies.get(player.number, fields.lobby_id)
    connection.answer(request_id, view, _lobby)


async def lobbies_leave(connection: Connection, request_id: int, fields: messages.LobbyFields) -> None:
    player = await acting_player(connection, fields)
    view = await connection.gateway.engine.lobbies.leave(player.number, fields.lobby_id)
    connection.answer(request_id, view, _lobby)


async def lobbies_push(connection: Connection, request_id: int, fields: server_messages.LobbiesPush) -> None:
    engine = connection.gateway.engine
    players = [await engine.players.resolve(player_id) for player_id in fields.player_ids]
    view = await engine.lobbies.push(
        fields.event_key, fields.key, players, fields.capacity, fields.metadata, who=who(connection)
    )
    connection.answer(request_id, view, _lobby)


async def lobbies_start(connection: Connection, request_id: int, fields: operator_messages.LobbiesStart) -> None:
    view = await connection.gateway.engine.lobbies.start(fields.lobby_id, who=who(connection))
    connection.answer(request_id, view, _lobby)


def _lobby(view: LobbyView) -> translate.Map:
    return {"lobby": translate.lobby(view)}
