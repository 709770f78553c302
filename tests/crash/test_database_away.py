"""PostgreSQL is restarted under load, stays away, and fails over: nothing is lost, and service resumes (R-56, R-58)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from crash_outage import greet_a_stranger, read_from_memory, status_of, until_status
from crash_players import World
from crash_storm import Aftermath, storm
from crash_toll import ROUNDS, Toll
from places import PostgresDatabase
from postgres_server import Database, PostgresServer, postgres_server
from server_process import ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(180)]

AWAY_SECONDS = 60 if ROUNDS > 1 else 3
GROWTH_BYTES = 30_000_000
"""What a server may take more of memory while it can write nothing, beside so many players who try."""


@pytest.fixture
def anyio_backend() -> str:
    """The clients' loop; the servers take turns between both."""
    return "trio"


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that may be stopped."""
    with postgres_server() as server:
        yield server


class EitherServer(PostgresDatabase):
    """A database that is on whichever of two servers takes writes; in the end it is the first of them."""

    def __init__(self, *databases: Database) -> None:
        super().__init__(databases[0])
        self._hosts = ",".join(str(database.folder) for database in databases)
        self._ports = ",".join(str(database.port) for database in databases)

    @property
    def url(self) -> str:
        where = f"host={self._hosts}&port={self._ports}&target_session_attrs=read-write"
        return f"postgresql://postgres@/{self.database.name}?{where}"


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


async def play_on(world: World) -> None:
    acknowledged = world.library.acknowledged
    with anyio.fail_after(10):
        while world.library.acknowledged < acknowledged + 100:  # noqa: ASYNC110
            await anyio.sleep(0.05)


def check(after: Aftermath, tell: Callable[[Toll], None]) -> None:
    tally = after.tally
    tell(Toll(0, tally.acknowledged, tally.recovered, tally.lost, tally.doubled))
    assert after.problems == []
    assert (tally.lost, tally.doubled) == (0, 0)
    assert after.exit_status == 0
    assert "Traceback" not in after.log


async def test_r56_the_address_fails_over(
    own_postgres: PostgresServer, tmp_path: Path, tell: Callable[[Toll], None]
) -> None:
    """The server dies for good, and one that follows it commit by commit takes its place: the URL names both."""

    async def fail_over(server: ServerProcess, world: World, _chance: random.Random) -> None:
        await server.spawn()
        await server.listening()
        await play_on(world)
        await anyio.to_thread.run_sync(own_postgres.stop, "immediate")
        await until_status(server, "/readyz", 503)
        await anyio.to_thread.run_sync(standby.promote)
        await until_status(server, "/readyz", 200)
        await play_on(world)

    with own_postgres.standby() as standby:
        place = EitherServer(standby.main, own_postgres.main)
        check(await storm(tmp_path, place, 5, fail_over), tell)
    own_postgres.start()  # for whoever puts it away


async def test_r58_the_database_restarts_and_stays_away(
    own_postgres: PostgresServer, tmp_path: Path, tell: Callable[[Toll], None]
) -> None:
    stop, start = (partial(anyio.to_thread.run_sync, do) for do in (own_postgres.stop, own_postgres.start))

    async def go_away(server: ServerProcess, world: World, _chance: random.Random) -> None:
        await server.spawn()
        await server.listening()
        for mode in ("fast", "immediate"):
            await play_on(world)
            await stop(mode)
            await start()
        await play_on(world)
        before = resident_bytes(server.pid)
        await stop("fast")
        until = time.monotonic() + AWAY_SECONDS
        await until_status(server, "/readyz", 503)
        while time.monotonic() < until:
            await world.connected(partial(read_from_memory, world), player_id="player-0")
            await greet_a_stranger(world)
            world.library.expect(await status_of(server, "/healthz") == 200, "the loop turns")
            world.library.expect(await status_of(server, "/readyz") == 503, "it may not be sent players")
        world.library.expect(resident_bytes(server.pid) - before < GROWTH_BYTES, "memory is not bounded")
        await start()
        await until_status(server, "/readyz", 200)
        await play_on(world)

    check(await storm(tmp_path, PostgresDatabase(own_postgres.main), 4, go_away), tell)
