"""What operators put, list and finalize."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from acting_for_ann import GAME, assert_shape
from raw_peer import Map, Peer
from servers import ATTACK, RACE, TRAIL, WINDOW_ENDS, Server, game_of, serving

from kraty_protocol import shapes

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def operating(codec: str, game: Map = GAME) -> AsyncIterator[tuple[Server, Peer]]:
    async with serving(game) as server, server.peer(role="operator", codec=codec) as operator:
        yield server, operator


async def test_events_get_shows_the_definition(codec: str) -> None:
    async with operating(codec) as (_, operator):
        got = await operator.ok("events.get", eventKey="trail_of_triumph")
        assert set(got) == {"event", "state", "revision", "warnings"}
        assert (got["state"], got["revision"]) == ("live", 1)
        assert {name: got["event"][name] for name in TRAIL} == TRAIL
        states = {key: (await operator.ok("events.get", eventKey=key))["state"] for key in ("later", "sketch")}
        assert states == {"later": "scheduled", "sketch": "draft"}
        for op in ("events.get", "windows.list", "events.finalize"):
            assert await operator.refused(op, eventKey="nothing") == ("not_found", 404)


async def test_events_put_makes_a_revision_for_the_next_window_r5(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        attempt_id = (await ann.ok("events.start", eventKey="race"))["attempt"]["attemptId"]
        put = await operator.ok("events.put", event={**RACE, "metrics": [{"key": "laps", "target": 9}]})
        assert (put["revision"], put["state"], put["warnings"]) == (2, "live", [])
        answer = await ann.ok("events.progress", attemptId=attempt_id, metricValue=3)
        assert answer["status"] == "completed"  # by the revision that the window opened with
        same = await operator.ok("events.put", event={**RACE, "metrics": [{"key": "laps", "target": 9}]})
        assert same["revision"] == 2


async def test_metadata_takes_effect_at_once_r5_r25(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        await operator.ok("events.put", event={**RACE, "metadata": {"tier": "boss"}})
        listed = {event["eventKey"]: event for event in (await ann.ok("events.list"))["events"]}
        assert listed["race"]["metadata"] == {"tier": "boss"}
        windows = (await operator.ok("windows.list", eventKey="race"))["windows"]
        assert [window["metadata"] for window in windows] == [{"tier": "boss"}]


async def test_events_put_publishes_a_new_event_and_opens_what_is_under_way_r26(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        put = await operator.ok("events.put", event={**RACE, "key": "sprint"})
        assert (put["state"], put["revision"]) == ("live", 1)
        started = await ann.ok("events.start", eventKey="sprint")
        assert started["windowEndsAt"] == "2026-06-03T00:00:00.000Z"
        draft = await operator.ok("events.put", event={**RACE, "key": "idea", "state": "draft"})
        assert draft["state"] == "draft"


FAULTY: Map = {
    "key": "bad",
    "metrics": [{"key": "streak", "resetOn": {"metricKey": "loses"}}, {"key": "wins", "capAtTarget": True}],
    "surprise": 1,
}


async def test_a_bad_definition_is_refused_with_all_its_faults_r3(codec: str) -> None:
    async with operating(codec) as (_, operator):
        error = await operator.error("events.put", event=FAULTY)
        assert (error["code"], error["status"]) == ("validation_failed", 400)
        paths = {fault["path"] for fault in error["details"]["faults"]}
        assert any("metrics[0].resetOn" in path for path in paths), paths
        assert any("metrics[1].capAtTarget" in path for path in paths), paths
        assert any("surprise" in path for path in paths), paths
        assert await operator.refused("events.get", eventKey="bad") == ("not_found", 404)


async def test_game_put_is_all_or_nothing_r3(codec: str) -> None:
    async with operating(codec) as (_, operator):
        error = await operator.error("game.put", game=game_of({**RACE, "key": "fine"}, FAULTY))
        assert [fault["path"].partition(".")[0] for fault in error["details"]["faults"]] == ["events[1]"] * 3
        assert await operator.refused("events.get", eventKey="fine") == ("not_found", 404)
        assert (await operator.ok("events.get", eventKey="race"))["revision"] == 1


async def test_game_put_says_what_changed(codec: str) -> None:
    async with operating(codec) as (_, operator):
        slower = {**RACE, "metrics": [{"key": "laps", "target": 2}]}
        put = await operator.ok("game.put", game=game_of(ATTACK, slower, {**RACE, "key": "sprint"}))
        changed = {(change["kind"], change["key"]): change["revision"] for change in put["changed"]}
        assert changed == {("events", "race"): 2, ("events", "sprint"): 1}
        again = await operator.ok("game.put", game=game_of(ATTACK, slower, {**RACE, "key": "sprint"}))
        assert again["changed"] == []
        assert (await operator.ok("events.get", eventKey="later"))["state"] == "scheduled"


async def test_game_put_of_another_game_is_a_conflict(codec: str) -> None:
    async with operating(codec) as (_, operator):
        assert await operator.refused("game.put", game={**GAME, "gameId": "other"}) == ("conflict", 409)


async def test_windows_list_shows_open_upcoming_and_closed_r24(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann") as ann:
        windows = (await operator.ok("windows.list", eventKey="trail_of_triumph"))["windows"]
        assert [window["state"] for window in windows] == ["open"] + ["upcoming"] * 7
        assert [window["startsAt"] for window in windows] == [f"2026-06-{day:02}T00:00:00.000Z" for day in range(2, 10)]
        for window in windows:
            assert_shape(window, shapes.Window)
            assert (window["override"], window["metadata"]) == (None, {})
        await ann.ok("events.start", eventKey="trail_of_triumph")
        server.clock.move_to(WINDOW_ENDS)
        await ann.push("event.state", lambda push: push["state"] == "finalized")
        later = (await operator.ok("windows.list", eventKey="trail_of_triumph"))["windows"]
        assert [window["windowId"] for window in later[:7]] == [window["windowId"] for window in windows[1:]]
        assert [window["state"] for window in later] == ["open"] + ["upcoming"] * 7 + ["finalized"]
        assert later[-1]["windowId"] == windows[0]["windowId"]


async def test_finalizing_a_window_pays_its_winners_now_r26_r27(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        started = await ann.ok("events.start", eventKey="race")
        await ann.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=3)
        window_id = started["attempt"]["windowId"]
        (window,) = (await operator.ok("events.finalize", eventKey="race", windowId=window_id))["windows"]
        assert_shape(window, shapes.Window)
        assert (window["windowId"], window["state"]) == (window_id, "finalized")
        assert len((await ann.ok("grants.list"))["grants"]) == 1
        assert await operator.refused("events.finalize", eventKey="race", windowId=window_id) == ("conflict", 409)
        assert await operator.refused("events.finalize", eventKey="attack", windowId=window_id) == ("not_found", 404)
        assert (await ann.refused("events.start", eventKey="race"))[0] == "no_active_window"


async def test_finalizing_an_event_ends_it_r26(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        await ann.ok("events.start", eventKey="attack")
        (window,) = (await operator.ok("events.finalize", eventKey="attack"))["windows"]
        assert (window["state"], window["endsAt"]) == ("finalized", "2026-06-02T12:00:00.000Z")
        assert (await operator.ok("events.get", eventKey="attack"))["state"] == "finalized"
        error = await ann.error("events.start", eventKey="attack")
        assert (error["code"], error["details"]) == ("no_active_window", {"opensAt": None})
        error = await operator.error("events.finalize", eventKey="attack")
        assert (error["code"], error["details"]) == ("conflict", {"state": "finalized"})


async def test_finalizing_an_always_window_by_its_id_opens_the_next_r5(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        first = (await ann.ok("events.start", eventKey="attack"))["attempt"]
        await operator.ok("events.put", event={**ATTACK, "metrics": [{"key": "wins"}]})
        server.clock.advance(1)
        await operator.ok("events.finalize", eventKey="attack", windowId=first["windowId"])
        second = (await ann.ok("events.start", eventKey="attack"))["attempt"]
        assert second["windowId"] != first["windowId"]
        assert second["metrics"] == {"wins": 0}
