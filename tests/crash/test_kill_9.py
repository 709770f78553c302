"""Kill -9 at any moment: what was acknowledged is there exactly once, and everybody is paid exactly once (R-56)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from crash_players import World
from crash_storm import storm
from crash_toll import Toll
from places import Place
from server_process import ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(240)]

KILLS = 14
MOMENTS = ("start", "completion", "close", "recovery", "anywhere")
LATEST_MS = 50
"""A kill falls within so many milliseconds after its moment."""


@pytest.fixture
def anyio_backend() -> str:
    """The clients' loop; the servers take turns between both."""
    return "trio"


def plan(chance: random.Random) -> list[str]:
    """Every moment about as often, in any order."""
    moments = [MOMENTS[n % len(MOMENTS)] for n in range(KILLS)]
    chance.shuffle(moments)
    return moments


async def kill_again_and_again(kills: Counter[str], server: ServerProcess, world: World, chance: random.Random) -> None:
    for moment in plan(chance):
        await server.spawn()
        if moment == "recovery":
            await server.touched_database()
            await server.warm_next()
        else:
            await server.listening()
            await server.warm_next()
            await wait_for(moment, world, chance)
        await anyio.sleep(chance.uniform(0, LATEST_MS) / 1000)
        await server.kill()
        kills[moment] += 1
    await server.spawn()
    await server.listening()


async def wait_for(moment: str, world: World, chance: random.Random) -> None:
    await anyio.sleep(chance.uniform(0.3, 1.3))
    if moment != "anywhere":
        with anyio.fail_after(10):
            await world.bells.rung(moment)


async def test_kill_9(seed: int, place: Place, tmp_path: Path, tell: Callable[[Toll], None]) -> None:
    kills: Counter[str] = Counter()

    async def disturb(server: ServerProcess, world: World, chance: random.Random) -> None:
        await kill_again_and_again(kills, server, world, chance)

    after = await storm(tmp_path, place, seed, disturb)
    tally = after.tally
    print(f"kills {kills.total()} {dict(kills)}, {after.acknowledged_per_second:.0f} acknowledged/s while it was up")
    tell(Toll(kills.total(), tally.acknowledged, tally.recovered, tally.lost, tally.doubled))
    print(f"answered after a crash {after.recovered_pending}, windows closed by command {after.windows}")
    assert after.problems == []
    assert (tally.lost, tally.doubled) == (0, 0)
    assert tally.acknowledged >= 500
    assert kills.total() == KILLS
    assert after.exit_status == 0
    assert "Traceback" not in after.log
