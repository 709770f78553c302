"""A peer that can send anything, and that sees what comes back exactly as it comes."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from anyio.abc import ByteStream, SocketStream
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from kraty_protocol.codec import CODECS, Codec
from kraty_protocol.limits import TRUSTED_LIMITS

PATIENCE_SECONDS = 10
LONG_SECONDS = 3600
"""For the end of a connection, which may be far away in virtual time."""

Map = dict[str, Any]


class Closed(Exception):
    """The server ended the connection; `code` is None if it did so without a word."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class HandshakeRefused(Exception):
    """The server answered the handshake with another status than 101."""

    def __init__(self, status: int) -> None:
        super().__init__(f"handshake refused with {status}")
        self.status = status


class Peer:
    """One connection. A bug of the server (`internal_error`) fails whatever test meets it."""

    def __init__(self, stream: ByteStream, protocol: ClientProtocol, codec: Codec) -> None:
        self.codec = codec
        self.welcome: Map = {}
        self.pushes: deque[Map] = deque()
        self._stream = stream
        self._protocol = protocol
        self._messages: deque[Map] = deque()
        self._last_id = 0

    # -- sending

    async def send_bytes(self, data: bytes) -> None:
        """Bytes on the stream itself, beneath every frame."""
        await self._stream.send(data)

    async def send_frame(self, payload: bytes | str, *, fin: bool = True) -> None:
        """One text or binary frame with this payload."""
        if isinstance(payload, str):
            self._protocol.send_text(payload.encode("utf-8", "surrogateescape"), fin)
        else:
            self._protocol.send_binary(payload, fin)
        await self._flush()

    async def send_rest(self, payload: bytes, *, fin: bool) -> None:
        """A continuation frame."""
        self._protocol.send_continuation(payload, fin)
        await self._flush()

    async def send_map(self, message: Mapping[str, Any]) -> None:
        payload = self.codec.encode(message)
        await self.send_frame(payload.decode() if self.codec.text else payload)

    async def post(self, op: str, **fields: Any) -> int:
        """Send a request without waiting for its answer; its id."""
        self._last_id += 1
        await self.send_map({"id": self._last_id, "op": op, **fields})
        return self._last_id

    # -- receiving

    async def receive(self, patience_seconds: float = PATIENCE_SECONDS) -> Map:
        """The next message, push or reply.

        Raises:
            Closed: There is none to come.
        """
        with anyio.fail_after(patience_seconds):
            while not self._messages:
                await self._read()
        message = self._messages.popleft()
        assert message.get("error", {}).get("code") != "internal_error", message
        return message

    async def reply(self, request_id: int | None) -> Map:
        """The reply with this id; pushes that come before it are kept in `pushes`."""
        while True:
            message = await self.receive()
            if "push" in message:
                self.pushes.append(message)
            elif message["id"] == request_id:
                return message
            else:
                raise AssertionError(f"expected the reply to {request_id}, got {message}")

    async def ask(self, op: str, **fields: Any) -> Map:
        """The whole reply to a request."""
        return await self.reply(await self.post(op, **fields))

    async def ok(self, op: str, **fields: Any) -> Map:
        reply = await self.ask(op, **fields)
        assert "ok" in reply, reply
        return reply["ok"]

    async def error(self, op: str, **fields: Any) -> Map:
        reply = await self.ask(op, **fields)
        assert "error" in reply, reply
        return reply["error"]

    async def refused(self, op: str, **fields: Any) -> tuple[str, int]:
        """Code and status of the refusal of a request."""
        error = await self.error(op, **fields)
        return error["code"], error["status"]

    async def push(self, name: str, wanted: Callable[[Map], bool] = lambda _: True) -> Map:
        """The next push of this name that is wanted; others before it stay in `pushes`."""
        passed: list[Map] = []
        while True:
            message = self.pushes.popleft() if self.pushes else await self.receive()
            assert "push" in message, message
            if message["push"] == name and wanted(message):
                self.pushes.extendleft(reversed(passed))
                return message
            passed.append(message)

    async def until_closed(self) -> int | None:
        """Read until the server closes; with which code."""
        try:
            while True:
                await self.receive(LONG_SECONDS)
        except Closed as closed:
            return closed.code

    async def _read(self) -> None:
        if self._protocol.close_rcvd is not None:
            raise Closed(self._protocol.close_rcvd.code)
        try:
            self._protocol.receive_data(await self._stream.receive())
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise Closed(None) from None
        for frame in self._protocol.events_received():
            if isinstance(frame, Frame) and frame.opcode in (Opcode.TEXT, Opcode.BINARY):
                assert (frame.opcode is Opcode.TEXT) == self.codec.text
                data = bytes(frame.data)
                self._messages.append(self.codec.decode(data.decode() if self.codec.text else data, TRUSTED_LIMITS))
        await self._flush()

    async def _flush(self) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._stream.send(b"".join(self._protocol.data_to_send()))


@asynccontextmanager
async def dialled(
    port: int,
    *,
    codec: str = "msgpack",
    offers: Sequence[str] | None = None,
    token: str | None = None,
    receive_buffer: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Peer]:
    """A connection past the WebSocket handshake, on which nothing was said yet.

    Args:
        receive_buffer: Bytes that the kernel keeps for a peer that does not read; by default as many as it likes.
        headers: More headers for the handshake.

    Raises:
        HandshakeRefused: The server wants none.
    """
    uri = parse_uri(f"ws://127.0.0.1:{port}/v1/socket")
    protocol = ClientProtocol(uri, subprotocols=[f"kraty.v1.{codec}"] if offers is None else list(offers) or None)
    request = protocol.connect()
    if token is not None:
        request.headers["Authorization"] = f"Bearer {token}"
    request.headers.update(headers or {})
    protocol.send_request(request)
    async with await _connect(port, receive_buffer) as stream:
        with anyio.fail_after(PATIENCE_SECONDS):
            await stream.send(b"".join(protocol.data_to_send()))
            while protocol.state is State.CONNECTING:
                protocol.receive_data(await stream.receive())
                if isinstance(protocol.handshake_exc, InvalidHandshake):
                    raise HandshakeRefused(protocol.handshake_exc.response.status_code)
        protocol.events_received()
        yield Peer(stream, protocol, CODECS[protocol.subprotocol or "kraty.v1.msgpack"])


async def _connect(port: int, receive_buffer: int | None) -> SocketStream:
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.connect(("127.0.0.1", port))  # to loopback, which takes no time
    sock.setblocking(False)
    return await SocketStream.from_socket(sock)


def nested(levels: int) -> Any:
    """Lists within each other."""
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value
