"""Windows of single players, by hand (R-17, R-22, R-26)."""

from __future__ import annotations

from typing import Any

import pytest
from player_windows_play import ANN, BEN, OWNER, PlayerPlay, instant, local, name, personal
from playing import HOUR, SEED, START, frozen, thawed

from kraty_actors.domain.broadcasts import PER_STEP
from kraty_actors.domain.calendar_messages import (
    CancelWindow,
    CopyPrevious,
    ExtendWindow,
    FinalizeEvent,
    OverrideWindow,
)
from kraty_actors.domain.catalogue import WindowView
from kraty_actors.domain.contest_messages import Amend, Extend, Pause, Resume
from kraty_actors.domain.ids import CALENDAR, is_player_windows, player_window_id
from kraty_actors.domain.outcome import Audited
from kraty_actors.domain.player_windows import PlayerWindows
from kraty_actors.domain.player_windows_messages import Locate, PlayerWindowsIdle, Visit
from kraty_actors.domain.window_messages import Cancel, Finalize, OpenWindow

JUMPS = {"validators": [{"key": "max_metric_jump", "params": {"metricKey": "points", "maxDelta": 5}}]}
DAY = 24 * HOUR
MIDNIGHT = START - 8 * HOUR


def test_r22_a_personal_window_opens_at_the_first_start_and_lasts_its_time():
    play = PlayerPlay(personal(2))
    play.at(1)
    located = play.locate()
    assert (located.window, located.may_open, located.to_open, located.opens_at) == (None, True, None, None)
    assert play.visit() == name(1)
    opening = OpenWindow(
        "race", 1, SEED, "UTC", START + HOUR, START + 3 * HOUR, 0, "start_short", 5, owner=OWNER, player=ANN
    )
    assert play.last_told == [(name(1), opening)]
    assert play.at(2.9).visit() == name(1)
    assert play.last_told == []
    view = WindowView(name(1), "race", START + HOUR, START + 3 * HOUR, "open", 1)
    assert (play.locate().window, play.locate().may_open) == (view, False)
    assert play.visit(BEN) == name(2.9, BEN)


def test_r55_before_the_first_may_open_it_is_told_when_that_will_be():
    play = PlayerPlay(personal(2, startsAt=instant(1), endsAt=instant(2)))
    assert (play.locate().may_open, play.locate().opens_at) == (False, START + HOUR)
    assert play.refused(Visit(ANN, None)) == ("no_active_window", {"opensAt": START + HOUR})
    play.at(1)
    assert (play.locate().may_open, play.locate().opens_at) == (True, None)


@pytest.mark.parametrize(
    ("repeat", "ends_at", "opens_at"), [(True, 9, START + 3 * HOUR), (True, 3, None), (False, 9, None)]
)
def test_r55_who_has_a_window_may_open_the_next_after_it(repeat: bool, ends_at: int, opens_at: int | None):
    play = PlayerPlay(personal(3, repeat=repeat))
    play.visit()
    play.put(personal(3, repeat=repeat, startsAt=instant(1), endsAt=instant(ends_at)))
    assert play.locate().opens_at == opens_at


@pytest.mark.parametrize(("repeat", "again"), [(False, None), (True, name(3))])
def test_r22_a_personal_window_repeats_if_it_is_to(repeat: bool, again: str | None):
    play = PlayerPlay(personal(2, repeat=repeat))
    assert play.visit() == name(0)
    play.at(3)
    assert play.locate().may_open is repeat
    assert play.visit() == again
    assert play.locate().unfinished == ((name(0),))
    play.final(name(0))
    assert play.locate().unfinished == ((name(3),) if again is None and repeat else ())


@pytest.mark.parametrize(("hours", "opens"), [(0.9, False), (1, True), (1.9, True), (2, False)])
def test_r22_a_personal_window_starts_within_the_events_bounds_and_then_runs_on(hours: float, opens: bool):
    play = PlayerPlay(personal(5, startsAt=instant(1), endsAt=instant(2)))
    play.at(hours)
    assert play.locate().may_open is opens
    assert (play.visit() is not None) is opens
    if opens:
        assert play.at(hours + 4.9).locate().window is not None


# Each: the player's zone, the hour (of START, which is 08:00Z) at which they come, the start of what opens, the next.
LOCAL_TIMES: list[tuple[str | None, float, float | None, float]] = [
    ("UTC", 1, 1, 25),
    ("UTC", 1.99, 1, 25),
    ("UTC", 2, None, 25),
    ("Europe/Lisbon", 1, 1, 25),
    ("Asia/Tokyo", 16, 16, 40),
    ("America/New_York", 6, 6, 30),
    ("America/New_York", 1, None, 6),
    (None, 1, 1, 25),  # none, or one that there is not, is as the game's
    ("Mars/Olympus", 1, 1, 25),
    ("../../etc/passwd", 1, 1, 25),
]


@pytest.mark.parametrize(("zone", "hours", "starts", "following"), LOCAL_TIMES)
def test_r22_a_local_calendar_opens_by_the_players_own_clock(
    zone: str | None, hours: float, starts: float | None, following: float
):
    play = PlayerPlay(local("09:00")).at(hours)
    located = play.locate(zone=zone)
    to_open = None if starts is None else name(starts)
    assert (located.to_open.window_id if located.to_open else None, located.may_open) == (to_open, starts is not None)
    assert located.opens_at == START + following * HOUR
    assert play.visit(zone=zone) == to_open


def test_r22_an_occurrence_that_overlaps_the_players_last_window_is_skipped():
    """Two hours at 09:00: somebody who flew west would be in it again an hour after it began."""
    play = PlayerPlay(local("09:00", hours=2)).at(1)
    assert play.visit(zone="UTC") == name(1)
    play.at(2.5)
    assert play.visit(zone="Atlantic/Azores") == name(1)  # still the same window
    play.final(name(1))
    play.at(3.5)
    assert play.locate(zone="Atlantic/Azores").may_open is False  # it began at 10:00Z, before the last one ended
    assert play.visit(zone="Atlantic/Azores") is None
    assert play.locate(zone="Atlantic/Azores").opens_at == START + 26 * HOUR
    assert play.locate(BEN, "Atlantic/Azores").may_open is True


def test_r22_the_next_window_begins_after_the_one_that_goes_on_or_would():
    play = PlayerPlay(local("09:00", "10:00", "11:00", hours=2)).at(1)
    assert play.locate().opens_at == START + 3 * HOUR
    play.visit()
    assert play.at(1.5).locate().opens_at == START + 3 * HOUR
    assert play.locate(BEN).opens_at == START + 3 * HOUR
    play.final(name(1))
    assert play.locate().opens_at == START + 2 * HOUR  # it ended early


def test_r22_the_window_keeps_the_zone_in_which_it_opened():
    play = PlayerPlay(local("09:00", hours=2)).at(1)
    play.visit(zone="UTC")
    assert play.locate(zone="Asia/Tokyo").window == play.locate(zone="UTC").window


def test_r23_a_local_window_that_was_ended_early_does_not_open_again():
    play = PlayerPlay(local("09:00")).at(1)
    play.visit()
    play.say(FinalizeEvent("race", name(1), "ann"))
    assert play.visit() is None
    play.final(name(1))
    assert play.visit() is None


def test_r22_a_personal_window_that_was_ended_in_the_instant_of_its_start_leaves_room_for_the_next():
    play = PlayerPlay(personal(1, repeat=True))
    play.visit()
    play.say(FinalizeEvent("race", name(0), "ann"))
    assert play.visit() == name(1 / HOUR)


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ("draft", ("event_disabled", {"state": "draft"})),
        ("paused", ("event_disabled", {"state": "paused"})),
        ("scheduled", ("no_active_window", {"opensAt": None})),
        ("finalized", ("no_active_window", {"opensAt": None})),
    ],
)
def test_r26_nothing_opens_but_while_the_event_is_live(state: Any, refusal: tuple[str, dict[str, Any]]):
    play = PlayerPlay(personal())
    play.plan(state)
    assert play.refused(Visit(ANN, None)) == refusal
    assert play.locate().may_open is False


def test_r26_pause_resume_and_the_end_reach_every_open_window_in_order():
    play = PlayerPlay(personal(2))
    play.visit(ANN), play.visit(BEN)
    both = [name(0), name(0, BEN)]
    assert play.plan("paused") == [(window, Pause()) for window in both]
    assert play.plan("paused") == []
    assert play.plan("live") == [(window, Resume()) for window in both]
    assert play.plan("live") == []
    play.final(name(0))
    assert play.plan("finalized") == [(name(0, BEN), Finalize())]
    assert play.plan("finalized") == []


def test_r5_what_takes_effect_at_once_is_told_to_open_windows():
    play = PlayerPlay(personal(2))
    play.visit()
    assert play.plan("live", [["weekly", 1]]) == [(name(0), Amend(1, [["weekly", 1]]))]
    play.put(personal(3))
    assert play.later() == [(name(0), Amend(2, []))]  # the boards are gone again
    play.put(personal(3), antiCheat=JUMPS)
    assert play.later() == [(name(0), Amend(3, []))]
    play.put(personal(4), antiCheat=JUMPS)
    assert play.later() == []
    assert play.locate().window == WindowView(name(0), "race", START, START + 2 * HOUR, "open", 1)


def test_many_windows_are_told_in_steps_also_across_a_restart():
    play = PlayerPlay(personal(2))
    players = range(1, PER_STEP * 2 + 2)
    windows = [play.visit(player) for player in players]
    play.plan_quietly("paused")
    play.plan_quietly("live")
    play.final(str(windows[1]))
    heard: list[Any] = []
    while play.state.wake_at == 0:
        play.state = thawed(PlayerWindows(OWNER, play.library), frozen(play.state))
        heard.append(play.step())
    assert max(map(len, heard)) == PER_STEP
    flat = [each for step in heard for each in step]
    still = [window for window in windows if window != windows[1]]
    assert flat == [(window, Pause()) for window in still] + [(window, Resume()) for window in still]


def test_r5_one_of_them_is_extended():
    play = PlayerPlay(personal(2, repeat=True))
    play.visit()
    outcome = play.say(ExtendWindow(name(0), START + 5 * HOUR, "ann"))
    assert play.last_told == [(name(0), Extend(START + 5 * HOUR))]
    assert outcome.effects == [Audited("ann", "windows.extend", name(0), START + 2 * HOUR, START + 5 * HOUR, START)]
    assert outcome.reply == play.locate().window
    assert play.at(4).visit() == name(0)
    assert play.at(5).visit() == name(5)
    assert play.refused(ExtendWindow(name(0), START + 9 * HOUR, "ann")) == ("conflict", {"state": "closing"})


def test_r5_one_that_was_final_before_it_heard_of_its_extension_is_over():
    play = PlayerPlay(personal(2, repeat=True))
    play.visit()
    play.say(ExtendWindow(name(0), START + 5 * HOUR, "ann"))
    play.at(2).final(name(0))
    assert play.visit() == name(2)
    local_play = PlayerPlay(local("08:00", "10:30", hours=2))
    local_play.visit()
    local_play.say(ExtendWindow(name(0), START + 5 * HOUR, "ann"))
    local_play.at(2.25).final(name(0))
    assert local_play.locate().opens_at == START + round(2.5 * HOUR)


@pytest.mark.parametrize(
    ("command", "told"), [(CancelWindow(name(0), "ann"), Cancel()), (FinalizeEvent("race", name(0), "ann"), Finalize())]
)
def test_r26_one_of_them_is_ended(command: Any, told: Any):
    play = PlayerPlay(personal(2))
    play.visit()
    play.at(1).say(command)
    assert play.last_told == [(name(0), told)]
    assert play.locate().window is None
    play.final(name(0))
    assert play.refused(command) == ("not_found", {})


def test_r25_one_of_them_has_a_bag_of_its_own():
    play = PlayerPlay(personal(2))
    play.visit()
    outcome = play.say(OverrideWindow(name(0), {"tier": "boss"}, "ann"))
    assert outcome.reply == play.locate().window
    assert outcome.effects == [Audited("ann", "windows.override", name(0), None, {"tier": "boss"}, START)]
    play.state = thawed(PlayerWindows(OWNER, play.library), frozen(play.state))
    assert play.locate().window == outcome.reply
    assert play.refused(CopyPrevious(name(0), "ann")) == ("conflict", {"state": "open"})


def test_r17_starts_in_windows_that_are_final_count_for_their_day():
    play = PlayerPlay(personal(1, repeat=True))
    for hours in (0, 2, 4):
        play.at(hours).visit()
    play.at(5)
    play.final(name(0), MIDNIGHT, 3)
    play.final(name(2), MIDNIGHT, 2)
    located = play.locate()
    assert (located.started_elsewhere, located.unfinished) == (5, (name(4),))
    play.final(name(4), MIDNIGHT - DAY, 7)  # yesterday's starts say nothing of today
    assert play.locate().started_elsewhere == 5
    assert play.at(16).locate().started_elsewhere == 0
    assert play.locate(BEN).started_elsewhere == 0


class TestTheEnd:
    """R-26: a per-player event ends by itself when its time is over and no window is open."""

    idle = (CALENDAR, PlayerWindowsIdle("race", 1))

    def test_r26_at_its_end_if_nobody_plays(self):
        play = PlayerPlay(personal(endsAt=instant(2)))
        assert play.state.wake_at == START + 2 * HOUR
        assert play.at(2).later() == [self.idle]
        assert play.state.wake_at is None

    def test_r26_with_the_last_window_if_somebody_does(self):
        play = PlayerPlay(personal(3, endsAt=instant(2)))
        play.at(1).visit()
        play.visit(BEN)
        play.at(5).final(name(1))
        assert play.last_told == []
        play.final(name(1, BEN))
        assert play.last_told == [self.idle]
        assert play.state.wake_at is None

    def test_r26_a_local_calendar_once_its_last_window_is_over_everywhere(self):
        play = PlayerPlay(local("09:00", hours=3, endsAt=instant(2)))
        assert play.state.wake_at == START + 5 * HOUR
        assert play.at(3.9).visit() == name(1)

    def test_r26_at_once_if_it_is_over_already_and_anew_with_every_plan(self):
        play = PlayerPlay(personal(endsAt=instant(-1)))
        assert play.plan("live") == [self.idle]
        play.put(personal(endsAt=instant(3)))
        assert play.state.wake_at == START + 3 * HOUR
        assert play.at(3).later() == [(CALENDAR, PlayerWindowsIdle("race", 2))]

    def test_r26_never_without_an_end(self):
        assert PlayerPlay(personal()).state.wake_at is None


def test_an_event_that_changed_its_mode_opens_no_more():
    play = PlayerPlay(personal(2, endsAt=instant(9)))
    play.visit()
    play.put({"mode": "always"})
    assert play.visit(BEN) is None
    assert play.visit(ANN) == name(0)
    assert play.plan("finalized") == [(name(0), Finalize())]
    assert play.state.wake_at is None


def test_before_the_first_plan_there_is_nothing():
    play = PlayerPlay.__new__(PlayerPlay)
    play.state, play.now = PlayerWindows(OWNER, None), START  # type: ignore[arg-type]
    assert play.refused(Locate(ANN, None)) == ("not_found", {})
    assert play.refused(Visit(ANN, None)) == ("event_disabled", {"state": "draft"})


def test_r24_ids_are_their_own():
    assert is_player_windows(OWNER)
    assert not is_player_windows(name(0))
    assert player_window_id("race", 1, 2) != player_window_id("race", 12, 0)
