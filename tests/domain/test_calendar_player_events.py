"""Events whose windows belong to single players, as the calendar sees them (R-5, R-22, R-26)."""

from __future__ import annotations

from typing import Any

import pytest
from calendar_play import ALWAYS, Play
from player_windows_play import OWNER, instant, local, personal
from playing import HOUR, SEED, START, frozen, thawed

from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.calendar_messages import FinalizeEvent, OverrideWindow, SetEventState
from kraty_actors.domain.catalogue import EventState, Library
from kraty_actors.domain.ids import window_id
from kraty_actors.domain.outcome import Command
from kraty_actors.domain.player_windows_messages import PlanPlayerWindows, PlayerWindowsIdle
from kraty_actors.domain.window_messages import WindowFinalized


def plan(state: EventState, revision: int = 1, timezone: str = "UTC") -> tuple[str, Command]:
    return OWNER, PlanPlayerWindows("race", revision, state, SEED, timezone, 5, [])


def published(availability: dict[str, Any]) -> Play:
    play = Play()
    play.put(race=availability)
    return play


@pytest.mark.parametrize("availability", [personal(), local("09:00"), personal(startsAt=instant(0))])
def test_r22_such_an_event_is_live_as_soon_as_it_is_published(availability: dict[str, Any]):
    play = published(availability)
    assert play.last_told == [plan("live")]
    view = play.view("race")
    assert (view.state, view.is_per_player, view.player_windows) == ("live", True, OWNER)
    assert (view.windows, view.upcoming(play.now), view.next_start(play.now)) == ((), [], None)
    assert play.calendar.wake_at is None


def test_r22_or_once_its_start_has_come():
    play = published(personal(startsAt=instant(2)))
    assert play.last_told == [plan("scheduled")]
    assert (play.view("race").state, play.calendar.wake_at) == ("scheduled", START + 2 * HOUR)
    play.at(2)
    assert play.last_told == [plan("live")]
    assert (play.view("race").state, play.calendar.wake_at) == ("live", None)


def test_r26_its_windows_hear_of_every_state():
    play = published(personal(startsAt=instant(2)))
    for action, state in (("unpublish", "draft"), ("publish", "scheduled")):
        play.set("race", action)
        assert play.last_told == [plan(state)]  # type: ignore[arg-type]
    play.at(2)
    for action, state in (("pause", "paused"), ("resume", "live"), ("pause", "paused")):
        play.set("race", action)
        assert play.last_told == [plan(state)]  # type: ignore[arg-type]
    assert play.say(FinalizeEvent("race", None, "ann")).reply == []
    assert play.last_told == [plan("finalized")]


def test_a_draft_tells_nobody():
    play = published({"state": "draft", "availability": personal()})
    assert play.last_told == []
    play.set("race", "publish")
    assert play.last_told == [plan("live")]


def test_r5_a_new_revision_is_told_and_the_same_is_not():
    play = published(personal())
    play.put(race={"availability": personal(), "name": "Another"})
    assert play.last_told == [plan("live", 2)]
    play.put(race={"availability": personal(), "name": "Another"})
    assert play.last_told == []
    play.game["settings"] = {"timezone": "Asia/Tokyo"}
    play.put(race={"availability": personal(), "name": "Another"})
    assert play.last_told == [plan("live", 2, "Asia/Tokyo")]


@pytest.mark.parametrize("pauses", [False, True])
def test_r26_it_ends_by_itself_when_nobody_can_play_any_more(pauses: bool):
    play = published(personal(endsAt=instant(2)))
    if pauses:
        play.set("race", "pause")
    play.now += 3 * HOUR
    assert play.told(PlayerWindowsIdle("race", 1)) == [plan("finalized")]
    assert play.view("race").state == "finalized"


def test_r26_what_was_said_of_an_older_revision_ends_nothing():
    play = published(personal(endsAt=instant(2)))
    play.put(race=personal(endsAt=instant(9)))
    assert play.told(PlayerWindowsIdle("race", 1)) == []
    assert play.view("race").state == "live"


def test_r26_a_later_end_begins_it_again():
    play = published(personal(endsAt=instant(2)))
    play.say(PlayerWindowsIdle("race", 1))
    play.put(race=personal(endsAt=instant(9)))
    assert play.last_told == [plan("live", 2)]
    assert play.view("race").state == "live"


def test_an_event_that_becomes_per_player_ends_with_its_last_shared_window():
    play = published(ALWAYS)
    play.put(race=personal(endsAt=instant(2)))
    assert play.last_told == [plan("live", 2)]
    assert play.view("race").current(play.now) is not None
    play.say(PlayerWindowsIdle("race", 2))
    assert play.view("race").state == "live"
    play.say(WindowFinalized(window_id("race", START)))
    assert play.last_told == [plan("finalized", 2)]


def test_an_event_that_becomes_shared_opens_for_everybody():
    play = published(personal())
    assert play.put(race=ALWAYS) == [("race", 0)]
    assert play.last_told[-1] == plan("live", 2)
    play.set("race", "pause")
    assert play.last_told[-1] == plan("paused", 2)


def test_r25_overrides_are_for_shared_windows():
    play = published(local("09:00"))
    assert play.refused(OverrideWindow(window_id("race", START + HOUR), {}, "ann")) == ("not_found", {})


def test_all_of_that_survives_a_restart():
    play = published(personal(endsAt=instant(2)))
    parts = frozen(play.calendar)
    play.calendar = thawed(Calendar(Library()), parts)
    assert frozen(play.calendar) == parts
    assert play.told(SetEventState("race", "pause", "ann")) == [plan("paused")]
