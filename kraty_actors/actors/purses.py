"""One hand at a time in a player's purse: whoever takes something out looks first whether it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from kraty_actors.actors.dossiers import Dossiers
from kraty_persistence import Dossier


class Purses:
    """Debits of one player follow each other; those of different players do not wait for one another."""

    def __init__(self, dossiers: Dossiers) -> None:
        self._dossiers = dossiers
        self._held: dict[int, tuple[anyio.Lock, int]] = {}

    @asynccontextmanager
    async def opened(self, player: int) -> AsyncIterator[None]:
        """Nobody else takes anything from the player inside the block; something may be added."""
        lock, waiting = self._held.get(player) or (anyio.Lock(fast_acquire=True), 0)
        self._held[player] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            _, waiting = self._held[player]
            if waiting == 1:
                del self._held[player]
            else:
                self._held[player] = lock, waiting - 1

    async def holdings(self, player: int) -> Dossier:
        """What the player has, with everything that is committed."""
        return await self._dossiers.settled(player)
