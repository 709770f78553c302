"""The writer: groups, order and cancellation."""

from __future__ import annotations

import anyio
import pytest
from places import Place
from store_contract import put, records

from kraty_persistence import JournalConflict, Unit, UnitRefused
from kraty_persistence.sql import open_sql_store, writer
from kraty_persistence.sql.transaction import ROW_WEIGHT

pytestmark = pytest.mark.anyio


async def test_what_gathers_during_a_commit_is_one_group(place: Place):
    async with open_sql_store(place.url) as store:
        fates: list[object] = []
        with place.stalled():
            for n in range(200):
                store.submit(Unit(f"actor-{n % 7}", n // 7 + 1, b"x"), fates.append)
        await put(store, Unit("last", 1, b"x"))
        assert fates == [None] * 200
        assert store.commits <= 3  # the first alone, then all the others, then the last


async def test_a_burst_is_cut_into_groups_in_order(place: Place, monkeypatch: pytest.MonkeyPatch):
    """Who comes first does not wait for all who come behind; one that is larger than a group is stored too."""
    rows = 20
    monkeypatch.setattr(writer, "GROUP_WEIGHT", rows * ROW_WEIGHT)
    async with open_sql_store(place.url) as store:
        told: list[tuple[str, object, int]] = []
        units = [Unit(f"a{n}", 1, b"x" * (n % 3)) for n in range(200)]
        units[100] = Unit("a100", 1, b"x" * (rows * ROW_WEIGHT * 3), checkpoint=(b"part",) * 5)
        with place.stalled():
            for unit in units:
                store.submit(unit, lambda error, unit=unit: told.append((unit.actor, error, store.commits)))
        await put(store, Unit("last", 1, b"x"))
        assert [(actor, error) for actor, error, _ in told] == [(unit.actor, None) for unit in units]
        assert 10 <= store.commits <= 10 + 3


async def test_a_refused_unit_harms_no_other_group(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writer, "GROUP_WEIGHT", 3 * ROW_WEIGHT)
    units = [*records("a", b"1", b"2"), *records("b", b"gap", start=2), *records("a", b"3", b"4", start=3)]
    async with open_sql_store(place.url) as store:
        fates: list[object] = []
        with place.stalled():
            for unit in units:
                store.submit(unit, fates.append)
        await put(store, *records("c", b"1"))
        assert [type(fate) for fate in fates] == [type(None), type(None), JournalConflict, type(None), type(None)]


async def test_a_bug_in_one_job_harms_nobody_else(place: Place):
    async with open_sql_store(place.url) as store:
        fates: list[object] = []

        async def stumble() -> None:
            with pytest.raises(UnitRefused, match="surrogates"):
                await store.set_meta("key", "\ud800")

        async with anyio.create_task_group() as tasks:
            with place.stalled():
                store.submit(Unit("a", 1, b"1"), fates.append)
                tasks.start_soon(stumble)
                await anyio.lowlevel.checkpoint()
                store.submit(Unit("a", 2, b"2"), fates.append)
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
