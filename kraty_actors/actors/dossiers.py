"""What conditions and listings ask of a player, kept in memory: completions, money, items, leagues (R-19, R-55)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from kraty_actors.domain.outcome import Charged, Completed, Effect, MovedLeague, Pay, Refunded
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
        return self.known(player) or (await self._load(player))[0]

    async def settled(self, player: int) -> Dossier:
        """The player's dossier as it stands at this very moment, with everything that is committed."""
        while (found := self.known(player)) is None:
            found, is_kept = await self._load(player)
            if is_kept:
                break
        return found

    async def _load(self, player: int) -> tuple[Dossier, bool]:
        """What the store has of the player, and whether nothing of it has changed while it was read."""
        asked = self._loading.setdefault(player, object())
        try:
            found = await self._store.dossier(player)
            is_settled = self._loading.get(player) is asked
            if is_settled:
                self._keep(player, found)
        finally:
            if self._loading.get(player) is asked:
                del self._loading[player]
        return found, is_settled

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
        if isinstance(effect, Refunded | Pay):  # what is delivered at once may be in it, or not
            self.forget(effect.player)
        elif isinstance(effect, Completed | MovedLeague | Charged):
            self._loading.pop(effect.player, None)
            kept = self._kept.get(effect.player)
            if kept is not None:
                self._kept[effect.player] = _after(kept, effect)


def _after(kept: Dossier, effect: Completed | MovedLeague | Charged) -> Dossier:
    match effect:
        case Completed():
            return replace(kept, completed=kept.completed | {effect.event_key})
        case MovedLeague():
            return replace(kept, leagues={**kept.leagues, effect.event_key: effect.league})
    balances, inventory = dict(kept.balances), dict(kept.inventory)
    for cost in effect.costs:
        held = balances if cost.kind == "currency" else inventory
        held[cost.key] = held.get(cost.key, 0) - cost.amount
    return replace(kept, balances=balances, inventory=inventory)
