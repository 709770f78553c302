"""Lobbies that come back after a kill, and lobbies that nobody asks for."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from benchmarks.figures.crowd import add_players, all_answered
from benchmarks.figures.killed import GAME, SEATS, killed
from benchmarks.figures.others import resident
from kraty_actors import Game, open_game
from kraty_actors.actors import upkeep
from kraty_actors.cli.serve import tune_the_interpreter
from kraty_actors.domain.contest_messages import Write
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.window_messages import Admit

PUSHED_AT_ONCE = 100


@dataclass(slots=True)
class Sleep:
    """What was measured."""

    lobbies: int
    kib_each: float = 0
    kib_each_asleep: float = 0
    left_after_s: float = 0
    woken_ms: list[float] = field(default_factory=list)


async def measure_return(lobbies: int, folder: Path, say: Callable[[str], None]) -> tuple[float, float]:
    """Seconds, and those of the CPU, until so many lobbies of 50 players are served again, all of which were killed
    behind their checkpoints."""
    tune_the_interpreter()
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as name:
        file = Path(name) / "figures.db"
        url = f"sqlite:///{file}"
        say(f"recovery: {lobbies:,} lobbies are pushed, and each player writes")
        async with open_game(GAME, store=url):
            pass
        add_players(file, lobbies * SEATS)
        async with killed(url) as game:
            boards = await _push_all(game, lobbies)
            for board in boards:
                await _start_all(game, board)
            await game.engine._loop.checkpoint_all()
            for board in boards:
                writes = [Write(n, 1, "increment", 1, _player(board, n)) for n in range(SEATS)]
                await all_answered(game.engine._loop, board, writes)
        say("recovery: they start again")
        begun, begun_cpu = time.perf_counter(), time.process_time()
        async with killed(url):
            found = time.perf_counter() - begun, time.process_time() - begun_cpu
    return found


async def measure_sleep(lobbies: int, folder: Path, say: Callable[[str], None]) -> Sleep:
    """Have so many lobbies of 50 players left alone until they have left memory, then ask for some."""
    tune_the_interpreter()
    found = Sleep(lobbies)
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as name:
        file = Path(name) / "figures.db"
        url = f"sqlite:///{file}"
        async with open_game(GAME, store=url):
            pass
        add_players(file, lobbies * SEATS)
        async with killed(url) as game:
            empty = resident()
            say(f"recovery: {lobbies:,} lobbies are pushed and started")
            boards = await _push_all(game, lobbies)
            for board in boards:
                await _start_all(game, board)
            gc.collect()
            found.kib_each = (resident() - empty) / lobbies / 1024
            say("recovery: nobody asks for them")
            cells, begun = game.engine._loop._cells, time.perf_counter()
            while any(board in cells for board in boards):  # noqa: ASYNC110 -- a figure
                await anyio.sleep(0.1)
            found.left_after_s = time.perf_counter() - begun - upkeep.IDLE_MS / 1000
            gc.collect()
            found.kib_each_asleep = (resident() - empty) / lobbies / 1024
            for board in boards[:: max(1, lobbies // 200)]:
                begun = time.perf_counter()
                await game.engine._loop.call(board, Write(0, 1, "increment", None, _player(board, 0)))
                found.woken_ms.append((time.perf_counter() - begun) * 1000)
    return found


def _player(board: str, seat: int) -> int:
    return (int(board.rpartition(".")[2]) - 1) * SEATS + seat + 1


async def _push_all(game: Game, lobbies: int) -> list[str]:
    """The boards, in the order of their numbers."""
    [window] = [one for one in await game.operator.windows("many") if one["state"] == "open"]
    for first in range(0, lobbies, PUSHED_AT_ONCE):
        for number in range(first, min(first + PUSHED_AT_ONCE, lobbies)):
            rows = await game.engine._store.players(range(number * SEATS + 1, (number + 1) * SEATS + 1))
            await game.engine.lobbies.push("many", f"lobby{number}", rows, None, {}, who="benchmark")
    return [contest_id(window["windowId"], number) for number in range(1, lobbies + 1)]


async def _start_all(game: Game, board: str) -> None:
    await all_answered(game.engine._loop, board.rpartition(".")[0], [Admit(_player(board, n)) for n in range(SEATS)])
