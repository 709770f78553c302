"""Grants and money of the store in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from kraty_persistence.granting import check_claimable, check_repeat, reward_of
from kraty_persistence.memory_outbox import MemoryOutbox
from kraty_persistence.memory_rows import page
from kraty_persistence.money import Entry, Purse, Resource, adjustment_key
from kraty_persistence.money_plan import MoneyPlan
from kraty_persistence.money_rows import (
    Adjusted,
    Change,
    GrantRow,
    GrantStatus,
    LedgerFault,
    LedgerRow,
    MoneyTotal,
    NewGrant,
    ResourceKind,
    Withdrawn,
)
from kraty_persistence.rows import AuditEntry, Books, Dossier

__all__ = ["MemoryMoney"]


class MemoryMoney(MemoryOutbox):
    """What players have won and hold; the books under every plan."""

    def __init__(self) -> None:
        super().__init__()
        self._grants: dict[str, GrantRow] = {}
        self._grants_of: defaultdict[int, list[str]] = defaultdict(list)
        self._children: defaultdict[str, list[str]] = defaultdict(list)
        self._lapsed: set[str] = set()
        self._holdings: defaultdict[int, dict[Resource, int]] = defaultdict(dict)
        self._ledger: defaultdict[int, list[LedgerRow]] = defaultdict(list)
        self._entered: defaultdict[tuple[int, str], list[Change]] = defaultdict(list)

    # -- books

    def balance(self, purse: Purse) -> int:
        player, kind, resource = purse
        return self._holdings.get(player, {}).get((kind, resource), 0)

    def entered(self, player: int, key: str) -> Sequence[Change]:
        return self._entered.get((player, key), ())

    def has_grant(self, grant_id: str) -> bool:
        return grant_id in self._grants

    def _plan(self) -> MoneyPlan:
        self._reach()
        return MoneyPlan(self, self.reporter)

    def _check_plan(self, plan: MoneyPlan) -> None:
        players = {row.player for row in plan.ledger} | {row.player for row in plan.created.values()}
        for player in players:
            self._check_player(player)

    def _adopt(self, plan: MoneyPlan) -> None:
        """Let the plan be how things stand."""
        for (player, kind, resource), amount in plan.balances.items():
            self._holdings[player][kind, resource] = amount
        for entry in plan.ledger:
            self._ledger[entry.player].append(entry)
            self._entered[entry.player, entry.key].append(Change(entry.kind, entry.resource, entry.delta))
        for new in plan.created.values():
            self._grants[new.id] = grant = new.as_row()
            self._grants_of[grant.player].append(grant.id)
            if grant.parent is not None:
                self._children[grant.parent].append(grant.id)
        for grant in plan.claimed:
            self._grants[grant.id] = grant
        for grant_id in plan.withdrawn:
            self._grants[grant_id] = replace(self._grants[grant_id], withdrawn_at=plan.withdrawn_at)
        self._lapsed.update(plan.lapsed)
        for delivery in plan.deliveries:
            self._put_delivery(delivery)

    # -- grants

    async def grant(self, grant_id: str, player: int) -> GrantRow | None:
        self._reach()
        row = self._grants.get(grant_id)
        return row if row is not None and row.player == player else None

    async def grants(
        self,
        player: int,
        *,
        now: int,
        status: GrantStatus | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> list[GrantRow]:
        self._reach()
        rows = [self._grants[grant_id] for grant_id in self._grants_of.get(player, ())]
        newest_first = page(rows, lambda row: (-row.created_at, row.id), len(rows), after)
        return [row for row in newest_first if status in (None, row.status(now))][:limit]

    async def window_grants(self, window_id: str) -> list[GrantRow]:
        self._reach()
        found = {
            row.id: row
            for row in self._grants.values()
            if row.source_ref is not None and f"{row.source_ref}.".startswith(f"{window_id}.")
        }
        parents = list(found)
        while parents:
            children = [child for parent in parents for child in self._children.get(parent, ()) if child not in found]
            found |= {child: self._grants[child] for child in children}
            parents = children
        return sorted(found.values(), key=lambda row: row.id)

    async def grants_from(
        self, source: str, *, within: bool = False, after: GrantRow | None = None, limit: int = 1_000
    ) -> list[GrantRow]:
        self._reach()
        rows = [(row.source_ref, row.created_at, row.id) for row in self._grants.values() if row.source_ref is not None]
        found = [key for key in rows if (key[0].startswith(f"{source}.") if within else key[0] == source)]
        begin = ("", -1, "") if after is None else (after.source_ref or "", after.created_at, after.id)
        return [self._grants[grant_id] for *_, grant_id in sorted(key for key in found if key > begin)[:limit]]

    async def grants_under(self, parents: Sequence[str]) -> list[GrantRow]:
        self._reach()
        children = {child for parent in parents for child in self._children.get(parent, ())}
        return [self._grants[child] for child in sorted(children)]

    async def create_grants(
        self, grants: Sequence[NewGrant], *, audited: AuditEntry | None = None
    ) -> tuple[GrantRow, bool]:
        plan = self._plan()
        first = reward_of(grants)
        row = self._grants.get(first.id)
        if row is not None:
            check_repeat(grants, row, [self._grants[child] for child in self._children.get(first.id, ())])
            return row, False
        plan.add(grants)
        self._check_plan(plan)
        self._adopt(plan)
        if audited is not None:
            self._take(audited)
        return self._grants[first.id], True

    async def claim(
        self, grant_id: str, player: int, now: int, changes: Sequence[Change], grants: Sequence[NewGrant] = ()
    ) -> GrantRow | None:
        plan = self._plan()
        row = await self.grant(grant_id, player)
        if row is None or row.claimed_at is not None:
            return row
        check_claimable(row, now)
        claimed = plan.claim(row, changes, now)
        plan.add(grants)
        self._check_plan(plan)
        self._adopt(plan)
        return claimed

    async def expire_grants(self, now: int, limit: int) -> int:
        plan = self._plan()
        over = sorted(
            (row.expires_at, row.id)
            for row in self._grants.values()
            if row.expires_at is not None and row.status(now) == "expired"
            if row.withdrawn_at is None and row.id not in self._lapsed
        )
        for _, grant_id in over[:limit]:
            plan.lapse(self._grants[grant_id])
        self._adopt(plan)
        return len(plan.lapsed)

    async def withdraw(
        self, grant_ids: Sequence[str], *, key: str, reason: str, source: str, now: int
    ) -> list[Withdrawn]:
        plan = self._plan()
        rows = [self._grants[grant_id] for grant_id in dict.fromkeys(grant_ids) if grant_id in self._grants]
        result = [plan.withdraw(row, key, reason, source, now) for row in rows if row.withdrawn_at is None]
        self._adopt(plan)
        return result

    # -- wallets

    async def adjust(
        self, player: int, changes: Sequence[Change], *, key: str, reason: str, source: str, now: int
    ) -> Adjusted:
        plan = self._plan()
        self._check_player(player)
        entry = Entry(player, changes, adjustment_key(key), reason, source, now)
        repeated = entry.repeats(self.entered(player, entry.key))
        if not repeated:
            plan.enter(entry)
            self._adopt(plan)
        return Adjusted(not repeated, tuple(map(self.balance, entry.purses())))

    async def balances(self, player: int) -> dict[str, int]:
        return self._held_by(player, "currency")

    async def inventory(self, player: int) -> dict[str, int]:
        return self._held_by(player, "item")

    def _held_by(self, player: int, kind: ResourceKind) -> dict[str, int]:
        self._reach()
        held = self._holdings.get(player, {})
        return {resource: amount for (of_kind, resource), amount in held.items() if of_kind == kind and amount > 0}

    async def ledger(self, player: int, *, limit: int = 50) -> list[LedgerRow]:
        self._reach()
        return self._ledger.get(player, [])[::-1][:limit]

    async def ledger_faults(self) -> list[LedgerFault]:
        self._reach()
        sums = self._ledger_sums()
        held = {(player, *resource): n for player, of_one in self._holdings.items() for resource, n in of_one.items()}
        return [
            LedgerFault(*purse, sums[purse], held.get(purse, 0))
            for purse in sorted(sums.keys() | held.keys())
            if sums[purse] != held.get(purse, 0)
        ]

    async def money_totals(self) -> list[MoneyTotal]:
        self._reach()
        held: Counter[Resource] = Counter()
        entered: Counter[Resource] = Counter()
        for of_one in self._holdings.values():
            held.update(of_one)
        for (_, kind, resource), amount in self._ledger_sums().items():
            entered[kind, resource] += amount
        return [MoneyTotal(*key, held[key], entered[key]) for key in sorted(held.keys() | entered.keys())]

    def _ledger_sums(self) -> Counter[Purse]:
        sums: Counter[Purse] = Counter()
        for row in (row for rows in self._ledger.values() for row in rows):
            sums[row.player, row.kind, row.resource] += row.delta
        return sums

    async def books(self, after: int, limit: int) -> Books | None:
        self._reach()
        numbers = [row.number for row in self._players if row.number > after][:limit]
        if not numbers:
            return None
        return Books(
            last=numbers[-1],
            grants=tuple(self._grants[grant] for of in numbers for grant in sorted(self._grants_of.get(of, ()))),
            ledger=tuple(row for of in numbers for row in self._ledger.get(of, ())),
            attempts=tuple(row for of in numbers for _, row in sorted(self._attempts.get(of, {}).items())),
        )

    # -- all of one player

    async def dossier(self, player: int) -> Dossier:
        return Dossier(
            completed=frozenset(self._completions.get(player, {})),
            balances=await self.balances(player),
            inventory=await self.inventory(player),
            leagues=dict(self._leagues.get(player, {})),
        )
