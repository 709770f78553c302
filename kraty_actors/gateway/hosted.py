"""Connections of a WebSocket server that the host program already has, of `websockets.asyncio` or `websockets.trio`."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import anyio
from websockets.exceptions import ConnectionClosed

from kraty_actors.gateway.auth import bearer
from kraty_actors.gateway.connection import Connection, Line
from kraty_actors.gateway.gateway import Gateway
from kraty_actors.gateway.outbox import MessageOutbox
from kraty_protocol.codec import CODECS, MSGPACK
from kraty_protocol.conversation import Conversation

CLOSE_SECONDS = 5


class HostedLine(Line):
    """Closing is the host connection's own; so are pings and the size of frames."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.goodbye: tuple[int, str] = (1000, "")

    def close(self, code: int, reason: str) -> None:
        self.goodbye = code, reason
        self.scope.deadline = min(self.scope.deadline, anyio.current_time() + 0.1)

    def drop(self) -> None:
        self.scope.cancel()


async def serve_websocket(gateway: Gateway, websocket: Any) -> None:
    """Serve one connection that has shaken hands already; without a subprotocol of ours it speaks MessagePack."""
    codec = CODECS.get(websocket.subprotocol or "", MSGPACK)

    async def send(payload: bytes) -> None:
        await websocket.send(payload.decode() if codec.text else payload)

    line = HostedLine()
    outbox = MessageOutbox(codec, send)
    async with anyio.create_task_group() as tasks:
        connection = Connection(gateway, Conversation(codec), outbox, line, tasks, _token(websocket))
        gateway.join(connection)
        tasks.start_soon(_sending, outbox)
        try:
            with line.scope:
                async for message in websocket:
                    connection.heard(anyio.current_time())
                    if (pending := connection.receive(message)) is not None:
                        await pending
                    connection.flush()
                    await outbox.caught_up()
        except ConnectionClosed:
            pass
        finally:
            gateway.leave(connection)
            tasks.cancel_scope.cancel()
    with anyio.move_on_after(CLOSE_SECONDS, shield=True):
        await websocket.close(*line.goodbye)


async def _sending(outbox: MessageOutbox) -> None:
    with suppress(ConnectionClosed):
        await outbox.run()


def _token(websocket: Any) -> str | None:
    request = getattr(websocket, "request", None)
    return bearer(request.headers) if request else None
