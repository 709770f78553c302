"""A board of a million players that is written down while it is played on, and comes back after a kill; a thousand
lobbies that come back; ten thousand that nobody asks for; and what a write takes of the disk.
"""

from __future__ import annotations

import gc
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from benchmarks.figures.crowd import ASKED_AT_ONCE, add_players, all_answered, all_play
from benchmarks.figures.others import resident, write_while
from kraty_actors import Game, open_game
from kraty_actors.actors import checkpoints, upkeep
from kraty_actors.actors.loop import answer_to
from kraty_actors.cli.serve import COLLECT_EVERY, SWITCH_SECONDS
from kraty_actors.domain.contest_messages import Write
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.window_messages import Admit

CALM_SECONDS = 5
SEATS = 50
PUSHED_AT_ONCE = 100
WRITES = 100_000
PLAYERS = 64
EVENT = {"metrics": [{"key": "points"}]}
LOBBY = {"mode": "lobby_matched", "capacity": SEATS, "matchmaking": "external"}
GAME: dict[str, Any] = {
    "gameId": "figures",
    "events": [{**EVENT, "key": "big"}, {**EVENT, "key": "other"}, {**EVENT, "key": "many", "leaderboard": LOBBY}],
}


class Killed(Exception):
    """Ends a server without its last checkpoints."""


@asynccontextmanager
async def killed(store: str) -> AsyncIterator[Game]:
    """A server that is killed at the end of the block."""
    try:
        async with open_game(GAME, store=store) as game:
            yield game
            raise Killed
    except* Killed:
        pass


def tune() -> None:
    """The interpreter, as `serve` tunes it."""
    gc.set_threshold(COLLECT_EVERY, 20, 50)
    sys.setswitchinterval(SWITCH_SECONDS)


# -- one large board


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
    tune()
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
            board = await _board(game)
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


async def _board(game: Game) -> str:
    [window] = [one for one in await game.operator.windows("big") if one["state"] == "open"]
    return contest_id(window["windowId"], 1)


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


# -- many lobbies


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
    tune()
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
    tune()
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


# -- what a write takes of the disk


async def measure_journal(in_flight: int, folder: Path) -> float:
    """Bytes of the journal for each write, with its table's and index's share, of 64 players with so many writes under
    way each."""
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as name:
        file = Path(name) / "figures.db"
        async with killed(f"sqlite:///{file}") as game:
            for n in range(PLAYERS):
                await game.start(f"p{n}", "big")
            board = await _board(game)
            before = _size(file)
            async with anyio.create_task_group() as tasks:
                for n in range(PLAYERS):
                    tasks.start_soon(_stream, game, board, n, in_flight)
            return (_size(file) - before) / (WRITES // PLAYERS * PLAYERS)


async def _stream(game: Game, board: str, serial: int, in_flight: int) -> None:
    room = anyio.Semaphore(in_flight)
    for seq in range(1, WRITES // PLAYERS + 1):
        await room.acquire()
        write = Write(serial, {"points": 1 + seq % 3}, "increment", seq, serial + 1)
        game.engine._loop.ask(board, write, lambda _: room.release())
    for _ in range(in_flight):
        await room.acquire()


def _size(file: Path) -> int:
    """Bytes of the database, with all that was written."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return file.stat().st_size
