"""The calendar by hand: the cases that the rules name (R-5, R-22 to R-26)."""

from __future__ import annotations

from typing import Any

import pytest
from playing import HOUR, SEED, START

from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.calendar_messages import FinalizeEvent, GetCatalogue, PutGame
from kraty_actors.domain.catalogue import EventView, Library
from kraty_actors.domain.ids import window_id
from kraty_actors.domain.outcome import Audited, Outcome, Refusal, Tick
from kraty_actors.domain.window_messages import Finalize, OpenWindow, WindowFinalized

ALWAYS = {"mode": "always"}


def fixed(start: float, end: float) -> dict[str, Any]:
    """Hours from `START`."""
    first, last = (iso_instant(START + round(hours * HOUR)) for hours in (start, end))
    return {"mode": "fixed", "startsAt": first, "endsAt": last}


def hourly(*clocks: str, minutes: int = 30) -> dict[str, Any]:
    """START is 08:00Z."""
    windows = [{"startTime": clock, "durationSeconds": minutes * 60} for clock in clocks]
    return {"mode": "recurring_windows", "windows": windows}


class Play:
    def __init__(self) -> None:
        self.library = Library()
        self.calendar = Calendar(self.library)
        self.now = START

    def put(self, *, inactive: list[str] | None = None, **availabilities: dict[str, Any]) -> list[tuple[str, int]]:
        events = [
            {"key": key, "metrics": [{"key": "points"}], **({"availability": said} if "mode" in said else said)}
            for key, said in availabilities.items()
        ]
        changed = [["events", key] for key in availabilities]
        command = PutGame({"gameId": "arena", "events": events}, SEED, changed, inactive or [], None, "ann")
        return self.opened(self.calendar.apply(command, self.now))

    def at(self, hours: float) -> list[tuple[str, int]]:
        """Time comes; the windows that this opens, each as its event and the hour of its start."""
        self.now = START + round(hours * HOUR)
        wake_at = self.calendar.wake_at
        return self.opened(self.calendar.apply(Tick(), self.now)) if wake_at and wake_at <= self.now else []

    def ends(self, key: str, hours: float) -> list[tuple[str, int]]:
        name = window_id(key, START + round(hours * HOUR))
        return self.opened(self.calendar.apply(WindowFinalized(name), self.now))

    def opened(self, outcome: Outcome) -> list[Any]:
        opening = [message.command for message in outcome.messages if isinstance(message.command, OpenWindow)]
        return [(command.event_key, (command.starts_at - START) / HOUR) for command in opening]

    def view(self, key: str) -> EventView:
        view = self.calendar.apply(GetCatalogue(), self.now).reply.events[key]
        assert isinstance(view, EventView)
        return view


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
    assert [play.view(key).state for key in ("over", "under_way", "to_come")] == ["scheduled", "live", "scheduled"]
    assert play.at(9) == [("to_come", 1)]


def test_a_draft_opens_nothing_and_one_that_waits_for_a_part_opens_when_it_runs():
    play = Play()
    assert play.put(race={"state": "draft"}, paid={}, inactive=["paid"]) == []
    assert [play.view(key).state for key in ("race", "paid")] == ["draft", "draft"]
    assert play.put(race={}, paid={}) == [("paid", 0)]  # `state` counts only when an event is first seen
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
