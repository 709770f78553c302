"""What operators do to events and windows while they run (R-5, R-25, R-26)."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from calendar_play import ALWAYS, Play, fixed, hourly
from playing import HOUR, START

from kraty_actors.domain.calendar_messages import (
    CancelWindow,
    CopyPrevious,
    ExtendWindow,
    FinalizeEvent,
    OverrideWindow,
    SetEventState,
)
from kraty_actors.domain.catalogue import EventView, WindowView
from kraty_actors.domain.contest_messages import Extend, Pause, Resume
from kraty_actors.domain.ids import window_id
from kraty_actors.domain.outcome import Audited
from kraty_actors.domain.window_messages import Cancel, Finalize, OpenWindow, WindowFinalized

STATES = ("draft", "scheduled", "live", "paused", "finalized")
ACTIONS = ("publish", "unpublish", "pause", "resume", "finalize")
ALLOWED = {
    ("draft", "publish"): "live",
    ("scheduled", "unpublish"): "draft",
    ("live", "pause"): "paused",
    ("paused", "resume"): "live",
    ("live", "finalize"): "finalized",
    ("paused", "finalize"): "finalized",
}


def name(hours: float, key: str = "race") -> str:
    return window_id(key, START + round(hours * HOUR))


def in_state(state: str) -> Play:
    play = Play()
    play.put(race={"state": "draft"} if state == "draft" else fixed(1, 2) if state == "scheduled" else ALWAYS)
    if state == "paused":
        play.set("race", "pause")
    if state == "finalized":
        play.say(FinalizeEvent("race", None, "ann"))
    assert play.view("race").state == state
    return play


def doing(action: Any, key: str = "race") -> FinalizeEvent | SetEventState:
    return FinalizeEvent(key, None, "ann") if action == "finalize" else SetEventState(key, action, "ann")


@pytest.mark.parametrize(("state", "action"), list(product(STATES, ACTIONS)))
def test_r26_the_states_of_an_event(state: str, action: str):
    play = in_state(state)
    if (state, action) in ALLOWED:
        follows = ALLOWED[state, action]
        outcome = play.say(doing(action))
        assert play.view("race").state == follows
        assert outcome.effects == [Audited("ann", f"events.{action}", "race", state, follows, START)]
        assert action == "finalize" or outcome.reply == play.view("race")
    else:
        assert play.refused(doing(action)) == ("conflict", {"state": state})


@pytest.mark.parametrize("action", ACTIONS)
def test_r26_an_event_that_nobody_knows(action: str):
    assert Play().refused(doing(action, "lost")) == ("not_found", {})


def test_r26_publishing_a_draft_opens_what_is_under_way():
    play = Play()
    play.put(
        race={"state": "draft", "availability": fixed(-1, 1)}, over={"state": "draft", "availability": fixed(-2, 0)}
    )
    assert play.opened(play.set("race", "publish")) == [("race", -1)]
    assert play.opened(play.set("over", "publish")) == []
    assert play.view("over").state == "finalized"


def test_r26_what_an_operator_unpublished_stays_so_until_it_is_published():
    play = Play()
    play.put(race=fixed(1, 3))
    play.set("race", "unpublish")
    play.put(race={"availability": fixed(1, 3), "name": "Another"})
    assert play.at(2) == []
    assert play.view("race").upcoming(play.now) == []
    assert play.opened(play.set("race", "publish")) == [("race", 1)]


def test_r26_pause_and_resume_reach_every_open_window_and_time_goes_on():
    play = Play()
    play.put(race=hourly("09:00", "10:00", minutes=90))
    play.at(1)
    assert play.told(doing("pause")) == [(name(1), Pause())]
    assert play.at(2) == [("race", 2)]
    (opening,) = [command for _, command in play.last_told if isinstance(command, OpenWindow)]
    assert opening.is_paused
    assert play.told(doing("resume")) == [(name(1), Resume()), (name(2), Resume())]
    assert play.view("race").state == "live"


def test_r26_a_paused_event_ends_with_its_last_window():
    play = Play()
    play.put(race=fixed(-1, 5))
    play.set("race", "pause")
    play.say(FinalizeEvent("race", name(-1), "ann"))
    play.ends("race", -1)
    assert play.view("race").state == "finalized"


def test_r26_finalizing_a_paused_event_ends_all_its_windows():
    play = Play()
    play.put(race=hourly("09:00", "10:00", minutes=90))
    play.at(2)
    play.set("race", "pause")
    assert play.told(doing("finalize")) == [(name(1), Finalize()), (name(2), Finalize())]
    assert play.at(26) == []
    assert play.calendar.wake_at is None


@pytest.mark.parametrize("command", [CancelWindow(name(0), "ann"), FinalizeEvent("race", name(0), "ann")])
@pytest.mark.parametrize("is_paused", [False, True])
def test_r5_an_always_event_opens_again_at_once_however_its_window_ended(command: Any, is_paused: bool):
    play = Play()
    play.put(race=ALWAYS)
    if is_paused:
        play.set("race", "pause")
    play.now += HOUR
    play.say(command)
    assert play.told(WindowFinalized(name(0), isinstance(command, CancelWindow)))[0][0] == name(1)
    assert [window.state for window in play.view("race").listed(play.now)] == [
        "open",
        "cancelled" if isinstance(command, CancelWindow) else "finalized",
    ]


def test_r26_a_window_shows_when_it_was_ended():
    play = Play()
    play.put(race=hourly("09:00"))
    play.at(1.25)
    assert play.told(FinalizeEvent("race", name(1), "ann")) == [(name(1), Finalize())]
    window = play.window("race", 1)
    assert (window.state_at(play.now), window.ends_at) == ("closing", play.now)
    assert play.view("race").current(play.now) is None
    play.now += 1000
    play.ends("race", 1)
    assert play.window("race", 1).ends_at == play.now - 1000
    assert play.view("race").state == "live"


def test_r26_a_cancelled_window_is_listed_among_the_closed():
    play = Play()
    play.put(race=hourly("09:00"))
    play.at(1)
    outcome = play.say(CancelWindow(name(1), "ann"))
    assert outcome.reply == play.window("race", 1)
    assert play.last_told == [(name(1), Cancel())]
    assert outcome.effects == [Audited("ann", "windows.cancel", name(1), "open", "cancelled", play.now)]
    play.say(WindowFinalized(name(1), is_cancelled=True))
    assert play.view("race").listed(play.now)[-1].state == "cancelled"


class TestExtend:
    """R-5: the end of an open or paused window moves to any later instant."""

    def test_r5_an_open_window_ends_later(self):
        play = Play()
        play.put(race=hourly("09:00"))
        play.at(1)
        later = START + 3 * HOUR
        outcome = play.say(ExtendWindow(name(1), later, "ann"))
        assert outcome.reply == play.window("race", 1)
        assert play.last_told == [(name(1), Extend(later))]
        assert outcome.effects == [
            Audited("ann", "windows.extend", name(1), START + round(1.5 * HOUR), later, play.now)
        ]
        play.now = later - 1
        assert play.view("race").current(play.now) == play.window("race", 1)

    @pytest.mark.parametrize("ends_at", [1.0, 1.1, 1.5])
    def test_r5_only_later(self, ends_at: float):
        play = Play()
        play.put(race=hourly("09:00"))
        play.at(1.1)
        command = ExtendWindow(name(1), START + round(ends_at * HOUR), "ann")
        assert play.refused(command) == ("validation_failed", {"path": "endsAt"})

    @pytest.mark.parametrize(("hours", "state"), [(0.5, "upcoming"), (1.5, "closing"), (1.6, "finalized")])
    def test_r5_only_while_it_is_open(self, hours: float, state: str):
        play = Play()
        play.put(race=hourly("09:00"))
        for at in (0.5, 1, 1.5, 1.6):
            play.at(min(at, hours))
        if state == "finalized":
            play.ends("race", 1)
        assert play.refused(ExtendWindow(name(1), START + 9 * HOUR, "ann")) == ("conflict", {"state": state})

    def test_r5_not_where_there_is_no_end(self):
        play = Play()
        play.put(race=ALWAYS)
        assert play.refused(ExtendWindow(name(0), START + HOUR, "ann")) == ("conflict", {"state": "open"})


class TestOverrides:
    """R-25: a window's own metadata, over the event's."""

    @pytest.mark.parametrize(
        ("baseline", "override", "seen"),
        [
            ({"tier": "standard"}, None, {"tier": "standard"}),
            ({"tier": "standard"}, {"tier": "boss"}, {"tier": "boss"}),
            ({"tier": "standard"}, {"banner": "lava"}, {"tier": "standard", "banner": "lava"}),
            (None, None, {}),
            ({"tier": "standard"}, {"tier": None}, {"tier": None}),
            ({"look": {"hat": 1}}, {"look": {"coat": 2}}, {"look": {"coat": 2}}),  # shallow
            (None, {"banner": "lava"}, {"banner": "lava"}),
        ],
    )
    def test_r25_what_a_client_sees(self, baseline: Any, override: Any, seen: Any):
        play = Play()
        play.put(race={"availability": hourly("09:00", "10:00"), "metadata": baseline})
        play.say(OverrideWindow(name(1), override, "ann"))
        first, second = play.view("race").upcoming(play.now)[:2]
        view = play.view("race")
        assert (first.override, view.metadata(first)) == (override, seen)
        assert (second.override, view.metadata(second)) == (None, baseline or {})

    def test_r25_it_goes_with_the_window_when_it_opens_and_stays_when_it_is_final(self):
        play = Play()
        play.put(race=hourly("09:00", "10:00"))
        play.say(OverrideWindow(name(1), {"tier": "boss"}, "ann"))
        play.at(1)
        assert play.window("race", 1).override == {"tier": "boss"}
        play.ends("race", 1)
        assert play.window("race", 1).override == {"tier": "boss"}
        play.at(2)
        assert play.window("race", 2).override is None

    def test_r25_until_the_window_is_final_it_can_be_changed_and_cleared(self):
        play = Play()
        play.put(race=hourly("09:00"))
        play.at(1.75)
        before: Any = None
        for bag in ({"tier": "boss"}, {"banner": "lava"}, None):
            outcome = play.say(OverrideWindow(name(1), bag, "ann"))
            assert isinstance(outcome.reply, WindowView)
            assert (outcome.reply, outcome.reply.override) == (play.window("race", 1), bag)
            assert outcome.effects == [Audited("ann", "windows.override", name(1), before, bag, play.now)]
            before = bag
        play.ends("race", 1)
        for command in (OverrideWindow(name(1), {}, "ann"), CopyPrevious(name(1), "ann"), CancelWindow(name(1), "ann")):
            assert play.refused(command) == ("conflict", {"state": "finalized"})

    def test_r25_copying_takes_the_bag_of_the_occurrence_before_and_no_other(self):
        play = Play()
        play.put(race=hourly("09:00", "10:00", "11:00"))
        play.say(OverrideWindow(name(1), {"tier": "boss"}, "ann"))
        play.say(OverrideWindow(name(3), {"banner": "lava"}, "ann"))
        play.at(1)
        play.ends("race", 1)
        assert play.say(CopyPrevious(name(2), "ann")).reply == play.window("race", 2)  # from a closed one
        assert play.window("race", 2).override == {"tier": "boss"}
        play.say(OverrideWindow(name(2), None, "ann"))
        play.say(CopyPrevious(name(3), "ann"))  # the one before has none
        assert play.window("race", 3).override is None
        assert play.window("race", 25).override is None

    def test_r25_copying_to_the_first_one_clears_it(self):
        play = Play()
        play.put(race=hourly("09:00"))
        play.say(OverrideWindow(name(1), {"tier": "boss"}, "ann"))
        play.say(CopyPrevious(name(1), "ann"))
        assert play.window("race", 1).override is None

    def test_r25_the_one_before_a_long_window_is_remembered_as_long(self):
        play = Play()
        play.put(race=hourly("08:30"))
        play.at(0.5)
        play.say(OverrideWindow(name(0.5), {"tier": "boss"}, "ann"))
        play.put(race=hourly("09:00", minutes=60 * 24 * 40))
        play.at(1)
        play.ends("race", 0.5)
        play.put(race=hourly("10:00"))
        for day in range(30):
            play.at(24 * day + 2)
            play.ends("race", 24 * day + 2)
        assert len(play.view("race").windows) == 12
        play.say(CopyPrevious(name(1), "ann"))
        assert play.window("race", 1).override == {"tier": "boss"}

    def test_r24_a_new_schedule_keeps_the_overrides_of_windows_that_still_occur(self):
        play = Play()
        play.put(race=hourly("09:00", "10:00"))
        for hours in (1, 2, 26):
            play.say(OverrideWindow(name(hours), {"at": hours}, "ann"))
        play.put(race=hourly("10:00", "11:00", minutes=5))
        play.put(race=hourly("09:00", "10:00"))
        kept = {window.starts_at: window.override for window in play.view("race").upcoming(play.now) if window.override}
        assert kept == {START + hours * HOUR: {"at": hours} for hours in (2, 26)}

    def test_r24_what_passed_by_unpublished_is_forgotten(self):
        play = Play()
        play.put(race=hourly("09:00", "10:00"))
        for hours in (1, 2):
            play.say(OverrideWindow(name(hours), {"at": hours}, "ann"))
        play.set("race", "unpublish")
        play.now = START + round(1.75 * HOUR)
        play.set("race", "publish")
        assert play.view("race").overrides == {START + 2 * HOUR: {"at": 2}}

    def test_r24_a_shorter_horizon_hides_overrides_and_drops_none(self):
        play = Play()
        play.put(race={"availability": hourly("09:00"), "scheduleAheadDays": 30})
        last = 1 + 29 * 24
        play.say(OverrideWindow(name(last), {"tier": "boss"}, "ann"))
        play.put(race={"availability": hourly("09:00"), "scheduleAheadDays": 7})
        assert play.refused(OverrideWindow(name(last), None, "ann")) == ("not_found", {})
        play.put(race={"availability": hourly("09:00"), "scheduleAheadDays": 30})
        assert play.window("race", last).override == {"tier": "boss"}


@pytest.mark.parametrize(
    "command",
    [
        CancelWindow("wunknown", "ann"),
        ExtendWindow("wunknown", START, "ann"),
        OverrideWindow("wunknown", {}, "ann"),
        CopyPrevious("wunknown", "ann"),
        FinalizeEvent("race", "wunknown", "ann"),
        FinalizeEvent("race", name(0, "cup"), "ann"),
    ],
    ids=lambda command: command.tag,
)
def test_r26_a_window_that_nobody_knows(command: Any):
    play = Play()
    play.put(race=hourly("09:00"), cup=ALWAYS)
    assert play.refused(command) == ("not_found", {})


@pytest.mark.parametrize("command", [CancelWindow(name(1), "ann"), FinalizeEvent("race", name(1), "ann")])
def test_r26_a_window_to_come_does_not_end(command: Any):
    play = Play()
    play.put(race=hourly("09:00"))
    assert play.refused(command) == ("conflict", {"state": "upcoming"})


def test_r26_the_answer_is_the_event_as_it_is_then():
    play = Play()
    play.put(race=ALWAYS)
    reply = play.set("race", "pause").reply
    assert isinstance(reply, EventView)
    assert (reply.state, reply.event.key) == ("paused", "race")
