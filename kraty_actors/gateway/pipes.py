"""How bytes move: a socket of our own, or any byte stream of anyio's."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Protocol

import anyio
from anyio.abc import ByteStream

CHUNK_BYTES = 64 * 1024
"""The most that is read at once."""


class Pipe(Protocol):
    """Both directions of one connection."""

    async def receive(self) -> bytes:
        """The next bytes; empty once the peer has ended or the connection is gone."""

    def send_now(self, data: bytes) -> int:
        """Send what goes without waiting, and say how much that was."""

    async def send(self, data: bytes) -> None:
        """Send all of it, waiting as long as it takes."""

    async def half_close(self) -> None:
        """Tell the peer that nothing more will be sent."""


class SocketPipe:
    """A non-blocking socket: sends go straight to it, and wait only when it is full."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    async def receive(self) -> bytes:
        while True:
            await anyio.wait_readable(self._socket)
            try:
                return self._socket.recv(CHUNK_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                return b""

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

    def send_now(self, _data: bytes) -> int:
        return 0

    async def send(self, data: bytes) -> None:
        await self._stream.send(data)

    async def half_close(self) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, NotImplementedError, ssl.SSLError):
            await self._stream.send_eof()
