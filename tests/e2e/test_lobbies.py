"""Lobbies while they form: three seats, one of them a bot's (R-31)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from raw_peer import Map, Peer
from servers import NOON, WINDOW_ENDS, Server, game_of, serving

from kraty_actors.testing import ManualClock
from kraty_persistence import MemoryStore

pytestmark = pytest.mark.anyio

STRATEGIES = ["start_short", "fill_with_bots", "wait_full"]
FILL_BY = "2026-06-02T12:00:20.000Z"


def duel(strategy: str = "start_short") -> Map:
    """A lobby for two humans and one bot, which waits for 20 seconds."""
    leaderboard = {"mode": "lobby_matched", "capacity": 3, "fillTimeoutSeconds": 20, "fillStrategy": strategy}
    return {
        "key": "duel",
        "availability": {"mode": "fixed", "startsAt": "2026-06-02T00:00:00Z", "endsAt": "2026-06-03T00:00:00Z"},
        "attempt": {"replayableDuringWindow": True},
        "metrics": [{"key": "wins", "target": 5}],
        "leaderboard": leaderboard,
        "botBindings": [{"botId": "climber", "count": 1}],
    }


@asynccontextmanager
async def ann_and_bob(codec: str, strategy: str = "start_short") -> AsyncIterator[tuple[Server, Peer, Peer]]:
    async with (
        serving(game_of(duel(strategy))) as server,
        server.peer("ann", codec=codec) as ann,
        server.peer("bob", codec=codec) as bob,
    ):
        yield server, ann, bob


async def wait_in(peer: Peer) -> str:
    """Take a seat in a lobby that goes on forming; its id."""
    error = await peer.error("events.start", eventKey="duel")
    assert (error["code"], error["status"]) == ("lobby_forming", 202)
    return error["details"]["lobbyId"]


async def names_on(peer: Peer, board_id: str) -> list[str]:
    board = await peer.ok("boards.read", leaderboardId=board_id)
    return sorted(row["kind"] for row in board["entries"])


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_the_start_that_takes_the_last_seat_starts_the_lobby(codec: str, strategy: str) -> None:
    async with ann_and_bob(codec, strategy) as (_, ann, bob):
        lobby_id = await wait_in(ann)
        forming = (await ann.push("lobby"))["lobby"]
        assert (forming["id"], forming["status"], forming["participantCount"]) == (lobby_id, "forming", 1)
        assert (forming["capacity"], forming["botSlots"], forming["leaderboardId"]) == (3, 1, None)
        assert (forming["startedAt"], forming["fillBy"]) == (None, None if strategy == "wait_full" else FILL_BY)
        assert (await ann.ok("lobbies.get", lobbyId=lobby_id))["lobby"] == forming
        assert await wait_in(ann) == lobby_id

        started = await bob.ok("events.start", eventKey="duel")
        assert started["attempt"]["lobbyId"] == started["leaderboardId"] == lobby_id
        told = await ann.push("attempt.started")
        assert told["leaderboardId"] == lobby_id
        assert told["windowEndsAt"] == "2026-06-03T00:00:00.000Z"
        assert told["attempt"]["attemptId"] != started["attempt"]["attemptId"]
        active = (await ann.push("lobby"))["lobby"]
        assert active == (await bob.push("lobby"))["lobby"]
        assert (active["status"], active["participantCount"], active["fillBy"]) == ("active", 2, None)
        assert await names_on(ann, lobby_id) == ["bot", "player", "player"]
        again = await ann.ok("events.start", eventKey="duel")
        assert again["attempt"] == told["attempt"]
        assert "attempt.started" not in [push["push"] for push in bob.pushes]


async def test_lobby_forming_says_until_when(codec: str) -> None:
    async with ann_and_bob(codec) as (_, ann, _bob):
        error = await ann.error("events.start", eventKey="duel")
        assert error["details"]["fillBy"] == FILL_BY


async def test_start_short_begins_with_who_is_there(codec: str) -> None:
    async with ann_and_bob(codec, "start_short") as (server, ann, bob):
        lobby_id = await wait_in(ann)
        server.clock.advance(20)
        told = await ann.push("attempt.started")
        assert told["attempt"]["startedAt"] == FILL_BY
        assert await names_on(ann, lobby_id) == ["bot", "player"]
        assert await wait_in(bob) != lobby_id


async def test_fill_with_bots_fills_the_empty_seats(codec: str) -> None:
    async with ann_and_bob(codec, "fill_with_bots") as (server, ann, _bob):
        lobby_id = await wait_in(ann)
        server.clock.advance(20)
        await ann.push("attempt.started")
        active = (await ann.push("lobby", lambda push: push["lobby"]["status"] == "active"))["lobby"]
        assert (active["participantCount"], active["botSlots"], active["capacity"]) == (1, 2, 3)
        assert await names_on(ann, lobby_id) == ["bot", "bot", "player"]


async def test_wait_full_waits_for_the_window_to_end(codec: str) -> None:
    async with ann_and_bob(codec, "wait_full") as (server, ann, _bob):
        lobby_id = await wait_in(ann)
        server.clock.advance(3600)
        assert await wait_in(ann) == lobby_id
        server.clock.move_to(WINDOW_ENDS)
        closed = await ann.push("lobby", lambda push: push["lobby"]["status"] == "closed")
        assert closed["lobby"]["id"] == lobby_id
        await ann.push("event.state", lambda push: push["state"] == "finalized")
        assert "attempt.started" not in [push["push"] for push in ann.pushes]


@pytest.mark.parametrize("strategy", ["start_short", "fill_with_bots"])
async def test_who_is_away_keeps_the_seat_and_takes_it_up_later(codec: str, strategy: str) -> None:
    async with serving(game_of(duel(strategy))) as server, server.peer("bob", codec=codec) as bob:
        async with server.peer("ann", codec=codec) as ann:
            lobby_id = await wait_in(ann)
        await ann_is_away(server, bob)
        await bob.ok("events.start", eventKey="duel")
        assert await names_on(bob, lobby_id) == ["bot", "player"]
        async with server.peer("ann", codec=codec) as ann:
            (listed,) = (await ann.ok("events.list"))["events"]
            assert (listed["lobbyId"], listed["currentAttemptId"]) == (lobby_id, None)
            started = await ann.ok("events.start", eventKey="duel")
            assert started["leaderboardId"] == lobby_id
        assert await names_on(bob, lobby_id) == ["bot", "player", "player"]


async def ann_is_away(server: Server, other: Peer) -> None:
    """Wait until the server has noticed that a connection is gone, which every later request sees."""
    while server.connections > 1:
        await other.ok("ping")


async def test_who_comes_back_in_time_is_let_in(codec: str) -> None:
    async with serving(game_of(duel())) as server, server.peer("bob", codec=codec) as bob:
        async with server.peer("ann", codec=codec) as ann:
            await wait_in(ann)
        await ann_is_away(server, bob)
        async with server.peer("ann", codec=codec) as ann:
            await bob.ok("events.start", eventKey="duel")
            assert (await ann.push("attempt.started"))["attempt"]["status"] == "in_progress"


async def test_a_second_connection_keeps_the_player_there(codec: str) -> None:
    async with serving(game_of(duel())) as server, server.peer("ann", codec=codec) as phone:
        async with server.peer("ann", codec=codec) as tablet:
            await wait_in(tablet)
        async with server.peer("bob", codec=codec) as bob:
            await bob.ok("events.start", eventKey="duel")
        await phone.push("attempt.started")


async def test_a_server_seats_players_too_r31(codec: str) -> None:
    async with serving(game_of(duel())) as server, server.peer(role="server", codec=codec) as backend:
        assert await backend.refused("events.start", eventKey="duel", playerId="ann") == ("lobby_forming", 202)
        started = await backend.ok("events.start", eventKey="duel", playerId="bob")
        ann = await backend.ok("events.start", eventKey="duel", playerId="ann")
        assert ann["leaderboardId"] == started["leaderboardId"]


async def test_a_third_player_opens_another_lobby(codec: str) -> None:
    async with ann_and_bob(codec) as (server, ann, bob):
        first = await wait_in(ann)
        await bob.ok("events.start", eventKey="duel")
        async with server.peer("cid", codec=codec) as cid:
            second = await wait_in(cid)
            assert second != first
            assert await cid.refused("lobbies.get", lobbyId=first) == ("not_found", 404)


async def test_replays_go_to_the_same_lobby(codec: str) -> None:
    async with ann_and_bob(codec) as (_, ann, bob):
        lobby_id = await wait_in(ann)
        for _ in range(3):
            started = await bob.ok("events.start", eventKey="duel")
            assert started["leaderboardId"] == lobby_id
            await bob.ok("events.finish", attemptId=started["attempt"]["attemptId"])


async def test_a_forming_lobby_survives_a_restart(codec: str, tmp_path: Path) -> None:
    database, clock = f"sqlite:///{tmp_path}/arena.db", ManualClock(NOON)
    async with serving(game_of(duel()), store=database, clock=clock) as server, server.peer("ann", codec=codec) as ann:
        lobby_id = await wait_in(ann)
    async with (
        serving(game_of(duel()), store=database, clock=clock) as server,
        server.peer("ann", codec=codec) as ann,
        server.peer("bob", codec=codec) as bob,
    ):
        await bob.ok("events.start", eventKey="duel")
        assert (await ann.push("attempt.started"))["leaderboardId"] == lobby_id


async def test_nobody_is_there_after_a_restart_until_they_come_back(codec: str, tmp_path: Path) -> None:
    database, clock = f"sqlite:///{tmp_path}/arena.db", ManualClock(NOON)
    async with serving(game_of(duel()), store=database, clock=clock) as server, server.peer("ann", codec=codec) as ann:
        lobby_id = await wait_in(ann)
    async with serving(game_of(duel()), store=database, clock=clock) as server:
        async with server.peer("bob", codec=codec) as bob:
            await bob.ok("events.start", eventKey="duel")
            assert await names_on(bob, lobby_id) == ["bot", "player"]
        async with server.peer("ann", codec=codec) as ann:
            assert (await ann.ok("events.start", eventKey="duel"))["leaderboardId"] == lobby_id


# -- the order of what is said


@pytest.mark.parametrize("seats", ["first", "last"])
async def test_the_reply_to_a_start_comes_before_the_pushes_that_it_causes(codec: str, seats: str) -> None:
    async with ann_and_bob(codec) as (_, ann, bob):
        if seats == "last":
            await wait_in(ann)
        await bob.ask("events.start", eventKey="duel")
        assert not bob.pushes
        await bob.push("lobby")


async def test_the_reply_to_a_write_comes_before_the_pushes_that_it_causes(codec: str) -> None:
    async with serving(game_of(duel()), store=MemoryStore()) as server, server.peer("ann", codec=codec) as ann:
        await wait_in(ann)
        server.clock.advance(20)
        attempt_id = (await ann.push("attempt.started"))["attempt"]["attemptId"]
        await ann.ok("boards.watch", leaderboardId=attempt_id.rpartition(".")[0])
        ann.pushes.clear()
        await ann.ok("events.progress", attemptId=attempt_id, metrics={"wins": 5})
        assert not ann.pushes
        await ann.push("attempt.ended")
        await ann.push("board.delta")
