"""Who is banned (R-51): an input of every open board, and a row of the player's."""

from __future__ import annotations

from dataclasses import replace

from kraty_actors.actors.world import World
from kraty_actors.domain.calendar_messages import BanPlayer
from kraty_actors.domain.ids import CALENDAR
from kraty_actors.domain.outcome import Refusal
from kraty_persistence import PlayerRow


class Bans:
    """The calendar takes a ban and tells whoever keeps a board, in one commit."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def set(self, player: PlayerRow, *, is_banned: bool, reason: str | None, who: str) -> PlayerRow | Refusal:
        """Ban a player, or lift that; the player as they are then. Who is so already stays so, and nothing is left."""
        if player.banned == is_banned:
            return player
        reply = await self._world.loop.call(CALENDAR, BanPlayer(player.number, is_banned, reason, who))
        if isinstance(reply, Refusal):
            return reply
        return self._world.players.keep(replace(player, banned=is_banned))
