"""What a write takes of the disk."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import anyio

from benchmarks.figures.killed import big_board, killed
from kraty_actors import Game
from kraty_actors.domain.contest_messages import Write

WRITES = 100_000
PLAYERS = 64


async def measure_journal(in_flight: int, folder: Path) -> float:
    """Bytes of the journal for each write, with its table's and index's share, of 64 players with so many writes under
    way each."""
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as name:
        file = Path(name) / "figures.db"
        async with killed(f"sqlite:///{file}") as game:
            for n in range(PLAYERS):
                await game.start(f"p{n}", "big")
            board = await big_board(game)
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
