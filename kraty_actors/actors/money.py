"""Wallets, inventories and grants (R-40, R-45)."""

from __future__ import annotations

from typing import Any

from kraty_actors.actors.records import unpack
from kraty_actors.actors.world import World
from kraty_actors.domain.outcome import Refusal
from kraty_persistence import (
    Adjusted,
    BalanceOutOfRange,
    Change,
    GrantExpired,
    GrantRow,
    IdempotencyConflict,
    PlayerRow,
)


class Money:
    """What players hold. Every change is one transaction with its ledger rows."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def balances(self, player: int) -> list[tuple[str, int]]:
        """The balance of every declared currency."""
        held = await self._world.store.balances(player)
        game = self._world.catalogue.game
        return [(currency.key, held.get(currency.key, 0)) for currency in (game.currencies if game else ())]

    async def inventory(self, player: int) -> list[tuple[str, int]]:
        """The items that the player holds, by key."""
        held = await self._world.store.inventory(player)
        return [(key, quantity) for key, quantity in sorted(held.items()) if quantity]

    async def adjust(
        self, player: PlayerRow, change: Change, *, idempotency_key: str, reason: str, source: str
    ) -> Adjusted | Refusal:
        """Change one balance once; the same key again only tells how it stands now."""
        refusal = self._unknown(change)
        if refusal is not None:
            return refusal
        try:
            return await self._world.store.adjust(
                player.number,
                [change],
                key=idempotency_key,
                reason=reason,
                source=source,
                now=self._world.now_ms(),
            )
        except IdempotencyConflict:
            message = "this idempotencyKey stands for another change"
            return Refusal("idempotency_conflict", message)
        except BalanceOutOfRange as short:
            details = {"resource": short.resource, "needed": short.needed, "have": short.have}
            return Refusal("conflict", f"not enough {short.resource}, or more than can be held", details)
        finally:
            self._world.dossiers.forget(player.number)

    def _unknown(self, change: Change) -> Refusal | None:
        game = self._world.catalogue.game
        declared = () if game is None else game.items if change.kind == "item" else game.currencies
        if any(change.key == one.key for one in declared):
            return None
        what = "item" if change.kind == "item" else "currency"
        return Refusal("validation_failed", f"no {what} '{change.key}' is declared", {"path": "key"})

    async def grants(
        self, player: int, *, status: Any = None, limit: int = 50, after: str | None = None
    ) -> tuple[list[GrantRow], str | None]:
        """A page of grants, newest first, and where the next page begins."""
        now = self._world.now_ms()
        found = await self._world.store.grants(player, now=now, status=status, limit=limit + 1, after=after)
        page = found[:limit]
        return page, page[-1].id if len(found) > limit else None

    async def claim(self, player: int, grant_id: str) -> GrantRow | Refusal:
        """Credit a grant to wallet and inventory, once."""
        grant = await self._world.store.grant(grant_id, player)
        if grant is None:
            return _no_grant()
        changes = [change for entry in unpack(grant.contents) if (change := _change(entry)) is not None]
        try:
            claimed = await self._world.store.claim(grant_id, player, self._world.now_ms(), changes)
        except GrantExpired:
            return Refusal("conflict", "the grant has expired", {"state": "expired"})
        except BalanceOutOfRange:
            return Refusal("conflict", "the wallet cannot hold that much", {"state": "pending"})
        finally:
            self._world.dossiers.forget(player)
        return claimed or _no_grant()


def _change(entry: dict[str, Any]) -> Change | None:
    match entry["type"]:
        case "currency":
            return Change("currency", entry["currencyKey"], entry["amount"])
        case "item":
            return Change("item", entry["itemKey"], entry["quantity"])
    return None


def _no_grant() -> Refusal:
    return Refusal("not_found", "no such grant")
