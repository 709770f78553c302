"""What conditions and listings ask of a player, kept in memory: completions, money, items, leagues (R-19, R-55)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from kraty_actors.domain.outcome import Completed, Effect, MovedLeague
from kraty_persistence import Dossier, Store

DOSSIERS_MAX = 50_000
"""Players whose dossiers are kept; of those who were not asked about for longest, the next question reads again."""


class Dossiers:
    """Read from the store once, then kept up to date by what is committed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[int, Dossier] = OrderedDict()
        self._loading: dict[int, object] = {}

    def known(self, player: int) -> Dossier | None:
        """The dossier, if it is in memory."""
        found = self._kept.get(player)
        if found is not None:
            self._kept.move_to_end(player)
        return found

    async def get(self, player: int) -> Dossier:
        """The player's dossier, with everything that was committed before this was called."""
        found = self.known(player)
        if found is not None:
            return found
        asked = self._loading.setdefault(player, object())
        try:
            found = await self._store.dossier(player)
            if self._loading.get(player) is asked:  # nothing of the player has changed while their rows were read
                self._keep(player, found)
        finally:
            if self._loading.get(player) is asked:
                del self._loading[player]
        return found

    def _keep(self, player: int, dossier: Dossier) -> None:
        self._kept[player] = dossier
        if len(self._kept) > DOSSIERS_MAX:
            self._kept.popitem(last=False)

    def forget(self, player: int) -> None:
        """Something of the player has changed in the store."""
        self._kept.pop(player, None)
        self._loading.pop(player, None)

    def happened(self, effect: Effect) -> None:
        """A rule's effect was committed."""
        if isinstance(effect, Completed | MovedLeague):
            self._loading.pop(effect.player, None)
            kept = self._kept.get(effect.player)
            if kept is None:
                return
            if isinstance(effect, Completed):
                kept = replace(kept, completed=kept.completed | {effect.event_key})
            else:
                kept = replace(kept, leagues={**kept.leagues, effect.event_key: effect.league})
            self._kept[effect.player] = kept
