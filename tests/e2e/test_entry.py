"""Who may enter, and how often: conditions and limits (R-17 to R-19)."""

from __future__ import annotations

import pytest
from raw_peer import Map, Peer
from servers import ATTACK, RACE, WINDOW_ENDS, game_of, serving

from kraty_protocol.shapes import iso

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
DAILY: Map = {"mode": "recurring_windows", "windows": [{"startTime": "00:00", "durationSeconds": 86400}]}
QUALIFIER: Map = {**RACE, "key": "qualifier", "availability": DAILY}


def qualified(within: str, event: str = "qualifier") -> Map:
    return {"type": "completed_event_at_least_once", "eventKey": event, "within": within}


def final(condition: Map, field: str = "entryRequirement") -> Map:
    return {**ATTACK, "key": "final", field: condition}


async def complete(peer: Peer, event: str = "qualifier") -> None:
    attempt = (await peer.ok("events.start", eventKey=event))["attempt"]
    await peer.ok("events.progress", attemptId=attempt["attemptId"], metricValue=3)


async def listed(peer: Peer) -> dict[str, bool]:
    """The events that the player sees, and whether their requirement is met."""
    return {event["eventKey"]: event["requirementMet"] for event in (await peer.ok("events.list"))["events"]}


async def test_a_locked_event_is_hidden_and_closed_r18_r55(codec: str) -> None:
    game = game_of(QUALIFIER, final(qualified("lifetime"), "unlockCondition"))
    async with serving(game) as server, server.peer("ann", codec=codec) as ann:
        assert await listed(ann) == {"qualifier": True}
        assert await ann.refused("events.start", eventKey="final") == ("unlock_condition_failed", 403)
        await complete(ann)
        assert await listed(ann) == {"qualifier": True, "final": True}
        await ann.ok("events.start", eventKey="final")


async def test_a_required_event_is_shown_and_closed_r18_r55(codec: str) -> None:
    game = game_of(QUALIFIER, final(qualified("lifetime")))
    async with serving(game) as server, server.peer("ann", codec=codec) as ann:
        assert await listed(ann) == {"qualifier": True, "final": False}
        error = await ann.error("events.start", eventKey="final")
        assert (error["code"], error["status"]) == ("entry_requirement_failed", 403)
        assert error["details"]["condition"] == qualified("lifetime")
        await complete(ann)
        await ann.ok("events.start", eventKey="final")


@pytest.mark.parametrize(("within", "next_day"), [("lifetime", True), ("current_window", False)])
async def test_a_completion_counts_for_life_or_for_its_window_r19(codec: str, within: str, next_day: bool) -> None:
    game = game_of(QUALIFIER, final(qualified(within)))
    async with serving(game) as server, server.peer("ann", codec=codec) as ann:
        await complete(ann)
        assert (await listed(ann))["final"] is True
        server.clock.move_to(WINDOW_ENDS)
        await ann.push("event.state", lambda push: push["state"] == "finalized")
        assert (await listed(ann))["final"] is next_day


async def test_a_score_attack_counts_as_completed_once_it_was_played_r11_r19(codec: str) -> None:
    game = game_of(ATTACK, final(qualified("lifetime", "attack")))
    async with serving(game) as server, server.peer("ann", codec=codec) as ann:
        for points, met in ((None, False), (0, True)):
            attempt = (await ann.ok("events.start", eventKey="attack"))["attempt"]
            if points is not None:
                await ann.ok("events.progress", attemptId=attempt["attemptId"], metricValue=points)
            await ann.ok("events.finish", attemptId=attempt["attemptId"])
            assert (await listed(ann))["final"] is met


GATES: dict[str, tuple[Map, bool, bool]] = {
    "not": ({"type": "not", "condition": qualified("lifetime")}, True, False),
    "all": ({"type": "all", "conditions": [qualified("lifetime"), qualified("lifetime", "attack")]}, False, False),
    "any": ({"type": "any", "conditions": [qualified("lifetime", "attack"), qualified("lifetime")]}, False, True),
    "all_of_nothing_new": ({"type": "all", "conditions": [qualified("lifetime")]}, False, True),
    "nested": (
        {"type": "any", "conditions": [{"type": "not", "condition": qualified("current_window")}]},
        True,
        False,
    ),
}


@pytest.mark.parametrize("name", GATES)
async def test_conditions_join_r19(codec: str, name: str) -> None:
    condition, before, after = GATES[name]
    game = game_of(QUALIFIER, ATTACK, final(condition))
    async with serving(game) as server, server.peer("ann", codec=codec) as ann:
        assert (await listed(ann))["final"] is before
        await complete(ann)
        assert (await listed(ann))["final"] is after
        reply = await ann.ask("events.start", eventKey="final")
        assert ("ok" in reply) is after


async def test_the_innermost_condition_that_failed_is_told_r18(codec: str) -> None:
    condition = {"type": "all", "conditions": [qualified("lifetime"), qualified("lifetime", "attack")]}
    game = game_of(QUALIFIER, ATTACK, final(condition))
    async with serving(game) as server, server.peer("ann", codec=codec) as ann:
        await complete(ann)
        error = await ann.error("events.start", eventKey="final")
        assert error["details"]["condition"] == qualified("lifetime", "attack")


async def test_a_limit_on_attempts_in_a_window_r17(codec: str) -> None:
    limited = {**ATTACK, "attempt": {"replayableDuringWindow": True, "maxAttempts": 2}}
    async with serving(game_of(limited)) as server, server.peer("ann", codec=codec) as ann:
        for left in (2, 1):
            assert (await ann.ok("events.list"))["events"][0]["attemptsLeft"] == left
            attempt = (await ann.ok("events.start", eventKey="attack"))["attempt"]
            await ann.ok("events.finish", attemptId=attempt["attemptId"])
        error = await ann.error("events.start", eventKey="attack")
        assert (error["code"], error["status"]) == ("max_attempts_reached", 429)
        assert error["details"] == {"limit": 2, "resetsAt": None}


async def test_a_limit_on_attempts_a_day_in_the_zone_of_the_event_r17(codec: str) -> None:
    zoned = {**DAILY, "timezone": "America/New_York", "windows": [{"startTime": "12:00", "durationSeconds": 86400}]}
    attempt = {"replayableDuringWindow": True, "maxDailyAttempts": 1}
    game = game_of({**ATTACK, "availability": zoned, "attempt": attempt})
    async with serving(game) as server, server.peer("ann", codec=codec) as ann:
        started = await ann.ok("events.start", eventKey="attack")
        await ann.ok("events.finish", attemptId=started["attempt"]["attemptId"])
        error = await ann.error("events.start", eventKey="attack")
        assert (error["code"], error["status"]) == ("max_daily_attempts_reached", 429)
        assert error["details"] == {"limit": 1, "resetsAt": "2026-06-03T04:00:00.000Z"}

        server.clock.move_to(WINDOW_ENDS - 8 * 3_600_000)  # noon in New York: the next window, the same day
        assert (await ann.refused("events.start", eventKey="attack"))[0] == "max_daily_attempts_reached"
        server.clock.move_to(WINDOW_ENDS + 4 * 3_600_000)  # midnight there: the same window, the next day
        await ann.ok("events.start", eventKey="attack")


async def test_a_window_is_open_from_its_first_instant_r22(codec: str) -> None:
    async with serving(game_of(QUALIFIER)) as server, server.peer("ann", codec=codec) as ann:
        for day in range(5):
            begins = WINDOW_ENDS + day * DAY_MS
            server.clock.move_to(begins)
            if day % 2:
                (event,) = (await ann.ok("events.list"))["events"]
                assert event["startsAt"] == iso(begins)
            started = await ann.ok("events.start", eventKey="qualifier")
            assert started["windowEndsAt"] == iso(begins + DAY_MS)
            server.clock.move_to(begins + DAY_MS - 1)
            assert await ann.ok("events.start", eventKey="qualifier") == started


async def test_between_windows_the_next_one_is_told_r18(codec: str) -> None:
    short = {**DAILY, "windows": [{"startTime": "10:00", "durationSeconds": 3600}]}
    async with serving(game_of({**QUALIFIER, "availability": short})) as server, server.peer("ann", codec=codec) as ann:
        error = await ann.error("events.start", eventKey="qualifier")
        assert (error["code"], error["details"]) == ("no_active_window", {"opensAt": "2026-06-03T10:00:00.000Z"})
        assert await listed(ann) == {}
