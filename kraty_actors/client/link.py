"""One WebSocket connection: messages over an anyio byte stream, on trio and on asyncio alike."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
from anyio.abc import ByteStream
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from kraty_protocol.codec import Codec, Malformed
from kraty_protocol.limits import SILENCE_SECONDS, TRUSTED_LIMITS

_CHUNK_BYTES = 65536
_GOODBYE_SECONDS = 1.0

Dial = Callable[[], Awaitable[ByteStream]]
"""Opens the byte stream that a connection runs over."""


class ConnectionLost(Exception):
    """The connection is gone, and a request that was under way may or may not have been applied.

    Attributes:
        code: The WebSocket close code, or None where the connection broke without one.
        reason: What the server said, or what happened.
    """

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"connection lost ({code}): {reason}" if code else f"connection lost: {reason}")
        self.code = code
        self.reason = reason


class Link:
    """A connection past its WebSocket handshake. `receive` is for one task, `post` and `flush` for any."""

    def __init__(self, stream: ByteStream, protocol: ClientProtocol, codec: Codec) -> None:
        self._stream = stream
        self._protocol = protocol
        self._codec = codec
        self._send = protocol.send_text if codec.text else protocol.send_binary
        self._flushing = anyio.Lock(fast_acquire=True)
        self._parts: list[bytes] = []

    @classmethod
    async def open(cls, url: str, codec: Codec, dial: Dial | None = None) -> Link:
        """Connect and shake hands.

        Raises:
            ValueError: The URL is not a WebSocket's.
            OSError: Nobody listens there.
            ConnectionLost: Somebody does, who does not speak this protocol or hung up.
        """
        uri = _parse(url)
        stream = await (dial() if dial else _dial(uri))
        protocol = ClientProtocol(
            uri, subprotocols=[Subprotocol(codec.subprotocol)], max_size=TRUSTED_LIMITS.frame_bytes
        )
        link = cls(stream, protocol, codec)
        try:
            protocol.send_request(protocol.connect())
            await link._shake_hands()
        except BaseException:
            await anyio.aclose_forcefully(stream)
            raise
        return link

    async def _shake_hands(self) -> None:
        await self.flush()
        while self._protocol.state is State.CONNECTING:
            await self._read()
            if isinstance(self._protocol.handshake_exc, InvalidHandshake):
                raise ConnectionLost(None, f"handshake refused: {self._protocol.handshake_exc}")
        if self._protocol.subprotocol != self._codec.subprotocol:
            raise ConnectionLost(None, f"the server does not speak {self._codec.subprotocol}")
        self._protocol.events_received()  # the response alone: no frame comes before our hello

    def post(self, frame: bytes) -> bool:
        """Put a frame behind those that wait for `flush`; False if the connection is closing already."""
        if self._protocol.state is not State.OPEN:
            return False
        self._send(frame)
        return True

    async def flush(self) -> None:
        """Send all that was posted. Several tasks may: the first sends for those that come after it.

        Raises:
            ConnectionLost: The connection is gone.
        """
        async with self._flushing:
            data = b"".join(self._protocol.data_to_send())
            if data:
                try:
                    await self._stream.send(data)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as error:
                    raise self._lost(error) from error

    async def receive(self) -> list[dict[str, Any]]:
        """All messages that have come, at least one.

        Raises:
            ConnectionLost: The connection is gone, or the server sent what nobody can read.
        """
        while True:
            frames = self._protocol.events_received()
            messages = [message for frame in frames if (message := self._message(frame)) is not None]
            if messages:
                return messages
            if self._protocol.close_rcvd is not None or self._protocol.parser_exc is not None:
                raise self._lost(self._protocol.parser_exc)
            await self._read()

    async def _read(self) -> None:
        try:
            with anyio.fail_after(SILENCE_SECONDS):
                self._protocol.receive_data(await self._stream.receive(_CHUNK_BYTES))
        except anyio.EndOfStream:
            self._protocol.receive_eof()
            raise self._lost("the server hung up") from None
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as error:
            raise self._lost(error) from error
        with suppress(ConnectionLost):  # what was read may be the reason, and is worth hearing
            await self.flush()  # pongs, and the echo of a close

    def _message(self, frame: Any) -> dict[str, Any] | None:
        if not isinstance(frame, Frame) or frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return None
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        whole, self._parts = b"".join(self._parts), []
        try:
            return self._codec.decode(whole.decode() if self._codec.text else whole, TRUSTED_LIMITS)
        except (Malformed, UnicodeDecodeError) as error:
            raise ConnectionLost(None, f"the server sent an unreadable frame: {error}") from error

    def _lost(self, cause: object) -> ConnectionLost:
        close = self._protocol.close_rcvd
        return ConnectionLost(close.code, close.reason) if close else ConnectionLost(None, str(cause))

    async def aclose(self) -> None:
        """Say goodbye, without waiting long for it to be heard, and close the stream."""
        with anyio.move_on_after(_GOODBYE_SECONDS, shield=True):
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(1000)
            with suppress(ConnectionLost):
                await self.flush()
        await anyio.aclose_forcefully(self._stream)


def _parse(url: str) -> WebSocketURI:
    try:
        return parse_uri(url)
    except InvalidURI as error:
        raise ValueError(str(error)) from None


async def _dial(uri: WebSocketURI) -> ByteStream:
    if uri.secure:
        context = ssl.create_default_context()
        return await anyio.connect_tcp(uri.host, uri.port, tls=True, ssl_context=context, tls_standard_compatible=False)
    return await anyio.connect_tcp(uri.host, uri.port)
