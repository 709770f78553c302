"""What a start costs: who is charged when, how often, and what a cancel gives back (R-20, R-21, R-26, R-31)."""

from __future__ import annotations

from typing import Any

import pytest
from playing import HOUR, START
from test_window_cases import ID, Play, lobby, sent

from kraty_actors.domain.contest_messages import AttemptEnded, Closed, Paid, Pause, Seat
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.outcome import Charged, Cost, Outcome, Refunded, Tick
from kraty_actors.domain.window_messages import (
    Admit,
    Cancel,
    Finalize,
    GetLobby,
    GetMember,
    Invitation,
    Leave,
    Placed,
    Presence,
    Unseat,
)

COSTS = (Cost("currency", "cash", 10), Cost("currency", "gems", 1), Cost("item", "ticket", 2))
PRICE: dict[str, Any] = {
    "currencies": [{"key": "cash", "amount": 10}, {"key": "gems", "amount": 1}],
    "items": [{"key": "ticket", "quantity": 2}],
}
REPLAYED = {"attempt": {"replayableDuringWindow": True, "maxAttempts": 3}}


def priced(per: str = "window", **fields: Any) -> Play:
    return Play(entryCost={**PRICE, "chargePer": per}, **fields)


def admit(play: Play, player: int, short: list[Any] | None = None) -> Outcome:
    return play.say(Admit(player, short=short))


def charge(player: int, at: int, nth: int = 1) -> Charged:
    return Charged(player, f"entry:{ID}" if nth == 1 else f"entry:{ID}:{nth}", COSTS, ID, at)


def test_r20_a_start_is_charged_in_the_input_that_admits():
    play = priced()
    outcome = admit(play, 1)
    assert (list(outcome.effects), sent(outcome, Seat)) == ([charge(1, play.now)], [Seat(1)])


@pytest.mark.parametrize("short", [["cash", 10, 3], ["ticket", 2, 0]])
def test_r20_who_is_short_is_refused_and_nothing_is_left(short: list[Any]):
    play = priced()
    outcome = admit(play, 1, short)
    refused = outcome.reply
    assert (refused.code, refused.message) == (
        "insufficient_entry_cost",
        f"not enough {short[0]} to enter: need {short[1]}",
    )
    assert refused.details == dict(zip(("resource", "needed", "have"), short, strict=True))
    assert (outcome.traced, list(outcome.effects), list(outcome.messages)) == (False, [], [])
    assert play.say(GetMember(1)).reply.contest_id == contest_id(ID, 1)
    assert list(admit(play, 1).effects) == [charge(1, play.now)]


def test_r18_limits_are_judged_before_the_cost_and_the_cost_before_a_lobby():
    play = priced()
    admit(play, 1)
    play.say(AttemptEnded(1, True))
    assert admit(play, 1, ["cash", 10, 0]).reply.code == "max_attempts_reached"
    play = priced(**lobby(4, 2))
    assert admit(play, 1, ["cash", 10, 0]).reply.code == "insufficient_entry_cost"
    assert play.say(GetLobby(1)).reply.code == "not_found"


def test_r16_a_running_attempt_is_returned_without_a_charge_however_poor_the_player_is():
    play = priced("attempt", **REPLAYED)
    admit(play, 1)
    again = admit(play, 1, ["cash", 10, 0])
    assert (again.reply, list(again.effects)) == (Placed(contest_id(ID, 1), is_new=False), [])


@pytest.mark.parametrize(("per", "charged"), [("window", [1, 0, 0]), ("attempt", [1, 2, 3])])
@pytest.mark.parametrize("restarts", [False, True])
def test_r21_once_a_window_or_for_each_attempt_each_under_its_own_name(per: str, charged: list[int], restarts: bool):
    play = priced(per, **REPLAYED)
    for nth in charged:
        if restarts:
            play.restart()
        assert list(admit(play, 1).effects) == ([charge(1, play.now, nth)] if nth else [])
        play.say(AttemptEnded(1, True))
    assert play.say(GetMember(1)).reply.charges == max(charged)


def test_r21_whoever_has_paid_for_the_window_replays_without_a_penny():
    play = priced(**REPLAYED)
    admit(play, 1)
    play.say(AttemptEnded(1, True))
    assert admit(play, 1, ["cash", 10, 0]).reply == Placed(contest_id(ID, 1), is_new=True)


def test_r20_a_free_event_asks_for_nothing():
    play = Play()
    assert list(admit(play, 1, ["cash", 10, 0]).effects) == []
    assert play.say(GetMember(1)).reply.charges == 0


# -- lobbies


def invited(outcome: Outcome) -> list[tuple[tuple[int, ...], Invitation]]:
    return [(tuple(n.players), n.body) for n in outcome.notices if n.push == "invitation"]


def test_r31_a_seat_in_a_lobby_that_forms_costs_nothing_and_who_fills_it_pays():
    """Whoever else is there is invited to pay; each that does has an attempt then."""
    play = priced(**lobby(5, 2))
    assert [list(admit(play, player).effects) for player in (1, 2)] == [[], []]
    outcome = admit(play, 3)
    assert list(outcome.effects) == [charge(3, play.now)]
    assert sent(outcome, Seat) == [Seat(3)]
    place = Invitation(ID, "race", contest_id(ID, 1))
    assert invited(outcome) == [((1,), place), ((2,), place)]
    for player in (1, 2):
        taken = play.say(Admit(player, announce=True))
        assert (list(taken.effects), sent(taken, Seat)) == ([charge(player, play.now)], [Seat(player, announce=True)])
        assert not invited(taken)


def test_r31_when_a_lobby_has_waited_only_who_is_there_is_invited():
    play = priced(**lobby(5, 2))
    for player in (1, 2):
        admit(play, player)
    play.say(Presence(2, here=False))
    outcome = play.say(Tick(), START + HOUR // 2)
    assert ([players for players, _ in invited(outcome)], sent(outcome, Seat)) == ([(1,)], [])
    assert list(admit(play, 2).effects) == [charge(2, play.now)]


def test_r31_who_cannot_pay_loses_the_seat_and_may_look_for_another():
    play = priced(**lobby(5, 2))
    for player in (1, 2, 3):
        admit(play, player)
    assert admit(play, 1, ["cash", 10, 0]).reply.code == "insufficient_entry_cost"
    outcome = play.say(Unseat(1, 1))
    assert outcome.traced
    assert [set(notice.players) for notice in outcome.notices if notice.push == "lobby"] == [{1, 2, 3}]
    play.restart()
    assert play.say(GetLobby(1)).reply.players == {2, 3}
    assert play.say(GetMember(1)).reply.contest_id is None
    assert admit(play, 1).reply.lobby_id == contest_id(ID, 2)


def test_r31_nobody_loses_a_seat_who_has_paid_or_sits_elsewhere_or_still_waits():
    play = priced(**lobby(5, 2))
    admit(play, 1)
    assert not play.say(Unseat(1, 1)).traced  # the lobby forms
    for player in (2, 3):
        admit(play, player)
    for player, number in ((3, 1), (1, 2), (9, 1), (2, 7)):
        assert not play.say(Unseat(player, number)).traced
    play.say(Finalize())
    assert not play.say(Unseat(1, 1)).traced
    assert play.say(GetLobby(1)).reply.players == {1, 2, 3}


# -- given back


def refunds(play: Play) -> list[list[Any]]:
    """Step by step, until the contests are told to be final."""
    made = []
    while play.window.wake_at is not None:
        step = play.say(Tick())
        made.append(list(step.effects))
        play.restart()
    return [effects for effects in made if effects]


def cancelled(play: Play, *, is_held: bool = False) -> None:
    if is_held:
        play.say(Tick(), START + HOUR)
        play.say(Closed(contest_id(ID, 1), 0))
        play.say(Cancel())
    else:
        play.say(Cancel())
        play.say(Closed(contest_id(ID, 1), 0))


@pytest.mark.parametrize("is_held", [False, True])
def test_r26_a_cancelled_window_gives_every_charge_back_once(monkeypatch: pytest.MonkeyPatch, is_held: bool):
    monkeypatch.setattr("kraty_actors.domain.ending.REFUNDS_PER_STEP", 2)
    play = priced("attempt", **REPLAYED)
    for player in (1, 2, 3, 1, 1):
        admit(play, player)
        play.say(AttemptEnded(player, True))
    if is_held:
        play.say(Pause())
    cancelled(play, is_held=is_held)
    steps = refunds(play)
    assert [[(one.player, one.charge) for one in step] for step in steps] == [
        [(1, f"entry:{ID}"), (1, f"entry:{ID}:2"), (1, f"entry:{ID}:3"), (2, f"entry:{ID}")],
        [(3, f"entry:{ID}")],
    ]
    assert all(isinstance(one, Refunded) and one.source == ID for step in steps for one in step)
    assert play.say(Paid(contest_id(ID, 1), 0, 0, {})).finished
    assert play.say(Cancel()).reply.code == "conflict"


def test_r26_who_never_paid_gets_nothing_back():
    play = priced(**lobby(5, 2))
    for player in (1, 2, 3):
        admit(play, player)
    admit(play, 4)
    play.say(Leave(4, 2))
    cancelled(play)
    assert [[one.player for one in step] for step in refunds(play)] == [[3]]


def test_r21_nothing_is_given_back_when_a_window_ends_as_it_should():
    play = priced()
    admit(play, 1)
    play.say(Finalize())
    play.say(Closed(contest_id(ID, 1), 0))
    assert refunds(play) == []
    last = play.say(Paid(contest_id(ID, 1), 0, 0, {}))
    assert (last.finished, list(last.effects)) == (True, [])
