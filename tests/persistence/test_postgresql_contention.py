"""Other sessions stand in the writer's way: what PostgreSQL undoes for that is done again (R-56, R-58)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import anyio
import anyio.to_thread
import psycopg
import pytest
from postgres_server import Database
from store_contract import gold, new_player, pay, put, records

from kraty_persistence import StoreUnusable
from kraty_persistence.sql import SqlStore, open_sql_store
from kraty_persistence.sql.dialects.postgresql import Postgresql
from kraty_persistence.sql.opening import connect

pytestmark = pytest.mark.anyio

WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, %s) > 0"


def with_setting(database: Database, name: str, value: str) -> str:
    return f"{database.url}%20-c{name}%3D{value}"


@pytest.fixture
def undone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes of the errors that the writer met."""
    codes: list[str] = []
    is_outage = Postgresql.is_outage

    def judged(self: Postgresql, error: BaseException) -> bool:
        codes.append(str(getattr(getattr(error, "orig", error), "sqlstate", None)))
        return is_outage(self, error)

    monkeypatch.setattr(Postgresql, "is_outage", judged)
    return codes


async def until_waiting(database: Database, words: str) -> None:
    with anyio.fail_after(10):
        while not await anyio.to_thread.run_sync(database.run, WAITING, words):  # noqa: ASYNC110
            await anyio.sleep(0.01)


async def paid_beside(store: SqlStore, database: Database, meanwhile: Callable[[psycopg.Connection], None]) -> None:
    """Pay while another session has the purse locked, does something, and commits."""
    player = await new_player(store)
    await pay(store, player, gold(5))
    with psycopg.connect(database.url) as other:
        other.execute("SET deadlock_timeout = '20s'")  # it is the writer that is undone
        other.execute("UPDATE balances SET balance = balance")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(pay, store, player, gold(1), key="beside"))
            await until_waiting(database, "balances")
            await anyio.to_thread.run_sync(meanwhile, other)
            await anyio.to_thread.run_sync(other.commit)
    await put(store, *records("a", b"1"))
    assert await store.balances(player) == {"gold": 6}
    assert len(await store.ledger(player)) == 2
    assert store.failing_since is None


async def test_a_deadlock_is_tried_again(schema: Database, undone: list[str]) -> None:
    def lock_the_fence(other: psycopg.Connection) -> None:
        other.execute("SELECT value FROM meta WHERE key = 'last_commit' FOR UPDATE")

    async with open_sql_store(with_setting(schema, "deadlock_timeout", "700ms"), patience_s=20) as store:
        await paid_beside(store, schema, lock_the_fence)
    assert undone == ["40P01"]


async def test_a_serialization_failure_is_tried_again(schema: Database, undone: list[str]) -> None:
    """In a database whose transactions are serializable unless they say otherwise."""
    url = with_setting(schema, "default_transaction_isolation", "serializable")
    async with open_sql_store(url, patience_s=20) as store:
        await paid_beside(store, schema, lambda _: None)
    assert undone == ["40001"]


# -- where the server is


async def test_every_server_has_its_port_or_none() -> None:
    with pytest.raises(StoreUnusable, match="number of hosts and ports don't match"):
        async with open_sql_store("postgresql:///game?host=h1,h2&port=5432"):
            pass


@pytest.mark.parametrize(
    ("hosts", "host", "port"),
    [
        ("h1,h2", "h1,h2", ","),
        ("h1:5433,h2:5434", "h1,h2", "5433,5434"),
        ("h1:5433,h2", "h1,h2", "5433,"),
    ],
)
def test_a_url_may_name_several_servers(hosts: str, host: str, port: str) -> None:
    url = f"postgresql://kraty:p%40ss@{hosts}/game?target_session_attrs=read-write"
    engine, kind = connect(url, owner=True, connections=1)
    arguments = engine.dialect.create_connect_args(engine.url)[1]
    assert (arguments["host"], arguments.get("port")) == (host, port)
    assert arguments["target_session_attrs"] == "read-write"
    assert (arguments["user"], arguments["password"], arguments["dbname"]) == ("kraty", "p@ss", "game")
    assert "p@ss" not in kind.name(engine.url)
