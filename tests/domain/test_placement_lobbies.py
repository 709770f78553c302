"""Lobbies by hand (R-31): who shares one, when it starts, who moves, who leaves, and what a matchmaker may push."""

from __future__ import annotations

from typing import Any

import pytest
from playing import HOUR, START
from test_window_cases import ID, REPLAYS, Play, ended, lobby, pool, sent

from kraty_actors.domain.contest_messages import AttemptEnded, Open, Pause, Resume, Seat
from kraty_actors.domain.ids import contest_id, last_number
from kraty_actors.domain.lobby import LobbyView, Unmatched
from kraty_actors.domain.outcome import Audited, Outcome, Refusal, Tick
from kraty_actors.domain.placement.forming import trait_of
from kraty_actors.domain.window_messages import (
    Admit,
    Finalize,
    GetForming,
    GetLobby,
    Leave,
    Placed,
    Presence,
    PushLobby,
    StartLobby,
)

OPENED = START + 1000
"""When the first of these players take their seats."""


def matched(capacity: int, difference: float, widens: float = 0, **fields: Any) -> dict[str, Any]:
    """Lobbies without bots, matched by skill."""
    match_by = {"attribute": "skill", "maxDifference": difference, "widenPerSecond": widens}
    board = {"mode": "lobby_matched", "capacity": capacity, "matchBy": match_by}
    return {"leaderboard": board, **fields}


def external(capacity: int, bots: int = 0) -> dict[str, Any]:
    """Lobbies of the game's own matchmaker."""
    bound = {"botBindings": [{"botId": "climber", "count": bots}]} if bots else {}
    return {"leaderboard": {"mode": "lobby_matched", "capacity": capacity, "matchmaking": "external"}, **bound}


def seat(play: Play, player: int, skill: Any, after: int = 0) -> int | None:
    """The lobby in which the player has a seat now."""
    reply = play.say(Admit(player, trait=skill), play.now + after).reply
    return last_number(reply.lobby_id if isinstance(reply, LobbyView) else reply.contest_id)


def told(outcome: Outcome) -> list[tuple[int | None, str, set[int]]]:
    """The lobbies that were pushed: number, status, and to whom."""
    return [(last_number(n.body.lobby_id), n.body.status, set(n.players)) for n in outcome.notices if n.push == "lobby"]


# -- who shares a lobby


def test_r31_only_players_within_the_range_of_each_other_share_a_lobby():
    play = Play(**matched(4, 10))
    assert [seat(play, player, skill) for player, skill in enumerate([0, 10, 5, -1, 20, 11], 1)] == [1, 1, 1, 2, 3, 3]


def test_r31_the_range_widens_with_every_second_that_the_lobby_waits():
    for after, number in ((2499, 2), (2500, 1)):
        play = Play(strategy="wait_full", **matched(3, 10, 2))
        assert seat(play, 1, 0) == 1
        assert seat(play, 2, 15, after) == number


def test_r31_of_several_lobbies_the_one_that_waits_longest_is_filled():
    play = Play(strategy="wait_full", **matched(5, 10))
    assert [seat(play, player, skill) for player, skill in enumerate([20, 8, 10, 14], 1)] == [1, 2, 1, 1]


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3.0), (2.5, 2.5), (None, 0.0), ("7", 0.0), (True, 0.0), (float("nan"), 0.0), (10**400, 2.0**53 - 1)],
)
def test_r31_what_is_no_number_is_matched_as_zero(value: Any, number: float):
    assert trait_of(value) == number


# -- when a wait ends


def test_r31_every_lobby_has_its_own_clock():
    play = Play(**matched(3, 10))
    seat(play, 1, 0)
    seat(play, 2, 0, 1000)
    seat(play, 3, 50, 4000)
    seat(play, 4, 50, 1000)
    first, second = OPENED + 30_000, OPENED + 35_000
    assert play.window.wake_at == first
    assert told(play.say(Tick(), first)) == [(1, "active", {1, 2})]
    assert play.window.wake_at == second
    assert told(play.say(Tick(), second)) == [(2, "active", {3, 4})]


def test_r31_a_player_who_is_found_alone_moves_to_a_lobby_in_range_and_waits_there():
    play = Play(**matched(3, 10, 1))
    seat(play, 1, 0)
    seat(play, 2, 25, 10_000)
    outcome = play.say(Tick(), OPENED + 30_000)
    assert sorted(told(outcome)) == [(1, "closed", {1}), (2, "forming", {1, 2})]
    assert (list(outcome.messages), play.window.wake_at) == ([], OPENED + 40_000)
    assert play.say(GetLobby(1)).reply.code == "not_found"
    assert sent(play.say(Tick(), OPENED + 40_000), Seat) == [Seat(2, True), Seat(1, True)]


def test_r31_if_the_one_who_moves_fills_the_lobby_it_starts():
    play = Play(**matched(2, 10, 1))
    seat(play, 1, 0)
    seat(play, 2, 25, 10_000)
    outcome = play.say(Tick(), OPENED + 30_000)
    assert sorted(told(outcome)) == [(1, "closed", {1}), (2, "active", {1, 2})]
    assert [last_number(message.to) for message in outcome.messages] == [2, 2, 2]


def test_r31_the_range_of_who_moves_has_widened_since_their_own_first_second():
    for skill, moves in ((40, True), (41, False)):  # 10 + 1 a second for 30 seconds, of which the other waited 20
        play = Play(**matched(3, 10, 1))
        seat(play, 1, 0)
        seat(play, 2, skill, 10_000)
        assert (sent(play.say(Tick(), OPENED + 30_000), Seat) == []) == moves


def test_r31_who_is_alone_and_has_nowhere_to_go_starts_alone():
    play = Play(**matched(3, 10))
    seat(play, 1, 0)
    seat(play, 2, 100, 10_000)
    outcome = play.say(Tick(), OPENED + 30_000)
    assert sent(outcome, Seat) == [Seat(1, True)]
    assert told(outcome) == [(1, "active", {1})]


def test_r31_two_are_not_alone_and_stay():
    play = Play(**matched(4, 10, 1))
    seat(play, 1, 0)
    seat(play, 2, 0)
    seat(play, 3, 25, 10_000)
    assert sent(play.say(Tick(), OPENED + 30_000), Seat) == [Seat(1, True), Seat(2, True)]


def test_r31_one_who_is_away_keeps_the_seat_when_moved():
    play = Play(**matched(3, 10, 1))
    seat(play, 1, 0)
    seat(play, 2, 25, 10_000)
    play.say(Presence(1, False), play.now)
    play.say(Tick(), OPENED + 30_000)
    assert sent(play.say(Tick(), OPENED + 40_000), Seat) == [Seat(2, True)]
    assert play.say(Admit(1)).reply == Placed(contest_id(ID, 2), is_new=True)


def test_r31_of_two_whose_waits_end_at_once_the_first_moves_to_the_second_and_fills_it():
    play = Play(**matched(2, 10, 1))
    seat(play, 1, 0)
    seat(play, 2, 25)
    outcome = play.say(Tick(), OPENED + 30_000)
    assert sorted(told(outcome)) == [(1, "closed", {1}), (2, "active", {1, 2})]
    assert sent(outcome, Seat) == [Seat(2, True), Seat(1, True)]


# -- leaving


def test_r31_a_seat_that_is_left_is_free_again():
    play = Play(**lobby(5, 2))
    seat(play, 1, None)
    seat(play, 2, None)
    outcome = play.say(Leave(1, 1))
    assert (told(outcome), outcome.reply.participant_count) == ([(1, "forming", {1, 2})], 1)
    assert play.say(GetForming()).reply == [2]
    assert [seat(play, player, None) for player in (3, 4)] == [1, 1]
    assert play.say(GetLobby(1)).reply.players == {2, 3, 4}


def test_r31_a_lobby_that_all_have_left_is_closed_and_its_number_is_never_given_again():
    play = Play(**lobby(5, 2))
    seat(play, 1, None)
    outcome = play.say(Leave(1, 1))
    assert (told(outcome), outcome.reply.status) == ([(1, "closed", {1})], "closed")
    assert play.window.wake_at == START + HOUR
    assert play.say(GetLobby(1)).reply.code == "not_found"
    play.restart()
    assert seat(play, 1, None) == 2


def test_r31_only_a_lobby_that_forms_is_left_and_only_by_those_in_it():
    play = Play(**lobby(3, 2))
    seat(play, 1, None)
    refused = play.say(Leave(1, 1)).reply
    assert (refused.code, refused.details) == ("conflict", {"state": "active"})
    for player, number in ((2, 1), (1, 2), (1, 0)):
        assert play.say(Leave(player, number)).reply.code == "not_found"
    play = Play(**lobby(5, 2))
    seat(play, 1, None)
    play.say(Finalize())
    assert play.say(Leave(1, 1)).reply.details == {"state": "closed"}


# -- operators


@pytest.mark.parametrize(("strategy", "bots"), [("start_short", 2), ("fill_with_bots", 4), ("wait_full", 2)])
def test_r31_an_operator_starts_a_lobby_whatever_it_waits_for(strategy: str, bots: int):
    play = Play(strategy=strategy, **lobby(5, 2))
    seat(play, 1, None)
    outcome = play.say(StartLobby(1, "operator"))
    assert [opening.bot_seats for opening in sent(outcome, Open)] == [bots]
    assert (sent(outcome, Seat), outcome.reply.status) == ([Seat(1, True)], "active")
    assert outcome.effects == [Audited("operator", "lobbies.start", contest_id(ID, 1), "forming", "active", play.now)]
    assert play.say(StartLobby(1)).reply.details == {"state": "active"}
    assert play.say(StartLobby(2)).reply.code == "not_found"


# -- pauses


def test_r26_a_wait_that_ends_while_the_event_is_paused_ends_when_it_is_resumed():
    play = Play(**lobby(5, 2))
    seat(play, 1, None)
    play.say(Pause())
    assert play.window.wake_at == START + HOUR
    refused = play.say(StartLobby(1)).reply
    assert (refused.code, refused.details) == ("conflict", {"state": "paused"})
    play.say(Resume(), START + 60_000)
    assert (play.window.wake_at or 0) < play.now
    assert sent(play.say(Tick()), Seat) == [Seat(1, True)]


# -- a matchmaker of the game's own


def push(play: Play, *players: int, key: str = "a", capacity: int | None = None) -> Any:
    return play.say(PushLobby(key, list(players), capacity, {"map": "alps"})).reply


def test_r31_a_pushed_lobby_is_active_at_once_and_nobody_starts_by_it():
    play = Play(**external(5, 3))
    outcome = play.say(PushLobby("a", [1, 2, 3], None, {"map": "alps"}, "server"))
    assert outcome.effects == [Audited("server", "lobbies.push", contest_id(ID, 1), None, "active", play.now)]
    (opening,) = sent(outcome, Open)
    assert (opening.bot_seats, opening.starts_at, sent(outcome, Seat)) == (2, play.now, [])
    assert told(outcome) == [(1, "active", {1, 2, 3})]
    view = outcome.reply
    assert (view.key, view.metadata, view.capacity, view.bot_slots) == ("a", {"map": "alps"}, 5, 2)
    assert play.say(Admit(2)).reply == Placed(contest_id(ID, 1), is_new=True)


def test_r31_who_is_in_no_pushed_lobby_waits_for_one():
    play = Play(**external(4))
    outcome = play.say(Admit(1))
    assert (outcome.reply, outcome.traced) == (Unmatched("race", ID), False)
    push(play, 1, 2)
    assert play.say(Admit(1)).reply == Placed(contest_id(ID, 1), is_new=True)


def test_r18_gates_are_judged_before_the_lobby():
    play = Play(unlockCondition={"type": "completed_event_at_least_once", "eventKey": "other"}, **external(4))
    assert play.say(Admit(1)).reply.code == "unlock_condition_failed"
    push(play, 1, 2)
    assert play.say(Admit(1)).reply.code == "unlock_condition_failed"


def test_r31_a_push_is_idempotent_on_its_key():
    play = Play(**external(4))
    first = push(play, 1, 2)
    again = play.say(PushLobby("a", [2, 1], 4, {"map": "desert"}))
    assert (again.reply, again.traced, list(again.messages), list(again.effects)) == (first, False, [], [])
    assert not again.notices
    assert push(play, 1, 2, capacity=3).code == "idempotency_conflict"
    assert push(play, 1, 3).code == "idempotency_conflict"


@pytest.mark.parametrize(
    ("players", "capacity", "named"),
    [([1, 2, 3], 2, [3]), ([1, 8, 9], None, [8, 9]), ([1, 2, 1, 1], None, [1, 1]), ([7], None, [7])],
)
def test_r31_who_is_too_many_or_has_a_place_already_is_named(
    players: list[int], capacity: int | None, named: list[int]
):
    play = Play(**lobby(4, 1))
    push(play, 8, 9, key="b")
    seat(play, 7, None)
    outcome = play.say(PushLobby("a", players, capacity, {}))
    assert isinstance(outcome.reply, Refusal)
    assert (outcome.reply.code, outcome.traced) == ("validation_failed", False)
    assert outcome.reply.details == {"path": "playerIds", "players": named}
    assert push(play, 1, 2).status == "active"


def test_r31_an_event_of_another_mode_has_no_lobbies():
    play = Play()
    assert push(play, 1).code == "conflict"
    for command in (Leave(1, 1), StartLobby(1), GetLobby(1)):
        assert play.say(command).reply.code == "not_found"
    assert play.say(GetForming()).reply == []


def test_r31_nothing_is_pushed_into_a_window_that_has_ended():
    play = Play(**external(4))
    play.say(Finalize())
    assert push(play, 1).code == "no_active_window"


def test_r31_replays_go_to_the_same_lobby_and_prizes_by_board_to_each():
    play = Play(**external(4), **REPLAYS, **pool(10, scope="board"))
    push(play, 1, 2)
    push(play, 3, key="b")
    for _ in range(2):
        assert play.say(Admit(2)).reply == Placed(contest_id(ID, 1), is_new=True)
        play.say(AttemptEnded(2, True))
    assert ended(play, 1, 1) == [10, 10]
