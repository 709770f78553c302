"""Peers that hang up while their requests are still being stored: that costs nobody else anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute
from raw_peer import Map, Peer, dialled
from servers import ATTACK, Server, game_of, serving

from kraty_actors import Game
from kraty_persistence import MemoryStore

pytestmark = pytest.mark.anyio

LOOKS = 50
"""A message is under way for so many of a client's round trips at most."""


def paid(key: str) -> Map:
    return {**ATTACK, "key": key, "entryCost": {"currencies": [{"key": "cash", "amount": 50}]}}


MILESTONE: Map = {"key": "one", "metricKey": "points", "threshold": 1}
CASH: Map = {"type": "currency", "currencyKey": "cash", "amount": 5}
GAME = game_of(ATTACK | {"milestoneRewards": [{**MILESTONE, "entries": [CASH]}]}, paid("hunt"), paid("cup"))


@asynccontextmanager
async def on_a_stream_of_the_host(game: Game) -> AsyncIterator[int]:
    """A port whose connections are handed over as byte streams, as those with TLS are."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(partial(listener.serve, game.handle))
        yield listener.extra(SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def served(store: MemoryStore) -> AsyncIterator[tuple[Server, Peer]]:
    async with serving(GAME, store=store) as server, server.peer(role="operator") as ops:
        for player in ("ann", "bob"):
            about = {"key": "cash", "amount": 50, "reason": "test", "idempotencyKey": "welcome"}
            await ops.ok("wallet.credit", playerId=player, **about)
        yield server, ops


async def ask_and_hang_up(server: Server, ops: Peer, store: MemoryStore, peer: Any, op: str, **fields: Any) -> None:
    """Send a request, and be gone before it is stored."""
    connected = server.connections
    async with peer as asker:
        store.hold()
        await asker.post(op, **fields)
        for _ in range(LOOKS):
            await ops.ok("ping")
    while server.connections > connected:
        await ops.ok("ping")


@pytest.mark.parametrize("way_in", ["port", "stream"])
async def test_r13_what_is_stored_for_a_peer_that_is_gone_is_told_to_nobody(codec: str, way_in: str) -> None:
    store = MemoryStore()
    async with served(store) as (server, ops), on_a_stream_of_the_host(server.game) as stream:
        started = await ops.ok("events.start", playerId="ann", eventKey="attack")
        attempt = started["attempt"]["attemptId"]

        @asynccontextmanager
        async def ann() -> AsyncIterator[Peer]:
            async with dialled(server.port if way_in == "port" else stream, codec=codec) as peer:
                await peer.ok("hello", role="player", playerId="ann")
                yield peer

        await ask_and_hang_up(server, ops, store, ann(), "events.progress", attemptId=attempt, metricValue=3)
        store.release()
        read = await ops.ok("attempts.get", playerId="ann", attemptId=attempt)
        assert read["attempt"]["score"] == 3


async def test_r20_the_purse_stays_closed_until_a_charge_is_stored(codec: str) -> None:
    """Else the next start would overdraw it, and its window would answer everybody that it is overloaded."""
    store = MemoryStore()
    async with served(store) as (server, ops), server.peer("ann", codec=codec) as ann:
        await ask_and_hang_up(server, ops, store, server.peer("ann", codec=codec), "events.start", eventKey="hunt")
        async with server.peer("bob", codec=codec) as bob:
            mine = await ann.post("events.start", eventKey="cup")
            his = await bob.post("events.start", eventKey="cup")
            for _ in range(LOOKS):
                await ops.ok("ping")
            store.release()
            assert (await bob.reply(his))["ok"]["attempt"]["status"] == "in_progress"
            error = (await ann.reply(mine))["error"]
            assert (error["code"], error["details"]["have"]) == ("insufficient_entry_cost", 0)
        assert (await ann.ok("events.start", eventKey="hunt"))["attempt"]["status"] == "in_progress"
        assert (await ann.ok("wallet.get"))["balances"][0]["balance"] == 0


async def test_r51_what_is_void_is_taken_back_though_the_operator_is_gone(codec: str) -> None:
    store = MemoryStore()
    async with served(store) as (server, ops), server.peer("ann", codec=codec) as ann:
        attempt = (await ann.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        await ann.ok("events.progress", attemptId=attempt, metricValue=3)
        operator = server.peer(role="operator", codec=codec)
        await ask_and_hang_up(server, ops, store, operator, "attempts.void", attemptId=attempt, reason="cheat")
        store.release()
        while (await ann.ok("attempts.get", attemptId=attempt))["attempt"]["status"] != "expired":
            pass
        while (await ann.ok("grants.list"))["grants"][0]["status"] != "expired":
            pass
