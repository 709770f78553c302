"""Frames to maps and back, in MessagePack and in JSON.

Both decoders first build maps as tuples of pairs, which C code does for nothing, and one pass then turns
them into dicts: that pass is where a key given twice, a key that is not text and too much depth are seen.
For a progress message it costs about as much as the decoding itself, one microsecond.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

import msgpack

from kraty_protocol.limits import Limits

NUL_IN_TEXT = "NUL in text"


class Malformed(Exception):
    """The frame cannot be read; the message says why.

    Attributes:
        frame_id: The frame's `id`, whatever it is, where the frame could be read that far.
    """

    frame_id: Any = None


class Codec(Protocol):
    """One way of writing maps into frames. It holds no state: any number of connections share one."""

    @property
    def subprotocol(self) -> str:
        """The WebSocket subprotocol that stands for this codec."""

    @property
    def text(self) -> bool:
        """Whether frames are text frames."""

    def decode(self, data: bytes | str, limits: Limits) -> dict[str, Any]:
        """Read the map in one frame.

        A text frame is given as `str`, decoded with `errors="surrogateescape"` so that bytes that are not
        UTF-8 are judged here like any other bad text.

        Raises:
            Malformed: And nothing else, whatever the bytes.
        """

    def encode(self, message: Mapping[str, Any]) -> bytes:
        """Write a map as one frame's payload (the UTF-8 bytes of a text frame)."""


_unpack = msgpack.unpackb
_pack = msgpack.Packer().pack  # one for all: to make one takes longer than to use it, and it never lends the GIL


class _MsgPack:
    subprotocol = "kraty.v1.msgpack"
    text = False

    def decode(self, data: bytes | str, limits: Limits) -> dict[str, Any]:
        if isinstance(data, str):
            raise Malformed("a text frame on a connection that speaks MessagePack")
        try:
            frame = _unpack(
                data,
                object_pairs_hook=_unique,
                ext_hook=_refuse_extension,
                max_ext_len=0,  # timestamps never reach the hook
                max_map_len=limits.map_keys,
                max_array_len=limits.list_items,
            )
        except (ValueError, MemoryError) as error:
            raise Malformed(f"not MessagePack: {error}") from None
        if frame.__class__ is not dict:
            raise Malformed("a frame is one map")
        try:
            _check_map(frame, limits.depth)
        except Malformed as fault:
            fault.frame_id = frame.get("id")
            raise
        checked: dict[str, Any] = frame
        return checked

    def encode(self, message: Mapping[str, Any]) -> bytes:
        frame: bytes = _pack(message)
        return frame


class _Json:
    subprotocol = "kraty.v1.json"
    text = True

    def decode(self, data: bytes | str, limits: Limits) -> dict[str, Any]:
        if not isinstance(data, str):
            raise Malformed("a binary frame on a connection that speaks JSON")
        try:
            pairs = _read_json(data)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"not JSON: {error}") from None
        return _frame(pairs, limits, doubtful_text="\\u" in data or not data.isascii())

    def encode(self, message: Mapping[str, Any]) -> bytes:
        return _write_json(message).encode()


def _refuse_extension(code: int, data: bytes) -> NoReturn:
    raise Malformed(f"extension type {code}")


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not a number")


_read_json = json.JSONDecoder(object_pairs_hook=tuple, parse_constant=_refuse_constant).decode
_write_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _frame(pairs: Any, limits: Limits, *, doubtful_text: bool = False) -> dict[str, Any]:
    if pairs.__class__ is not tuple:
        raise Malformed("a frame is one map")
    try:
        frame = _map(pairs, limits.depth, limits.map_keys)
        if doubtful_text:
            _check_unicode(frame)
    except Malformed as fault:
        ids = [value for key, value in pairs if key == "id"]
        fault.frame_id = ids[0] if len(ids) == 1 else None
        raise
    return frame


def _unique(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise Malformed("a key is given twice")
    return built


def _check_map(built: dict[Any, Any], depth: int) -> None:
    """Judge a map that MessagePack's own decoder has built; it has counted the keys."""
    if not depth:
        raise Malformed("too deep")
    for key, value in built.items():
        kind = value.__class__
        if key.__class__ is not str:
            raise Malformed("a key is not text")
        if "\0" in key or (kind is str and "\0" in value):
            raise Malformed(NUL_IN_TEXT)
        if kind is dict:
            _check_map(value, depth - 1)
        elif kind is list:
            _check_list(value, depth - 1)


def _check_list(items: list[Any], depth: int) -> None:
    if not depth:
        raise Malformed("too deep")
    for item in items:
        kind = item.__class__
        if kind is str and "\0" in item:
            raise Malformed(NUL_IN_TEXT)
        if kind is dict:
            _check_map(item, depth - 1)
        elif kind is list:
            _check_list(item, depth - 1)


def _map(pairs: Any, depth: int, max_keys: int) -> dict[str, Any]:
    """Build a map that may have `depth` levels, itself included."""
    if not depth:
        raise Malformed("too deep")
    built = dict(pairs)
    if len(built) != len(pairs):
        raise Malformed("a key is given twice")
    if len(built) > max_keys:
        raise Malformed(f"over {max_keys} keys in one map")
    for key, value in pairs:
        if key.__class__ is not str:
            raise Malformed("a key is not text")
        kind = value.__class__
        if "\0" in key or (kind is str and "\0" in value):
            raise Malformed(NUL_IN_TEXT)
        if kind is tuple:
            built[key] = _map(value, depth - 1, max_keys)
        elif kind is list:
            _list(value, depth - 1, max_keys)
    return built


def _list(items: list[Any], depth: int, max_keys: int) -> None:
    """Build the maps in a list, in place."""
    if not depth:
        raise Malformed("too deep")
    for at, item in enumerate(items):
        kind = item.__class__
        if kind is str and "\0" in item:
            raise Malformed(NUL_IN_TEXT)
        if kind is tuple:
            items[at] = _map(item, depth - 1, max_keys)
        elif kind is list:
            _list(item, depth - 1, max_keys)


def _check_unicode(value: Any) -> None:
    """Refuse lone surrogates, which JSON can write and other languages choke on."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Malformed("text that is not Unicode") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_unicode(key)
            _check_unicode(item)
    elif isinstance(value, list):
        for item in value:
            _check_unicode(item)


def number(value: float) -> int | float:
    """A number as it travels: whole ones as integers, so that 3.0 is 3 and -0.0 is 0."""
    return int(value) if value.__class__ is float and value.is_integer() else value


MSGPACK: Codec = _MsgPack()
JSON: Codec = _Json()

CODECS: Mapping[str, Codec] = {codec.subprotocol: codec for codec in (MSGPACK, JSON)}
"""By subprotocol, the preferred one first; it is also the one in use when none is offered."""
