"""Boards that are watched: whoever applies the pushes has what a read at that version would give (R-34)."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from raw_peer import Map, Peer, dialled
from servers import ATTACK, RACE, TRAIL, WINDOW_ENDS, Server, game_of, serving

pytestmark = pytest.mark.anyio

LAPS: Map = {
    **RACE,
    "attempt": {"replayableDuringWindow": True},
    "leaderboard": {"scoreAggregation": "latest"},
    "metrics": [{"key": "laps"}],
    "botBindings": [{"botId": "climber", "count": 6}],
}
"""A race without a target, whose rows rise and fall."""
CLIMBER: Map = {"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 5}}}
GAME = game_of(LAPS, ATTACK, TRAIL, bots=[{"id": "climber", **CLIMBER}])
SLEPT_THROUGH = 1000
PLAYERS = [f"player{number}" for number in range(8)]


class Copy:
    """What a client in any language keeps: the rules of the wire, written down once more."""

    def __init__(self, watch: Map) -> None:
        self.sub = watch["sub"]
        self.version = watch["version"]
        self.rows = {row["participantId"]: row for row in watch["entries"]}
        self.total = watch["total"]
        self.checks = 0

    def take(self, push: Map) -> None:
        assert push["sub"] == self.sub
        assert push["version"] > self.version
        if push["push"] == "board.snapshot":
            self.rows = {}
        else:
            assert push["since"] == self.version
            for name in push["removed"]:
                del self.rows[name]
        self.rows.update((row["participantId"], row) for row in push["entries"])
        self.version, self.total = push["version"], push["total"]
        if "check" in push:
            self.checks += 1
            assert push["check"] == self.checksum()

    def ranked(self) -> list[Map]:
        return sorted(self.rows.values(), key=lambda row: row["rank"])

    def checksum(self) -> int:
        rows = ((row["participantId"].encode(), row["score"]) for row in self.ranked())
        return zlib.crc32(b"".join(name + b"\0" + struct.pack(">d", score) for name, score in rows))


def bare(rows: list[Map]) -> list[Map]:
    """Rows as pushes show them: nothing about who receives them."""
    return [{name: value for name, value in row.items() if name != "isSelf"} for row in rows]


@asynccontextmanager
async def racing(codec: str) -> AsyncIterator[tuple[Server, list[Peer], str]]:
    """Eight players with an attempt each on one board, and the board."""
    async with serving(GAME) as server, AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(server.peer(name, codec=codec)) for name in PLAYERS]
        for peer in peers:
            started = await peer.ok("events.start", eventKey="race")
        yield server, peers, started["leaderboardId"]


async def write(peer: Peer, laps: int) -> None:
    attempt_id = (await peer.ok("events.start", eventKey="race"))["attempt"]["attemptId"]
    await peer.ok("events.progress", attemptId=attempt_id, metrics={"laps": laps}, mode="set")


Part = Callable[[list[Map], str], list[Map]]


def around(spread: int) -> Part:
    def rows(board: list[Map], own: str) -> list[Map]:
        at = next(index for index, row in enumerate(board) if row["participantId"] == own)
        return board[max(0, at - spread) : at + spread + 1]

    return rows


def union(*parts: Part) -> Part:
    def rows(board: list[Map], own: str) -> list[Map]:
        wanted = {row["rank"] for part in parts for row in part(board, own)}
        return [row for row in board if row["rank"] in wanted]

    return rows


def third_bot_and(board: list[Map], own: str) -> list[Map]:
    return [row for row in board if row["participantId"] in ("bot0003", own)]


VIEWS: dict[str, tuple[Map, Part]] = {
    "all": ({}, lambda board, _: board[:50]),
    "top": ({"limit": 3}, lambda board, _: board[:3]),
    "around": ({"around": "self", "spread": 1}, around(1)),
    "around_by_default": ({"around": "self"}, around(5)),
    "top_and_around": ({"limit": 2, "around": "self", "spread": 0}, union(lambda board, _: board[:2], around(0))),
    "named": ({"participants": ["bot0003", "OWN", "nobody"]}, third_bot_and),
}


@pytest.mark.parametrize("view", VIEWS)
async def test_a_copy_equals_the_board_at_every_version_it_has(codec: str, view: str) -> None:
    asked, part = VIEWS[view]
    chance = random.Random(view)
    async with racing(codec) as (server, peers, board_id), server.peer(PLAYERS[0], codec=codec) as watcher:
        own = watcher.welcome["participantId"]
        if "participants" in asked:
            asked = {"participants": [own if name == "OWN" else name for name in asked["participants"]]}
        copy = Copy(await watcher.ok("boards.watch", leaderboardId=board_id, **asked))
        boards: dict[int, Map] = {}
        deltas = 0
        for _ in range(70):
            board = await peers[0].ok("boards.read", leaderboardId=board_id, limit=200)
            boards[board["version"]] = board
            await write(chance.choice(peers), chance.randrange(8))
        last = await peers[0].ok("boards.read", leaderboardId=board_id, limit=200)
        boards[last["version"]] = last
        while copy.ranked() != bare(part(last["entries"], own)):
            push = watcher.pushes.popleft() if watcher.pushes else await watcher.receive()
            if push["push"].startswith("board.") and push["push"] != "board.self":
                copy.take(push)
                deltas += 1
                assert copy.ranked() == bare(part(boards[copy.version]["entries"], own))
                assert copy.total == boards[copy.version]["total"]
        assert copy.checks == deltas // 16


async def test_total_follows_though_the_rows_of_the_view_do_not_change(codec: str) -> None:
    async with racing(codec) as (server, peers, board_id), server.peer("late", codec=codec) as late:
        await write(peers[0], 100)
        copy = Copy(await peers[1].ok("boards.watch", leaderboardId=board_id, limit=1))
        await late.ok("events.start", eventKey="race")
        copy.take(await peers[1].push("board.delta"))
        assert copy.total == 15


async def test_one_view_has_one_name_for_all_who_watch_it(codec: str) -> None:
    async with racing(codec) as (_, peers, board_id):
        first = await peers[0].ok("boards.watch", leaderboardId=board_id, limit=5)
        second = await peers[1].ok("boards.watch", leaderboardId=board_id, limit=5)
        other = await peers[1].ok("boards.watch", leaderboardId=board_id, limit=6)
        assert first["sub"] == second["sub"] != other["sub"]
        again = await peers[0].ok("boards.watch", leaderboardId=board_id, limit=5)
        assert again["sub"] == first["sub"]
        await write(peers[2], 9)
        pushes = [await peer.push("board.delta", lambda push: push["sub"] == first["sub"]) for peer in peers[:2]]
        assert pushes[0] == pushes[1]


async def test_deltas_are_merged_to_ten_a_second_by_default(codec: str) -> None:
    slow = {**GAME, "settings": {"seed": 7}}
    async with serving(slow) as server, server.peer("ann", codec=codec) as ann:
        started = await ann.ok("events.start", eventKey="attack")
        await ann.ok("boards.watch", leaderboardId=started["leaderboardId"])
        for _ in range(30):
            await ann.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=1)
        deltas: list[Map] = []
        while not deltas or deltas[-1]["entries"][0]["score"] != 30:
            deltas.append(await ann.push("board.delta"))
        assert len(deltas) < 10


async def test_a_watcher_who_reads_nothing_slows_nobody_and_catches_up(codec: str) -> None:
    """Its deltas are merged: what it gets at last is a fraction of what it slept through."""
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        started = await ann.ok("events.start", eventKey="trail_of_triumph")
        async with dialled(server.port, codec=codec, receive_buffer=4096) as sleeper:
            await sleeper.ok("hello", playerId="sleeper")
            copy = Copy(await sleeper.ok("boards.watch", leaderboardId=started["leaderboardId"]))
            write = {"attemptId": started["attempt"]["attemptId"], "metrics": {"losses": 1}}
            for _ in range(SLEPT_THROUGH):
                await ann.ok("events.progress", **write)
            board = await ann.ok("boards.read", leaderboardId=started["leaderboardId"])
            taken = 0
            while copy.version < board["version"]:
                copy.take(await sleeper.push("board.delta"))
                taken += 1
            assert copy.ranked() == bare(board["entries"])
            assert taken < SLEPT_THROUGH / 4


# -- the end


async def test_the_final_standings_come_once_and_end_the_watch(codec: str) -> None:
    async with racing(codec) as (server, peers, board_id):
        await write(peers[3], 4)
        watch = await peers[0].ok("boards.watch", leaderboardId=board_id, limit=4)
        server.clock.move_to(WINDOW_ENDS)
        final = await peers[0].push("board.final")
        board = await peers[0].ok("boards.read", leaderboardId=board_id, limit=4)
        assert board["finalized"]
        assert (final["sub"], final["version"]) == (watch["sub"], board["version"])
        assert final["entries"] == bare(board["entries"])
        assert await peers[0].refused("boards.unwatch", sub=watch["sub"]) == ("not_found", 404)
        assert "board.final" not in [push["push"] for push in peers[0].pushes]


async def test_the_grants_can_be_listed_when_the_final_standings_come(codec: str) -> None:
    async with racing(codec) as (server, peers, board_id):
        await write(peers[3], 4)
        await peers[3].ok("boards.watch", leaderboardId=board_id)
        server.clock.move_to(WINDOW_ENDS)
        await peers[3].push("board.final")
        assert len((await peers[3].ok("grants.list"))["grants"]) == 1


async def test_watching_a_final_board_answers_and_is_final_at_once(codec: str) -> None:
    async with racing(codec) as (server, peers, board_id):
        server.clock.move_to(WINDOW_ENDS)
        await peers[0].push("event.state", lambda push: push["state"] == "finalized")
        while not (await peers[0].ok("boards.read", leaderboardId=board_id))["finalized"]:
            pass
        watch = await peers[0].ok("boards.watch", leaderboardId=board_id)
        final = await peers[0].push("board.final")
        assert (final["sub"], final["entries"]) == (watch["sub"], bare(watch["entries"]))


# -- coming back


async def test_a_resumed_view_goes_on_by_a_delta(codec: str) -> None:
    async with racing(codec) as (server, peers, board_id):
        async with server.peer("player0", codec=codec) as watcher:
            copy = Copy(await watcher.ok("boards.watch", leaderboardId=board_id, limit=5))
        await write(peers[2], 9)
        held = {"leaderboardId": board_id, "version": copy.version, "limit": 5}
        resumed = await back(server, codec, [held], copy)
        assert resumed["resumed"]
        assert [sub["how"] for sub in resumed["subs"]] == ["delta"]
        board = await peers[0].ok("boards.read", leaderboardId=board_id, limit=5)
        assert (copy.ranked(), copy.version) == (bare(board["entries"]), board["version"])


async def back(server: Server, codec: str, held: list[Map], copy: Copy) -> Map:
    """Say hello again; the pushes that follow go into the copy."""
    async with dialled(server.port, codec=codec) as peer:
        resumed = await peer.ok("hello", playerId="player0", resume=held)
        copy.sub = resumed["subs"][0]["sub"]
        push = await peer.receive()
        copy.take(push)
        assert push["push"] == f"board.{resumed['subs'][0]['how']}"
        return resumed


async def test_a_view_that_is_known_no_more_is_resumed_by_a_snapshot(codec: str) -> None:
    async with racing(codec) as (server, peers, board_id):
        board = await peers[0].ok("boards.read", leaderboardId=board_id, limit=5)
        await write(peers[2], 9)
        await peers[1].ok("boards.watch", leaderboardId=board_id, limit=5)
        copy = Copy({"sub": "", "version": board["version"], "total": 0, "entries": board["entries"]})
        resumed = await back(
            server, codec, [{"leaderboardId": board_id, "version": board["version"], "limit": 5}], copy
        )
        assert not resumed["resumed"]
        assert [sub["how"] for sub in resumed["subs"]] == ["snapshot"]
        board = await peers[0].ok("boards.read", leaderboardId=board_id, limit=5)
        assert (copy.ranked(), copy.version) == (bare(board["entries"]), board["version"])


async def test_what_became_of_other_views_is_told(codec: str) -> None:
    async with racing(codec) as (server, peers, board_id):
        server.clock.move_to(WINDOW_ENDS)
        while not (await peers[0].ok("boards.read", leaderboardId=board_id))["finalized"]:
            pass
        held = [
            {"leaderboardId": "waaaaaaaaaaaaaaaa.1", "version": 3},
            {"leaderboardId": board_id, "version": 3, "limit": 2},
            {"leaderboardId": "nonsense", "version": 3},
        ]
        async with dialled(server.port, codec=codec) as peer:
            resumed = await peer.ok("hello", playerId="player0", resume=held)
            assert [sub["how"] for sub in resumed["subs"]] == ["gone", "final", "gone"]
            assert [sub["leaderboardId"] for sub in resumed["subs"]] == [one["leaderboardId"] for one in held]
            assert resumed["resumed"] is False
            assert (await peer.push("board.final"))["sub"] == resumed["subs"][1]["sub"]


async def test_versions_rise_across_a_restart(codec: str, tmp_path: object) -> None:
    database = f"sqlite:///{tmp_path}/arena.db"
    versions = []
    for _ in range(3):
        async with serving(GAME, store=database) as server, server.peer("ann", codec=codec) as ann:
            started = await ann.ok("events.start", eventKey="attack")
            versions.append((await ann.ok("boards.read", leaderboardId=started["leaderboardId"]))["version"])
            await ann.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=1)
            versions.append((await ann.ok("boards.read", leaderboardId=started["leaderboardId"]))["version"])
    assert versions == sorted(versions)
    assert len(set(versions)) == 4
