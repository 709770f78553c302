"""Kill -9 at any moment: what was acknowledged is there exactly once, and everybody is paid exactly once (R-56)."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import anyio
import pytest
from crash_audit import audit_database, audit_wire
from crash_game import SPRINTS, crash_game, sprint_key
from crash_players import Player, World, close_windows, finalize_current, now_ms
from server_process import ServerProcess

from kraty_actors.client import Client, Refused

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

KILLS = 16
"""Of each of the two runs."""
PLAYERS = 10
MOMENTS = ("start", "completion", "close", "recovery", "anywhere")
LATEST_MS = 50
"""A kill falls within so many milliseconds after its moment."""

FRESH_SEED = int(os.environ.get("KRATY_CRASH_SEED") or random.SystemRandom().randrange(2**32))


@pytest.fixture
def anyio_backend() -> str:
    """The clients' loop; the servers take turns between both."""
    return "trio"


def plan(chance: random.Random) -> list[str]:
    """Every moment about as often, in any order."""
    moments = [MOMENTS[n % len(MOMENTS)] for n in range(KILLS)]
    chance.shuffle(moments)
    return moments


async def kill_again_and_again(server: ServerProcess, world: World, chance: random.Random) -> Counter[str]:
    kills: Counter[str] = Counter()
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
    return kills


async def wait_for(moment: str, world: World, chance: random.Random) -> None:
    await anyio.sleep(chance.uniform(0.3, 1.3))
    if moment != "anywhere":
        with anyio.fail_after(10):
            await world.bells.rung(moment)


async def end_all(world: World) -> None:
    """Finalize whatever is still open, so that all prizes are paid."""

    async def work(operator: Client) -> None:
        for event in ("trail", "attack", *map(sprint_key, range(SPRINTS))):
            try:
                await finalize_current(world, operator, event)
            except Refused as refused:
                world.library.expect(refused.is_conflict, f"{event} cannot be finalized: {refused}")

    await world.connected(work, role="operator")


@pytest.mark.parametrize("seed", [1, FRESH_SEED], ids=["fixed", "fresh"])
async def test_kill_9(seed: int, tmp_path: Path) -> None:
    """Run one seed again with KRATY_CRASH_SEED=<seed>, which takes the place of the fresh one."""
    again = f"KRATY_CRASH_SEED={seed} python -m pytest tests/crash/test_kill_9.py -k fresh"
    print(f"seed {seed}; the same again: {again}")
    chance = random.Random(seed)
    server = ServerProcess(tmp_path)
    world = World(server.url, now_ms() + 1_000)
    (tmp_path / "game.json").write_text(json.dumps(crash_game(world.begins_at)))
    began = time.monotonic()
    async with anyio.create_task_group() as tasks:
        for number in range(PLAYERS):
            tasks.start_soon(Player(world, f"player-{number}", random.Random(chance.random())).run)
        tasks.start_soon(close_windows, world, random.Random(chance.random()))
        tasks.start_soon(world.ring_when_sprints_close)
        kills = await kill_again_and_again(server, world, chance)
        world.stopping = True
    seconds = time.monotonic() - began
    await end_all(world)
    await world.connected(lambda operator: audit_wire(world.library, operator), role="operator")
    status = await server.stop()
    tally = await audit_database(world.library, server.store_url, server.database)
    library, rate = world.library, world.library.acknowledged / seconds
    print(f"kills {sum(kills.values())} {dict(kills)}, {server.starts} starts, {rate:.0f} acknowledged/s")
    print(f"acknowledged {tally.acknowledged}, recovered {tally.recovered}, lost {tally.lost}, doubled {tally.doubled}")
    print(f"answered after a crash {library.recovered_pending}, windows {len(library.finalized)}, {seconds:.0f} s")
    assert world.library.problems == [], f"{again}\n{server.last_words()}"
    assert (tally.lost, tally.doubled) == (0, 0), again
    assert tally.acknowledged >= 1_000
    assert sum(kills.values()) >= KILLS
    assert status == 0
    assert "Traceback" not in server.log.read_text()
