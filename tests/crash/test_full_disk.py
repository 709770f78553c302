"""A disk that is full, and a server that is told to stop, while everybody is playing (R-56, R-58)."""

from __future__ import annotations

import random
import resource
from functools import partial
from pathlib import Path

import anyio
import pytest
from crash_outage import greet_a_stranger, status_of, still_reads, until_status
from crash_players import World
from crash_storm import storm
from places import Place, SqliteFile
from server_process import ServerProcess

from kraty_persistence.sql import open_sql_store

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

ROOM_BYTES = 150_000
"""What every file may still grow by."""


@pytest.fixture
def anyio_backend() -> str:
    """The clients' loop; the servers take turns between both."""
    return "trio"


def limit_files(pid: int, size: int) -> None:
    """Let no file of a running process grow past `size` bytes: as a full disk, and it needs no privilege."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


async def fill_the_disk(server: ServerProcess, world: World, _chance: random.Random) -> None:
    await server.spawn()
    await server.listening()
    await anyio.sleep(1)
    largest = max(path.stat().st_size for path in server.folder.glob("game.db*"))
    limit_files(server.pid, largest + ROOM_BYTES)
    with anyio.fail_after(30):
        await world.bells.rung("overloaded")
    await until_status(server, "/readyz", 503)
    world.library.expect(await status_of(server, "/healthz") == 200, "the loop turns")
    await anyio.sleep(1.5)  # long enough for the server to give up on everything that it had accepted
    await world.connected(partial(still_reads, world), player_id="player-0")
    await greet_a_stranger(world)
    await until_status(server, "/readyz", 503)  # a small write may still have found room, and made it hope
    limit_files(server.pid, resource.RLIM_INFINITY)
    acknowledged = world.library.acknowledged
    await until_status(server, "/readyz", 200)
    await anyio.sleep(1)
    world.library.expect(world.library.acknowledged > acknowledged + 100, "nobody plays on")


async def test_a_full_disk_refuses_and_then_resumes(tmp_path: Path) -> None:
    """R-58: nothing acknowledged, nothing lost, reads go on, and service comes back by itself."""
    after = await storm(tmp_path, SqliteFile(tmp_path), 2, fill_the_disk)
    assert after.problems == []
    assert (after.tally.lost, after.tally.doubled) == (0, 0)
    assert after.exit_status == 0
    assert "Traceback" not in after.log


async def test_sigterm_under_load_loses_nothing(place: Place, tmp_path: Path) -> None:
    """R-56: everything that was accepted is answered, stored and checkpointed before the process exits with 0; clients
    are told to come back."""
    statuses = []

    async def stop_and_start(server: ServerProcess, world: World, _chance: random.Random) -> None:
        for _ in range(3):
            await server.spawn()
            await server.listening()
            await server.warm_next()
            await anyio.sleep(1)
            statuses.append(await server.stop())
            async with open_sql_store(place.url, owner=False) as store:
                behind = [name for name in await store.unfinished() if (await store.load(name)).records]
            world.library.expect(not behind, f"{behind} have no checkpoint")
            told = world.close_codes.pop(1001, 0)  # on a busy machine not everybody is back yet
            world.library.expect(told > 0, f"nobody is told to come back: {world.close_codes}")
        await server.spawn()
        await server.listening()

    after = await storm(tmp_path, place, 3, stop_and_start)
    assert after.problems == []
    assert statuses == [0, 0, 0]
    assert (after.tally.lost, after.tally.doubled) == (0, 0)
    assert "Traceback" not in after.log
