"""How bytes move: a socket of our own, or any byte stream of anyio's."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import anyio
from anyio.abc import ByteStream

from kraty_actors.gateway.poller import Poller

CHUNK_BYTES = 16 * 1024
"""The most that is read of one connection before the others have their turn."""


Take = Callable[[bytes], bool]
"""Takes a chunk, never waits, and says whether it can take more at once."""


class Pipe(Protocol):
    """Both directions of one connection."""

    async def receive(self) -> bytes:
        """The next bytes; empty once the peer has ended or the connection is gone."""

    async def pump(self, take: Take) -> bool:
        """Give whatever comes to `take`, until it says that something must be waited for; False at the end."""

    def send_now(self, data: bytes) -> int:
        """Send what goes without waiting, and say how much that was."""

    async def send(self, data: bytes) -> None:
        """Send all of it, waiting as long as it takes."""

    async def half_close(self) -> None:
        """Tell the peer that nothing more will be sent."""


class SocketPipe:
    """A non-blocking socket: sends go straight to it, and wait only when it is full."""

    def __init__(self, sock: socket.socket, poller: Poller) -> None:
        self._socket = sock
        self._poller = poller

    async def receive(self) -> bytes:
        while True:
            await anyio.wait_readable(self._socket)
            data = self._read()
            if data is not None:
                return data

    def _read(self) -> bytes | None:
        """What has arrived: None if nothing has, empty if nothing more will."""
        try:
            return self._socket.recv(CHUNK_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    async def pump(self, take: Take) -> bool:
        stop = anyio.Event()
        last: list[bool | Exception] = []

        def ready() -> None:
            try:
                data = self._read()
                if data is None or (data and take(data)):
                    return
                last.append(bool(data))
            except Exception as error:  # noqa: BLE001 -- it belongs to this connection's task, not to the poller
                last.append(error)
            self._poller.forget(self._socket)
            stop.set()

        self._poller.watch(self._socket, ready)
        try:
            await stop.wait()
        except BaseException:
            if not stop.is_set():
                self._poller.forget(self._socket)
            raise
        if isinstance(last[0], Exception):
            raise last[0]
        return last[0]

    def send_now(self, data: bytes | memoryview) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # the reader finds out; what is sent to nobody needs no waiting

    async def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            await anyio.wait_writable(self._socket)
            view = view[self.send_now(view) :]

    async def half_close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        anyio.notify_closing(self._socket)
        self._socket.close()


class StreamPipe:
    """A byte stream, such as one with TLS. It cannot be written to without waiting."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    async def receive(self) -> bytes:
        try:
            return await self._stream.receive(CHUNK_BYTES)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, ssl.SSLError):
            return b""

    async def pump(self, take: Take) -> bool:
        while data := await self.receive():
            if not take(data):
                return True
        return False

    def send_now(self, _data: bytes) -> int:
        return 0

    async def send(self, data: bytes) -> None:
        try:
            await self._stream.send(data)
        except (anyio.EndOfStream, ssl.SSLError) as error:  # TLS's words for a peer that has hung up
            raise anyio.BrokenResourceError from error

    async def half_close(self) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, NotImplementedError, ssl.SSLError):
            await self._stream.send_eof()
