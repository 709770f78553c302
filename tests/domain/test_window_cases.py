"""Windows by hand: the cases that the rules name (R-16 to R-19, R-31, R-43)."""

from __future__ import annotations

from typing import Any

import pytest
from playing import HOUR, SEED, START, STREAK, Book, event, frozen, rules, thawed

from kraty_actors.domain.conditions import CompletionWanted, Facts
from kraty_actors.domain.contest_messages import AttemptEnded, Close, Closed, Open, Paid, Seat, Settle
from kraty_actors.domain.ids import contest_id, window_id
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Outcome, Refusal, Tick
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import (
    Admit,
    Finalize,
    GetReport,
    OpenWindow,
    Placed,
    Presence,
    Report,
    WindowFinalized,
)

ID = window_id("race", START)
TO_3 = {"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 3}}}
NOT_TWICE = {
    "type": "not",
    "condition": {"type": "completed_event_at_least_once", "eventKey": "race", "within": "current_window"},
}
WAITS_FOR_OTHER = {"type": "completed_event_at_least_once", "eventKey": "other"}
REPLAYS = {"attempt": {"replayableDuringWindow": True}}


class Play:
    """An open window; commands come a second apart."""

    def __init__(
        self, ends_at: int | None = START + HOUR, zone: str = "UTC", strategy: Any = "start_short", **fields: Any
    ) -> None:
        self._book = Book(rules(event(**fields), [TO_3]))
        self.window = Window(ID, self._book)
        self.now = START
        self.opened = self.say(OpenWindow("race", 1, SEED, zone, START, ends_at, 30, strategy))

    def restart(self) -> None:
        """A checkpoint, read back."""
        self.window = thawed(Window(ID, self._book), frozen(self.window))

    def say(self, command: Any, at: int | None = None) -> Outcome:
        self.now = self.now + 1000 if at is None else at
        return self.window.apply(command, self.now)

    def admit(self, player: int, *completed: CompletionWanted, elsewhere: int = 0) -> Any:
        facts = Facts(completed=frozenset(completed))
        return self.say(Admit(player, facts.record(), elsewhere)).reply


def lobby(capacity: int, bots: int) -> dict[str, Any]:
    return {
        "leaderboard": {"mode": "lobby_matched", "capacity": capacity},
        "botBindings": [{"botId": "climber", "count": bots}],
        "metrics": STREAK,
    }


def pool(amount: int, **parameters: Any) -> dict[str, Any]:
    return {
        "rewardPolicy": {
            "type": "shared_pool",
            "parameters": {"pool": amount, "currencyKey": "cash", **parameters},
        }
    }


def sent(outcome: Outcome, kind: type) -> list[Any]:
    return [message.command for message in outcome.messages if isinstance(message.command, kind)]


def test_r18_the_end_is_the_first_instant_that_is_too_late():
    for at, is_open in ((START + HOUR - 1, True), (START + HOUR, False)):
        reply = Play().say(Admit(1), at).reply
        assert isinstance(reply, Placed) == is_open
        assert is_open or reply.code == "no_active_window"


def test_r16_a_running_attempt_is_returned_and_no_gate_is_judged_again():
    play = Play(entryRequirement=NOT_TWICE)
    assert play.admit(1) == Placed(contest_id(ID, 1), is_new=True)
    again = play.say(Admit(1, Facts(frozenset({CompletionWanted("race", True)})).record()))
    assert (again.reply, again.traced, list(again.messages)) == (Placed(contest_id(ID, 1), is_new=False), False, [])


def test_r18_unlocking_is_judged_before_entry_and_entry_before_limits():
    play = Play(unlockCondition=WAITS_FOR_OTHER, entryRequirement=NOT_TWICE)
    other = CompletionWanted("other", False)
    play.admit(1, other)
    play.say(AttemptEnded(1, True))
    assert play.admit(1).code == "unlock_condition_failed"
    refused = play.admit(1, other)
    assert (refused.code, refused.details) == ("entry_requirement_failed", {"condition": NOT_TWICE})
    play.admit(2, other)
    play.say(AttemptEnded(2, False))
    assert play.admit(2, other).code == "max_attempts_reached"


def test_r17_one_attempt_a_window_unless_it_is_replayable():
    play = Play()
    play.admit(1)
    play.say(AttemptEnded(1, False))
    refused = play.admit(1)
    assert (refused.code, refused.details) == ("max_attempts_reached", {"limit": 1, "resetsAt": None})
    play = Play(attempt={"replayableDuringWindow": True, "maxAttempts": 2})
    for _ in range(2):
        assert play.admit(1).is_new
        play.say(AttemptEnded(1, True))
    assert play.admit(1).details == {"limit": 2, "resetsAt": None}


def test_r17_a_days_starts_are_counted_in_the_events_zone_and_over_all_windows():
    midnight = 1_800_075_600_000  # in New York: 2027-01-16T05:00Z
    daily = {"attempt": {"replayableDuringWindow": True, "maxDailyAttempts": 2}}
    play = Play(None, "America/New_York", **daily)
    for at in (midnight - 3000, midnight - 2000):
        assert play.say(Admit(1), at).reply.is_new
        play.say(AttemptEnded(1, False), at)
    refused = play.say(Admit(1), midnight - 1).reply
    assert (refused.code, refused.details) == ("max_daily_attempts_reached", {"limit": 2, "resetsAt": midnight})
    assert play.say(Admit(1, started_elsewhere=2), midnight).reply.code == "max_daily_attempts_reached"
    assert play.say(Admit(1, started_elsewhere=1), midnight).reply.is_new
    play.say(AttemptEnded(1, False), midnight)
    assert play.say(Admit(1), midnight).reply.is_new


def test_r31_49_bots_of_50_leave_one_seat_so_the_start_answers_with_the_attempt():
    play = Play(**lobby(50, 49))
    for number in (1, 2):
        outcome = play.say(Admit(number))
        assert outcome.reply == Placed(contest_id(ID, number), is_new=True)
        assert [type(message.command) for message in outcome.messages] == [Open, Seat]
        assert {message.to for message in outcome.messages} == {contest_id(ID, number)}


def test_r31_the_start_that_fills_the_last_seat_starts_those_who_are_there():
    play = Play(**lobby(5, 2))
    forming = [play.admit(player) for player in (1, 2)]
    assert [(view.status, view.participant_count) for view in forming] == [("forming", 1), ("forming", 2)]
    play.say(Presence(1, False))
    outcome = play.say(Admit(3))
    assert outcome.reply == Placed(contest_id(ID, 1), is_new=True)
    assert sent(outcome, Seat) == [Seat(2, announce=True), Seat(3, announce=False)]
    notice, started = outcome.notices
    assert isinstance(notice.body, LobbyView)
    assert (notice.push, notice.body.status, set(notice.players)) == ("lobby", "active", {1, 2, 3})
    assert (started.push, started.players, started.body) == ("lobby.started", (), notice.body)
    assert sent(play.say(Admit(1)), Seat) == [Seat(1, announce=False)]


@pytest.mark.parametrize(
    ("strategy", "starts", "bots"), [("start_short", True, 2), ("fill_with_bots", True, 4), ("wait_full", False, 0)]
)
def test_r31_when_a_lobby_has_waited_long_enough(strategy: str, starts: bool, bots: int):
    play = Play(strategy=strategy, **lobby(5, 2))
    play.admit(1)
    fill_by = play.now + 30_000
    assert play.window.wake_at == (fill_by if starts else START + HOUR)
    assert list(play.say(Tick(), fill_by - 1).messages) == []
    if starts:
        outcome = play.say(Tick(), fill_by)
        assert [opening.bot_seats for opening in sent(outcome, Open)] == [bots]
        assert sent(outcome, Seat) == [Seat(1, announce=True)]


def test_r31_everyone_is_away_after_a_restart_and_keeps_the_seat():
    play = Play(**lobby(5, 2))
    for player in (1, 2):
        play.admit(player)
    assert play.say(Presence(0, False)).traced
    assert not play.say(Presence(0, False)).traced
    assert play.admit(2).status == "forming"
    outcome = play.say(Tick(), START + HOUR // 2)
    assert sent(outcome, Seat) == [Seat(2, announce=True)]
    assert play.admit(1) == Placed(contest_id(ID, 1), is_new=True)


def test_r31_a_lobby_that_forms_when_the_window_ends_is_closed_without_a_board():
    play = Play(strategy="wait_full", **lobby(5, 2))
    play.admit(1)
    outcome = play.say(Tick(), START + HOUR)
    assert [message.command for message in outcome.messages] == [WindowFinalized(ID)]
    assert [notice.body.status for notice in outcome.notices if notice.push == "lobby"] == ["closed"]
    assert outcome.finished


def test_r24_a_window_that_nobody_entered_closes_and_is_final():
    play = Play(**pool(10))
    assert sent(play.say(Tick(), START + 2 * HOUR), Close) == [Close(START + HOUR)]  # its own end, however late
    assert settled(play, 0) == [0]
    assert play.say(GetReport()).reply == Report(0, 0, 0, {}, 10)


def settled(play: Play, *winners: int) -> list[int]:
    """Every contest has so many winners, and pays them what the window says: that, for each contest."""
    for number, won in enumerate(winners, 1):
        play.say(Closed(contest_id(ID, number), won))
    told: dict[str, int] = {}
    while play.window.wake_at is not None:
        outcome = play.say(Tick())
        assert not outcome.effects
        assert all(message.command == Settle(message.command.share) for message in outcome.messages)
        told |= {message.to: message.command.share for message in outcome.messages}
    for number, won in enumerate(winners, 1):
        share = told[contest_id(ID, number)]
        paid = {"cash": share * won} if share * won else {}
        last = play.say(Paid(contest_id(ID, number), won if paid else 0, won if paid else 0, paid))
        assert last.finished == (number == len(winners))
    return [told[contest_id(ID, number)] for number in range(1, len(winners) + 1)]


def ended(play: Play, *winners: int) -> list[int]:
    play.say(Finalize())
    return settled(play, *winners)


@pytest.mark.parametrize(
    ("amount", "players", "winners", "share", "report"),
    [
        (10_000, 4, 3, 3333, Report(4, 3, 3, {"cash": 9999}, 1)),
        (2, 3, 3, 0, Report(3, 0, 0, {}, 2)),
        (10, 2, 0, 0, Report(2, 0, 0, {}, 10)),
    ],
)
def test_r43_the_pool_is_shared_evenly_and_what_is_left_is_reported(
    amount: int, players: int, winners: int, share: int, report: Report
):
    """A share below 1 pays nothing, and neither does a window that nobody has won."""
    play = Play(**pool(amount))
    for player in range(1, players + 1):
        play.admit(player)
    assert ended(play, winners) == [share]
    assert play.say(GetReport()).reply == report


@pytest.mark.parametrize(("scope", "shares", "left"), [("window", [3, 3], 1), ("board", [5, 10], 0)])
def test_r43_one_pool_for_the_window_or_one_for_each_board(scope: str, shares: list[int], left: int):
    play = Play(**lobby(4, 2), **pool(10, scope=scope))
    for player in (1, 2, 3, 4):
        play.admit(player)
    assert ended(play, 2, 1) == shares
    assert play.say(GetReport()).reply.remainder == left


def test_r43_nobody_is_paid_before_the_last_board_has_closed():
    play = Play(**lobby(4, 2), **pool(10))
    for player in (1, 2, 3, 4):
        play.admit(player)
    play.say(Finalize())
    play.say(Closed(contest_id(ID, 1), 1))
    play.restart()
    assert play.window.wake_at is None
    assert settled(play, 1, 4) == [2, 2]


def test_r42_an_event_without_a_policy_pays_nothing():
    play = Play()
    play.admit(1)
    assert ended(play, 0) == [0]
    assert play.say(GetReport()).reply == Report(1, 0, 0, {}, 0)


def test_members_are_told_when_the_window_closes_and_when_it_is_final():
    play = Play()
    for player in (1, 2):
        play.admit(player)
    told = [n for n in play.say(Finalize()).notices if n.push == "event.state"]
    play.say(Closed(contest_id(ID, 1), 0))
    told += [n for n in play.say(Tick()).notices if n.push == "event.state"]
    assert len(told) == 1
    told += [n for n in play.say(Paid(contest_id(ID, 1), 0, 0, {})).notices if n.push == "event.state"]
    assert [notice.body["state"] for notice in told] == ["closing", "finalized"]
    assert all(1 in notice.players and 2 in notice.players and 3 not in notice.players for notice in told)


def test_r14_nothing_starts_while_a_window_closes():
    play = Play(None, **REPLAYS)
    play.admit(1)
    play.say(Finalize())
    refused = play.admit(2)
    assert isinstance(refused, Refusal)
    assert refused.code == "no_active_window"
