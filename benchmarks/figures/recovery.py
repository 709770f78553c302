"""A board of a million players that is written down while it is played on, and comes back after a kill."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from benchmarks.figures.crowd import ASKED_AT_ONCE, add_players, all_answered, all_play
from benchmarks.figures.killed import GAME, big_board, killed
from benchmarks.figures.others import write_while
from kraty_actors import Game, open_game
from kraty_actors.actors import checkpoints
from kraty_actors.actors.loop import answer_to
from kraty_actors.cli.serve import tune_the_interpreter
from kraty_actors.domain.contest_messages import Write
from kraty_actors.domain.outcome import Refusal

CALM_SECONDS = 5


@dataclass(slots=True)
class Large:
    """What was measured of a board of so many players: what is felt on it and elsewhere while it is written down, and
    before; how long it is written, and what of that the loop gives at once; how long it takes to come back."""

    players: int
    own_before_ms: list[float] = field(default_factory=list)
    own_ms: list[float] = field(default_factory=list)
    others_before_ms: list[float] = field(default_factory=list)
    others_ms: list[float] = field(default_factory=list)
    written_s: float = 0
    helpings_ms: list[float] = field(default_factory=list)
    back_s: float = 0
    back_cpu_s: float = 0


async def measure_large(players: int, writes: int, folder: Path, say: Callable[[str], None]) -> Large:
    """Have so many start and write once, checkpoint while they write, write as often again, kill, and start again."""
    tune_the_interpreter()
    found = Large(players)
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as name:
        file = Path(name) / "figures.db"
        url = f"sqlite:///{file}"
        async with open_game(GAME, store=url):
            pass
        add_players(file, players)
        async with killed(url) as game:
            say(f"recovery: {players:,} players start and write")
            await all_play(game, players)
            board = await big_board(game)
            say("recovery: the board is written down")
            await _feel(game, board, found.own_before_ms, found.others_before_ms, partial(anyio.sleep, CALM_SECONDS))
            begun = time.perf_counter()
            with _timed(found.helpings_ms):
                await _feel(game, board, found.own_ms, found.others_ms, partial(_written, game, board))
            found.written_s = time.perf_counter() - begun
            say(f"recovery: {writes:,} writes more, and a kill")
            game.engine._loop._cells[board].room = 10 * writes
            await _write(game, board, players, writes)
        gc.collect()
        say("recovery: it starts again")
        begun, begun_cpu = time.perf_counter(), time.process_time()
        async with killed(url) as game:
            while isinstance(await answer_to(partial(game.engine.attempt, 1, f"{board}.0")), Refusal):  # noqa: ASYNC110
                await anyio.sleep(0.01)  # what its window has said lately is said again first
            found.back_s = time.perf_counter() - begun
            found.back_cpu_s = time.process_time() - begun_cpu
    return found


async def _feel(game: Game, board: str, own: list[float], others: list[float], doing: Callable[[], Any]) -> None:
    """What is felt by writes to the board, and to another one."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(_write_one_by_one, game, board, own))
        await write_while(game, others, doing)
        tasks.cancel_scope.cancel()


async def _write_one_by_one(game: Game, board: str, latencies_ms: list[float]) -> None:
    seq = 1
    while True:
        seq += 1
        begun = time.perf_counter()
        player = seq * 7919 % 100_000 + 1
        await game.engine._loop.call(board, Write(player - 1, 1, "increment", None, player))
        latencies_ms.append((time.perf_counter() - begun) * 1000)
        await anyio.sleep(0.001)


async def _written(game: Game, board: str) -> None:
    loop = game.engine._loop
    await loop._checkpoints.all_written()
    loop._checkpoints.write(loop._cells[board])
    await loop._checkpoints.all_written()


@contextmanager
def _timed(taken_ms: list[float]) -> Iterator[None]:
    """Notes how long the loop packs at once."""
    pack = checkpoints._helping

    def timed(parts: Iterator[bytes]) -> tuple[tuple[bytes, ...], bool]:
        begun = time.thread_time()
        helping = pack(parts)
        taken_ms.append((time.thread_time() - begun) * 1000)
        return helping

    checkpoints._helping = timed
    yield
    checkpoints._helping = pack


async def _write(game: Game, board: str, players: int, writes: int) -> None:
    for first in range(0, writes, ASKED_AT_ONCE):
        which = (n * 7919 % players for n in range(first, min(first + ASKED_AT_ONCE, writes)))
        commands = [Write(player, 1, "increment", None, player + 1) for player in which]
        await all_answered(game.engine._loop, board, commands)
