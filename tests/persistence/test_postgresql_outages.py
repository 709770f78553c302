"""PostgreSQL goes away: at any moment, for any reason, and with the answer to a commit (R-56, R-58)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import psycopg
import pytest
from cutting_proxy import CuttingProxy, When, cutting_proxy
from postgres_server import Database
from store_contract import a_grant, gold, new_player, pay, put, records, submit_all, swords

from kraty_persistence import (
    JournalConflict,
    StoredActor,
    StoreError,
    StoreSetBack,
    StoreUnavailable,
    Unit,
    UnitRefused,
)
from kraty_persistence.sql import SqlStore, open_sql_store
from kraty_persistence.sql.dialects.postgresql import Postgresql
from kraty_persistence.sql.dialects.postgresql_writes import CommitFence

pytestmark = pytest.mark.anyio

moments = pytest.mark.parametrize("when", ["before", "after"])

WRITER = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND query LIKE '%INSERT INTO journal%'"
)
TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid()"
)


@pytest.fixture
def proxy(schema: Database) -> Iterator[CuttingProxy]:
    with TemporaryDirectory(prefix="kraty-") as folder, cutting_proxy(Path(folder), schema) as proxy:
        yield proxy


async def until_failing(store: SqlStore) -> None:
    with anyio.fail_after(20):
        while store.failing_since is None:
            await anyio.lowlevel.checkpoint()


# -- the answer to a commit is lost


@moments
@pytest.mark.parametrize("number", [1, 2, 9])
async def test_a_record_is_stored_once_though_its_answer_was_lost(proxy: CuttingProxy, when: When, number: int):
    """Whether an actor is new, known, or its statement one that the server has prepared."""
    async with open_sql_store(proxy.database.url, patience_s=20) as store:
        before = [b"%d" % n for n in range(1, number)]
        for unit in records("a", *before):
            await put(store, unit)
        proxy.cut_at(b"doubtful", *([b"COMMIT"] if number == 1 else []), when=when)
        await put(store, Unit("a", number, b"doubtful"), *records("b", b"1"))
        await put(store, *records("a", b"next", start=number + 1), *records("b", b"2", start=2))
        assert (proxy.cuts, store.failing_since) == (1, None)
        assert await store.load("a") == StoredActor((), number + 1, (*before, b"doubtful", b"next"))
    async with open_sql_store(proxy.database.url) as store:
        assert (await store.load("a")).records == (*before, b"doubtful", b"next")
        assert (await store.load("b")).records == (b"1", b"2")


@moments
async def test_money_moves_once_though_the_answer_was_lost(proxy: CuttingProxy, when: When):
    """R-40: and the caller hears how it ended."""
    async with open_sql_store(proxy.database.url, patience_s=20) as store:
        player = await new_player(store)
        await put(store, Unit("a", 1, b"1", (a_grant(player),)))
        proxy.cut_at(b"COMMIT", when=when)
        assert (await pay(store, player, gold(5), swords(1))).applied
        proxy.cut_at(b"COMMIT", when=when)
        claimed = await store.claim("g1", player, 2_000, [gold(2)])
        assert claimed is not None
        assert claimed.claimed_at == 2_000
        assert (proxy.cuts, await store.balances(player)) == (2, {"gold": 7})
        assert len(await store.ledger(player)) == 3


@moments
async def test_refusals_of_a_group_in_doubt_are_told(proxy: CuttingProxy, when: When):
    async with open_sql_store(proxy.database.url, patience_s=20) as store:
        proxy.cut_at(b"doubtful", b"COMMIT", when=when)
        units = [*records("a", b"doubtful"), *records("b", b"gap", start=3), Unit("c", 1, b"1", (), (b"state",))]
        kinds = [type(error) for error in await submit_all(store, units)]
        assert kinds == [type(None), JournalConflict, type(None)]
        assert await store.load("c") == StoredActor((b"state",), 1, ())


@moments
async def test_what_is_in_doubt_is_not_given_up_before_it_is_known(proxy: CuttingProxy, when: When):
    """R-58: who comes behind is refused when patience is over; "not stored" is only said where it is certain."""
    async with open_sql_store(proxy.database.url, patience_s=0.0) as store:
        await put(store, *records("a", b"1"))
        proxy.cut_at(b"doubtful", when=when, then_refuse=True)
        fates: list[StoreError | None] = []
        store.submit(Unit("a", 2, b"doubtful"), fates.append)
        await until_failing(store)
        for n in range(3):
            with pytest.raises(StoreUnavailable):
                await store.set_meta("key", str(n))
        assert [type(error) for error in await submit_all(store, records("b", b"1"))] == [StoreUnavailable]
        assert fates == []
        proxy.refusing = False
        with anyio.fail_after(20):
            while not fates:
                await anyio.lowlevel.checkpoint()
        assert fates == [None]
        await put(store, *records("a", b"3", start=3), *records("b", b"1"))
        assert (await store.load("a")).records == (b"1", b"doubtful", b"3")
        assert await store.get_meta("key") is None


async def test_one_that_is_not_where_it_was_is_not_written_to(schema: Database):
    """After a failover to a server that was behind: going on would leave a gap where something was acknowledged."""
    async with open_sql_store(schema.url) as store:
        await put(store, *records("a", b"1"))
        [(before,)] = schema.run("SELECT value FROM meta WHERE key = 'last_commit'")
        await put(store, *records("a", b"2", start=2))
        schema.run("UPDATE meta SET value = %s WHERE key = 'last_commit'", before)
        assert [type(error) for error in await submit_all(store, records("a", b"3", start=3))] == [StoreSetBack]


async def test_one_that_is_not_where_it_was_resolves_no_doubt(proxy: CuttingProxy, schema: Database):
    async with open_sql_store(proxy.database.url, patience_s=0.0) as store:
        await put(store, *records("a", b"1"))
        [(before,)] = schema.run("SELECT value FROM meta WHERE key = 'last_commit'")
        await put(store, *records("a", b"2", start=2))
        proxy.cut_at(b"doubtful", when="before", then_refuse=True)
        fates: list[StoreError | None] = []
        store.submit(Unit("a", 3, b"doubtful"), fates.append)
        await until_failing(store)
        schema.run("UPDATE meta SET value = %s WHERE key = 'last_commit'", before)
        proxy.refusing = False
        with anyio.fail_after(20):
            while not fates:
                await anyio.lowlevel.checkpoint()
        assert [type(fate) for fate in fates] == [StoreSetBack]


@moments
async def test_closing_does_not_wait_for_a_server_that_is_gone(proxy: CuttingProxy, schema: Database, when: When):
    fates: list[StoreError | None] = []
    with anyio.fail_after(20):
        async with open_sql_store(proxy.database.url, patience_s=0.0) as store:
            await put(store, *records("a", b"1"))
            proxy.cut_at(b"doubtful", when=when, then_refuse=True)
            store.submit(Unit("a", 2, b"doubtful"), fates.append)
            await until_failing(store)
            store.submit(Unit("b", 1, b"x"), fates.append)
    assert {type(fate) for fate in fates} == {StoreUnavailable}
    assert len(fates) == 2
    async with open_sql_store(schema.url) as store:
        assert (await store.load("a")).number == (2 if when == "after" else 1)


@moments
async def test_records_that_move_to_the_history_are_there_once(proxy: CuttingProxy, when: When):
    async with open_sql_store(proxy.database.url, patience_s=20) as store:
        await put(store, *records("a", *[b"x"] * 100))
        proxy.cut_at(b"DELETE FROM journal", b"COMMIT", when=when)
        await put(store, Unit("a", 100, checkpoint=(b"state",)))
        with anyio.fail_after(20):
            while not proxy.cuts:
                await anyio.lowlevel.checkpoint()
        await put(store, *records("a", b"y", start=101))
        assert list(await store.history("a")) == [b"x"] * 100 + [b"y"]
        assert await store.load("a") == StoredActor((b"state",), 101, (b"y",))


async def test_what_was_found_missing_never_comes_late(schema: Database):
    """Though a process of the server be still at work on it: its number has been passed over."""
    async with open_sql_store(schema.url) as store:
        engine = store._engine
        fence = CommitFence(await store.get_meta("epoch") or "")
        lost = fence._next()
        assert fence.leaves_doubt(psycopg.OperationalError("the connection is lost"))
        with engine.connect() as connection:
            assert not fence.was_stored(connection)
            connection.rollback()
        late = "UPDATE meta SET value = %s WHERE key = 'last_commit' AND value = %s RETURNING 1"
        assert schema.run(late, *lost) == []


# -- the server is away


async def test_a_server_that_crashes_under_load_loses_and_doubles_nothing(database: Database):
    """A killed process of the server takes all others down, and then it recovers by itself."""
    actors, crashes = [f"actor-{n}" for n in range(8)], 3
    acknowledged: dict[str, int] = dict.fromkeys(actors, 0)
    async with open_sql_store(database.url, patience_s=30) as store:
        stopping = False

        def go_on(actor: str, number: int) -> None:
            def done(error: StoreError | None) -> None:
                assert error is None
                acknowledged[actor] = number
                if not stopping:
                    go_on(actor, number + 1)

            store.submit(Unit(actor, number, b"%d" % number), done)

        for actor in actors:
            go_on(actor, 1)
        for crash in range(1, crashes + 1):
            with anyio.fail_after(30):
                while min(acknowledged.values()) < 20 * crash:
                    await anyio.lowlevel.checkpoint()
            os.kill(database.run(WRITER)[0][0], signal.SIGKILL)
        with anyio.fail_after(30):
            while min(acknowledged.values()) < 20 * (crashes + 1):
                await anyio.lowlevel.checkpoint()
        stopping = True
    async with open_sql_store(database.url) as store:
        for actor in actors:
            stored = await store.load(actor)
            assert stored.records == tuple(b"%d" % n for n in range(1, stored.number + 1))
            assert stored.number == acknowledged[actor]


async def test_reads_and_writes_go_on_after_all_connections_were_ended(database: Database):
    async with open_sql_store(database.url, patience_s=20) as store:
        player = await new_player(store)
        for n in range(3):
            await put(store, Unit("a", n + 1, b"1"))
            assert database.run(TERMINATE)[0][0] >= 1
            assert await store.find_player("ada") is not None
            await pay(store, player, gold(1), key=str(n))
        assert await store.balances(player) == {"gold": 3}


async def test_a_server_that_takes_no_writes_is_waited_for(database: Database):
    """R-58: as after a failover to one that only follows."""
    async with open_sql_store(database.url, patience_s=0.2) as store:
        await put(store, *records("a", b"1"))
        database.run(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
        database.run(TERMINATE)
        with pytest.raises(StoreUnavailable, match="read-only"):
            await store.set_meta("key", "value")
        assert (await store.statistics()).records == 1
        assert [type(error) for error in await submit_all(store, records("a", b"2", start=2))] == [StoreUnavailable]
        replace(database, name="postgres").run(f"ALTER DATABASE {database.name} RESET default_transaction_read_only")
        for _ in range(5):  # a connection of before is tried too, once
            if await submit_all(store, records("a", b"2", start=2)) == [None]:
                break
        assert store.failing_since is None
        assert (await store.load("a")).records == (b"1", b"2")


@pytest.mark.parametrize(
    ("code", "is_outage"),
    [
        ("08006", True),
        ("57P01", True),
        ("57P02", True),
        ("57P03", True),
        ("53100", True),
        ("53200", True),
        ("53300", True),
        ("58030", True),
        ("25006", True),
        ("40001", True),
        ("40P01", True),
        ("55P03", True),
        ("23503", False),
        ("23505", False),
        ("22021", False),
        ("42601", False),
        ("54000", False),
    ],
)
def test_what_is_tried_again(code: str, is_outage: bool):
    """The last ones would fail again, and keep everybody else waiting."""
    assert Postgresql().is_outage(psycopg.errors.lookup(code)("words")) == is_outage


def test_words_of_the_driver_are_of_the_connection():
    assert Postgresql().is_outage(psycopg.OperationalError("the connection is lost"))
    assert not Postgresql().is_outage(psycopg.ProgrammingError("the query has 2 placeholders"))
    assert not Postgresql().is_outage(ValueError("words"))


# -- what only PostgreSQL is like


async def test_every_text_is_ordered_by_code_points(database: Database):
    """As pages are in every other store, whatever the language of the server."""
    async with open_sql_store(database.url):
        found = database.run(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
        )
    assert found == []


async def test_a_commit_is_on_the_disk(database: Database):
    """R-56: whatever the server's own habit."""
    database.run(f"ALTER DATABASE {database.name} SET synchronous_commit = off")
    async with open_sql_store(database.url) as store:
        assert await store._read(lambda c: c.exec_driver_sql("SHOW synchronous_commit").scalar()) == "on"
        assert await store._write(lambda c: c.exec_driver_sql("SHOW synchronous_commit").scalar()) == "on"


async def test_a_nul_is_refused_and_harms_nobody(schema: Database):
    async with open_sql_store(schema.url) as store:
        units = [Unit("a", 1, b"\0"), Unit("b\0", 1, b"1"), Unit("c", 1, b"1")]
        kinds = [type(error) for error in await submit_all(store, units)]
        assert kinds == [type(None), UnitRefused, type(None)]
        assert await store.unfinished() == ["a", "c"]
