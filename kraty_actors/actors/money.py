"""Wallets, inventories and grants (R-40, R-41, R-45)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kraty_actors.actors.effects import credits_of, new_grant
from kraty_actors.actors.records import pack, unpack
from kraty_actors.actors.world import World
from kraty_actors.definitions import Entry, load_entries
from kraty_actors.definitions.rewards import MAX_ROLLED
from kraty_actors.domain.ids import digest_id
from kraty_actors.domain.loot import Bundles, grants_of, roll
from kraty_actors.domain.outcome import Notice, Pay, Refusal
from kraty_persistence import (
    Adjusted,
    AuditEntry,
    BalanceOutOfRange,
    Change,
    GrantExpired,
    GrantRow,
    IdempotencyConflict,
    NewGrant,
    PlayerRow,
)

CRATE_OPEN = "crate_open"
BY_SERVERS = "api"
BY_OPERATORS = "admin"


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
            async with self._world.purses.opened(player.number):
                return await self._world.store.adjust(
                    player.number,
                    [change],
                    key=idempotency_key,
                    reason=reason,
                    source=source,
                    now=self._world.now_ms(),
                )
        except IdempotencyConflict:
            return Refusal("idempotency_conflict", "this idempotencyKey stands for another change")
        except BalanceOutOfRange as error:
            details = {"resource": error.resource, "needed": error.needed, "have": error.have}
            what = f"not enough {error.resource}" if error.short else f"more {error.resource} than can be held"
            return Refusal("conflict", what, details)
        finally:
            self._world.dossiers.forget(player.number)

    def _unknown(self, change: Change) -> Refusal | None:
        game = self._world.catalogue.game
        declared = () if game is None else game.items if change.kind == "item" else game.currencies
        if any(change.key == one.key for one in declared):
            return None
        what = "item" if change.kind == "item" else "currency"
        return Refusal("validation_failed", f"no {what} '{change.key}' is declared", {"path": "key"})

    # -- grants

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
        if grant.kind == "crate":
            return Refusal("conflict", "a crate is opened, not claimed", {"state": grant.status(self._world.now_ms())})
        return await self._claimed(grant, credits_of(unpack(grant.contents)), ())

    async def create(
        self, player: PlayerRow, data: object, idempotency_key: str, *, who: str
    ) -> tuple[GrantRow, bool] | Refusal:
        """Give a player something once for each key: the grant, and whether it is new.

        Args:
            data: The JSON of entries, as a bundle has them.

        Raises:
            DefinitionFaults: Something in it is wrong.
        """
        game = self._world.catalogue.game
        if game is None:
            return Refusal("conflict", "no game has been put yet")
        entries = load_entries(data, game)
        now = self._world.now_ms()
        name = digest_id("g", BY_SERVERS, player.number, idempotency_key)
        pays = grants_of(
            roll(entries, name),
            grant_id=name,
            player=player.number,
            source_kind=BY_OPERATORS if who == "operator" else BY_SERVERS,
            source_ref=name,
            at=now,
        )
        terms = self._world.loop.recorder.terms
        try:
            given = AuditEntry(now, who, "grants.create", f"player:{player.number}", None, pack(name))
            row, is_new = await self._world.store.create_grants([new_grant(pay, terms) for pay in pays], audited=given)
        except IdempotencyConflict:
            return Refusal("idempotency_conflict", "this idempotencyKey stands for another grant")
        finally:
            self._world.dossiers.forget(player.number)
        if is_new:
            self._tell(pays)
        return row, is_new

    def _tell(self, pays: Sequence[Pay]) -> None:
        """Let players who are connected hear of their grants."""
        listener = self._world.loop.listener
        for pay in pays:
            listener.notice(Notice("grant", (pay.player,), pay))
        listener.flush()

    async def open_crate(self, player: int, grant_id: str) -> tuple[GrantRow, list[GrantRow]] | Refusal:
        """Turn a crate, once, into a grant of its bundle that is claimed at once: the crate, and what came out of it,
        that grant first and behind it the crates that were in it.

        The contents are those of the bundle as it is defined now.
        """
        crate = await self._world.store.grant(grant_id, player)
        if crate is None:
            return _no_grant()
        if crate.kind != "crate":
            return Refusal("conflict", "the grant is no crate: claim it", {"state": crate.status(self._world.now_ms())})
        name = digest_id("g", crate.id, CRATE_OPEN)
        if crate.claimed_at is None:
            entries = self._crate_entries(unpack(crate.contents)[0]["crateItemKey"])
            if entries is None:
                return Refusal("conflict", "what was in the crate is not defined any more", {"state": "pending"})
            pays = grants_of(
                roll(entries, name),
                grant_id=name,
                player=player,
                source_kind=CRATE_OPEN,
                source_ref=crate.id,
                at=self._world.now_ms(),
            )
            opened = await self._claimed(crate, credits_of(pays[0].entries), self._came_out(pays, crate.id))
            if isinstance(opened, Refusal):
                return opened
            crate = opened
        came_out = await self._world.store.grants_from(crate.id, limit=1 + MAX_ROLLED)
        return crate, sorted(came_out, key=lambda row: (row.id != name, row.id))

    def _came_out(self, pays: Sequence[Pay], crate_id: str) -> list[NewGrant]:
        """What was in a crate, claimed as it comes, and the crates that were in it, which wait to be opened."""
        terms = self._world.loop.recorder.terms
        first, *crates = pays
        contents = NewGrant(
            id=first.grant_id,
            player=first.player,
            kind=first.kind,
            contents=pack(list(first.entries)),
            source_kind=first.source_kind,
            source_ref=first.source_ref,
            parent=crate_id,
            created_at=first.at,
            expires_at=None,
            claimed_at=first.at,
        )
        return [contents, *(new_grant(crate, terms) for crate in crates)]

    def _crate_entries(self, item_key: str) -> Sequence[Entry] | None:
        game = self._world.catalogue.game
        item = next((one for one in game.items if one.key == item_key), None) if game is not None else None
        if game is None or item is None or item.crate_bundle_id is None:
            return None
        return Bundles.of(game)[item.crate_bundle_id]

    async def _claimed(
        self, grant: GrantRow, changes: Sequence[Change], grants: Sequence[NewGrant]
    ) -> GrantRow | Refusal:
        try:
            claimed = await self._world.store.claim(grant.id, grant.player, self._world.now_ms(), changes, grants)
        except GrantExpired:
            return Refusal("conflict", "the grant has expired", {"state": "expired"})
        except BalanceOutOfRange as error:
            return Refusal("conflict", f"no more {error.resource} can be held", {"state": "pending"})
        finally:
            self._world.dossiers.forget(grant.player)
        return claimed or _no_grant()


def _no_grant() -> Refusal:
    return Refusal("not_found", "no such grant")
