"""Grants and money of the store on SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice

from kraty_persistence.money_ports import Grants, Wallets
from kraty_persistence.money_rows import (
    Adjusted,
    Change,
    GrantRow,
    GrantStatus,
    LedgerFault,
    LedgerRow,
    MoneyTotal,
    NewGrant,
    Withdrawn,
)
from kraty_persistence.rows import AuditEntry
from kraty_persistence.sql import grants as sql_grants
from kraty_persistence.sql import money
from kraty_persistence.sql.access import SqlAccess

__all__ = ["SqlMoney"]


class SqlMoney(SqlAccess, Grants, Wallets):
    """What players have won and hold."""

    # -- grants

    async def grant(self, grant_id: str, player: int) -> GrantRow | None:
        return await self._read(partial(sql_grants.grant, grant_id=grant_id, player=player))

    async def grants(
        self,
        player: int,
        *,
        now: int,
        status: GrantStatus | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> list[GrantRow]:
        query = partial(sql_grants.grants_of, player=player, now=now, status=status, limit=limit, after=after)
        return await self._read(query)

    async def window_grants(self, window_id: str) -> list[GrantRow]:
        found = {row.id: row for row in await self._of_sources(window_id, window_id)}
        found |= {row.id: row for row in await self._of_sources(*sql_grants.within(window_id))}
        parents = iter(list(found))
        while some := list(islice(parents, sql_grants.PAGE)):
            children = await self._read(partial(sql_grants.children_of, parents=some))
            new = {row.id: row for row in children if row.id not in found}
            found |= new
            parents = iter([*parents, *new])
        return sorted(found.values(), key=lambda row: row.id)

    async def _of_sources(self, first: str, last: str) -> list[GrantRow]:
        """Page by page, so that other reads come between."""
        rows: list[GrantRow] = []
        after = sql_grants.beginning(first)
        while page := await self._read(partial(sql_grants.of_source, after=after, last=last)):
            rows += page
            after = sql_grants.place_of(page[-1])
        return rows

    async def grants_from(
        self, source: str, *, within: bool = False, after: GrantRow | None = None, limit: int = 1_000
    ) -> list[GrantRow]:
        first, last = sql_grants.within(source) if within else (source, source)
        begin = sql_grants.beginning(first) if after is None else sql_grants.place_of(after)
        return await self._read(partial(sql_grants.of_source, after=begin, last=last, limit=limit))

    async def grants_under(self, parents: Sequence[str]) -> list[GrantRow]:
        rows = await self._read(partial(sql_grants.children_of, parents=parents))
        return sorted(rows, key=lambda row: row.id)

    async def create_grants(
        self, grants: Sequence[NewGrant], *, audited: AuditEntry | None = None
    ) -> tuple[GrantRow, bool]:
        return await self._write(partial(sql_grants.create, new=grants, audited=audited, reporter=self.reporter))

    async def claim(
        self, grant_id: str, player: int, now: int, changes: Sequence[Change], grants: Sequence[NewGrant] = ()
    ) -> GrantRow | None:
        claim = partial(
            sql_grants.claim,
            grant_id=grant_id,
            player=player,
            now=now,
            changes=changes,
            new=grants,
            reporter=self.reporter,
        )
        return await self._write(claim)

    async def expire_grants(self, now: int, limit: int) -> int:
        return await self._write(partial(sql_grants.expire, now=now, limit=limit, reporter=self.reporter))

    async def withdraw(
        self, grant_ids: Sequence[str], *, key: str, reason: str, source: str, now: int
    ) -> list[Withdrawn]:
        withdraw = partial(
            sql_grants.withdraw,
            grant_ids=grant_ids,
            key=key,
            reason=reason,
            source=source,
            now=now,
            reporter=self.reporter,
        )
        return await self._write(withdraw)

    # -- wallets

    async def adjust(
        self, player: int, changes: Sequence[Change], *, key: str, reason: str, source: str, now: int
    ) -> Adjusted:
        adjust = partial(
            money.adjust,
            player=player,
            changes=changes,
            key=key,
            reason=reason,
            source=source,
            now=now,
            reporter=self.reporter,
        )
        return await self._write(adjust)

    async def balances(self, player: int) -> dict[str, int]:
        return await self._read(partial(money.held_by, player=player, kind="currency"))

    async def inventory(self, player: int) -> dict[str, int]:
        return await self._read(partial(money.held_by, player=player, kind="item"))

    async def ledger(self, player: int, *, limit: int = 50) -> list[LedgerRow]:
        return await self._read(partial(money.ledger_of, player=player, limit=limit))

    async def ledger_faults(self) -> list[LedgerFault]:
        return await self._read(money.ledger_faults)

    async def money_totals(self) -> list[MoneyTotal]:
        return await self._read(money.money_totals)
