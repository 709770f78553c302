"""Attempts that operators take out of boards and their prizes (R-28, R-29, R-51)."""

from __future__ import annotations

import pytest
from board_play import BOARD, Play, board, paid, said
from playing import HOUR, START, Book, event, rules
from test_bans import BAN, REPLAYS, UNBAN, scored
from test_payouts import pool, tiers

from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import (
    Amend,
    AttemptEnded,
    Closed,
    Finish,
    ForceComplete,
    Open,
    Seat,
    Void,
    Write,
)
from kraty_actors.domain.ids import board_id
from kraty_actors.domain.outcome import Audited, Tick
from kraty_actors.domain.shared_board_messages import Contribute, Retract

VOID = Void(0, "cheats", "ops")


def test_r51_a_voided_attempt_is_expired_and_off_the_board_and_its_player_may_start_again():
    play = scored(9, 5)
    outcome = play.apply(VOID)
    assert (outcome.reply.status, outcome.reply.score, outcome.reply.completed_at) == ("expired", 9, None)
    assert [message.command for message in outcome.messages] == [AttemptEnded(1, False, False)]
    assert list(outcome.effects) == [Audited("ops", "attempts.void", f"{BOARD}.0", "in_progress", "cheats", play.now)]
    assert [(notice.push, notice.players) for notice in outcome.notices] == [
        ("attempt.ended", (1,)),
        ("attempt.voided", ()),
    ]
    play.restart()
    assert play.rows() == [(2, 5)]
    again = play.apply(VOID)
    assert (again.reply.status, again.traced) == ("expired", False)
    assert play.apply(ForceComplete(0, 1, "ops")).reply.code == "conflict"
    assert play.write(0, {"points": 1}).code == "attempt_finished"
    assert play.apply(Void(7, "cheats", "ops")).reply.code == "not_found"


def test_r51_the_window_hears_nothing_of_an_attempt_that_had_ended():
    play = scored(9)
    play.apply(Finish(0, 1))
    outcome = play.apply(VOID)
    assert (list(outcome.messages), outcome.reply.status) == ([], "expired")


@pytest.mark.parametrize(
    ("aggregation", "sort", "rows"),
    [
        ("best", "desc", [(2, 7), (1, 4)]),
        ("sum", "desc", [(2, 7), (1, 6)]),
        ("latest", "desc", [(2, 7), (1, 2)]),
        ("best", "asc", [(1, 2), (2, 7)]),
        ("sum", "asc", [(1, 6), (2, 7)]),
        ("latest", "asc", [(1, 2), (2, 7)]),
    ],
)
@pytest.mark.parametrize("restarts", [False, True])
def test_r29_a_player_stands_by_what_is_left_of_their_attempts(
    aggregation: str, sort: str, rows: list[tuple[int, float]], restarts: bool
):
    play = Play(**REPLAYS, **board(scoreAggregation=aggregation, sort=sort))
    for serial, (player, score) in enumerate([(1, 4), (1, 2), (1, 1 if sort == "asc" else 9), (2, 7)]):
        play.seat(player)
        play.write(serial, {"points": score})
        play.apply(Finish(serial, player))
    if restarts:
        play.restart()
    play.apply(Void(2, "cheats", "ops"))
    assert play.rows() == rows


@pytest.mark.parametrize(
    ("aggregation", "first", "rows"),
    [
        ("best", 3, [(1, 4), (2, 4)]),
        ("latest", 3, [(1, 4), (2, 4)]),
        ("sum", 0, [(1, 4), (2, 4)]),
        ("sum", 1, [(2, 4), (1, 4)]),
    ],
)
def test_r28_a_score_that_stays_keeps_its_place_and_one_that_changes_is_come_to_then(
    aggregation: str, first: int, rows: list[tuple[int, int]]
):
    play = Play(**REPLAYS, **board(scoreAggregation=aggregation))
    for serial, (player, score) in enumerate([(1, first), (1, 4), (2, 4)]):
        play.seat(player)
        play.write(serial, {"points": score})
        play.apply(Finish(serial, player))
    play.apply(VOID)
    assert play.rows() == rows


def test_r28_the_best_that_is_left_was_come_to_when_it_was_first_come_to():
    play = Play(**REPLAYS)
    for serial, (player, score) in enumerate([(1, 4), (1, 9), (2, 4)]):
        play.seat(player)
        play.write(serial, {"points": score})
        play.apply(Finish(serial, player))
    play.apply(Void(1, "cheats", "ops"))
    assert play.rows() == [(1, 4), (2, 4)]


def test_r28_who_has_only_started_what_is_left_stands_at_0():
    play = scored(9)
    play.apply(Finish(0, 1))
    play.seat(1)
    play.apply(VOID)
    play.restart()
    assert play.rows() == [(1, 0)]
    play.write(1, {"points": 2})
    assert play.rows() == [(1, 2)]


def test_r28_the_first_score_of_what_is_left_counts_though_it_is_below_0():
    play = Play(**REPLAYS, metrics=[{"key": "points", "scorePerUnit": -1}])
    play.seat(1)
    play.write(0, {"points": 1})
    play.apply(Finish(0, 1))
    play.seat(1)
    play.apply(VOID)
    play.restart()
    assert play.rows() == [(1, 0)]
    play.write(1, {"points": 3})
    assert play.rows() == [(1, -3)]


def test_r29_a_sum_is_kept_exactly_over_a_restart():
    play = Play(**REPLAYS, **board(scoreAggregation="sum"))
    for serial, points in enumerate((0.1, 2**53 - 1)):
        play.seat(1)
        play.write(serial, {"points": points})
        if serial == 0:
            play.apply(Finish(serial, 1))
    play.restart()
    play.write(1, {"points": 0}, "set")
    assert play.rows() == [(1, 0.1)]


def test_r51_of_a_banned_player_too():
    play = scored(9, 5)
    play.apply(Finish(0, 1))
    play.seat(1)
    play.write(2, {"points": 6})
    play.apply(BAN)
    play.apply(VOID)
    assert play.rows() == [(2, 5)]
    play.apply(UNBAN)
    assert play.rows() == [(1, 6), (2, 5)]


@pytest.mark.parametrize("is_closed", [False, True])
def test_r51_nothing_is_paid_for_a_voided_attempt(is_closed: bool):
    play = scored(9, 5, **pool())
    if is_closed:
        play.close()
    play.apply(VOID)
    steps = play.steps(Tick()) if is_closed else play.close()
    assert said(steps, Closed) == [Closed(BOARD, 1)]
    assert paid(play.settle(100)) == [(2, 100)]
    play = scored(9, 5, **tiers((1, None, 3)))
    play.seat(3)
    play.apply(VOID)
    play.apply(Seat(1))
    play.close()
    assert paid(play.settle()) == [(2, 3)]


# -- shared boards


def contributing(*boards: str) -> Contest:
    contest = Contest(BOARD, Book(rules(event(**REPLAYS))))
    contest.apply(Open("race", 1, 7, START, None, boards=[[board, 1] for board in boards]), START)
    contest.apply(Seat(1), START)
    return contest


def write_at(contest: Contest, points: int, at: int) -> None:
    contest.apply(Write(0, {"points": points}, "increment", None, 1), at)


def test_r51_every_period_that_heard_of_it_hears_that_it_is_gone_after_what_was_gathered():
    contest = contributing("sum desc daily", "best desc never", "best asc never")
    write_at(contest, 1, START)
    contest.gathered(START)
    contest.apply(Amend(1, [["sum desc daily", 1]]), START)
    write_at(contest, 1, START + 48 * HOUR)
    told = contest.apply(VOID, START + 48 * HOUR).messages
    midnight = START - START % (24 * HOUR)
    today = board_id("sum desc daily", midnight + 48 * HOUR)
    gone = Retract(BOARD, 0, 1)
    assert [(m.to, type(m.command)) for m in told[:1]] == [(today, Contribute)]
    assert [(m.to, m.command) for m in told[1:4]] == [
        (board_id("sum desc daily", START), gone),
        (today, gone),
        (board_id("best desc never", START), gone),
    ]
    assert told[4:] == [m for m in told if isinstance(m.command, AttemptEnded)]


def test_r51_periods_of_before_the_attempt_began_hear_nothing():
    contest = contributing("sum desc daily")
    write_at(contest, 1, START)
    contest.gathered(START)
    later = START + 48 * HOUR
    contest.apply(Finish(0, 1), later)
    contest.apply(Seat(1), later)
    contest.apply(Write(1, {"points": 1}, "increment", None, 1), later)
    contest.gathered(later)
    told = contest.apply(Void(1, "cheats", "ops"), later).messages
    assert [m.to for m in told if isinstance(m.command, Retract)] == [
        board_id("sum desc daily", later - later % (24 * HOUR))
    ]
