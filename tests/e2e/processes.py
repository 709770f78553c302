"""`kraty-actors` as people run it: in a process of its own, or, where it ends by itself, quickly in this one."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from click.testing import CliRunner

from kraty_actors.cli import main

PATIENCE_SECONDS = 30
COMMAND = [sys.executable, "-m", "kraty_actors"]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def reasons(self) -> list[str]:
        """The lines of standard error, in which no traceback may be."""
        assert "Traceback" not in self.err, self.err
        return [line for line in self.err.splitlines() if " INFO " not in line and " WARNING " not in line]


def run(*args: object) -> Ended:
    """Run a command that ends by itself, in a process of its own."""
    command = [*COMMAND, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def run_here(*args: object) -> Ended:
    """The same in this process, in a tenth of the time."""
    result = CliRunner().invoke(main, list(map(str, args)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)


@dataclass
class Serving:
    """A server in a process of its own, and the line that it printed."""

    process: Process
    line: str

    @property
    def url(self) -> str:
        return self.line.removeprefix("listening on ")

    @property
    def port(self) -> int:
        return int(self.url.removesuffix("/v1/socket").rpartition(":")[2])

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        with anyio.fail_after(PATIENCE_SECONDS):
            return await self.process.wait()


@contextlib.asynccontextmanager
async def serve(*args: object, log: Path) -> AsyncIterator[Serving]:
    """Start `serve --port 0` and wait for its line; killed at the end if it still runs."""
    command = [*COMMAND, "serve", "--port", "0", *map(str, args)]
    with log.open("ab") as stderr:
        async with await anyio.open_process(command, stderr=stderr) as process:
            assert process.stdout is not None
            try:
                out = BufferedByteReceiveStream(process.stdout)
                with anyio.fail_after(PATIENCE_SECONDS):
                    line = await out.receive_until(b"\n", 1000)
                yield Serving(process, line.decode())
            except anyio.IncompleteRead:
                raise AssertionError(await anyio.Path(log).read_text()) from None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def write_json(path: Path, data: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(data))
    return path


async def http_get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Status and body of a plain HTTP GET."""
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
        answer = b""
        with anyio.fail_after(PATIENCE_SECONDS), contextlib.suppress(anyio.EndOfStream):
            while True:
                answer += await stream.receive()
    head, _, body = answer.decode().partition("\r\n\r\n")
    return int(head.split()[1]), body
