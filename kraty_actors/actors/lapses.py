"""Grants that nobody claimed in their time: each is told of once (R-45, R-54)."""

from __future__ import annotations

import logging

from kraty_actors.actors.world import World
from kraty_persistence import StoreError

log = logging.getLogger(__name__)

LOOK_EVERY_MS = 60_000
"""How late a grant's expiry may be told; it cannot be claimed from its instant on."""

TOLD_AT_ONCE = 500


class Lapses:
    """Looks now and then, while somebody wants to be told."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def look(self, now: int) -> None:
        """Tell of all that have expired by now."""
        try:
            while await self._world.store.expire_grants(now, TOLD_AT_ONCE) == TOLD_AT_ONCE:
                pass
        except StoreError as error:
            log.info("expired grants are told of later: %s", error)
