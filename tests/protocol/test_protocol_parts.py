"""Frames from parts are the frames that encoding the whole gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kraty_protocol import parts
from kraty_protocol.codec import JSON, MSGPACK, Codec

VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | st.lists(st.integers(0, 9))
FIELDS = st.dictionaries(st.text(min_size=1, max_size=6), VALUES, max_size=40)


@pytest.mark.parametrize("codec", [MSGPACK, JSON], ids=["msgpack", "json"])
@given(fields=FIELDS, cut=st.integers(0, 40), items=st.lists(FIELDS, max_size=20))
def test_parts_joined_are_the_whole(codec: Codec, fields: dict[str, object], cut: int, items: list[dict[str, object]]):
    first, rest = dict(list(fields.items())[:cut]), dict(list(fields.items())[cut:])
    both = [parts.part(codec, first), parts.part(codec, rest)]
    assert parts.map_of(codec, both) == codec.encode(fields)
    ok = parts.map_of(codec, [parts.named(codec, "items", parts.list_of(codec, map(codec.encode, items)))])
    assert parts.reply(codec, 7, ok) == codec.encode({"id": 7, "ok": {"items": items}})
