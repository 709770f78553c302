"""Attempts from start to finish, for players themselves and for servers and operators who name them."""

from __future__ import annotations

import pytest
from acting_for_ann import assert_shape, playing
from raw_peer import Map
from servers import TRAIL, WINDOW_ENDS

from kraty_protocol import shapes

pytestmark = pytest.mark.anyio


# -- who am I


async def test_hello_says_who_and_how_much(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        welcome = actor.peer.welcome
        is_player = role == "player"
        assert (welcome["protocol"], welcome["role"]) == (1, role)
        assert welcome["playerId"] == ("ann" if is_player else None)
        assert (welcome["participantId"] is not None) is is_player
        assert welcome["participantId"] != "ann"  # opaque
        assert welcome["serverTime"] == "2026-06-02T12:00:00.000Z"
        frame = 64 * 1024 if is_player else 8 * 1024 * 1024
        assert welcome["limits"] == {"maxFrameBytes": frame, "requestsPerSecond": 2000, "watches": 64}
        assert (welcome["resumed"], welcome["subs"]) == (False, [])


async def test_ping(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        server.clock.advance(1.5)
        assert await actor.peer.ok("ping") == {"serverTime": "2026-06-02T12:00:01.500Z"}


# -- events


async def test_events_list_shows_what_is_open_r55(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        events = {event["eventKey"]: event for event in (await actor.ok("events.list"))["events"]}
        assert set(events) == {"attack", "race", "trail_of_triumph"}
        for event in events.values():
            assert_shape(event, shapes.Listing)
        race = events["race"]
        assert (race["startsAt"], race["endsAt"]) == ("2026-06-02T00:00:00.000Z", "2026-06-03T00:00:00.000Z")
        assert (race["type"], race["leaderboardMode"], race["attemptsLeft"]) == ("single_metric", "global", 1)
        assert race["metadata"] == {"tier": "standard"}
        assert race["rewardPolicy"] == {"type": "shared_pool", "pool": 100, "currencyKey": "cash"}
        assert (race["requirementMet"], race["affordable"], race["missing"]) == (True, True, [])
        nothing = {"target": None, "cap": None, "capAtTarget": False, "resetOn": None}
        assert events["attack"]["metrics"] == [
            {"key": "points", "scorePerUnit": 1, **nothing},
            {"key": "kills", "scorePerUnit": 10, **nothing},
        ]
        assert (events["attack"]["endsAt"], events["attack"]["metadata"]) == (None, {})
        assert events["trail_of_triumph"]["entryRequirement"] == TRAIL["entryRequirement"]
        assert events["trail_of_triumph"]["lobbyId"] is None


async def test_events_list_tells_of_the_running_attempt_r55(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        started = await actor.ok("events.start", eventKey="trail_of_triumph")
        events = {event["eventKey"]: event for event in (await actor.ok("events.list"))["events"]}
        trail = events["trail_of_triumph"]
        assert trail["currentAttemptId"] == started["attempt"]["attemptId"]
        assert trail["lobbyId"] == started["attempt"]["lobbyId"]
        assert trail["leaderboardId"] == started["leaderboardId"]
        assert events["race"]["currentAttemptId"] is None


async def test_events_list_with_upcoming_shows_what_is_to_come_r55(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        listed = (await actor.ok("events.list", upcoming=True))["events"]
        events = {event["eventKey"]: event for event in listed}
        assert set(events) == {"attack", "race", "trail_of_triumph", "later"}
        later = events["later"]
        assert_shape(later, shapes.Listing)
        assert later["opensAt"] == "2026-07-01T00:00:00.000Z"
        assert (later["windowId"], later["leaderboardId"], later["currentAttemptId"]) == (None, None, None)
        assert events["trail_of_triumph"]["opensAt"] == "2026-06-03T00:00:00.000Z"
        assert events["race"]["opensAt"] is None


async def test_start_begins_an_attempt_and_again_returns_it_r16(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        started = await actor.ok("events.start", eventKey="race", playerContext={"skill": 3, "country": "PT"})
        assert_shape(started, shapes.Started)
        attempt = started["attempt"]
        assert_shape(attempt, shapes.Attempt)
        assert started["windowEndsAt"] == attempt["endsAt"] == "2026-06-03T00:00:00.000Z"
        assert (attempt["status"], attempt["score"], attempt["lastSeq"]) == ("in_progress", 0, 0)
        assert (attempt["metrics"], attempt["metricsRaw"]) == ({"laps": 0}, {"laps": 0})
        assert (attempt["eventKey"], attempt["lobbyId"], attempt["completedAt"]) == ("race", None, None)
        assert attempt["startedAt"] == "2026-06-02T12:00:00.000Z"
        assert attempt["leaderboardId"] == started["leaderboardId"]
        assert await actor.ok("events.start", eventKey="race") == started


@pytest.mark.parametrize(
    ("event", "code", "details"),
    [
        ("nothing", "not_found", {}),
        ("sketch", "event_disabled", {"state": "draft"}),
        ("later", "no_active_window", {"opensAt": "2026-07-01T00:00:00.000Z"}),
    ],
)
async def test_start_is_refused_r18(role: str, codec: str, event: str, code: str, details: Map) -> None:
    async with playing(role, codec) as (_, actor):
        error = await actor.error("events.start", eventKey=event)
        assert (error["code"], error["details"]) == (code, details)


async def test_one_attempt_a_window_unless_the_event_says_otherwise_r17(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        started = await actor.ok("events.start", eventKey="race")
        await actor.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=3)
        error = await actor.error("events.start", eventKey="race")
        assert (error["code"], error["details"]) == ("max_attempts_reached", {"limit": 1, "resetsAt": None})
        assert [e["attemptsLeft"] for e in (await actor.ok("events.list"))["events"] if e["eventKey"] == "race"] == [0]


async def test_progress_answers_with_all_that_changed_r8(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        attempt_id = (await actor.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        answer = await actor.ok("events.progress", attemptId=attempt_id, metrics={"points": 2.5, "kills": 2}, seq=1)
        assert_shape(answer, shapes.Progressed)
        assert answer["metrics"] == {"points": 2.5, "kills": 2}
        assert (answer["score"], answer["rank"], answer["status"]) == (22.5, 1, "in_progress")
        answer = await actor.ok("events.progress", attemptId=attempt_id, metricValue=0.5, idempotencyKey="k")
        assert (answer["metrics"], answer["seq"]) == ({"points": 3, "kills": 2}, None)
        answer = await actor.ok("events.progress", attemptId=attempt_id, metrics={"points": 1.0}, mode="set")
        assert answer["metrics"] == {"points": 1, "kills": 2}
        assert isinstance(answer["metrics"]["points"], int)


async def test_finish_ends_a_score_attack_and_says_the_same_again_r12(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        attempt_id = (await actor.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        await actor.ok("events.progress", attemptId=attempt_id, metrics={"points": 1})
        finished = await actor.ok("events.finish", attemptId=attempt_id)
        assert finished["outcome"] == finished["attempt"]["status"] == "completed"
        assert finished["attempt"]["completedAt"] == "2026-06-02T12:00:00.000Z"
        assert await actor.ok("events.finish", attemptId=attempt_id) == finished
        error = await actor.error("events.progress", attemptId=attempt_id, metrics={"points": 1})
        assert (error["code"], error["details"]) == ("attempt_finished", {"attempt": finished["attempt"]})


async def test_idle_play_is_expired_not_completed_r11(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        attempt_id = (await actor.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        finished = await actor.ok("events.finish", attemptId=attempt_id)
        assert finished["outcome"] == finished["attempt"]["status"] == "expired"
        assert finished["attempt"]["completedAt"] is None


async def test_attempts_get_shows_every_attempt_ever(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        started = await actor.ok("events.start", eventKey="race")
        attempt_id = started["attempt"]["attemptId"]
        await actor.ok("events.progress", attemptId=attempt_id, metricValue=1, seq=9)
        read = await actor.ok("attempts.get", attemptId=attempt_id)
        assert read == {"attempt": {**started["attempt"],
            "metrics": {"laps": 1}, "metricsRaw": {"laps": 1}, "score": 1, "lastSeq": 9
        }, "rank": 1}  # fmt: skip
        server.clock.move_to(WINDOW_ENDS)
        late = await actor.error("events.progress", attemptId=attempt_id, metricValue=1, seq=10)
        assert late["code"] == "attempt_finished"
        ended = await actor.ok("attempts.get", attemptId=attempt_id)
        assert ended == {"attempt": {**read["attempt"], "status": "expired"}, "rank": 1}
