"""Nobody who puts something into an outbox waits; who is behind is told of it and told when it is over."""

from __future__ import annotations

import anyio
import pytest

from kraty_actors.gateway.frames import SharedPush, frame_header
from kraty_actors.gateway.outbox import BACKLOG_MAX_BYTES, ByteOutbox
from kraty_protocol.codec import JSON, MSGPACK
from kraty_protocol.limits import PLAYER_LIMITS

pytestmark = pytest.mark.anyio


class SlowPipe:
    """Takes `room` bytes at once; the rest waits until the test opens the gate."""

    def __init__(self, room: int = 0) -> None:
        self.room = room
        self.gate = anyio.Event()
        self.received = bytearray()

    def send_now(self, data: bytes) -> int:
        taken = data[: self.room]
        self.received += taken
        self.room -= len(taken)
        return len(taken)

    async def send(self, data: bytes) -> None:
        await self.gate.wait()
        self.received += data


async def test_what_fits_goes_out_at_once_in_one_send() -> None:
    pipe = SlowPipe(room=1000)
    async with anyio.create_task_group() as tasks:
        outbox = ByteOutbox(MSGPACK, tasks, pipe)
        outbox.put(b"one")
        outbox.put(b"two")
        assert not pipe.received
        outbox.flush()
        assert bytes(pipe.received) == b"\x82\x03one\x82\x03two"


@pytest.mark.parametrize("room", [0, 1, 5, 7, 20, 1000])
async def test_a_shared_push_goes_at_once_and_behind_what_is_due(room: int) -> None:
    pipe = SlowPipe(room=room)
    push = SharedPush("p", {})
    expected = b""
    async with anyio.create_task_group() as tasks:
        outbox = ByteOutbox(MSGPACK, tasks, pipe)
        for due in (b"", b"one", b"", b"two"):
            if due:
                outbox.put(due)
                expected += frame_header(len(due), text=False) + due
            outbox.send_shared(push)
            expected += push.framed(MSGPACK)
            assert bytes(pipe.received) == expected[:room]
        pipe.gate.set()
        await outbox.all_sent()
    assert bytes(pipe.received) == expected


async def test_a_backlog_is_known_and_its_end_is_told_and_nothing_is_lost_or_reordered() -> None:
    pipe = SlowPipe(room=10)
    told = anyio.Event()
    payloads = [bytes([number % 256]) * 1000 for number in range(BACKLOG_MAX_BYTES // 1000 + 2)]
    async with anyio.create_task_group() as tasks:
        outbox = ByteOutbox(MSGPACK, tasks, pipe)
        outbox.when_caught_up(told.set)
        for payload in payloads:
            outbox.put(payload)
            outbox.flush()
        assert outbox.is_behind
        pipe.gate.set()
        await outbox.caught_up()
        await told.wait()
        await outbox.all_sent()
    assert bytes(pipe.received) == b"".join(frame_header(len(p), text=False) + p for p in payloads)


def test_a_shared_push_is_encoded_once_for_each_codec() -> None:
    push = SharedPush("board.delta", {"sub": "v1"})
    assert push.framed(MSGPACK) is push.framed(MSGPACK)
    assert JSON.decode(push.payload(JSON).decode(), PLAYER_LIMITS) == {"push": "board.delta", "sub": "v1"}


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, b"\x82\x00"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f" + (65536).to_bytes(8)),
    ],
)
def test_frame_headers_are_those_of_rfc_6455(length: int, header: bytes) -> None:
    assert frame_header(length, text=False) == header
