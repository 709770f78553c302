"""What is particular to the store on SQLite: locks, and how long its file grows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from store_contract import put, records, submit_all

from kraty_persistence import StoreUnavailable, Unit
from kraty_persistence.sql import SqlStore, open_sql_store

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


async def test_a_record_costs_less_than_20_bytes_beside_itself(url: str, tmp_path: Path):
    payload, actors, batches = b"x" * 60, 100, 200
    async with open_sql_store(url) as store:
        await put(store, *(Unit(f"contest:{n:032}", 1, payload) for n in range(actors)))
    before = (tmp_path / "game.db").stat().st_size
    async with open_sql_store(url) as store:
        await put(store, *(Unit(f"contest:{n:032}", b, payload) for b in range(2, batches) for n in range(actors)))
    grown = (tmp_path / "game.db").stat().st_size - before
    assert grown / (actors * (batches - 2)) - len(payload) < 20
