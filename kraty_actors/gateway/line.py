"""One WebSocket on one pipe, by the sans-I/O core of `websockets`: the same path on every backend.

A chunk is read, every frame in it is taken, and what is due goes out in one send. A plain HTTP GET on the same port
answers the health checks.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import anyio
from anyio.abc import TaskGroup
from websockets.exceptions import NegotiationError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from kraty_actors.gateway.connection import Connection, Line
from kraty_actors.gateway.gateway import Gateway
from kraty_actors.gateway.outbox import ByteOutbox
from kraty_actors.gateway.pipes import Pipe
from kraty_protocol.codec import CODECS, MSGPACK
from kraty_protocol.conversation import Conversation
from kraty_protocol.limits import PLAYER_LIMITS, Limits

SOCKET_PATH = "/v1/socket"
NOTHING_HERE = f"nothing here: the socket is at {SOCKET_PATH}\n"
HANDSHAKE_SECONDS = 10
CLOSE_SECONDS = 5

quiet = logging.getLogger("kraty_actors.websockets")
quiet.setLevel(logging.ERROR)


def select_codec(_protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The first subprotocol of the client's that is known; none offered is MessagePack."""
    for name in offered:
        if name in CODECS:
            return name
    if offered:
        raise NegotiationError(f"unknown subprotocol; known are {', '.join(CODECS)}")
    return None


@dataclass(frozen=True, slots=True)
class Serves:
    """What a port answers: the socket, the health checks, or both."""

    socket: bool = True
    health: bool = True
    tls: ssl.SSLContext | None = None


ALL = Serves()


class StreamLine(Line):
    """One WebSocket on one byte stream, from handshake to close."""

    def __init__(self, gateway: Gateway, tasks: TaskGroup, pipe: Pipe, serves: Serves = ALL) -> None:
        self._gateway = gateway
        self._tasks = tasks
        self._pipe = pipe
        self._serves = serves
        self._scope = anyio.CancelScope()
        self._protocol = ServerProtocol(
            select_subprotocol=select_codec, max_size=PLAYER_LIMITS.frame_bytes, logger=quiet
        )
        self._outbox = ByteOutbox(MSGPACK, tasks, pipe)
        self._early: Sequence[object] = ()
        self._fragments: list[bytes] = []
        self._fragments_opcode = Opcode.BINARY

    async def run(self) -> None:
        """Serve until either side closes."""
        with self._scope:
            try:
                connection = await self._shake_hands()
                if connection is not None:
                    await self._converse(connection)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError):
                pass

    # -- the handshake

    async def _shake_hands(self) -> Connection | None:
        with anyio.move_on_after(HANDSHAKE_SECONDS):
            while True:
                data = await self._pipe.receive()
                if not data:
                    return None
                self._protocol.receive_data(data)
                events = self._protocol.events_received()
                if events and isinstance(events[0], Request):
                    self._early = events[1:]
                    return await self._answer(events[0])
                if self._flush_protocol():
                    await self._outbox.all_sent()
                    return None
        return None

    async def _answer(self, request: Request) -> Connection | None:
        path = request.path.partition("?")[0]
        if path == SOCKET_PATH and self._serves.socket:
            response = self._protocol.accept(request)
        elif self._serves.health:
            response = self._protocol.reject(*self._gateway.http_get(path))
        else:
            response = self._protocol.reject(HTTPStatus.NOT_FOUND, NOTHING_HERE)
        self._protocol.send_response(response)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._flush_protocol()
            await self._outbox.all_sent()
            return None
        return self._connect(request)

    def _connect(self, request: Request) -> Connection:
        codec = CODECS[self._protocol.subprotocol or MSGPACK.subprotocol]
        handshake = b"".join(self._protocol.data_to_send())
        self._outbox = ByteOutbox(codec, self._tasks, self._pipe)
        self._outbox.put_raw(handshake)
        self._outbox.flush()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        header_token = token.strip() if scheme.lower() == "bearer" else None
        return Connection(self._gateway, Conversation(codec), self._outbox, self, self._tasks, header_token)

    # -- the conversation

    async def _converse(self, connection: Connection) -> None:
        self._gateway.join(connection)
        try:
            await self._take(connection, self._early)
            while not self._flush_protocol():
                if self._outbox.is_behind:
                    await self._outbox.caught_up()
                data = await self._pipe.receive()
                if not data:
                    return
                connection.heard_at = anyio.current_time()
                self._protocol.receive_data(data)
                await self._take(connection, self._protocol.events_received())
                connection.flush()
            await self._outbox.all_sent()
        finally:
            self._gateway.leave(connection)
        await self._linger()

    async def _linger(self) -> None:
        """Read what still comes: closing on unread bytes would reset the connection, and with it our last words."""
        await self._pipe.half_close()
        with anyio.move_on_after(CLOSE_SECONDS):
            while await self._pipe.receive():
                pass

    async def _take(self, connection: Connection, events: Sequence[object]) -> None:
        for event in events:
            if isinstance(event, Frame):
                message = self._message(event)
                if message is not None:
                    await connection.receive(message)

    def _message(self, frame: Frame) -> bytes | str | None:
        """The whole message that a frame ends, or None while more of it is to come."""
        opcode = frame.opcode
        if frame.fin and opcode is Opcode.BINARY:
            return bytes(frame.data)
        if frame.fin and opcode is Opcode.TEXT:
            return bytes(frame.data).decode("utf-8", "surrogateescape")
        if opcode in (Opcode.TEXT, Opcode.BINARY):
            self._fragments, self._fragments_opcode = [bytes(frame.data)], opcode
            return None
        if opcode is not Opcode.CONT:
            return None
        self._fragments.append(bytes(frame.data))
        if not frame.fin:
            return None
        data, self._fragments = b"".join(self._fragments), []
        return data if self._fragments_opcode is Opcode.BINARY else data.decode("utf-8", "surrogateescape")

    def _flush_protocol(self) -> bool:
        """Send what the protocol itself has to say; whether it has said its last word."""
        is_over = False
        for data in self._protocol.data_to_send():
            if data:
                self._outbox.put_raw(data)
            else:
                is_over = True  # an empty one stands for the end of the stream
        self._outbox.flush()
        return is_over

    # -- what the connection asks

    def close(self, code: int, reason: str) -> None:
        if self._protocol.state is OPEN:
            self._protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))
        self._flush_protocol()
        self._scope.deadline = min(self._scope.deadline, anyio.current_time() + CLOSE_SECONDS)

    def drop(self) -> None:
        self._scope.cancel()

    def ping(self) -> None:
        if self._protocol.state is OPEN:
            self._protocol.send_ping(b"")
            self._flush_protocol()

    def set_limits(self, limits: Limits) -> None:
        self._protocol.max_message_size = limits.frame_bytes
