"""What waits to be sent on one connection. Nobody who puts something in ever waits for a socket."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from kraty_actors.gateway.frames import SharedPush, frame_header
from kraty_actors.gateway.pipes import Pipe
from kraty_protocol.codec import Codec

BACKLOG_MAX_BYTES = 256 * 1024
"""Unsent bytes from which on a connection's requests are not read, and board pushes to it are merged."""


class Outbox(Protocol):
    """The sending side of one connection."""

    def put(self, payload: bytes) -> None:
        """Queue one message for this connection alone."""

    def send_shared(self, push: SharedPush) -> None:
        """Queue a message that others get too, and send what is due."""

    def flush(self) -> None:
        """Send what is due as far as the socket takes it now; the rest follows by itself."""

    @property
    def unsent_bytes(self) -> int:
        """How much waits for the peer to read."""

    @property
    def is_behind(self) -> bool:
        """Whether more waits than `BACKLOG_MAX_BYTES`."""

    async def caught_up(self) -> None:
        """Wait until it is not behind."""

    def when_caught_up(self, tell: Callable[[], None]) -> None:
        """Have `tell` called whenever it was behind and is not any more."""


class ByteOutbox:
    """For a pipe on which we frame ourselves. What it does not take at once is sent by a task, which exists only
    while something waits."""

    def __init__(self, codec: Codec, tasks: TaskGroup, pipe: Pipe) -> None:
        self._codec = codec
        self._tasks = tasks
        self._pipe = pipe
        self._due: list[bytes] = []
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_sending = False
        self._drained = anyio.Event()
        self._tell = _nothing

    def when_caught_up(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def put(self, payload: bytes) -> None:
        self._due.append(frame_header(len(payload), text=self._codec.text))
        self._due.append(payload)

    def send_shared(self, push: SharedPush) -> None:
        data = push.framed(self._codec)
        if self._due or self._is_sending:
            self._due.append(data)
            self.flush()
        else:
            self._send_now(data)

    def put_raw(self, data: bytes) -> None:
        """Bytes that are framed already: handshakes, pongs, closes."""
        self._due.append(data)

    def flush(self) -> None:
        if not self._due:
            return
        data = self._due[0] if len(self._due) == 1 else b"".join(self._due)
        self._due.clear()
        if self._is_sending:
            self._wait_with(data)
        else:
            self._send_now(data)

    def _send_now(self, data: bytes) -> None:
        sent = self._pipe.send_now(data)
        if sent != len(data):
            self._wait_with(data[sent:])
            self._is_sending = True
            self._tasks.start_soon(self._send_rest)

    def _wait_with(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_bytes += len(data)

    @property
    def unsent_bytes(self) -> int:
        return self._waiting_bytes

    @property
    def is_behind(self) -> bool:
        return self._waiting_bytes > BACKLOG_MAX_BYTES

    async def caught_up(self) -> None:
        while self.is_behind:
            await self._drained.wait()

    async def all_sent(self) -> None:
        """Wait until nothing waits."""
        self.flush()
        while self._is_sending:
            await self._drained.wait()

    async def _send_rest(self) -> None:
        while self._waiting:
            data = self._waiting.popleft()
            was_behind = self.is_behind
            try:
                await self._pipe.send(data)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
                self._waiting.clear()  # the reader finds out as well, and ends the connection
                self._waiting_bytes = len(data)
            self._waiting_bytes -= len(data)
            if was_behind and not self.is_behind:
                self._notify()
                self._tell()
        self._is_sending = False
        self._notify()

    def _notify(self) -> None:
        self._drained.set()
        self._drained = anyio.Event()


class MessageOutbox:
    """For a host's own WebSocket connection, which frames by itself."""

    def __init__(self, codec: Codec, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._codec = codec
        self._send = send
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._something = anyio.Event()
        self._drained = anyio.Event()
        self._tell = _nothing

    def when_caught_up(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def put(self, payload: bytes) -> None:
        self._waiting.append(payload)
        self._waiting_bytes += len(payload)

    def send_shared(self, push: SharedPush) -> None:
        self.put(push.payload(self._codec))
        self.flush()

    def flush(self) -> None:
        self._something.set()

    @property
    def unsent_bytes(self) -> int:
        return self._waiting_bytes

    @property
    def is_behind(self) -> bool:
        return self._waiting_bytes > BACKLOG_MAX_BYTES

    async def caught_up(self) -> None:
        while self.is_behind:
            await self._drained.wait()

    async def run(self) -> None:
        """Send for as long as the connection lives."""
        while True:
            await self._something.wait()
            self._something = anyio.Event()
            while self._waiting:
                payload = self._waiting.popleft()
                was_behind = self.is_behind
                await self._send(payload)
                self._waiting_bytes -= len(payload)
                if was_behind and not self.is_behind:
                    self._drained.set()
                    self._drained = anyio.Event()
                    self._tell()


def _nothing() -> None:
    pass
