"""Frames: what is read, what is malformed, and that nothing else can happen."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kraty_protocol.codec import CODECS, JSON, MSGPACK, Malformed, number
from kraty_protocol.limits import LIMITS, PLAYER_LIMITS, TRUSTED_LIMITS, Limits

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def nested(levels: int) -> dict[str, Any]:
    value: Any = 1
    for level in range(levels - 1):
        value = [value] if level % 2 else {"a": value}
    return {"a": value}


@given(st.dictionaries(TEXT, VALUES, max_size=6))
def test_every_map_survives_both_codecs(message: dict[str, Any]) -> None:
    assert MSGPACK.decode(MSGPACK.encode(message), TRUSTED_LIMITS) == message
    assert JSON.decode(JSON.encode(message).decode(), TRUSTED_LIMITS) == message


MALFORMED_JSON = {
    "empty": "",
    "list": "[]",
    "number": "7",
    "open": '{"id":7',
    "trailing": '{"id":7}x',
    "two": '{"id":7}{"id":8}',
    "nan": '{"id":7,"a":NaN}',
    "infinity": '{"id":7,"a":[-Infinity]}',
    "twice": '{"id":7,"id":7}',
    "twice below": '{"id":7,"a":[{"b":1,"b":2}]}',
    "lone surrogate": '{"id":7,"a":"\\ud800"}',
    "lone surrogate in a key": '{"id":7,"\\udfff":1}',
    "nul": '{"id":7,"a":["\\u0000"]}',
    "bare nul": '{"id":7,"a":"\0"}',
    "not utf-8": b'{"id":7,"a":"\xff"}'.decode("utf-8", "surrogateescape"),
    "deep": "[" * 60_000,
    "deeper than the limit": json.dumps(nested(17)),
    "many keys": json.dumps({f"k{at}": at for at in range(257)}),
    "huge number": '{"id":7,"a":' + "9" * 5000 + "}",
}


@pytest.mark.parametrize("frame", MALFORMED_JSON.values(), ids=MALFORMED_JSON)
def test_malformed_json(frame: str) -> None:
    with pytest.raises(Malformed):
        JSON.decode(frame, PLAYER_LIMITS)


MALFORMED_MSGPACK = {
    "empty": b"",
    "list": b"\x90",
    "number": b"\x07",
    "unused byte": b"\xc1",
    "cut": b"\x81\xa2i",
    "trailing": b"\x80\x80",
    "extension": b"\x81\xa1a\xd4\x05\x00",
    "empty extension": b"\x81\xa1a\xc7\x00\x05",
    "timestamp": b"\x81\xa1a\xd6\xff\x00\x00\x00\x01",
    "whole key": b"\x81\x01\x01",
    "binary key": b"\x81\xc4\x01a\x01",
    "binary key below": b"\x81\xa1a\x91\x81\xc4\x01a\x01",
    "list key": b"\x81\x90\x01",
    "nil key": b"\x81\xc0\x01",
    "twice": b"\x82\xa1a\x01\xa1a\x02",
    "twice below": b"\x81\xa1a\x82\xa1a\x01\xa1a\x02",
    "not utf-8": b"\x81\xa1a\xa1\xff",
    "lone surrogate": b"\x81\xa1a\xa3\xed\xa0\x80",
    "nul": b"\x81\xa1a\xa1\x00",
    "deep": b"\x91" * 60_000,
    "deeper than the limit": msgpack.packb(nested(17)),
    "many keys": msgpack.packb({f"k{at}": at for at in range(257)}),
    "lying list": b"\x81\xa1a\xdd\xff\xff\xff\xff",
    "lying map": b"\xdf\xff\xff\xff\xff",
    "lying lists in lists": b"\xdc\xff\xff" * 20_000,
}


@pytest.mark.parametrize("frame", MALFORMED_MSGPACK.values(), ids=MALFORMED_MSGPACK)
def test_malformed_msgpack(frame: bytes) -> None:
    with pytest.raises(Malformed):
        MSGPACK.decode(frame, PLAYER_LIMITS)


@pytest.mark.parametrize(
    "decode",
    [lambda limits: MSGPACK.decode("{}", limits), lambda limits: JSON.decode(b"{}", limits)],
    ids=["text on MessagePack", "binary on JSON"],
)
def test_a_frame_of_the_other_kind_is_malformed(decode: Callable[[Limits], Any]) -> None:
    with pytest.raises(Malformed):
        decode(PLAYER_LIMITS)


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
def test_depth_and_keys_reach_their_limits_and_not_beyond(limits: Limits) -> None:
    def keys(count: int) -> dict[str, int]:
        return {f"k{at}": at for at in range(count)}

    for message, fits in (
        (nested(limits.depth), True),
        (nested(limits.depth + 1), False),
        ({"a": [keys(limits.map_keys)]}, True),
        ({"a": [keys(limits.map_keys + 1)]}, False),
    ):
        for codec in CODECS.values():
            frame = codec.encode(message)
            data = frame.decode() if codec.text else frame
            if fits:
                assert codec.decode(data, limits) == message
            else:
                with pytest.raises(Malformed):
                    codec.decode(data, limits)


def test_a_malformed_frame_keeps_its_id_where_that_can_be_read() -> None:
    for codec, frame in ((JSON, '{"id":7,"a":"\\u0000"}'), (MSGPACK, b"\x82\xa2id\x07\xa1a\xa1\x00")):
        with pytest.raises(Malformed) as caught:
            codec.decode(frame, PLAYER_LIMITS)
        assert caught.value.frame_id == 7
    with pytest.raises(Malformed) as caught:
        JSON.decode('{"id":7,"id":8}', PLAYER_LIMITS)
    assert caught.value.frame_id is None


@pytest.mark.parametrize(
    ("value", "travels"), [(3.0, "3"), (-0.0, "0"), (3, "3"), (2.5, "2.5"), (float(2**53 - 1), str(2**53 - 1))]
)
def test_whole_numbers_travel_as_integers(value: float, travels: str) -> None:
    assert repr(number(value)) == travels


def test_no_reply_can_hold_what_json_has_no_word_for() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        JSON.encode({"a": math.nan})
