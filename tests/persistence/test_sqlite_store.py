"""The store on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest
import sqlalchemy as sa
from charge_contract import ChargeContract
from grant_contract import GrantContract
from outbox_contract import OutboxContract
from store_contract import StoreContract, a_grant, gold, new_player, pay, put, swords

from kraty_persistence import Charge, LedgerFault, MoneyTotal, Unit
from kraty_persistence.sql import SqlStore, open_sql_store

pytestmark = pytest.mark.anyio


class TestSqliteStore(StoreContract, ChargeContract, GrantContract, OutboxContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqlStore]:
        async with open_sql_store(f"sqlite:///{tmp_path}/game.db") as store:
            yield store


async def test_a_balance_that_its_ledger_does_not_explain_is_found(tmp_path: Path):
    """R-40: one that was changed, one that was removed, and one that nothing was entered for."""
    url = f"sqlite:///{tmp_path}/game.db"
    async with open_sql_store(url) as store:
        for name in ("ada", "bob"):
            await pay(store, await new_player(store, name), gold(5), swords(3))
        with closing(sqlite3.connect(tmp_path / "game.db", isolation_level=None)) as other:
            other.execute("UPDATE balances SET balance = 6 WHERE player = 2")
            other.execute("DELETE FROM inventory WHERE player = 1")
            other.execute("INSERT INTO inventory VALUES (2, 'bow', 7)")
        assert await store.ledger_faults() == [
            LedgerFault(1, "item", "sword", 3, 0),
            LedgerFault(2, "currency", "gold", 5, 6),
            LedgerFault(2, "item", "bow", 0, 7),
        ]
        assert await store.money_totals() == [
            MoneyTotal("currency", "gold", 11, 10),
            MoneyTotal("item", "bow", 7, 0),
            MoneyTotal("item", "sword", 3, 6),
        ]


async def test_a_group_of_charges_costs_a_few_statements(tmp_path: Path):
    """R-20: one more query for what there is and one for what was charged, and rows written many at once."""
    many, statements = 400, []

    def trace(connection: sqlite3.Connection, _: object) -> None:
        connection.set_trace_callback(statements.append)

    sa.event.listen(sa.pool.Pool, "connect", trace)
    try:
        async with open_sql_store(f"sqlite:///{tmp_path}/game.db") as store:
            async with anyio.create_task_group() as tasks:
                for n in range(many):
                    tasks.start_soon(new_player, store, f"p{n}")
            grants = [a_grant(n, id=f"g{n}", deliver=(gold(5),)) for n in range(1, many + 1)]
            await put(store, Unit("granter", 1, b"", tuple(grants)))
            units = [Unit("a", n, b"", (Charge(n, "k", (gold(-3),), "entry", "w1", 1),)) for n in range(1, many + 1)]
            commits = store.commits
            statements.clear()
            await put(store, *units)
            assert len(statements) <= 20 * (store.commits - commits)
            assert await store.money_totals() == [MoneyTotal("currency", "gold", 2 * many, 2 * many)]
    finally:
        sa.event.remove(sa.pool.Pool, "connect", trace)
