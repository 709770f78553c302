"""Encoding once for many: server frames are not masked, so the same bytes go to everyone."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from kraty_protocol.codec import Codec

FIN_TEXT = 0x81
FIN_BINARY = 0x82
SHORT_HEADERS = [[bytes((first, length)) for length in range(126)] for first in (FIN_BINARY, FIN_TEXT)]
"""By kind (binary, text) and length."""


def frame_header(length: int, *, text: bool) -> bytes:
    """The header of one whole, unmasked data frame (RFC 6455, section 5.2)."""
    if length < 126:
        return SHORT_HEADERS[text][length]
    first = FIN_TEXT if text else FIN_BINARY
    if length < 65536:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)


class SharedPush:
    """A push for many connections: encoded once a codec, framed once."""

    __slots__ = ("_encoded", "_fields")

    def __init__(self, push: str, fields: Mapping[str, Any]) -> None:
        self._fields = {"push": push, **fields}
        self._encoded: dict[str, tuple[bytes, bytes]] = {}

    def payload(self, codec: Codec) -> bytes:
        return self._both(codec)[0]

    def framed(self, codec: Codec) -> bytes:
        """Header and payload, as they go onto a socket."""
        return self._both(codec)[1]

    def _both(self, codec: Codec) -> tuple[bytes, bytes]:
        both = self._encoded.get(codec.subprotocol)
        if both is None:
            payload = codec.encode(self._fields)
            both = payload, frame_header(len(payload), text=codec.text) + payload
            self._encoded[codec.subprotocol] = both
        return both
