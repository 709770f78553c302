"""The real server as a process of its own, which can be killed at any moment and started again."""

from __future__ import annotations

import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import ByteSendStream, Process
from crash_patience import until
from places import Place

READY_SECONDS = 20
EXIT_SECONDS = 20


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


WARM = "import sys, trio, kraty_actors.cli.serve; sys.stdin.readline(); kraty_actors.cli.main(sys.argv[1:])"
"""The command line, but it waits for a word before it begins: its second of imports is spent beforehand."""


@dataclass
class ServerProcess:
    """One server at a time on one database and one port, and the next one warming up behind it."""

    folder: Path
    place: Place
    port: int = field(default_factory=free_port)
    starts: int = 0
    up_seconds: float = 0
    """How long it has served in all, up to the last `kill` or `stop`."""
    _begun: float = 0
    _up_since: float | None = None
    _current: Process | None = None
    _next: Process | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/socket"

    @property
    def log(self) -> Path:
        """The standard error of all of them."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        return self._running().pid

    async def spawn(self) -> None:
        """Start it, without waiting until it serves. `game.json` must stand in the folder."""
        self._current = self._next or await self._warm()
        self._next = None
        self._begun = time.time()
        await _stdin(self._current).send(b"go\n")
        self.starts += 1

    async def warm_next(self) -> None:
        """Have another one ready for the next `spawn`, so that it is down for a short time only."""
        self._next = await self._warm()

    async def _warm(self) -> Process:
        backend = "trio" if self.starts % 2 else "asyncio"
        serve = ["serve", "--game", str(self.folder / "game.json"), "--db", self.place.url, "--insecure-dev"]
        command = [sys.executable, "-c", WARM, *serve, "--port", str(self.port), "--backend", backend]
        with self.log.open("ab") as log:
            return await anyio.open_process(command, stderr=log)

    async def listening(self) -> None:
        """Wait for the line that says that it serves.

        Raises:
            RuntimeError: It ended instead; the message is the end of its log.
        """
        stdout, said = self._running().stdout, b""
        if stdout is None:
            raise RuntimeError("nobody listens to it")
        try:
            with anyio.fail_after(READY_SECONDS):
                while b"\n" not in said:
                    said += await stdout.receive()
        except anyio.EndOfStream:
            status = await self.ended()
            raise RuntimeError(f"the server ended with {status}: {self.last_words()}") from None
        self._up_since = time.monotonic()

    async def touched_database(self) -> None:
        """Wait until it has opened the database: recovery begins."""
        await until(lambda: self.place.is_opened(self.pid, self._begun), READY_SECONDS)

    async def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        process = self._running()
        process.kill()
        self._is_down()
        await process.aclose()

    def freeze(self) -> None:
        """SIGSTOP: it does nothing from now on, and does not know it."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on with whatever it was about to do."""
        self._running().send_signal(signal.SIGCONT)

    async def ended(self) -> int:
        """Wait until it has ended by itself; its exit status."""
        process = self._running()
        with anyio.fail_after(EXIT_SECONDS):
            status = await process.wait()
        self._is_down()
        await process.aclose()
        return status

    async def stop(self) -> int:
        """SIGTERM, and its exit status."""
        self._running().send_signal(signal.SIGTERM)
        return await self.ended()

    async def aclose(self) -> None:
        """End whatever still runs."""
        with anyio.CancelScope(shield=True):
            for process in (self._current, self._next):
                if process is not None and process.returncode is None:
                    process.kill()
                    await process.aclose()

    def _is_down(self) -> None:
        if self._up_since is not None:
            self.up_seconds += time.monotonic() - self._up_since
            self._up_since = None

    def _running(self) -> Process:
        if self._current is None:
            raise RuntimeError("it was not started")
        return self._current

    def last_words(self, characters: int = 400) -> str:
        return self.log.read_text(errors="replace")[-characters:]


def _stdin(process: Process) -> ByteSendStream:
    if process.stdin is None:
        raise RuntimeError("nobody can speak to it")
    return process.stdin
