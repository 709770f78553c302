"""What operators do to an open window (R-5, R-22, R-26): pauses, extensions, amendments, and its end by command."""

from __future__ import annotations

from typing import Any

import pytest
from playing import HOUR, SEED, START, Book, event, rules
from test_window_cases import ID, REPLAYS, TO_3, Play, lobby, pool, sent

from kraty_actors.domain.contest_messages import (
    Amend,
    AttemptEnded,
    Close,
    Closed,
    Extend,
    Open,
    Paid,
    Pause,
    Resume,
    Settle,
)
from kraty_actors.domain.days import day_start
from kraty_actors.domain.ids import contest_id, player_windows_id
from kraty_actors.domain.outcome import Outcome, Tick
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import (
    Admit,
    Cancel,
    Finalize,
    GetMember,
    GetReport,
    GetWindow,
    OpenWindow,
    Placed,
    Report,
    WindowFinalized,
)

OWNER = player_windows_id("race")
END = START + HOUR


def states(outcome: Outcome) -> list[str]:
    return [notice.body["state"] for notice in outcome.notices if notice.push == "event.state"]


def state(play: Play) -> str:
    return play.say(GetWindow(), play.now).reply.state


def closing(play: Play, winners: int = 0) -> None:
    """The only contest closes."""
    play.say(Closed(contest_id(ID, 1), winners))


def steps(play: Play) -> list[Outcome]:
    """What the window does of itself from here on."""
    made = []
    while play.window.wake_at is not None and play.window.wake_at <= play.now:
        made.append(play.say(Tick()))
    return made


def settled(play: Play) -> tuple[list[Settle], Outcome]:
    """What the only contest is told, and what comes of it when that has paid."""
    (step,) = steps(play)
    last = play.say(Paid(contest_id(ID, 1), 0, 0, {}))
    assert play.window.wake_at is None
    return sent(step, Settle), last


# -- pause and resume


def test_r26_nobody_starts_while_the_event_is_paused_not_even_who_plays():
    play = Play(**REPLAYS)
    play.admit(1)
    outcome = play.say(Pause())
    assert (sent(outcome, Pause), states(outcome)) == ([Pause()], ["paused"])
    for player in (1, 2):
        refused = play.admit(player)
        assert (refused.code, refused.details) == ("event_disabled", {"state": "paused"})
    outcome = play.say(Resume())
    assert (sent(outcome, Resume), states(outcome)) == ([Resume()], ["live"])
    assert play.admit(1) == Placed(contest_id(ID, 1), is_new=False)


@pytest.mark.parametrize("command", [Pause(), Resume()])
def test_r26_what_is_so_already_is_not_said_again(command: Any):
    play = Play()
    play.say(Pause() if isinstance(command, Pause) else Resume())
    outcome = play.say(command)
    assert (outcome.traced, list(outcome.messages), list(outcome.notices)) == (False, [], [])


def test_r26_a_window_may_open_paused_and_so_do_boards_that_open_meanwhile():
    window = Window(ID, Book(rules(event(), [TO_3])))
    opened = window.apply(OpenWindow("race", 1, SEED, "UTC", START, END, 30, "start_short", is_paused=True), START)
    assert [opening.is_paused for opening in sent(opened, Open)] == [True]
    assert window.apply(Admit(1), START).reply.code == "event_disabled"


@pytest.mark.parametrize("says", [Resume(), Finalize()])
def test_r26_a_window_that_ends_while_paused_closes_then_and_settles_when_told(says: Any):
    play = Play(**pool(10))
    play.admit(1)
    play.say(Pause())
    assert sent(play.say(Tick(), END), Close) == [Close(END)]
    closing(play, 1)
    assert (play.window.wake_at, state(play), play.admit(1).code) == (None, "closing", "event_disabled")
    play.say(says)
    told, last = settled(play)
    assert (told, last.finished, state(play)) == ([Settle(10)], True, "finalized")


def test_r26_a_held_window_is_held_after_a_restart_too():
    play = Play(**pool(10))
    play.say(Pause())
    play.say(Tick(), END)
    closing(play)
    play.restart()
    assert play.window.wake_at is None
    play.say(Resume())
    assert settled(play)[1].finished


def test_r26_a_window_that_had_ended_before_the_pause_settles_all_the_same():
    play = Play(**pool(10))
    play.admit(1)
    play.say(Tick(), END)
    play.say(Pause())
    closing(play, 1)
    assert settled(play)[1].finished


def test_r26_finalizing_a_paused_window_settles_it():
    play = Play(**pool(10))
    play.say(Pause())
    play.say(Finalize())
    closing(play)
    assert settled(play)[1].finished


@pytest.mark.parametrize("says", [Resume(), Finalize(), Cancel()])
def test_r26_a_held_window_without_any_board_is_final_when_told_so(says: Any):
    play = Play(**lobby(3, 1))
    play.say(Pause())
    play.say(Tick(), END)
    play.restart()
    assert (steps(play), state(play)) == ([], "closing")
    play.say(says)
    assert steps(play)[-1].finished


# -- cancel


@pytest.mark.parametrize("is_paused", [False, True])
def test_r26_a_cancelled_window_expires_what_runs_and_pays_nobody(is_paused: bool):
    play = Play(**pool(10))
    play.admit(1)
    if is_paused:
        play.say(Pause())
    outcome = play.say(Cancel())
    assert sent(outcome, Close) == [Close(play.now, is_cancelled=True)]
    assert (states(outcome), play.window.wake_at) == (["closing"], None)
    closing(play, 1)  # whatever it says
    *before, told = steps(play)
    assert sent(told, Settle) == [Settle(0, is_cancelled=True)]
    last = play.say(Paid(contest_id(ID, 1), 0, 0, {}))
    assert [list(step.effects) for step in (*before, told, last)] == [[]] * (len(before) + 2)
    assert (states(last), last.finished) == (["cancelled"], True)
    assert not any(notice.push == "window.finalized" for notice in last.notices)
    assert sent(last, WindowFinalized) == [WindowFinalized(ID, is_cancelled=True)]
    assert (state(play), play.say(GetReport()).reply) == ("cancelled", Report(1, 0, 0, {}, 0))


def test_r26_a_window_that_waits_to_settle_may_still_be_cancelled():
    play = Play(**pool(10))
    play.admit(1)
    play.say(Pause())
    play.say(Tick(), END)
    closing(play, 1)
    assert play.say(Cancel()).reply is None
    told = [command for step in steps(play) for command in sent(step, Settle)]
    assert told == [Settle(0, is_cancelled=True)]
    assert play.say(Paid(contest_id(ID, 1), 0, 0, {})).finished
    assert state(play) == "cancelled"


def test_r26_nothing_is_called_back_once_it_settles():
    play = Play(**pool(10))
    play.admit(1)
    play.say(Finalize())
    closing(play, 1)
    refused = play.say(Cancel()).reply
    assert (refused.code, refused.details) == ("conflict", {"state": "closing"})
    told, _ = settled(play)
    assert told == [Settle(10)]
    assert play.say(Cancel()).reply.details == {"state": "finalized"}


# -- extend and amend


def test_r05_a_window_may_end_later_and_its_boards_with_it():
    play = Play()
    play.say(Pause())
    assert sent(play.say(Extend(END + HOUR)), Extend) == [Extend(END + HOUR)]
    play.say(Resume())
    assert (play.window.wake_at, play.say(GetWindow()).reply.ends_at) == (END + HOUR, END + HOUR)
    assert isinstance(play.say(Admit(1), END).reply, Placed)


@pytest.mark.parametrize(
    ("ends_at", "at", "moved_to", "code"),
    [
        (END, START, END, "validation_failed"),
        (END, START, END - 1, "validation_failed"),
        (END, END + 2, END + 1, "validation_failed"),
        (None, START, END, "conflict"),
    ],
)
def test_r05_only_to_a_later_instant(ends_at: int | None, at: int, moved_to: int, code: str):
    play = Play(ends_at)
    outcome = play.say(Extend(moved_to), at)
    assert (outcome.reply.code, outcome.traced, list(outcome.messages)) == (code, False, [])


def test_r05_a_window_that_has_ended_is_not_extended():
    play = Play()
    play.say(Tick(), END)
    assert play.say(Extend(END + HOUR)).reply.code == "conflict"


def test_r05_boards_that_open_later_hear_of_an_amendment_too():
    play = Play(**lobby(3, 2))
    amend = Amend(2, [["weekly", 1]])
    assert list(play.say(amend).messages) == []
    outcome = play.say(Admit(1))
    assert [type(message.command) for message in outcome.messages[:2]] == [Open, Amend]
    assert sent(play.say(amend), Amend) == [amend]


# -- one player's own window


def own(**fields: Any) -> Play:
    play = Play(**fields)
    opening = OpenWindow("race", 1, SEED, "UTC", START, END, 30, "start_short", owner=OWNER, player=7)
    play.window = Window(ID, Book(rules(event(**fields), [TO_3])))
    play.say(opening, START)
    return play


def test_r22_a_players_own_window_lets_nobody_else_in():
    play = own()
    assert play.admit(8).code == "not_found"
    assert play.admit(7).is_new
    assert play.say(GetWindow()).reply.player == 7


def test_r22_its_owner_hears_of_the_days_starts():
    play = own(**REPLAYS)
    for _ in range(2):
        play.admit(7)
        play.say(AttemptEnded(7, True))
    play.say(Finalize())
    closing(play)
    _, last = settled(play)
    (told,) = [message for message in last.messages if isinstance(message.command, WindowFinalized)]
    assert (told.to, told.command) == (OWNER, WindowFinalized(ID, False, day_start(START, "UTC"), 2))


def test_r19_it_is_never_the_events_current_window():
    done = {"type": "completed_event_at_least_once", "eventKey": "race"}
    for within, is_open in (("current_window", True), ("lifetime", False)):
        play = own(entryRequirement={"type": "not", "condition": {**done, "within": within}}, **REPLAYS)
        play.admit(7)
        play.say(AttemptEnded(7, True))
        assert isinstance(play.admit(7), Placed) == is_open


# -- the end, step by step


def test_r27_thousands_of_boards_close_and_become_final_in_steps(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kraty_actors.domain.ending.CONTESTS_PER_STEP", 2)
    play = Play(**lobby(3, 2))
    for player in range(1, 6):
        play.admit(player)
    first = play.say(Finalize())
    later = steps(play)
    assert [len(sent(step, Close)) for step in (first, *later)] == [2, 2, 1]
    assert [[n.body.status for n in step.notices if n.push == "lobby"] for step in later] == [
        ["closed"] * 2,
        ["closed"],
    ]
    for number in range(1, 6):
        play.say(Closed(contest_id(ID, number), 0))
    assert [len(sent(step, Settle)) for step in steps(play)] == [2, 2, 1]
    final = [play.say(Paid(contest_id(ID, number), 0, 0, {})) for number in range(1, 6)]
    assert [step.finished for step in final] == [False] * 4 + [True]


def test_r30_a_member_of_no_window_has_nothing():
    view = Play(**lobby(3, 2)).say(GetMember(5)).reply
    assert (view.contest_id, view.board_id, view.lobby, view.attempts, view.league) == (None, None, None, 0, None)
