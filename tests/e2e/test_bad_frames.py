"""Frames and handshakes that cannot be read: refused by name, and the server goes on."""

from __future__ import annotations

import json
import math

import anyio
import msgpack
import pytest
from raw_peer import HandshakeRefused, Map, Peer, dialled, nested
from servers import ann_plays, game_of, serving

from kraty_protocol.errors import CloseCode
from kraty_protocol.limits import MAX_WHOLE

pytestmark = pytest.mark.anyio

GAME = game_of()
KIB = 1024


def packed(message: object) -> bytes:
    return msgpack.packb(message)  # type: ignore[no-any-return]


PING = packed({"id": 5, "op": "ping"})
DOUBLE_KEY = b"\x83" + packed("id") + packed(5) + (packed("op") + packed("ping")) * 2
NUMBER_KEY = b"\x83" + packed("id") + packed(5) + packed("op") + packed("ping") + packed(1) + packed(1)
NESTED_NUMBER_KEY = packed({"id": 5, "op": "ping", "x": {1: 1}})

MALFORMED_MSGPACK: dict[str, bytes] = {
    "nothing": b"",
    "never_used_byte": b"\xc1",
    "not_a_map": packed([1, "ping"]),
    "a_number": packed(1),
    "nil": packed(None),
    "text": packed("ping"),
    "truncated": PING[:-1],
    "with_a_tail": PING + b"\0",
    "two_messages": PING + PING,
    "a_key_twice": DOUBLE_KEY,
    "a_key_that_is_a_number": NUMBER_KEY,
    "a_deeper_key_that_is_a_number": NESTED_NUMBER_KEY,
    "a_key_of_bytes": packed({b"id": 5, "op": "ping"}),
    "an_extension": packed({"id": 5, "op": "ping", "x": msgpack.ExtType(7, b"x")}),
    "a_timestamp": packed({"id": 5, "op": "ping", "x": msgpack.Timestamp(1)}),
    "too_deep": packed({"id": 5, "op": "ping", "x": nested(16)}),
    "far_too_deep": b"\x83" + PING[1:] + packed("x") + b"\x91" * 50_000 + b"\0",
    "too_many_keys": packed({"id": 5, "op": "ping"} | {f"k{n}": n for n in range(255)}),
    "a_map_that_lies_about_its_length": b"\xdf\xff\xff\xff\xff",
    "a_list_that_lies_about_its_length": b"\x81\xa1x\xdd\xff\xff\xff\xff",
    "text_that_lies_about_its_length": b"\x81\xa1x\xdb\xff\xff\xff\xff",
    "text_that_is_not_utf8": b"\x81\xa2op\xa2\xff\xfe",
    "id_is_nan": packed({"id": math.nan, "op": "ping"}),
    "id_over_64_bits_signed": packed({"id": 2**64 - 1, "op": "ping"}),
}

MALFORMED_JSON: dict[str, str] = {
    "nothing": "",
    "not_json": "ping",
    "not_a_map": '[1, "ping"]',
    "a_number": "1",
    "null": "null",
    "truncated": '{"id": 5, "op": "ping"',
    "with_a_tail": '{"id": 5, "op": "ping"} x',
    "a_key_twice": '{"id": 5, "op": "ping", "op": "ping"}',
    "nan": '{"id": 5, "op": "ping", "x": NaN}',
    "infinity": '{"id": 5, "op": "ping", "x": Infinity}',
    "negative_infinity": '{"id": 5, "op": "ping", "x": -Infinity}',
    "too_deep": json.dumps({"id": 5, "op": "ping", "x": nested(16)}),
    "far_too_deep": '{"id": 5, "op": "ping", "x": ' + "[" * 20_000 + "]" * 20_000 + "}",
    "far_too_deep_maps": '{"id": 5, "op": "ping", "x": ' + '{"":' * 10_000,
    "too_many_keys": json.dumps({"id": 5, "op": "ping"} | {f"k{n}": n for n in range(255)}),
    "a_number_of_20000_digits": '{"id": 5, "op": "ping", "x": ' + "9" * 20_000 + "}",
    "text_that_is_not_utf8": '{"id": 5, "op": "\udcff"}',
    "single_quotes": "{'id': 5, 'op': 'ping'}",
    "a_comment": '{"id": 5, "op": "ping"} // hi',
}

NO_ID: dict[str, Map] = {
    "no_id": {"op": "ping"},
    "id_null": {"id": None, "op": "ping"},
    "id_zero": {"id": 0, "op": "ping"},
    "id_negative": {"id": -1, "op": "ping"},
    "id_fraction": {"id": 1.5, "op": "ping"},
    "id_text": {"id": "1", "op": "ping"},
    "id_true": {"id": True, "op": "ping"},
    "id_too_large": {"id": MAX_WHOLE + 1, "op": "ping"},
    "id_a_map": {"id": {}, "op": "ping"},
    "empty": {},
}
NO_OP: dict[str, Map] = {
    "no_op": {"id": 5},
    "op_null": {"id": 5, "op": None},
    "op_number": {"id": 5, "op": 1},
    "op_list": {"id": 5, "op": ["ping"]},
}


async def assert_malformed(peer: Peer, *usable_ids: int | None) -> None:
    message = await peer.receive()
    assert message["id"] in usable_ids
    assert (message["error"]["code"], message["error"]["status"]) == ("malformed", 400)


@pytest.mark.parametrize("name", MALFORMED_MSGPACK)
async def test_unreadable_messagepack_is_malformed(name: str) -> None:
    async with ann_plays("msgpack") as (_, ann, _attempt):
        await ann.send_frame(MALFORMED_MSGPACK[name])
        await assert_malformed(ann, None, 5)


@pytest.mark.parametrize("name", MALFORMED_JSON)
async def test_unreadable_json_is_malformed(name: str) -> None:
    async with ann_plays("json") as (_, ann, _attempt):
        await ann.send_frame(MALFORMED_JSON[name])
        await assert_malformed(ann, None, 5)


@pytest.mark.parametrize("name", NO_ID | NO_OP)
async def test_a_frame_without_id_or_op_is_malformed(codec: str, name: str) -> None:
    async with ann_plays(codec) as (_, ann, _attempt):
        await ann.send_map((NO_ID | NO_OP)[name])
        await assert_malformed(ann, 5 if name in NO_OP else None)


async def test_a_frame_of_the_other_kind_is_malformed(codec: str) -> None:
    async with ann_plays(codec) as (_, ann, _attempt):
        await ann.send_frame(PING if codec == "json" else '{"id": 5, "op": "ping"}')
        await assert_malformed(ann, None)


async def test_sixteen_levels_and_256_keys_are_not_too_much(codec: str) -> None:
    async with ann_plays(codec) as (_, ann, _attempt):
        for more in ({"x": nested(15)}, {f"k{n}": n for n in range(254)}):
            await ann.send_map({"id": 5, "op": "ping", **more})
            error = (await ann.receive())["error"]
            assert error["code"] == "validation_failed"
            assert error["details"]["path"] in more


async def test_whole_numbers_may_come_as_3_0(codec: str) -> None:
    async with ann_plays(codec) as (_, ann, _attempt):
        await ann.send_map({"id": 3.0, "op": "ping"})
        assert (await ann.receive())["id"] == 3
        await ann.send_map({"id": MAX_WHOLE, "op": "ping"})
        assert (await ann.receive())["id"] == MAX_WHOLE


async def test_the_twentieth_malformed_frame_closes_with_1008(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        for count in range(20):
            await ann.send_map({"op": "ping"})
            await assert_malformed(ann, None)
            if count < 19:
                await ann.ok("ping")
        assert await ann.until_closed() == CloseCode.POLICY_VIOLATION
        async with server.peer("ann", codec=codec) as again:
            await again.ok("ping")


# -- sizes and fragments


def ping_of(peer: Peer, size: int) -> bytes:
    """A request of exactly so many bytes, refused for its unknown field."""
    near = peer.codec.encode({"id": 9, "op": "ping", "x": "." * (size - 100)})
    return peer.codec.encode({"id": 9, "op": "ping", "x": "." * (size - 100 + size - len(near))})


async def send(peer: Peer, frame: bytes, **options: bool) -> None:
    await peer.send_frame(frame.decode() if peer.codec.text else frame, **options)


async def test_a_frame_over_64_kib_closes_with_1009(codec: str) -> None:
    async with serving(GAME) as server:
        async with server.peer("ann", codec=codec) as ann:
            await send(ann, ping_of(ann, 64 * KIB))
            assert (await ann.receive())["error"]["code"] == "validation_failed"
            await send(ann, ping_of(ann, 64 * KIB + 1))
            assert await ann.until_closed() == CloseCode.TOO_BIG
        async with server.peer("ann", codec=codec) as ann:
            await ann.ok("ping")


async def test_the_limit_of_64_kib_holds_before_hello_too(codec: str) -> None:
    async with serving(GAME) as server, dialled(server.port, codec=codec) as nobody:
        await send(nobody, ping_of(nobody, 64 * KIB + 1))
        assert await nobody.until_closed() == CloseCode.TOO_BIG


@pytest.mark.parametrize("role", ["server", "operator"])
async def test_servers_and_operators_may_send_8_mib(codec: str, role: str) -> None:
    async with serving(GAME) as server, server.peer(role=role, codec=codec) as peer:
        await send(peer, ping_of(peer, 8 * KIB * KIB))
        assert (await peer.receive())["error"]["code"] == "validation_failed"
        await send(peer, ping_of(peer, 8 * KIB * KIB + 1))
        assert await peer.until_closed() == CloseCode.TOO_BIG


async def test_a_message_in_fragments_is_one_message(codec: str) -> None:
    async with ann_plays(codec) as (_, ann, _attempt):
        frame = ann.codec.encode({"id": 9, "op": "ping"})
        await send(ann, frame[:3], fin=False)
        await ann.send_rest(frame[3:7], fin=False)
        await ann.send_rest(frame[7:], fin=True)
        assert (await ann.receive())["id"] == 9


async def test_fragments_over_64_kib_in_all_close_with_1009(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        await send(ann, b"{" * 40 * KIB, fin=False)
        await ann.send_rest(b"{" * 40 * KIB, fin=True)
        assert await ann.until_closed() == CloseCode.TOO_BIG


async def test_fragments_that_never_end_close_with_1009(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        await send(ann, b"{" * KIB, fin=False)
        for _ in range(64):
            await ann.send_rest(b"{" * KIB, fin=False)
        assert await ann.until_closed() == CloseCode.TOO_BIG


FRAME_FAULTS = {
    "not_masked": b"\x82\x05hello",
    "reserved_bits": b"\xf2\x80\0\0\0\0",
    "unknown_opcode": b"\x83\x80\0\0\0\0",
    "continuation_of_nothing": b"\x80\x80\0\0\0\0",
    "fragmented_ping": b"\x09\x80\0\0\0\0",
    "ping_too_long": b"\x89\xfe\x00\x7e\0\0\0\0" + b"." * 126,
    "length_of_2_to_the_63": b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0",
    "close_with_half_a_code": b"\x88\x81\0\0\0\0\x03",
    "random": bytes(range(256)),
}


@pytest.mark.parametrize("name", FRAME_FAULTS)
async def test_broken_framing_ends_the_connection_and_nothing_else(name: str) -> None:
    async with serving(GAME) as server:
        async with server.peer("ann") as ann:
            await ann.send_bytes(FRAME_FAULTS[name])
            assert await ann.until_closed() in (1002, 1007, 1009)
        async with server.peer("ann") as ann:
            await ann.ok("ping")


async def test_a_connection_cut_in_the_middle_of_a_frame_harms_nobody(codec: str) -> None:
    async with ann_plays(codec) as (server, ann, _attempt):
        for cut in (1, 3, 8, 20):
            async with server.peer("ann", codec=codec) as other:
                frame = b"\x82\xfe\x01\x00\0\0\0\0" + PING * 5
                await other.send_bytes(frame[:cut])
        await ann.ok("ping")


@pytest.mark.parametrize("greeting", [b"\0" * 100, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02", b"A" * 20_000])
async def test_what_is_no_handshake_is_hung_up_on(greeting: bytes) -> None:
    async with serving(GAME) as server:
        async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
            await stream.send(greeting)
            await stream.send_eof()
            with anyio.fail_after(5):
                answer = b""
                try:
                    while True:
                        answer += await stream.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    pass
            assert b" 101 " not in answer
        async with server.peer("ann") as ann:
            await ann.ok("ping")


# -- the handshake


async def test_unknown_subprotocols_are_refused_with_400() -> None:
    async with serving(GAME) as server:
        with pytest.raises(HandshakeRefused) as refused:
            async with dialled(server.port, offers=["kraty.v2.msgpack", "chat"]):
                pass
        assert refused.value.status == 400


async def test_without_a_subprotocol_messagepack_is_spoken() -> None:
    async with serving(GAME) as server, dialled(server.port, offers=[]) as peer:
        await peer.ok("hello", playerId="ann")


async def test_a_known_subprotocol_among_unknown_ones_is_taken() -> None:
    async with serving(GAME) as server, dialled(server.port, offers=["chat", "kraty.v1.json"]) as peer:
        assert peer.codec.text
        await peer.ok("hello", playerId="ann")
