"""Who is meant by a request, and who makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kraty_actors.domain.ids import bot_of_public_id
from kraty_persistence import PlayerRow
from kraty_protocol.errors import Refused
from kraty_protocol.fields import ForPlayer

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def the_player(connection: Connection, fields: ForPlayer) -> PlayerRow:
    """The player of the token, or the one that a trusted peer names; who is new is welcome."""
    if connection.player is not None:
        return connection.player
    return await connection.gateway.engine.players.resolve(str(fields.player_id))


async def acting_player(connection: Connection, fields: ForPlayer) -> PlayerRow:
    """The player who is to do something, or for whom a trusted peer does it.

    Raises:
        Refused: `player_banned`.
    """
    player = await the_player(connection, fields)
    if player.banned:
        raise player_banned()
    return player


def player_banned() -> Refused:
    return Refused("player_banned", "the player is banned")


async def named_player(connection: Connection, fields: ForPlayer) -> PlayerRow | None:
    """The player of the token, or the one that a trusted peer names, if it names one who was ever here."""
    if connection.player is not None or fields.player_id is None:
        return connection.player
    return await connection.gateway.engine.players.find(fields.player_id)


async def participant(connection: Connection, name: str, player: PlayerRow | None) -> int | None:
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


def who(connection: Connection) -> str:
    """Who goes into the audit trail."""
    return connection.identity.role if connection.identity else ""
