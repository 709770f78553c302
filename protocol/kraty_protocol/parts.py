"""Frames put together from parts that were encoded before, where most of a large answer is the same for everyone.

A part is some fields of a map without its head. Joined in any order they give what encoding the whole map would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgpack

from kraty_protocol.codec import Codec

_PACKER = msgpack.Packer()


class Part(NamedTuple):
    """Some fields, encoded: their bytes and how many they are."""

    data: bytes
    fields: int


def part(codec: Codec, fields: Mapping[str, Any]) -> Part:
    """Encode some fields of a map."""
    whole = codec.encode(fields)
    return Part(whole[1:-1] if codec.text else whole[_head_bytes(len(fields)) :], len(fields))


def named(codec: Codec, name: str, value: bytes) -> Part:
    """One field whose value is encoded already."""
    head = codec.encode({name: None})
    return Part(head[1:-5] + value if codec.text else head[1:-1] + value, 1)


def map_of(codec: Codec, parts: Sequence[Part]) -> bytes:
    """One map of all these fields, in this order; no name may come twice."""
    if codec.text:
        return b"{" + b",".join([data for data, fields in parts if fields]) + b"}"
    head: bytes = _PACKER.pack_map_header(sum([fields for _, fields in parts]))
    return head + b"".join([data for data, _ in parts])


def list_of(codec: Codec, items: Iterable[bytes]) -> bytes:
    """One list of these values."""
    values = list(items)
    if codec.text:
        return b"[" + b",".join(values) + b"]"
    head: bytes = _PACKER.pack_array_header(len(values))
    return head + b"".join(values)


def reply(codec: Codec, request_id: int, ok: bytes) -> bytes:
    """The frame that answers a request with a map that is encoded already."""
    return map_of(codec, [part(codec, {"id": request_id}), named(codec, "ok", ok)])


def _head_bytes(fields: int) -> int:
    return 1 if fields < 16 else 3 if fields < 1 << 16 else 5
