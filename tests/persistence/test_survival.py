"""Real processes, killed; and a real limit on the disk."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
import writing_process
from places import Place

from kraty_persistence import PlayerRow
from kraty_persistence.sql import SqlStore, open_sql_store

pytestmark = pytest.mark.anyio

KILLS = 2


def start(what: str, url: str, backend: str) -> subprocess.Popen[str]:
    command = [sys.executable, writing_process.__file__, what, url, backend]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def killed_after(lines: int, url: str, backend: str) -> list[str]:
    """What the process had acknowledged when it was killed, with no chance to say goodbye."""
    with start("kill", url, backend) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        acknowledged += process.stdout.readlines()
    return [line.strip() for line in acknowledged if line.endswith("\n")]


async def stored_names(store: SqlStore) -> list[str]:
    names = []
    for actor in writing_process.ACTORS:
        stored = await store.load(actor)
        covered = stored.number - len(stored.records)
        assert [part.decode() for part in stored.checkpoint] == ([f"{actor} {covered}"] if covered else [])
        assert [record.decode() for record in stored.records] == [
            f"{actor} {number}" for number in range(covered + 1, stored.number + 1)
        ]
        names += [f"{actor} {number}" for number in range(1, stored.number + 1)]
    return names


async def paid(store: SqlStore) -> list[str]:
    """The payments that are stored; of each, everything is there or nothing is."""
    rows = [row for row in await store.ledger(1, limit=10**6) if row.resource != "gems"]
    keys = [row.key.removeprefix("adjust:") for row in rows if row.part == 0]
    assert [(row.key, row.resource, row.balance) for row in reversed(rows)] == [
        (f"adjust:pay {n}", resource, n + 1) for n in range(len(keys)) for resource in ("gold", "sword")
    ]
    held = await store.balances(1) | await store.inventory(1)
    held.pop("gems", None)
    assert held == ({"gold": len(keys), "sword": len(keys)} if keys else {})
    return keys


async def check_money(store: SqlStore, names: list[str]) -> None:
    """Each unit was delivered what it won and charged what it cost, once; all that was told is in the outbox."""
    rows = await store.ledger(1, limit=10**6)
    keys = [row.key for row in rows if row.resource == "gems"]
    assert sorted(keys) == sorted(f"{what}:{name}" for name in names for what in ("charge", "grant"))
    assert (await store.balances(1)).get("gems", 0) == len(names)
    assert await store.ledger_faults() == []
    told = [row.id for row in await store.due("hook", 10**9, 10**6)]
    assert sorted(told) == sorted(f"{row.key} {row.part}" for row in rows)


async def test_kill_9_loses_and_doubles_nothing(place: Place, anyio_backend: str):
    """R-20, R-40, R-53, R-56: what was acknowledged is there, in order, once, with all its effects."""
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    url, acknowledged = place.url, []
    for _ in range(KILLS):
        acknowledged += killed_after(chance.randrange(1, 400), url, anyio_backend)
        async with open_sql_store(url) as store:
            names = await stored_names(store)
            assert set(acknowledged) <= {*names, *await paid(store)}
            assert await store.players([1]) == [PlayerRow(1, "ada", "public-ada")]
            grants = [row.id for row in await store.grants(1, now=0, limit=10**6)]
            assert sorted(grants) == sorted(names)
            await check_money(store, names)
    assert len(acknowledged) == len(set(acknowledged))


async def test_a_full_disk_refuses_and_then_resumes(tmp_path: Path, anyio_backend: str):
    """R-58, with a real limit: nothing acknowledged is missing, nothing refused is there."""
    url = f"sqlite:///{tmp_path}/game.db"
    async with open_sql_store(url):
        pass
    with start("full", url, anyio_backend) as process:
        assert process.stdout is not None
        last = process.stdout.readlines()[-1]
    assert process.returncode == 0
    async with open_sql_store(url) as store:
        stored = await store.load("a")
        assert stored.number == int(last)
        assert [record for record in stored.records if len(record) < 20_000] == [b"room again"] * 19
        assert await store.unfinished() == ["a"]
