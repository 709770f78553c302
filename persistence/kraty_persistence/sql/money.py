"""Wallets and inventories as plain functions of a connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kraty_persistence.money import Entry, adjustment_key
from kraty_persistence.money_plan import MoneyPlan
from kraty_persistence.money_rows import Adjusted, Change, LedgerFault, LedgerRow, MoneyTotal, ResourceKind
from kraty_persistence.outbox_rows import Reporter
from kraty_persistence.sql.books import HOLDINGS, Wanted, read_books, write_plan
from kraty_persistence.sql.tables import ledger

_HELD = {
    kind: sa.select(table.c.resource, table.c.amount).where(table.c.player == sa.bindparam("player"))
    for kind, table in HOLDINGS.items()
}
_PART = 2**26
"""Sums are added up in two parts, for all of a game's money may be more than a whole number of the database."""


def adjust(
    connection: sa.Connection,
    player: int,
    changes: Sequence[Change],
    key: str,
    reason: str,
    source: str,
    now: int,
    reporter: Reporter | None,
) -> Adjusted:
    entry = Entry(player, changes, adjustment_key(key), reason, source, now)
    wanted = Wanted(keys={(player, entry.key)}, purses=set(entry.purses()))
    plan = MoneyPlan(read_books(connection, wanted), reporter)
    repeated = entry.repeats(plan.entered(player, entry.key))
    if not repeated:
        plan.enter(entry)
        write_plan(connection, plan)
    return Adjusted(not repeated, tuple(map(plan.balance, entry.purses())))


def held_by(connection: sa.Connection, player: int, kind: ResourceKind) -> dict[str, int]:
    rows = connection.execute(_HELD[kind], {"player": player})
    return {resource: amount for resource, amount in rows if amount > 0}


def ledger_of(connection: sa.Connection, player: int, limit: int) -> list[LedgerRow]:
    columns = [column for column in ledger.c if column.name != "number"]
    query = sa.select(*columns).where(ledger.c.player == player).order_by(ledger.c.number.desc()).limit(limit)
    return [LedgerRow(*row) for row in connection.execute(query)]


def ledger_faults(connection: sa.Connection) -> list[LedgerFault]:
    both = _both()
    entered, held = sa.func.sum(both.c.entered), sa.func.sum(both.c.held)
    purse = (both.c.player, both.c.kind, both.c.resource)
    query = sa.select(*purse, entered, held).group_by(*purse).having(entered != held).order_by(*purse)
    return [LedgerFault(*row[:3], int(row[3]), int(row[4])) for row in connection.execute(query)]


def money_totals(connection: sa.Connection) -> list[MoneyTotal]:
    both = _both()
    resource = (both.c.kind, both.c.resource)
    sums = [sa.func.sum(part) for amount in (both.c.held, both.c.entered) for part in (amount // _PART, amount % _PART)]
    query = sa.select(*resource, *sums).group_by(*resource).order_by(*resource)
    return [
        MoneyTotal(kind, key, int(high) * _PART + int(low), int(ledger_high) * _PART + int(ledger_low))
        for kind, key, high, low, ledger_high, ledger_low in connection.execute(query)
    ]


def _both() -> sa.Subquery:
    """What was entered for each balance, and what each comes to, as rows to add up."""
    nothing = sa.literal(0, sa.BigInteger())
    parts: list[sa.Select[Any]] = [
        sa.select(
            ledger.c.player, ledger.c.kind, ledger.c.resource, ledger.c.delta.label("entered"), nothing.label("held")
        )
    ]
    for kind, table in HOLDINGS.items():
        of_kind = sa.literal(kind, sa.Text())
        parts.append(sa.select(table.c.player, of_kind, table.c.resource, nothing, table.c.amount))
    return sa.union_all(*parts).subquery()
