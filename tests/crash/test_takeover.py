"""Two servers on one database: the later one owns it, and the earlier one acknowledges nothing more, says why and stops
(R-56), also if it was asleep and does not know what has happened meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from crash_players import World, now_ms
from crash_storm import storm
from crash_toll import Toll
from places import Place
from server_process import ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(120)]

TAKEOVERS = ("running", "frozen")
"""What the earlier one is at the time. In the end the first server owns the database again."""
SECONDS_OF_PLAY = 0.8
PATIENCE_SECONDS = 30
TAKEN = "error: another server has opened this database: this one must stop"


@pytest.fixture
def anyio_backend() -> str:
    """The clients' loop; the servers take turns between both."""
    return "trio"


async def take_over(new: ServerProcess, old: ServerProcess) -> None:
    """Start it, again and again, as a supervisor does. One that is frozen within a transaction keeps an SQLite file
    locked: it gets on for a moment. PostgreSQL hangs up on it after ten seconds."""
    with anyio.fail_after(PATIENCE_SECONDS):
        while True:
            await new.spawn()
            try:
                return await new.listening()
            except RuntimeError as ended:
                if "is locked by another program" in str(ended):
                    old.thaw()
                    await anyio.sleep(0.01)
                    old.freeze()
                elif "lock timeout" not in str(ended):
                    raise


async def test_r56_never_do_two_servers_acknowledge(
    seed: int, place: Place, tmp_path: Path, tell: Callable[[Toll], None]
) -> None:
    second = ServerProcess(tmp_path, place)
    since: list[tuple[ServerProcess, int]] = []

    async def take_turns(first: ServerProcess, world: World, chance: random.Random) -> None:
        world.urls.append(second.url)
        old, new = first, second
        await old.spawn()
        await old.listening()
        for state in TAKEOVERS:
            await new.warm_next()
            await anyio.sleep(chance.uniform(0.5, 1) * SECONDS_OF_PLAY)
            if state == "frozen":
                old.freeze()
            await take_over(new, old)
            since.append((new, now_ms()))
            await anyio.sleep(SECONDS_OF_PLAY)
            old.thaw()
            assert await old.ended() == 2, state
            old, new = new, old
        await anyio.sleep(SECONDS_OF_PLAY)

    try:
        after = await storm(tmp_path, place, seed, take_turns)
    finally:
        await second.aclose()
    tally, world = after.tally, after.world
    for (new, at), (_, until) in zip(since, [*since[1:], (None, now_ms())], strict=True):
        hosts = {url for url, sent_at in world.applied if at < sent_at < until}
        assert hosts == {new.url}
    tell(Toll(0, tally.acknowledged, tally.recovered, tally.lost, tally.doubled))
    assert after.problems == []
    assert (tally.lost, tally.doubled) == (0, 0)
    assert after.log.count(TAKEN) == len(TAKEOVERS)
    assert after.exit_status == 0
    assert "Traceback" not in after.log


async def test_one_that_has_nothing_to_do_stops_too(place: Place, tmp_path: Path) -> None:
    """Nobody writes, so no commit tells it; but what it would show to readers grows old."""
    (tmp_path / "game.json").write_text('{"gameId": "idle"}')
    first, second = (ServerProcess(tmp_path, place) for _ in range(2))
    try:
        for server in (first, second):
            await server.spawn()
            await server.listening()
        assert await first.ended() == 2
        assert TAKEN in first.last_words()
        assert await second.stop() == 0
    finally:
        await first.aclose()
        await second.aclose()
