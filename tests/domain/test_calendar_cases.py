"""The calendar by hand: which windows open when (R-5, R-22 to R-26)."""

from __future__ import annotations

from typing import Any

import pytest
from calendar_play import ALWAYS, Play, fixed, hourly
from playing import HOUR, START

from kraty_actors.definitions import UnreadableDefinition
from kraty_actors.domain.calendar_messages import FinalizeEvent
from kraty_actors.domain.contest_messages import Amend
from kraty_actors.domain.ids import window_id
from kraty_actors.domain.outcome import Audited, Refusal
from kraty_actors.domain.window_messages import Finalize, OpenWindow


def test_r26_an_event_goes_from_scheduled_to_live_to_finalized_by_itself():
    play = Play()
    assert play.put(race=fixed(1, 2)) == []
    assert (play.view("race").state, play.calendar.wake_at) == ("scheduled", START + HOUR)
    assert play.at(1) == [("race", 1)]
    assert play.view("race").state == "live"
    play.at(2)
    assert play.view("race").windows[0].state_at(play.now) == "closing"
    assert play.ends("race", 1) == []
    assert (play.view("race").state, play.calendar.wake_at) == ("finalized", None)


def test_an_occurrence_under_way_when_it_is_published_opens_at_once_and_one_already_over_never():
    play = Play()
    assert play.put(over=fixed(-2, 0), under_way=fixed(-1, 1), to_come=fixed(1, 2)) == [("under_way", -1)]
    assert [play.view(key).state for key in ("over", "under_way", "to_come")] == ["finalized", "live", "scheduled"]
    assert play.at(9) == [("to_come", 1)]


def test_a_draft_opens_nothing():
    play = Play()
    assert play.put(race={"state": "draft"}, other={}) == [("other", 0)]
    assert [play.view(key).state for key in ("race", "other")] == ["draft", "live"]
    assert play.put(race={}, other={}) == []  # `state` counts only when an event is first seen
    assert play.view("race").state == "draft"


def test_r24_what_was_missed_opens_in_order_of_start_over_all_events_each_at_its_own_time():
    play = Play()
    play.put(b=hourly("09:00", "11:00"), a=hourly("10:00", "11:00"))
    assert play.at(3.25) == [("b", 1), ("a", 2), ("a", 3), ("b", 3)]
    assert play.at(3.25) == []
    assert play.calendar.wake_at == START + 25 * HOUR
    windows = play.view("b").windows
    assert [window.is_open(play.now) for window in windows] == [False, True]
    assert windows[0].ends_at == START + round(1.5 * HOUR)


def test_r23_of_windows_that_overlap_the_one_that_started_last_is_current():
    play = Play()
    play.put(race=hourly("09:00", "10:00", minutes=90))
    play.at(2.25)
    view = play.view("race")
    assert [window.is_open(play.now) for window in view.windows] == [True, True]
    assert view.current(play.now) is view.windows[1]
    assert view.current(START + round(2.5 * HOUR)) is view.windows[1]


def test_r5_an_always_event_opens_again_at_once_with_the_newest_revision():
    play = Play()
    assert play.put(race=ALWAYS) == [("race", 0)]
    assert play.put(race={"name": "Another"}) == []
    view = play.view("race")
    assert (view.rules.revision, [window.revision for window in view.windows]) == (2, [1])
    play.at(1)
    first = window_id("race", START)
    ending = play.calendar.apply(FinalizeEvent("race", first, "ann"), play.now)
    assert [(message.to, message.command) for message in ending.messages] == [(first, Finalize())]
    assert play.ends("race", 0) == [("race", 1)]
    assert [window.revision for window in play.view("race").windows] == [1, 2]


def test_r5_the_same_definition_again_is_no_revision():
    play = Play()
    for _ in range(2):
        play.put(race=ALWAYS)
    assert play.view("race").rules.revision == 1


def test_r5_a_window_that_ends_in_the_instant_of_its_start_leaves_room_for_the_next():
    play = Play()
    play.put(race=ALWAYS)
    assert play.ends("race", 0) == [("race", 1 / HOUR)]


def test_r26_finalizing_an_event_ends_it_for_good():
    play = Play()
    play.put(race=ALWAYS)
    outcome = play.calendar.apply(FinalizeEvent("race", None, "ann"), play.now)
    assert outcome.reply == [window_id("race", START)]
    assert outcome.effects == [Audited("ann", "events.finalize", "race", "live", "finalized", START)]
    assert play.ends("race", 0) == []
    assert play.put(race={"name": "Another"}) == []
    assert play.view("race").state == "finalized"
    again = play.calendar.apply(FinalizeEvent("race", None, "ann"), play.now).reply
    assert isinstance(again, Refusal)
    assert (again.code, again.details) == ("conflict", {"state": "finalized"})


def test_r24_a_new_schedule_counts_from_now_on():
    """It opens nothing that would have begun before it was put, and the open window goes on."""
    play = Play()
    play.put(race=hourly("09:00"))
    play.at(1.25)
    assert play.put(race=hourly("08:30", "09:10", "10:00")) == []
    assert [window.starts_at for window in play.view("race").windows] == [START + HOUR]
    assert play.at(2) == [("race", 2)]


def test_r24_what_is_due_opens_before_a_new_schedule_is_put():
    play = Play()
    play.put(race=hourly("09:00"))
    play.now = START + 2 * HOUR
    assert play.put(race=fixed(9, 10)) == [("race", 1)]
    assert [window.revision for window in play.view("race").windows] == [1]


def test_an_event_that_had_no_window_yet_may_be_moved_to_now():
    play = Play()
    play.put(race=fixed(5, 6))
    assert play.put(race=fixed(-1, 6)) == [("race", -1)]


def test_r22_always_has_one_window_from_the_time_that_it_is_put():
    play = Play()
    play.put(race=hourly("09:00"))
    play.at(1)
    assert play.put(race=ALWAYS) == []  # the open one goes on
    assert play.ends("race", 1) == [("race", 1 + 1 / HOUR)]


@pytest.mark.parametrize(("days", "count"), [(None, 7), (1, 1), (30, 30)])
def test_r24_upcoming_within_the_horizon(days: int | None, count: int):
    play = Play()
    play.put(race={"availability": hourly("09:00"), "scheduleAheadDays": days})
    upcoming = play.view("race").upcoming(play.now)
    assert len(upcoming) == count
    assert upcoming[0].window_id == window_id("race", START + HOUR)
    assert {window.state for window in upcoming} == {"upcoming"}


def test_the_last_ten_closed_windows_are_listed_and_old_ones_are_let_go():
    play = Play()
    play.put(race=hourly("09:00"))
    for day in range(20):
        play.at(24 * day + 1)
        play.at(24 * day + 2)
        play.ends("race", 24 * day + 1)
    listed = [window for window in play.view("race").listed(play.now) if window.state == "finalized"]
    assert [window.starts_at for window in listed] == [START + (24 * day + 1) * HOUR for day in range(19, 9, -1)]
    assert len(play.view("race").windows) == 10


JUMPS = {"validators": [{"key": "max_metric_jump", "params": {"metricKey": "points", "maxDelta": 5}}]}


@pytest.mark.parametrize(
    ("change", "amended"),
    [
        ({"antiCheat": JUMPS}, True),
        ({"metadata": {"tier": "boss"}}, False),  # read from the newest revision: nobody need be told
        ({"scheduleAheadDays": 30}, False),
        ({"attempt": {"replayableDuringWindow": True}}, False),  # from the next window on
    ],
)
def test_r5_what_takes_effect_at_once_is_told_to_open_windows(change: dict[str, Any], amended: bool):
    play = Play()
    play.put(race=hourly("08:00", "08:15"))
    play.at(0.5)
    said = play.put_told(race={"availability": hourly("08:00", "08:15"), **change})
    names = [window_id("race", START + minutes * HOUR // 60) for minutes in (0, 15)]
    assert said == ([(name, Amend(2, [])) for name in names] if amended else [])
    assert play.view("race").rules.revision == 2
    assert {window.revision for window in play.view("race").windows} == {1}


def test_r5_metadata_and_horizon_are_those_of_the_newest_revision():
    play = Play()
    play.put(race={"availability": hourly("08:00"), "metadata": {"tier": "standard"}})
    play.put(race={"availability": hourly("08:00"), "metadata": {"tier": "boss"}, "scheduleAheadDays": 2})
    view = play.view("race")
    assert view.metadata(view.windows[0]) == {"tier": "boss"}
    assert len(view.upcoming(play.now)) == 2


def test_r38_windows_take_the_grid_of_the_games_bots():
    play = Play()
    play.game["settings"] = {"botTickSeconds": 11}
    play.put(race=ALWAYS)
    (opening,) = [command for _, command in play.last_told if isinstance(command, OpenWindow)]
    assert opening.bot_tick_seconds == 11


def test_r26_an_event_that_ended_by_itself_is_scheduled_again_by_a_new_revision_that_has_something_to_come():
    play = Play()
    play.put(race=fixed(-2, -1))
    assert play.view("race").state == "finalized"
    play.put(race={"availability": fixed(-2, -1), "name": "Another"})
    assert play.view("race").state == "finalized"
    play.put(race=fixed(1, 2))
    assert play.view("race").state == "scheduled"
    assert play.at(1) == [("race", 1)]


def test_r24_a_window_that_was_ended_early_does_not_open_again():
    play = Play()
    play.put(race=fixed(-1, 5))
    play.ends("race", -1)
    assert play.view("race").state == "finalized"
    assert play.put(race={"availability": fixed(-1, 5), "name": "Another"}) == []
    assert play.view("race").state == "finalized"


def test_r55_a_change_of_one_event_makes_one_event_anew():
    play = Play()
    play.put(race=hourly("09:00"), cup=ALWAYS, over=fixed(-2, -1))
    before = play.catalogue.events
    play.at(1)
    after = play.catalogue.events
    assert {key for key in after if after[key] is not before[key]} == {"race"}
    play.put(race=hourly("09:00"), cup={"name": "Another"}, over=fixed(-2, -1))
    assert {key for key, view in play.catalogue.events.items() if view is not after[key]} == {"cup"}
    assert play.catalogue.windows.keys() == {window_id("race", START + HOUR), window_id("cup", START)}
    assert len(play.catalogue.windows) == 2
    assert play.catalogue.windows.get("wunknown") is None


def test_a_game_that_cannot_be_read_changes_nothing():
    play = Play()
    play.put(race=hourly("09:00"))
    before = list(play.calendar.dump())
    play.now = START + 2 * HOUR
    with pytest.raises(UnreadableDefinition, match="lost"):
        play.calendar.apply(play.putting(race={"lost": 1}), play.now)
    assert list(play.calendar.dump()) == before
