"""Frames by chance: random bytes, and requests of which a few bytes are wrong."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterator

import pytest
from raw_peer import Closed, Map, Peer
from servers import ATTACK, TRAIL, game_of, serving

from kraty_protocol.errors import CloseCode

pytestmark = pytest.mark.anyio

GAME = game_of(TRAIL, ATTACK)


def mutations(frame: bytes, chance: random.Random) -> bytes:
    """The frame with some bytes changed, lost or doubled."""
    data = bytearray(frame)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at]
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 8)]
            case 3:
                data[at : at + 8] = chance.choice([struct.pack(">d", math.nan), b"\xff" * 8, b"\x7f" + b"\xff" * 7])
        if not data:
            break
    return bytes(data)


@pytest.mark.parametrize("seed", range(3))
async def test_random_and_mangled_frames_never_hit_a_bug(codec: str, seed: int) -> None:
    chance = random.Random(seed)
    async with serving(GAME) as server, server.peer("witness") as witness:
        for _ in range(8):
            async with server.peer("ann", codec=codec) as ann:
                attempt_id = (await ann.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
                for frame in strange_frames(ann, attempt_id, chance):
                    await ann.send_frame(frame.decode("utf-8", "surrogateescape") if ann.codec.text else frame)
                await ann.post("hello")  # answered after all of them; a bug of the server fails in `receive`
                await hear_out(ann)
        await witness.ok("ping")


def strange_frames(peer: Peer, attempt_id: str, chance: random.Random) -> Iterator[bytes]:
    """Thirty frames, most of them requests that are slightly broken."""
    board = attempt_id.rpartition(".")[0]
    requests: list[Map] = [
        {"op": "events.progress", "attemptId": attempt_id, "metrics": {"points": 1.5}, "seq": 1},
        {"op": "events.start", "eventKey": "trail_of_triumph", "playerContext": {"skill": 1}},
        {"op": "boards.watch", "leaderboardId": board, "around": "self", "participants": ["bot1"]},
        {"op": "boards.read", "leaderboardId": board, "around": "self", "limit": 5},
        {"op": "grants.list", "status": "pending", "limit": 5, "after": "x"},
    ]
    for _ in range(30):
        if chance.random() < 0.2:
            yield chance.randbytes(chance.randint(0, 64))
        else:
            yield mutations(peer.codec.encode({"id": 1_000_000, **chance.choice(requests)}), chance)


async def hear_out(peer: Peer) -> None:
    """Read up to the refusal of a second hello, or to the close for too many malformed frames."""
    try:
        while (await peer.receive()).get("error", {}).get("code") != "conflict":
            pass
    except Closed as closed:
        if closed.code != CloseCode.POLICY_VIOLATION:
            raise
