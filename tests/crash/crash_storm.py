"""A storm: clients play, something bad happens to the server, then everything is added up."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
from crash_audit import Tally, audit_database, audit_wire
from crash_game import SPRINTS, crash_game, sprint_key
from crash_players import Player, World, close_windows, finalize_current, now_ms, roll_seasons
from places import Place
from server_process import ServerProcess

from kraty_actors.client import Client, Refused

PLAYERS = 10


@dataclass(frozen=True)
class Aftermath:
    """What a storm left. `problems` are promises that the server broke; `log` is all that its processes said."""

    tally: Tally
    world: World
    problems: list[str]
    recovered_pending: int
    windows: int
    acknowledged_per_second: float
    exit_status: int
    log: str


async def storm(
    folder: Path, place: Place, seed: int, disturb: Callable[[ServerProcess, World, random.Random], Awaitable[None]]
) -> Aftermath:
    """Let players loose on a server that `disturb` starts, and leaves running when it has done its worst."""
    chance = random.Random(seed)
    server = ServerProcess(folder, place)
    world = World(server.url, now_ms() + 1_000)
    (folder / "game.json").write_text(json.dumps(crash_game(world.begins_at)))
    try:
        await play_through(server, world, chance, disturb)
        acknowledged, seconds = world.library.acknowledged, server.up_seconds
        await end_all(world)
        await world.connected(lambda operator: audit_wire(world.library, operator), role="operator")
        status = await server.stop()
    finally:
        await server.aclose()
    library = world.library
    tally = await audit_database(library, place)
    rate = acknowledged / seconds if seconds else 0
    log = server.log.read_text(errors="replace")
    return Aftermath(
        tally, world, library.problems, library.recovered_pending, len(library.finalized), rate, status, log
    )


async def play_through(
    server: ServerProcess,
    world: World,
    chance: random.Random,
    disturb: Callable[[ServerProcess, World, random.Random], Awaitable[None]],
) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(PLAYERS):
            tasks.start_soon(Player(world, f"player-{number}", random.Random(chance.random())).run)
        tasks.start_soon(close_windows, world, random.Random(chance.random()))
        tasks.start_soon(world.ring_when_sprints_close)
        tasks.start_soon(roll_seasons, world)
        await disturb(server, world, chance)
        world.stopping = True


async def end_all(world: World) -> None:
    """Finalize whatever is still open, so that all prizes are paid."""

    async def work(operator: Client) -> None:
        for event in ("trail", "attack", *map(sprint_key, range(SPRINTS))):
            try:
                await finalize_current(world, operator, event)
            except Refused as refused:  # it has ended by itself meanwhile
                world.library.expect(refused.is_conflict, f"{event} cannot be finalized: {refused}")

    await world.connected(work, role="operator")
