"""Boards and lobbies, read and watched."""

from __future__ import annotations

import pytest
from acting_for_ann import assert_shape, playing
from servers import ATTACK, WINDOW_ENDS, Server, game_of, serving

from kraty_protocol import shapes

pytestmark = pytest.mark.anyio


async def crowd(server: Server, names: list[str]) -> tuple[str, dict[str, str]]:
    """Each of `names` has one point more than the next; the board, and their participantIds."""
    public = {}
    for points, name in enumerate(reversed(names), 1):
        async with server.peer(name) as peer:
            started = await peer.ok("events.start", eventKey="attack")
            await peer.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=points)
            public[name] = peer.welcome["participantId"]
    return started["leaderboardId"], public


NAMES = ["zoe", "yan", "ann", "xia", "wim", "vic"]


async def test_boards_read_gives_a_page_r33(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        leaderboard_id, public = await crowd(server, NAMES)
        board = await actor.ok("boards.read", leaderboardId=leaderboard_id, limit=3, offset=1)
        assert_shape(board, shapes.Board)
        assert (board["mode"], board["finalized"], board["total"]) == ("global", False, 6)
        assert board["self"] == {"rank": 3, "score": 4}
        assert [row["participantId"] for row in board["entries"]] == [public[name] for name in NAMES[1:4]]
        assert [row["rank"] for row in board["entries"]] == [2, 3, 4]
        assert [row["isSelf"] for row in board["entries"]] == [False, True, False]
        for row in board["entries"]:
            assert_shape(row, shapes.Entry)
            assert row["kind"] == "player"


async def test_boards_read_gives_the_rows_around_somebody_r33(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        leaderboard_id, public = await crowd(server, NAMES)
        around = [("self", 1, [2, 3, 4]), (public["zoe"], 2, [1, 2, 3]), (public["vic"], 0, [6]), ("nobody", 5, [])]
        if role != "player":
            around.append(("wim", 1, [4, 5, 6]))
        for name, limit, ranks in around:
            board = await actor.ok("boards.read", leaderboardId=leaderboard_id, around=name, limit=limit)
            assert [row["rank"] for row in board["entries"]] == ranks, name
            assert board["self"] == {"rank": 3, "score": 4}


async def test_a_player_does_not_find_others_by_their_platform_id_r28(codec: str) -> None:
    async with playing("player", codec) as (server, actor):
        leaderboard_id, _ = await crowd(server, NAMES)
        board = await actor.ok("boards.read", leaderboardId=leaderboard_id, around="wim")
        assert board["entries"] == []


async def test_boards_of_closed_windows_stay_readable_r33(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        started = await actor.ok("events.start", eventKey="race")
        await actor.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=2)
        server.clock.move_to(WINDOW_ENDS)
        board = {"finalized": False}
        while not board["finalized"]:
            board = await actor.ok("boards.read", leaderboardId=started["leaderboardId"])
        assert [(row["score"], row["isSelf"]) for row in board["entries"]] == [(2, True)]


async def test_boards_watch_and_unwatch_r34(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        started = await actor.ok("events.start", eventKey="attack")
        watch = await actor.ok("boards.watch", leaderboardId=started["leaderboardId"])
        assert_shape(watch, shapes.Watch)
        assert watch["self"] == {"rank": 1, "score": 0}
        assert [row["isSelf"] for row in watch["entries"]] == [True]
        attempt_id = started["attempt"]["attemptId"]
        await actor.ok("events.progress", attemptId=attempt_id, metricValue=5)
        delta = await actor.peer.push("board.delta")
        assert (delta["sub"], delta["since"], delta["removed"]) == (watch["sub"], watch["version"], [])
        assert [(row["score"], "isSelf" in row) for row in delta["entries"]] == [(5, False)]
        assert await actor.peer.ok("boards.unwatch", sub=watch["sub"]) == {}
        await actor.ok("events.progress", attemptId=attempt_id, metricValue=5)
        server.clock.advance(1)
        await actor.peer.ok("ping")
        assert [push for push in actor.peer.pushes if push["push"].startswith("board.")] == []
        error = await actor.peer.error("boards.unwatch", sub=watch["sub"])
        assert error["code"] == "not_found"


async def test_watches_are_limited(codec: str) -> None:
    settings = {"settings": {"seed": 1, "limits": {"watchesPerConnection": 2}}}
    async with serving(game_of(ATTACK, **settings)) as server, server.peer("ann", codec=codec) as ann:
        board = (await ann.ok("events.start", eventKey="attack"))["leaderboardId"]
        assert ann.welcome["limits"]["watches"] == 2
        for limit in (1, 2, 2):
            await ann.ok("boards.watch", leaderboardId=board, limit=limit)
        error = await ann.error("boards.watch", leaderboardId=board, limit=3)
        assert (error["code"], error["details"]) == ("limit_reached", {"name": "watches", "limit": 2})


async def test_lobbies_get_shows_it_to_its_members_only(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        started = await actor.ok("events.start", eventKey="trail_of_triumph")
        lobby_id = started["attempt"]["lobbyId"]
        lobby = (await actor.ok("lobbies.get", lobbyId=lobby_id))["lobby"]
        assert_shape(lobby, shapes.Lobby)
        assert (lobby["status"], lobby["capacity"], lobby["participantCount"]) == ("active", 50, 1)
        assert (lobby["botSlots"], lobby["leaderboardId"], lobby["key"]) == (49, started["leaderboardId"], None)
        assert (lobby["fillBy"], lobby["metadata"]) == (None, {})
        assert (lobby["startedAt"], lobby["endsAt"]) == ("2026-06-02T12:00:00.000Z", "2026-06-03T00:00:00.000Z")
        async with server.peer("bob", codec=codec) as bob:
            assert await bob.refused("lobbies.get", lobbyId=lobby_id) == ("not_found", 404)
