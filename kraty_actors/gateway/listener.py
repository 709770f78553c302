"""Sockets and byte streams: WebSocket by the sans-I/O core of `websockets`, the same path on every backend.

A chunk is read, every frame in it is taken, and what is due goes out in one send. A plain HTTP GET on the same port
answers the health checks.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import anyio
from anyio.abc import ByteStream, TaskGroup, TaskStatus
from anyio.streams.tls import TLSStream
from kraty_protocol.codec import CODECS, MSGPACK
from kraty_protocol.conversation import Conversation
from kraty_protocol.limits import PLAYER_LIMITS, Limits
from websockets.exceptions import NegotiationError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from kraty_actors.gateway.connection import Connection, Line
from kraty_actors.gateway.gateway import Gateway
from kraty_actors.gateway.outbox import ByteOutbox

log = logging.getLogger(__name__)

SOCKET_PATH = "/v1/socket"
CHUNK_BYTES = 64 * 1024
HANDSHAKE_SECONDS = 10
CLOSE_SECONDS = 5
BACKLOG = 1024

Receive = Callable[[], Awaitable[bytes]]
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

    def __init__(
        self, gateway: Gateway, tasks: TaskGroup, receive: Receive,
        send_now: Callable[[bytes], int], send: Callable[[bytes], Awaitable[None]], serves: Serves,
    ) -> None:  # fmt: skip
        self._gateway = gateway
        self._tasks = tasks
        self._receive = receive
        self._send_now = send_now
        self._send = send
        self._serves = serves
        self._scope = anyio.CancelScope()
        self._protocol = ServerProtocol(
            select_subprotocol=select_codec, max_size=PLAYER_LIMITS.frame_bytes, logger=quiet
        )
        self._outbox = ByteOutbox(MSGPACK, tasks, send_now, send)
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
                data = await self._receive()
                if not data:
                    return None
                self._protocol.receive_data(data)
                for event in self._protocol.events_received():
                    if isinstance(event, Request):
                        return await self._answer(event)
                self._flush_protocol()
        return None

    async def _answer(self, request: Request) -> Connection | None:
        path = request.path.partition("?")[0]
        if path == SOCKET_PATH and self._serves.socket:
            response = self._protocol.accept(request)
        elif self._serves.health:
            response = self._protocol.reject(*self._gateway.http_get(path))
        else:
            response = self._protocol.reject(HTTPStatus.NOT_FOUND, "nothing here: the socket is at /v1/socket\n")
        self._protocol.send_response(response)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._flush_protocol()
            await self._outbox.all_sent()
            return None
        return self._connect(request)

    def _connect(self, request: Request) -> Connection:
        codec = CODECS[self._protocol.subprotocol or MSGPACK.subprotocol]
        handshake = b"".join(self._protocol.data_to_send())
        self._outbox = ByteOutbox(codec, self._tasks, self._send_now, self._send)
        self._outbox.put_raw(handshake)
        self._outbox.flush()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        header_token = token.strip() if scheme.lower() == "bearer" else None
        return Connection(self._gateway, Conversation(codec), self._outbox, self, self._tasks, header_token)

    # -- the conversation

    async def _converse(self, connection: Connection) -> None:
        self._gateway.join(connection)
        try:
            await self._take(connection, self._protocol.events_received())
            while True:
                connection.flush()
                if self._outbox.is_behind:
                    await connection.caught_up()
                data = await self._receive()
                if not data:
                    return
                connection.heard_at = anyio.current_time()
                self._protocol.receive_data(data)
                await self._take(connection, self._protocol.events_received())
                self._flush_protocol()
                if self._protocol.close_expected():
                    await self._outbox.all_sent()
                    if self._protocol.state is not OPEN and self._protocol.close_rcvd is not None:
                        return
        finally:
            self._gateway.leave(connection)

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

    def _flush_protocol(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._outbox.put_raw(data)
        self._outbox.flush()

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


async def serve_stream(gateway: Gateway, stream: ByteStream, serves: Serves = ALL) -> None:
    """Serve one connection on any byte stream of anyio's, such as one with TLS."""

    async def receive() -> bytes:
        try:
            return await stream.receive(CHUNK_BYTES)
        except (anyio.EndOfStream, anyio.BrokenResourceError, ssl.SSLError):
            return b""

    async with stream, anyio.create_task_group() as tasks:
        await StreamLine(gateway, tasks, receive, lambda _data: 0, stream.send, serves).run()
        tasks.cancel_scope.cancel()


async def serve_socket(gateway: Gateway, sock: socket.socket, serves: Serves = ALL) -> None:
    """Serve one connection on a socket of our own: sends go straight to it, and wait only when it is full."""

    async def receive() -> bytes:
        while True:
            await anyio.wait_readable(sock)
            try:
                return sock.recv(CHUNK_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                return b""

    def send_now(data: bytes) -> int:
        try:
            return sock.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # the reader finds out; what is sent to nobody needs no waiting

    async def send(data: bytes) -> None:
        view = memoryview(data)
        while view:
            await anyio.wait_writable(sock)
            view = view[send_now(bytes(view)) :]

    try:
        async with anyio.create_task_group() as tasks:
            await StreamLine(gateway, tasks, receive, send_now, send, serves).run()
            tasks.cancel_scope.cancel()
    finally:
        anyio.notify_closing(sock)
        sock.close()


def open_port(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: The port is taken, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
    sock.setblocking(False)
    return sock


async def serve_port(
    gateway: Gateway, sock: socket.socket, serves: Serves = ALL,
    *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:  # fmt: skip
    """Accept connections until cancelled."""
    try:
        async with anyio.create_task_group() as tasks:
            task_status.started()
            while True:
                await anyio.wait_readable(sock)
                try:
                    peer, _ = sock.accept()
                except (BlockingIOError, ConnectionAbortedError):
                    continue
                except OSError as error:
                    if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                        raise
                    log.warning("a connection waits: %s", error)
                    await anyio.sleep(0.1)
                    continue
                peer.setblocking(False)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if serves.tls is None:
                    tasks.start_soon(_guarded, serve_socket, gateway, peer, serves)
                else:
                    tasks.start_soon(_guarded, _serve_tls, gateway, peer, serves)
    finally:
        anyio.notify_closing(sock)
        sock.close()


async def _serve_tls(gateway: Gateway, sock: socket.socket, serves: Serves) -> None:
    plain = await anyio.abc.SocketStream.from_socket(sock)
    try:
        with anyio.fail_after(HANDSHAKE_SECONDS):
            stream = await TLSStream.wrap(plain, server_side=True, ssl_context=serves.tls, standard_compatible=False)
    except (ssl.SSLError, TimeoutError, anyio.BrokenResourceError, anyio.EndOfStream):
        await anyio.aclose_forcefully(plain)
        return
    await serve_stream(gateway, stream, serves)


async def _guarded(serve: Callable[..., Awaitable[None]], *args: object) -> None:
    """One connection's bug ends that connection, not the server."""
    try:
        await serve(*args)
    except Exception:
        log.exception("a connection failed")
