"""Deadlines of a connection, in virtual time on trio; the sockets are real."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import pytest
import trio
from raw_peer import dialled
from servers import ATTACK, NOON, Server, game_of, serving
from signing import SECRETS, token
from trio.testing import MockClock

from kraty_actors import LoopClock
from kraty_protocol.errors import CloseCode

pytestmark = pytest.mark.anyio

IDLE_SECONDS = 0.02
"""Real time without any event after which the virtual clock jumps; long beside a turn of loopback."""


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "trio", {"clock": MockClock(autojump_threshold=IDLE_SECONDS)}


def strict() -> AbstractAsyncContextManager[Server]:
    """A server that takes tokens only."""
    return serving(game_of(ATTACK), clock=LoopClock(NOON), secrets=SECRETS, insecure_dev=False)


async def test_no_hello_in_ten_seconds_closes_with_4408() -> None:
    async with serving(game_of(ATTACK), clock=LoopClock(NOON)) as server, dialled(server.port) as peer:
        await peer.refused("ping")  # being there is not enough
        begun = trio.current_time()
        assert await peer.until_closed() == CloseCode.NO_HELLO
        assert 9 <= trio.current_time() - begun <= 12


async def test_a_handshake_that_never_comes_is_not_waited_for() -> None:
    async with (
        serving(game_of(ATTACK), clock=LoopClock(NOON)) as server,
        await anyio.connect_tcp("127.0.0.1", server.port) as stream,
    ):
        await stream.send(b"GET /v1/socket HTTP/1.1\r\n")
        with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)), anyio.fail_after(12):
            await stream.receive()


async def test_a_connection_is_closed_with_4401_when_its_token_ends() -> None:
    async with strict() as server, dialled(server.port) as peer:
        await peer.ok("hello", token=token(exp=NOON // 1000 + 30))
        await trio.sleep(29)
        await peer.ok("ping")
        assert await peer.until_closed() == CloseCode.BAD_TOKEN
        assert 30 <= server.game.engine.now_ms() / 1000 - NOON / 1000 <= 32


async def test_a_fresh_token_keeps_the_connection() -> None:
    async with strict() as server, dialled(server.port) as peer:
        await peer.ok("hello", token=token(exp=NOON // 1000 + 30))
        await trio.sleep(20)
        await peer.ok("hello", token=token(exp=NOON // 1000 + 60))
        await trio.sleep(25)
        await peer.ok("ping")
        assert await peer.until_closed() == CloseCode.BAD_TOKEN


async def test_a_silent_peer_is_pinged_and_dropped_after_a_minute() -> None:
    async with serving(game_of(ATTACK), clock=LoopClock(NOON)) as server, dialled(server.port) as peer:
        await peer.ok("hello", playerId="ann")
        begun = trio.current_time()
        await trio.sleep(65)  # reads nothing, so answers no ping
        assert await peer.until_closed() is None
        assert trio.current_time() - begun < 75


async def test_a_peer_that_answers_pings_stays() -> None:
    async with serving(game_of(ATTACK), clock=LoopClock(NOON)) as server, dialled(server.port) as peer:
        await peer.ok("hello", playerId="ann")
        with trio.move_on_after(70):
            await peer.until_closed()
        await peer.ok("ping")


@pytest.mark.parametrize(("away_seconds", "how"), [(297, "delta"), (303, "snapshot")])
async def test_r34_a_view_is_resumed_until_five_minutes_after_its_last_watcher(away_seconds: int, how: str) -> None:
    async with serving(game_of(ATTACK), clock=LoopClock(NOON)) as server:
        board = (await server.game.start("ann", "attack"))["leaderboardId"]
        async with dialled(server.port) as peer:
            await peer.ok("hello", playerId="ann")
            version = (await peer.ok("boards.watch", leaderboardId=board, limit=50))["version"]
        while server.connections:
            await trio.lowlevel.checkpoint()
        await server.game.progress("ann", "attack", {"points": 1})
        trio.lowlevel.current_clock().jump(away_seconds)
        await trio.sleep(1.5)  # for the sweep
        async with dialled(server.port) as peer:
            held = [{"leaderboardId": board, "version": version, "limit": 50}]
            resumed = await peer.ok("hello", playerId="ann", resume=held)
            assert [sub["how"] for sub in resumed["subs"]] == [how]
            assert (await peer.push(f"board.{how}"))["entries"][0]["score"] == 1
