"""Editing while players play: what counts at once, what waits, and what a restart with another file makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from raw_peer import Map, Peer
from servers import ATTACK, NOON, RACE, Server, game_of, serving

from kraty_actors.testing import ManualClock
from kraty_protocol.shapes import iso

pytestmark = pytest.mark.anyio

MINUTE_MS = 60_000
LADDER: Map = {"key": "ladder", "scoreAggregation": "sum"}


async def playing(ann: Peer, event: str) -> str:
    """Ann's attempt."""
    started: str = (await ann.ok("events.start", eventKey=event))["attempt"]["attemptId"]
    return started


@asynccontextmanager
async def ann_and_operator(game: Map, codec: str) -> AsyncIterator[tuple[Server, Peer, Peer]]:
    async with (
        serving(game) as server,
        server.peer("ann", codec=codec) as ann,
        server.peer(role="operator", codec=codec) as operator,
    ):
        yield server, ann, operator


async def scores(peer: Peer, **board: str) -> list[float]:
    return [entry["score"] for entry in (await peer.ok("boards.read", **board))["entries"]]


# -- what counts at once


async def test_what_an_event_contributes_to_counts_from_the_next_write_on_r5_r32(codec: str) -> None:
    game = game_of(ATTACK, leaderboards=[LADDER])
    async with ann_and_operator(game, codec) as (_, ann, operator):
        attempt = await playing(ann, "attack")
        await ann.ok("events.progress", attemptId=attempt, metricValue=5)
        await operator.ok("events.put", event={**ATTACK, "contributesTo": ["ladder"]})
        await ann.ok("events.progress", attemptId=attempt, metricValue=2)
        assert await scores(ann, boardKey="ladder") == [7]
        await operator.ok("events.put", event=ATTACK)
        await ann.ok("events.progress", attemptId=attempt, metricValue=1)
        assert await scores(ann, boardKey="ladder") == [7]


async def test_metrics_and_formulas_wait_for_the_next_window_r5(codec: str) -> None:
    async with ann_and_operator(game_of(ATTACK), codec) as (server, ann, operator):
        attempt = await playing(ann, "attack")
        edited = {**ATTACK, "metrics": [{"key": "points", "scorePerUnit": 3, "target": 2}], "metadata": {"new": 1}}
        assert (await operator.ok("events.put", event=edited))["revision"] == 2
        (listed,) = (await ann.ok("events.list"))["events"]
        assert (listed["metadata"], len(listed["metrics"])) == ({"new": 1}, 2)
        written = await ann.ok("events.progress", attemptId=attempt, metrics={"points": 5, "kills": 1})
        assert (written["score"], written["status"]) == (15, "in_progress")
        (window,) = (await operator.ok("windows.list", eventKey="attack"))["windows"]
        server.clock.advance(1)
        await operator.ok("events.finalize", eventKey="attack", windowId=window["windowId"])
        written = await ann.ok("events.progress", attemptId=await playing(ann, "attack"), metricValue=2)
        assert (written["score"], written["status"]) == (6, "completed")


async def test_a_season_that_is_put_ends_the_one_that_runs_for_its_watchers_r32_r34(codec: str) -> None:
    season = {"key": "season", "resetCadence": "season", "seasonEndsAt": iso(NOON + MINUTE_MS)}
    game = game_of({**ATTACK, "contributesTo": ["season"]}, leaderboards=[season])
    async with serving(game) as server, server.peer("ann", codec=codec) as ann:
        attempt = await playing(ann, "attack")
        await ann.ok("events.progress", attemptId=attempt, metricValue=5)
        watched = await ann.ok("boards.watch", boardKey="season")
        server.clock.move_to(NOON + MINUTE_MS)
        final = await ann.push("board.final")
        assert (final["sub"], [row["score"] for row in final["entries"]]) == (watched["sub"], [5])
        assert (await ann.ok("boards.periods", boardKey="season"))["current"]["endsAt"] is None
        async with server.peer(role="operator", codec=codec) as operator:
            await operator.ok("boards.put", leaderboard={**season, "seasonEndsAt": iso(NOON + 2 * MINUTE_MS)})
        await ann.ok("events.progress", attemptId=attempt, metricValue=1)
        periods = await ann.ok("boards.periods", boardKey="season")
        assert periods["current"]["endsAt"] == iso(NOON + 2 * MINUTE_MS)
        assert [period["leaderboardId"] for period in periods["periods"]] == [watched["leaderboardId"]]
        assert await scores(ann, boardKey="season") == [6]
        assert await scores(ann, leaderboardId=watched["leaderboardId"]) == [5]


# -- while it is paused


async def test_a_paused_event_takes_nothing_and_still_answers_what_it_took_r15_r26(codec: str) -> None:
    async with ann_and_operator(game_of(ATTACK), codec) as (_, ann, operator):
        write = {"attemptId": await playing(ann, "attack"), "metricValue": 5}
        first = await ann.ok("events.progress", **write, seq=1)
        keyed = await ann.ok("events.progress", **write, idempotencyKey="k")
        await operator.ok("events.pause", eventKey="attack")
        assert await ann.ok("events.progress", **write, idempotencyKey="k") == {**keyed, "repeated": True}
        again = await ann.ok("events.progress", **write, seq=1)
        assert (again["seq"], again["repeated"], again["score"]) == (first["seq"], True, 10)
        for _ in range(2):
            assert await ann.refused("events.progress", **write, seq=2) == ("event_disabled", 409)
        await operator.ok("events.resume", eventKey="attack")
        assert (await ann.ok("events.progress", **write, seq=2))["score"] == 15


# -- restarts with another file


async def edited_live(folder: Path, codec: str, then: Map) -> tuple[Map, Map, list[str]]:
    """RACE and ATTACK are loaded from a file, RACE is edited live; then a restart with the file `then`.

    What stands of both, and what the author of the file is warned of.
    """
    store, clock = f"sqlite:///{folder}/game.db", ManualClock(NOON)
    before = serving(game_of(RACE, ATTACK), store=store, clock=clock)
    async with before as server, server.peer(role="operator", codec=codec) as operator:
        await operator.ok("events.put", event={**RACE, "metadata": {"tier": "live"}})
        await operator.ok("events.pause", eventKey="attack")
    after = serving(then, store=store, clock=clock)
    async with after as server, server.peer(role="operator", codec=codec) as operator:
        race, attack = [await operator.ok("events.get", eventKey=key) for key in ("race", "attack")]
        return race, attack, [warning.path for warning in server.game.warnings]


async def test_the_same_file_again_leaves_alone_what_operators_did(codec: str, tmp_path: Path) -> None:
    race, attack, _ = await edited_live(tmp_path, codec, game_of(RACE, ATTACK))
    assert (race["event"]["metadata"], race["revision"]) == ({"tier": "live"}, 2)
    assert (attack["state"], attack["revision"]) == ("paused", 1)


async def test_another_file_puts_what_it_says_anew(codec: str, tmp_path: Path) -> None:
    older = {**RACE, "metadata": {"tier": "older"}, "state": "draft"}
    race, attack, _ = await edited_live(tmp_path, codec, game_of(older, ATTACK))
    assert (race["event"]["metadata"], race["revision"], race["state"]) == ({"tier": "older"}, 3, "live")
    assert (attack["state"], attack["revision"]) == ("paused", 1)


async def test_what_left_the_file_goes_on_with_a_warning(codec: str, tmp_path: Path) -> None:
    race, attack, warned = await edited_live(tmp_path, codec, game_of(RACE))
    assert (race["event"]["metadata"], attack["state"]) == ({"tier": "live"}, "paused")
    assert warned == ["events.attack"]


# -- players' own names


@pytest.mark.parametrize("profile", ["server", "client"])
async def test_players_name_themselves_only_where_the_game_lets_them_r28(codec: str, profile: str) -> None:
    game = game_of(ATTACK)
    game["settings"]["profile"] = profile
    async with serving(game) as server, server.peer("ann", codec=codec) as ann:
        board = (await ann.ok("events.start", eventKey="attack"))["leaderboardId"]
        if profile == "client":
            player = (await ann.ok("profile.set", name="Annie", avatar="fox"))["player"]
            assert (player["name"], player["avatar"]) == ("Annie", "fox")
        else:
            assert await ann.refused("profile.set", name="Annie") == ("forbidden", 403)
        (row,) = (await ann.ok("boards.read", leaderboardId=board))["entries"]
        assert row["name"] == ("Annie" if profile == "client" else None)
