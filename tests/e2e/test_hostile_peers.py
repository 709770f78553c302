"""Peers that read nothing, drip, or come and go: each costs a bounded piece of memory, and nobody else notices."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketAttribute
from anyio.lowlevel import checkpoint
from raw_peer import Map, Peer, dialled
from servers import ATTACK, Server, game_of, serving

from kraty_actors.gateway import connection, hub, outbox
from kraty_protocol.errors import CloseCode

pytestmark = pytest.mark.anyio

GAME = game_of(ATTACK)
CROWDED = game_of(
    ATTACK | {"botBindings": [{"botId": "climber", "count": 199}]},
    bots=[
        {"id": "climber", "key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 5}}}
    ],
)
"""A board whose every answer is long."""
KERNEL_BYTES = 4096


@asynccontextmanager
async def sleeping(server: Server, codec: str) -> AsyncIterator[Peer]:
    """A peer for which no kernel keeps much; it reads only when it is asked to."""
    async with dialled(server.port, codec=codec, receive_buffer=KERNEL_BYTES) as peer:
        await peer.ok("hello", playerId="sleeper")
        [line] = [one._line for one in server.game._gateway.connections if one.player.player_id == "sleeper"]
        for sock in (line._pipe._socket, peer._stream.extra(SocketAttribute.raw_socket)):
            for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                sock.setsockopt(socket.SOL_SOCKET, buffer, KERNEL_BYTES)
        yield peer


async def test_requests_of_a_peer_that_reads_nothing_are_not_read_either(codec: str) -> None:
    async with serving(CROWDED) as server, sleeping(server, codec) as sleeper, server.peer("ann", codec=codec) as ann:
        board = (await ann.ok("events.start", eventKey="attack"))["leaderboardId"]
        asked = 0

        async def ask_for_ever() -> None:
            nonlocal asked
            while True:
                await sleeper.post("boards.read", leaderboardId=board, limit=200)
                asked += 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask_for_ever)
            before = -1
            while asked != before:  # until its own side is full as well
                before = asked
                for _ in range(50):
                    await ann.ok("ping")
            most = max(one.outbox.unsent_bytes for one in server.game._gateway.connections)
            longest = 64 * len(ann.codec.encode(await ann.ok("boards.read", leaderboardId=board, limit=200)))
            assert outbox.BACKLOG_MAX_BYTES < most < outbox.BACKLOG_MAX_BYTES + longest
            tasks.cancel_scope.cancel()


async def test_a_peer_that_reads_nothing_is_dropped_when_pushes_pile_up(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PUSHES_MAX_BYTES", 20_000)
    async with serving(GAME) as server, sleeping(server, codec) as sleeper:
        pushed_at = next(iter(server.game._gateway.connections))
        while pushed_at in server.game._gateway.connections:
            pushed_at.push("lobby", {"lobby": {"id": "x" * 10_000}})
            await checkpoint()
        assert await sleeper.until_closed() is None


async def test_a_peer_that_drips_its_frame_byte_by_byte_gets_its_answer(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann, server.peer("bob") as bob:
        payload = ann.codec.encode({"id": 7, "op": "ping"})
        header = bytes([0x81 if ann.codec.text else 0x82, 0x80 | len(payload), 0, 0, 0, 0])
        for byte in header + payload:
            await ann.send_bytes(bytes([byte]))
            await bob.ok("ping")
        assert (await ann.receive())["id"] == 7


async def test_empty_fragments_without_end_take_no_memory(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann, server.peer("bob") as bob:
        line = next(one._line for one in server.game._gateway.connections if one.player.player_id == "ann")
        await ann.send_frame("" if ann.codec.text else b"", fin=False)
        for _ in range(500):
            await ann.send_rest(b"", fin=False)
        payload = ann.codec.encode({"id": 7, "op": "ping"})
        await ann.send_rest(payload[:5], fin=False)
        await bob.ok("ping")
        while b"".join(line._fragments) != payload[:5]:
            await bob.ok("ping")
        assert len(line._fragments) <= 2
        await ann.send_rest(payload[5:], fin=True)
        assert (await ann.receive())["id"] == 7


async def test_connections_that_come_and_go_leave_nothing_behind(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        board = (await ann.ok("events.start", eventKey="attack"))["leaderboardId"]
        gateway = server.game._gateway
        for number in range(300):
            async with dialled(server.port, codec=codec) as peer:
                if number % 3:
                    await peer.ok("hello", playerId=f"visitor{number % 7}")
                if number % 3 == 2:
                    await peer.ok("boards.watch", leaderboardId=board, limit=1 + number % 50)
        while server.connections > 1:
            await ann.ok("ping")
        assert gateway.hub.watchers == 0
        assert len(gateway._by_player) == 1
        assert len(gateway._owing) <= 7
        assert len(gateway.hub._left) == gateway.hub.views <= 50


async def test_of_views_that_nobody_watches_so_many_rows_are_kept(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "KEPT_ROWS_MAX", 70)
    async with serving(CROWDED) as server, server.peer("ann", codec=codec) as ann:
        board = (await ann.ok("events.start", eventKey="attack"))["leaderboardId"]
        kept = await ann.ok("boards.watch", leaderboardId=board, limit=200)
        views = server.game._gateway.hub
        for limit in range(1, 20):
            watch = await ann.ok("boards.watch", leaderboardId=board, limit=limit)
            await ann.ok("boards.unwatch", sub=watch["sub"])
            left = [view for view in views._views.values() if not view.watchers]
            assert views._left_rows == sum(len(view.rows) + 1 for view in left) <= 70
        assert [view.key.limit for view in left] == [17, 18, 19]
        assert (await ann.ok("boards.watch", leaderboardId=board, limit=200))["sub"] == kept["sub"]
        await ann.ok("boards.watch", leaderboardId=board, limit=18)
        assert views._left_rows == 18 + 20


async def test_a_view_that_nobody_watches_asks_the_board_for_nothing(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        started = await ann.ok("events.start", eventKey="attack")
        board, attempt = started["leaderboardId"], started["attempt"]["attemptId"]
        watch = await ann.ok("boards.watch", leaderboardId=board)
        await ann.ok("boards.unwatch", sub=watch["sub"])
        [view] = server.game._gateway.hub._views.values()
        for _ in range(5):
            await ann.ok("events.progress", attemptId=attempt, metricValue=1)
        assert (view.version, view.is_asking) == (watch["version"], False)
        again = await ann.ok("boards.watch", leaderboardId=board)
        assert (again["sub"], again["entries"][0]["score"]) == (watch["sub"], 5)
        await ann.ok("events.progress", attemptId=attempt, metricValue=1)
        assert (await ann.push("board.delta"))["entries"][0]["score"] == 6


async def test_hello_resumes_no_more_views_than_may_be_watched(codec: str) -> None:
    limits = {"deltasPerSecond": 1000, "watchesPerConnection": 3}
    async with serving(GAME | {"settings": {"seed": 7, "limits": limits}}) as server:
        board = (await server.game.start("ann", "attack"))["leaderboardId"]
        held: list[Map] = [{"leaderboardId": board, "version": 1, "limit": limit} for limit in range(1, 6)]
        async with dialled(server.port, codec=codec) as peer:
            resumed = await peer.ok("hello", playerId="ann", resume=held)
            assert [sub["how"] for sub in resumed["subs"]][3:] == ["gone", "gone"]
            assert server.game._gateway.hub.watchers == 3


async def test_more_malformed_frames_than_may_be_are_not_even_answered_one_by_one(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        for _ in range(200):
            await ann.send_frame("{" if ann.codec.text else b"\xc1")
        assert await ann.until_closed() == CloseCode.POLICY_VIOLATION
