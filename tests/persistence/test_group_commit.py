"""The writer: groups, order, cancellation, and what happens while the database is away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from store_contract import put, records, submit_all

from kraty_persistence import JournalConflict, StoreUnavailable, Unit, UnitRefused
from kraty_persistence.sql import SqlStore, open_sql_store, writer
from kraty_persistence.sql.transaction import ROW_WEIGHT

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/game.db"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program on the same file; while it has begun, nobody else can write."""
    connection = sqlite3.connect(tmp_path / "game.db", isolation_level=None)
    yield connection
    connection.close()


async def until_failing(store: SqlStore) -> None:
    with anyio.fail_after(10):
        while store.failing_since is None:
            await store.ping()


async def test_what_gathers_during_a_commit_is_one_group(url: str, other: sqlite3.Connection):
    async with open_sql_store(url) as store:
        other.execute("BEGIN IMMEDIATE")
        fates: list[object] = []
        for n in range(200):
            store.submit(Unit(f"actor-{n % 7}", n // 7 + 1, b"x"), fates.append)
        other.execute("ROLLBACK")
        await put(store, Unit("last", 1, b"x"))
        assert fates == [None] * 200
        assert store.commits <= 3  # the first alone, then all the others, then the last


async def test_a_burst_is_cut_into_groups_in_order(
    url: str, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
):
    """Who comes first does not wait for all who come behind; one that is larger than a group is stored too."""
    rows = 20
    monkeypatch.setattr(writer, "GROUP_WEIGHT", rows * ROW_WEIGHT)
    async with open_sql_store(url) as store:
        other.execute("BEGIN IMMEDIATE")
        told: list[tuple[str, object, int]] = []
        units = [Unit(f"a{n}", 1, b"x" * (n % 3)) for n in range(200)]
        units[100] = Unit("a100", 1, b"x" * (rows * ROW_WEIGHT * 3), checkpoint=(b"part",) * 5)
        for unit in units:
            store.submit(unit, lambda error, unit=unit: told.append((unit.actor, error, store.commits)))
        other.execute("ROLLBACK")
        await put(store, Unit("last", 1, b"x"))
        assert [(actor, error) for actor, error, _ in told] == [(unit.actor, None) for unit in units]
        assert 10 <= store.commits <= 10 + 3


async def test_a_refused_unit_harms_no_other_group(
    url: str, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "GROUP_WEIGHT", 3 * ROW_WEIGHT)
    units = [*records("a", b"1", b"2"), *records("b", b"gap", start=2), *records("a", b"3", b"4", start=3)]
    async with open_sql_store(url) as store:
        other.execute("BEGIN IMMEDIATE")
        fates: list[object] = []
        for unit in units:
            store.submit(unit, fates.append)
        other.execute("ROLLBACK")
        await put(store, *records("c", b"1"))
        assert [type(fate) for fate in fates] == [type(None), type(None), JournalConflict, type(None), type(None)]


async def test_a_lock_is_waited_for(url: str, other: sqlite3.Connection):
    """R-58: accepted writes wait, and service resumes by itself."""
    async with open_sql_store(url, patience_s=30) as store:
        other.execute("BEGIN IMMEDIATE")
        fates: list[object] = []
        for unit in records("a", b"1", b"2"):
            store.submit(unit, fates.append)
        await until_failing(store)
        assert await store.unfinished() == []  # reads go on
        assert fates == []
        other.execute("ROLLBACK")
        await put(store, *records("a", b"3", start=3))
        assert (fates, store.failing_since) == ([None, None], None)


async def test_when_patience_is_over_all_who_wait_are_told(url: str, other: sqlite3.Connection):
    """R-58: what is given up is certain not to be stored, and the next try starts from there."""
    async with open_sql_store(url, patience_s=0.0) as store:
        other.execute("BEGIN IMMEDIATE")
        units = [*records("a", b"1", b"2"), *records("b", b"1")]
        fates = await submit_all(store, units)
        assert [type(error) for error in fates] == [StoreUnavailable] * 3
        assert store.failing_since is not None
        with pytest.raises(StoreUnavailable):
            await store.set_meta("key", "value")
        other.execute("ROLLBACK")
        assert (await store.statistics()).records == 0
        await put(store, *units)
        assert store.failing_since is None


async def test_a_bug_in_one_job_harms_nobody_else(url: str, other: sqlite3.Connection):
    async with open_sql_store(url) as store:
        other.execute("BEGIN IMMEDIATE")
        fates: list[object] = []

        async def stumble() -> None:
            with pytest.raises(UnitRefused, match="surrogates"):
                await store.set_meta("key", "\ud800")

        async with anyio.create_task_group() as tasks:
            store.submit(Unit("a", 1, b"1"), fates.append)
            tasks.start_soon(stumble)
            await anyio.lowlevel.checkpoint()
            store.submit(Unit("a", 2, b"2"), fates.append)
            other.execute("ROLLBACK")
        await put(store, *records("a", b"3", start=3))
        assert fates == [None, None]


async def test_cancelling_in_the_middle_of_a_write_loses_nothing(url: str):
    fates: list[object] = []
    with anyio.CancelScope() as scope:
        async with open_sql_store(url) as store:
            for unit in records("a", *[b"x"] * 50):
                store.submit(unit, fates.append)
            scope.cancel()
            await store.set_meta("key", "value")
    assert fates == [None] * 50
    async with open_sql_store(url) as store:
        assert (await store.load("a")).number == 50


async def test_a_record_costs_less_than_20_bytes_beside_itself(url: str, tmp_path: Path):
    payload, actors, batches = b"x" * 60, 100, 200
    async with open_sql_store(url) as store:
        await put(store, *(Unit(f"contest:{n:032}", 1, payload) for n in range(actors)))
    before = (tmp_path / "game.db").stat().st_size
    async with open_sql_store(url) as store:
        await put(store, *(Unit(f"contest:{n:032}", b, payload) for b in range(2, batches) for n in range(actors)))
    grown = (tmp_path / "game.db").stat().st_size - before
    assert grown / (actors * (batches - 2)) - len(payload) < 20
