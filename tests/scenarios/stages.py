"""Where a scenario is played: in memory over in-memory streams, or on SQLite over real sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

import anyio
from anyio.abc import ByteStream, ObjectReceiveStream, ObjectSendStream, TaskGroup

from kraty_actors import Game, open_game
from kraty_actors.testing import ManualClock
from kraty_persistence import Store

Dial = Callable[[], Awaitable[ByteStream]]


@dataclass(frozen=True)
class Stage:
    """How a game is opened, again after a restart, and how it is reached."""

    store: str | Store
    codec: Literal["msgpack", "json"]
    has_sockets: bool

    def opened(self, game: Mapping[str, Any], clock: ManualClock) -> AbstractAsyncContextManager[Game]:
        return open_game(game, store=self.store, clock=clock, insecure_dev=True)

    async def reachable(self, game: Game, tasks: TaskGroup) -> tuple[str, Dial | None]:
        """The URL for a client, and the way to it where that is not a socket."""
        if self.has_sockets:
            return f"ws://127.0.0.1:{await game.serve(port=0)}/v1/socket", None

        async def dial() -> ByteStream:
            mine, theirs = byte_pipe()
            tasks.start_soon(game.handle, theirs)
            return mine

        return "ws://memory/v1/socket", dial


def byte_pipe() -> tuple[ByteStream, ByteStream]:
    """Two ends of a connection inside this process."""
    to_left, left = anyio.create_memory_object_stream[bytes](inf)
    to_right, right = anyio.create_memory_object_stream[bytes](inf)
    return PipeEnd(to_right, left), PipeEnd(to_left, right)


class PipeEnd(ByteStream):
    """One end; what one sends the other receives, in pieces of any size."""

    def __init__(self, outward: ObjectSendStream[bytes], inward: ObjectReceiveStream[bytes]) -> None:
        self._outward = outward
        self._inward = inward
        self._rest = b""

    async def send(self, item: bytes) -> None:
        if item:
            await self._outward.send(item)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        data = self._rest or await self._inward.receive()
        data, self._rest = data[:max_bytes], data[max_bytes:]
        return data

    async def send_eof(self) -> None:
        await self._outward.aclose()

    async def aclose(self) -> None:
        await self._outward.aclose()
        await self._inward.aclose()
