"""Ten thousand live lobbies of fifty, with forty bots that move by time: memory, idle time, one watched, all closed."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from benchmarks.figures.others import resident, write_while
from kraty_actors import Game, open_game
from kraty_actors.cli.serve import tune_the_interpreter

TICK_SECONDS = 5
PUSHED_AT_ONCE = 200


@dataclass(slots=True)
class Lobbies:
    """What was measured."""

    lobbies: int
    kib_each: float = 0
    idle_core_share: float = 0
    moved_after_s: float = 0
    closed_after_s: float = 0
    others_ms: list[float] = field(default_factory=list)
    others_before_ms: list[float] = field(default_factory=list)


async def measure_lobbies(lobbies: int, idle_seconds: float, folder: Path, say: Callable[[str], None]) -> Lobbies:
    """Push the lobbies, start one player in each, look on, watch one, close all; with the interpreter tuned as
    `serve` tunes it."""
    tune_the_interpreter()
    found = Lobbies(lobbies)
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as name:
        async with open_game(_game(), store=f"sqlite:///{name}/figures.db") as game:
            await game.start("other", "other")
            empty = resident()
            say(f"lobbies: {lobbies} are pushed and started")
            for first in range(0, lobbies, PUSHED_AT_ONCE):
                async with anyio.create_task_group() as tasks:
                    for number in range(first, first + PUSHED_AT_ONCE):
                        tasks.start_soon(_push, game, number)
            gc.collect()
            found.kib_each = (resident() - empty) / lobbies / 1024
            say(f"lobbies: idle for {idle_seconds:g} s")
            begun = time.process_time()
            await anyio.sleep(idle_seconds)
            found.idle_core_share = (time.process_time() - begun) / idle_seconds
            found.moved_after_s = await _until_it_moves(game)
            await write_while(game, found.others_before_ms, partial(anyio.sleep, 3))
            say("lobbies: all close")
            begun = time.perf_counter()
            await write_while(game, found.others_ms, partial(_close, game))
            found.closed_after_s = time.perf_counter() - begun
    return found


def _game() -> dict[str, Any]:
    pace = {"block": "progress_linear", "params": {"targetScore": 100_000, "durationSeconds": 86_400, "jitter": 0.5}}
    return {
        "gameId": "figures",
        "settings": {"seed": 1, "botTickSeconds": TICK_SECONDS},
        "bots": [{"key": "pacer", "behaviour": {"type": "single", **pace}}],
        "events": [
            {
                "key": "many",
                "metrics": [{"key": "points"}],
                "leaderboard": {"mode": "lobby_matched", "capacity": 50, "matchmaking": "external"},
                "botBindings": [{"botId": "pacer", "count": 40}],
            },
            {"key": "other", "metrics": [{"key": "points"}]},
        ],
    }


async def _push(game: Game, number: int) -> None:
    player = await game.engine.players.resolve(f"p{number}")
    await game.engine.lobbies.push("many", f"lobby{number}", [player], None, {}, who="benchmark")
    await game.progress(f"p{number}", "many", 1)


async def _until_it_moves(game: Game) -> float:
    begun = time.perf_counter()
    async with aclosing(game.watch("many", player="p7")) as boards:
        first = await anext(boards)
        async for board in boards:
            if board["version"] != first["version"]:
                break
    return time.perf_counter() - begun


async def _close(game: Game) -> None:
    await game.operator.finalize("many")
    while any(window["state"] != "finalized" for window in await game.operator.windows("many")):  # noqa: ASYNC110 - a figure
        await anyio.sleep(0.01)
