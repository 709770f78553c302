"""How many deliveries a second reach the watchers of one board, against `websockets.broadcast` of the same bytes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
import anyio.to_thread
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.typing import Subprotocol

from kraty_actors import open_game
from kraty_actors.cli.serve import tune_the_interpreter
from kraty_actors.domain.ids import contest_id
from kraty_actors.gateway.frames import SharedPush
from kraty_actors.gateway.hub import ViewKey
from kraty_persistence import MemoryStore
from kraty_protocol.codec import MSGPACK

PUSHES = 300
AT_ONCE = 30
"""Pushes until everybody has read them: what fits into the buffers between."""

ENTRY = {"kind": "player", "name": "Ada Lovelace", "avatar": "fox", "country": "PT"}
DELTA = {
    "sub": "v1",
    "version": 1_000_000,
    "since": 999_999,
    "entries": [{"participantId": f"p{n:016}", **ENTRY, "score": 1_234 - n, "rank": n} for n in (3, 4, 5)],
    "removed": [],
    "total": 1_000,
}
"""One row has passed two others."""


class Audience:
    """A process that reads."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def received(self) -> int:
        """Bytes that have come so far."""
        _write_line(self._process)
        return int(_line_of(self._process))

    def all_received(self, expected: int) -> None:
        """Wait, on a thread of its own, until so many bytes have come."""
        while self.received() < expected:
            time.sleep(0.02)


@contextmanager
def audience(url: str, count: int, board: str | None = None) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.figures.audience", url, str(count), *([board] if board else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def measure_fanout(watchers: int) -> tuple[float, float]:
    """Deliveries for each second of this process's own time: ours, and those of `websockets.broadcast`."""
    tune_the_interpreter()
    ours = anyio.run(_ours, watchers, backend="trio")
    theirs = anyio.run(_theirs, watchers, backend="asyncio")
    return ours, theirs


async def _ours(watchers: int) -> float:
    game_file = {"gameId": "figures", "events": [{"key": "race", "metrics": [{"key": "points"}]}]}
    async with open_game(game_file, store=MemoryStore(), insecure_dev=True) as game:
        port = await game.serve("127.0.0.1", 0)
        await game.start("somebody", "race")
        [window] = [one for one in await game.operator.windows("race") if one["state"] == "open"]
        board = contest_id(window["windowId"], 1)
        with audience(f"ws://127.0.0.1:{port}/v1/socket", watchers, board) as process:
            await anyio.to_thread.run_sync(_line_of, process)
            hub = game._gateway.hub
            view = hub.known(ViewKey(board, 50, None, 0, ()))
            if view is None or len(view.watchers) != watchers:
                raise LookupError("not everybody watches")

            def push() -> None:
                hub._push(view, SharedPush("board.delta", DELTA), list(view.watchers))

            return await _measured(push, watchers, Audience(process))


async def _theirs(watchers: int) -> float:
    connections: set[ServerConnection] = set()
    everybody = anyio.Event()
    payload = MSGPACK.encode({"push": "board.delta", **DELTA})

    async def handle(connection: ServerConnection) -> None:
        connections.add(connection)
        if len(connections) == watchers:
            everybody.set()
        await connection.wait_closed()

    async with serve(
        handle, "127.0.0.1", 0, compression=None, subprotocols=[Subprotocol("kraty.v1.msgpack")], ping_interval=None
    ) as server:
        [listening] = server.sockets
        with audience(f"ws://127.0.0.1:{listening.getsockname()[1]}/", watchers) as process:
            await anyio.to_thread.run_sync(_line_of, process)
            await everybody.wait()
            return await _measured(lambda: broadcast(connections, payload), watchers, Audience(process))


async def _measured(push: Callable[[], None], watchers: int, readers: Audience) -> float:
    size = len(SharedPush("board.delta", DELTA).framed(MSGPACK)) * watchers
    expected = await anyio.to_thread.run_sync(readers.received)
    spent = 0.0
    for _ in range(PUSHES // AT_ONCE):
        begun = time.thread_time()
        for _ in range(AT_ONCE):
            push()
        spent += time.thread_time() - begun
        expected += size * AT_ONCE
        await anyio.to_thread.run_sync(readers.all_received, expected)
    return PUSHES * watchers / spent


def _line_of(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline() if process.stdout else ""


def _write_line(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.write("\n")
        process.stdin.flush()
