"""One WebSocket on one pipe, by the sans-I/O core of `websockets`: the same path on every backend.

A chunk is read, every frame in it is taken, and what is due goes out in one send. A plain HTTP GET on the same port
answers the health checks.
"""

from __future__ import annotations

import logging
import ssl
from collections import deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import anyio
from anyio.abc import TaskGroup
from websockets.exceptions import NegotiationError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from kraty_actors.gateway.addresses import Address, Network, caller
from kraty_actors.gateway.auth import bearer
from kraty_actors.gateway.connection import Connection, Line
from kraty_actors.gateway.frames import FIN_BINARY, FIN_TEXT
from kraty_actors.gateway.gateway import Gateway
from kraty_actors.gateway.outbox import ByteOutbox
from kraty_actors.gateway.pipes import Pipe
from kraty_actors.gateway.plain_http import NOTHING_HERE, SOCKET_PATH, TOO_MANY, Page, plain_get
from kraty_actors.gateway.small_frames import small_frames
from kraty_protocol.codec import CODECS, MSGPACK
from kraty_protocol.conversation import Conversation
from kraty_protocol.limits import PLAYER_LIMITS, Limits

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
    """What a port answers: the socket, plain HTTP, or both; and from where `X-Forwarded-For` is believed."""

    socket: bool = True
    plain: bool = True
    tls: ssl.SSLContext | None = None
    proxies: Network | None = None

    def is_proxy(self, peer: Address | None) -> bool:
        """Whether a peer only brings others."""
        return peer is not None and self.proxies is not None and peer in self.proxies


ALL = Serves()


class StreamLine(Line):
    """One WebSocket on one byte stream, from handshake to close."""

    def __init__(
        self, gateway: Gateway, tasks: TaskGroup, pipe: Pipe, serves: Serves = ALL, peer: Address | None = None
    ) -> None:
        self._gateway = gateway
        self._peer = peer
        self._guest: Address | None = None
        self._tasks = tasks
        self._pipe = pipe
        self._serves = serves
        self._connection: Connection
        self._scope = anyio.CancelScope()
        self._protocol = ServerProtocol(
            select_subprotocol=select_codec, max_size=PLAYER_LIMITS.frame_bytes, logger=quiet
        )
        self._outbox = ByteOutbox(MSGPACK, tasks, pipe)
        self._events: deque[Event | bytes] = deque()
        self._whole_frame = FIN_BINARY
        self._pending: Awaitable[None] | None = None
        self._is_over = False
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
            finally:
                self._gateway.addresses.leave(self._guest)

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
                    self._events.extend(events[1:])
                    return await self._answer(events[0])
                if self._flush_protocol():
                    await self._outbox.all_sent()
                    return None
        return None

    async def _answer(self, request: Request) -> Connection | None:
        path = request.path.partition("?")[0]
        address = caller(self._peer, request.headers, self._serves.proxies)
        if path == SOCKET_PATH and self._serves.socket:
            response = self._protocol.accept(request) if self._enter(address) else self._plain(TOO_MANY)
        elif self._serves.plain:
            response = self._plain(plain_get(self._gateway, path, request.headers, address))
        else:
            response = self._plain(NOTHING_HERE)
        self._protocol.send_response(response)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._flush_protocol()
            await self._outbox.all_sent()
            return None
        return self._connect(request)

    def _enter(self, address: Address | None) -> bool:
        """Count whom a proxy brings; who comes by themselves was counted at the door."""
        if address == self._peer:
            return True
        if not self._gateway.let_in(address):
            return False
        self._guest = address
        return True

    def _plain(self, page: Page) -> Response:
        response = self._protocol.reject(page.status, page.body)
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = page.content_type
        return response

    def _connect(self, request: Request) -> Connection:
        codec = CODECS[self._protocol.subprotocol or MSGPACK.subprotocol]
        self._whole_frame = FIN_TEXT if codec.text else FIN_BINARY
        handshake = b"".join(self._protocol.data_to_send())
        self._outbox = ByteOutbox(codec, self._tasks, self._pipe)
        self._outbox.put_raw(handshake)
        self._outbox.flush()
        token = bearer(request.headers)
        return Connection(self._gateway, Conversation(codec), self._outbox, self, self._tasks, token)

    # -- the conversation

    async def _converse(self, connection: Connection) -> None:
        self._gateway.join(connection)
        self._connection = connection
        try:
            while await self._catch_up(connection):
                if not await self._pipe.pump(self._take_chunk):
                    return
            await self._outbox.all_sent()
        finally:
            self._gateway.leave(connection)
        await self._linger()

    def _take_chunk(self, data: bytes) -> bool:
        """Take what has arrived, as far as nothing has to be waited for."""
        if self._is_between_frames():
            payloads, taken = small_frames(data, self._whole_frame)
            self._events.extend(payloads)
            data = data[taken:]
        if data:
            self._protocol.receive_data(data)
            self._events.extend(self._protocol.events_received())
        return self._take_events(self._connection)

    def _is_between_frames(self) -> bool:
        """Whether the next bytes begin a frame that no earlier one has a bearing on."""
        protocol = self._protocol
        return not protocol.reader.buffer and protocol.current_size is None and protocol.state is OPEN

    def _take_events(self, connection: Connection) -> bool:
        connection.heard(anyio.current_time())
        while self._events and self._pending is None:
            event = self._events.popleft()
            message = self._decoded(event) if isinstance(event, bytes) else self._message(event)
            if message is not None:
                self._pending = connection.receive(message)
            else:
                connection.count_frame()
        connection.flush()
        is_over = self._flush_protocol()
        return self._pending is None and not is_over and not self._outbox.is_behind

    async def _catch_up(self, connection: Connection) -> bool:
        """Wait for what has to be waited for; False once the conversation is over."""
        while not self._take_events(connection):
            if self._pending is not None:
                pending, self._pending = self._pending, None
                await pending
            elif self._is_over:
                return False
            else:
                await self._outbox.caught_up()
        return True

    async def _linger(self) -> None:
        """Read what still comes: closing on unread bytes would reset the connection, and with it our last words."""
        await self._pipe.half_close()
        with anyio.move_on_after(CLOSE_SECONDS):
            while await self._pipe.receive():
                pass

    def _decoded(self, payload: bytes) -> bytes | str:
        """The payload of a whole frame of this connection's own kind."""
        return payload.decode("utf-8", "surrogateescape") if self._whole_frame == FIN_TEXT else payload

    def _message(self, frame: Event) -> bytes | str | None:
        """The whole message that a frame ends, or None while more of it is to come."""
        if not isinstance(frame, Frame):
            return None
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
        if frame.data:  # any number of empty ones is no more than nothing
            self._fragments.append(bytes(frame.data))
        if not frame.fin:
            return None
        data, self._fragments = b"".join(self._fragments), []
        return data if self._fragments_opcode is Opcode.BINARY else data.decode("utf-8", "surrogateescape")

    def _flush_protocol(self) -> bool:
        """Send what the protocol itself has to say; whether it has said its last word."""
        for data in self._protocol.data_to_send():
            if data:
                self._outbox.put_raw(data)
            else:
                self._is_over = True  # an empty one stands for the end of the stream
        self._outbox.flush()
        return self._is_over

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
