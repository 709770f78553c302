"""A server of a few lines: each connection is one script that reads requests and says what the test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import ByteStream, SocketAttribute
from websockets.frames import Frame
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from kraty_protocol.codec import CODECS
from kraty_protocol.conversation import Conversation, Request

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's end of one connection. Every request has to be one that a real server would take."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self._protocol = ServerProtocol(subprotocols=list(CODECS))
        self._requests: list[Request] = []

    async def shake_hands(self) -> None:
        while not (events := self._protocol.events_received()):
            self._protocol.receive_data(await self.stream.receive())
        handshake = events[0]
        assert isinstance(handshake, Handshake)
        self._protocol.send_response(self._protocol.accept(handshake))
        self._conversation = Conversation(CODECS[self._protocol.subprotocol])
        await self._flush()

    async def receive(self, op: str | None = None) -> Request:
        """The next request, which has to be `op`."""
        while not self._requests:
            self._protocol.receive_data(await self.stream.receive())
            for frame in self._protocol.events_received():
                if isinstance(frame, Frame):
                    data = bytes(frame.data)
                    judged = self._conversation.receive(data.decode() if self._conversation.codec.text else data)
                    assert isinstance(judged, Request), judged
                    self._requests.append(judged)
        request = self._requests.pop(0)
        assert op is None or request.op == op, request
        return request

    async def welcome(self, **ok: Any) -> Request:
        """Answer the hello."""
        hello = await self.receive("hello")
        role = hello.fields.role or "player"
        self._conversation.admit(role, "p1")
        await self.reply(hello, {"role": role, "playerId": "p1", "participantId": "me", **ok})
        return hello

    async def reply(self, request: Request, ok: dict[str, Any]) -> None:
        await self._send(self._conversation.reply(request.id, ok))

    async def refuse(self, request: Request, code: str, details: dict[str, Any] | None = None) -> None:
        await self._send(self._conversation.error_reply(request.id, code, "no", details))

    async def push(self, name: str, **fields: Any) -> None:
        await self._send(self._conversation.push(name, fields))

    async def close(self, code: int) -> None:
        self._protocol.send_close(code)
        await self._flush()

    async def until_gone(self) -> None:
        """Wait until the client hangs up."""
        try:
            while True:
                await self.stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            pass

    async def _send(self, frame: bytes) -> None:
        (self._protocol.send_text if self._conversation.codec.text else self._protocol.send_binary)(frame)
        await self._flush()

    async def _flush(self) -> None:
        await self.stream.send(b"".join(self._protocol.data_to_send()))


@asynccontextmanager
async def serving(*scripts: Script) -> AsyncIterator[str]:
    """Play one script for each connection, in order; the connection ends with its script."""
    waiting = iter(scripts)

    async def play(stream: ByteStream) -> None:
        async with stream:
            script = next(waiting, None)
            if script is not None:
                peer = Peer(stream)
                await peer.shake_hands()
                await script(peer)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, play)
        yield f"ws://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/v1/socket"
        tasks.cancel_scope.cancel()
