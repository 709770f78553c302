"""What is known of players beside their play."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kraty_actors.gateway import translate
from kraty_actors.gateway.operations.people import acting_player, named_player, the_player, who
from kraty_persistence import PlayerRow
from kraty_protocol import messages, server_messages
from kraty_protocol.errors import Refused
from kraty_protocol.fields import ForPlayer

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def players_put(connection: Connection, request_id: int, fields: server_messages.PlayersPut) -> None:
    player = await the_player(connection, fields)
    engine = connection.gateway.engine
    profile = fields.name, fields.avatar, fields.country
    put = await engine.players.put(player, fields.attributes, *profile, who=who(connection), now=engine.now_ms())
    connection.answer(request_id, put, lambda row: _player(connection, row))


async def players_get(connection: Connection, request_id: int, fields: ForPlayer) -> None:
    row = await named_player(connection, fields)
    if row is None:
        raise Refused("not_found", f"no player '{fields.player_id}'")
    connection.reply(request_id, _player(connection, row))


async def _players_set_ban(
    connection: Connection, request_id: int, fields: server_messages.PlayersBan, *, is_banned: bool
) -> None:
    row = await named_player(connection, fields)
    if row is None:
        raise Refused("not_found", f"no player '{fields.player_id}'")
    bans = connection.gateway.engine.bans
    done = await bans.set(row, is_banned=is_banned, reason=fields.reason, who=who(connection))
    connection.answer(request_id, done, lambda player: _player(connection, player))


players_ban = partial(_players_set_ban, is_banned=True)
players_unban = partial(_players_set_ban, is_banned=False)


async def profile_set(connection: Connection, request_id: int, fields: messages.ProfileSet) -> None:
    game = connection.gateway.engine.catalogue.game
    if connection.player is not None and (game is None or game.settings.profile != "client"):
        raise Refused("forbidden", "this game's servers set names and avatars")
    player = await acting_player(connection, fields)
    players = connection.gateway.engine.players
    row = await players.set_profile(player, fields.name, fields.avatar, None)
    connection.reply(request_id, _player(connection, row))


def _player(connection: Connection, row: PlayerRow) -> translate.Map:
    if connection.player is not None and connection.player.number == row.number:
        connection.player = row
    return translate.player(row, connection.gateway.engine.players.attributes(row))
