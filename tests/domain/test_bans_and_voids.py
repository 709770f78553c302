"""Players and attempts that operators take out of a board and its prizes (R-28, R-43, R-51)."""

from __future__ import annotations

from typing import Any

import pytest
from board_play import BOARD, Play, board, paid, said
from playing import HOUR, START, Book, event, rules
from test_payouts import pool, tiers
from test_window_cases import ID, lobby, sent
from test_window_cases import Play as WindowPlay

from kraty_actors.domain import conclusion
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import (
    Amend,
    AttemptEnded,
    Close,
    Closed,
    Finish,
    ForceComplete,
    GetAttempt,
    Open,
    Paid,
    Pause,
    Resume,
    Seat,
    SetBan,
    Settle,
    Void,
    Write,
)
from kraty_actors.domain.ids import board_id, contest_id
from kraty_actors.domain.outcome import Audited, Tick
from kraty_actors.domain.shared_board_messages import Contribute, Retract
from kraty_actors.domain.window_messages import Admit, Finalize, GetForming, GetMember, GetReport

REPLAYS = {"attempt": {"replayableDuringWindow": True}}
BAN, UNBAN = SetBan(1, is_banned=True), SetBan(1, is_banned=False)
VOID = Void(0, "cheats", "ops")


def scored(*scores: float, **fields: Any) -> Play:
    play = Play(**REPLAYS, **fields)
    play.seat(*range(1, len(scores) + 1))
    for serial, score in enumerate(scores):
        play.write(serial, {"points": score})
    return play


# -- a ban


@pytest.mark.parametrize("restarts", [False, True])
def test_r51_a_banned_players_row_leaves_the_board_and_comes_back_where_it_stood(restarts: bool):
    play = scored(5, 5, 9)
    assert play.apply(BAN).moved
    if restarts:
        play.restart()
    assert play.rows() == [(3, 9), (2, 5)]
    assert play.board.apply(GetAttempt(1), play.now).reply.rank is None
    assert play.apply(UNBAN).moved
    assert play.rows() == [(3, 9), (1, 5), (2, 5)]
    assert not play.apply(UNBAN).moved


def test_r51_a_banned_player_writes_nothing_but_is_answered_what_was_applied_before():
    play = scored(1)
    play.write(0, {"points": 4}, seq=1)
    play.apply(BAN)
    assert play.write(0, {"points": 4}, seq=1).repeated
    refused = play.apply(Write(0, {"points": 1}, "increment", 2, 1))
    assert (refused.reply.code, refused.traced) == ("player_banned", False)
    play.apply(UNBAN)
    assert play.write(0, {"points": 1}, seq=2).score == 6


def test_r51_what_becomes_of_a_banned_players_attempt_shows_when_they_are_back():
    play = scored(3, 1, **board(sort="asc"))
    play.apply(BAN)
    play.apply(Finish(0, 1))
    play.apply(Finish(1, 2))
    assert play.rows() == [(2, 1)]
    play.apply(UNBAN)
    assert play.rows() == [(2, 1), (1, 3)]


@pytest.mark.parametrize("when", ["open", "ending", "judging", "waiting"])
@pytest.mark.parametrize("lifted", [False, True])
def test_r43_a_banned_player_never_wins_whenever_they_are_banned(
    when: str, lifted: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(conclusion, "ATTEMPTS_PER_STEP", 2)
    play = scored(5, 6, 7, **pool())
    if when in ("ending", "judging"):
        play.apply(Close(play.now))
        while play.board.conclusion is not None and play.board.conclusion.stage != when:
            play.apply(Tick())
    elif when == "waiting":
        assert said(play.close(), Closed) == [Closed(BOARD, 3)]
    play.apply(BAN)
    if lifted:
        play.apply(UNBAN)
    steps = play.close() if when == "open" else play.steps(Tick())
    assert said(steps, Closed)[-1:] == [Closed(BOARD, 3 if lifted else 2)]
    assert paid(play.settle(50)) == [(player, 50) for player in ([1, 2, 3] if lifted else [2, 3])]


def test_r43_who_moves_up_because_another_is_banned_wins_instead():
    play = scored(9, 5, 1, **pool({"type": "rank_at_most", "rank": 2}))
    play.close()
    play.apply(BAN)
    assert said(play.steps(Tick()), Closed) == [Closed(BOARD, 2)]
    assert paid(play.settle(50)) == [(2, 50), (3, 50)]


def test_r43_a_share_that_is_on_its_way_is_never_paid_more_often_than_it_was_counted():
    """The window has said how much while the board judges anew: of those who win now, no more than it knew of."""
    play = scored(9, 5, **pool())
    play.apply(BAN)
    assert said(play.close(), Closed) == [Closed(BOARD, 1)]
    play.apply(UNBAN)
    assert paid(play.settle(100)) == [(1, 100)]


def test_r42_a_banned_player_has_no_rank_to_be_paid_for():
    play = scored(9, 5, **tiers((1, 1, 9), (2, 2, 4)))
    play.close()
    play.apply(BAN)
    assert paid(play.settle()) == [(2, 9)]


def test_r51_once_a_board_pays_its_standings_are_final(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conclusion, "PLAYERS_PER_STEP", 1)
    play = scored(9, 5, **tiers((1, None, 4)))
    play.close()
    first = play.apply(Settle())
    play.apply(SetBan(2, is_banned=True))
    too_late = play.apply(Void(1, "cheats", "ops")).reply
    assert (too_late.code, too_late.details) == ("conflict", {"state": "completed"})
    assert paid([first, *play.steps(Tick())]) == [(1, 4), (2, 4)]
    assert play.apply(Void(1, "cheats", "ops")).reply.details == {"state": "settled"}


# -- an attempt taken out


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


# -- the window


def test_r51_a_ban_reaches_the_board_that_the_player_is_on():
    play = WindowPlay(**lobby(3, 1))
    for player in (1, 2, 3, 4):
        play.admit(player)
    outcome = play.say(SetBan(3, is_banned=True))
    assert [(m.to, m.command) for m in outcome.messages] == [(contest_id(ID, 2), SetBan(3, is_banned=True))]
    assert list(play.say(SetBan(9, is_banned=True)).messages) == []


def test_r51_a_banned_player_gives_up_the_seat_in_a_lobby_that_forms():
    """Else it would start with them, on a board that never heard of the ban."""
    play = WindowPlay(**lobby(4, 1))
    play.admit(1)
    play.admit(2)
    outcome = play.say(SetBan(1, is_banned=True))
    (told,) = [notice for notice in outcome.notices if notice.push == "lobby"]
    assert (set(told.players), told.body.players) == ({1, 2}, {2})
    play.restart()
    assert play.say(GetForming()).reply == [2]
    assert play.say(GetMember(1)).reply.lobby is None
    assert not play.say(SetBan(1, is_banned=False)).notices
    assert play.say(Admit(1)).reply.players == {1, 2}


def test_r43_a_held_window_shares_its_pool_among_those_who_win_by_then():
    play = WindowPlay(**pool())
    for player in (1, 2):
        play.admit(player)
    play.say(Pause())
    play.say(Tick(), START + HOUR)
    play.say(Closed(contest_id(ID, 1), 2))
    assert sent(play.say(SetBan(1, is_banned=True)), SetBan) == [SetBan(1, is_banned=True)]
    play.say(Closed(contest_id(ID, 1), 1))
    play.restart()
    play.say(Resume())
    assert sent(play.say(Tick()), Settle) == [Settle(100)]
    play.say(Closed(contest_id(ID, 1), 2))  # too late: it has been told
    assert play.say(Paid(contest_id(ID, 1), 1, 1, {"cash": 100})).finished
    report = play.say(GetReport()).reply
    assert (report.winners, report.remainder) == (1, 0)


def test_r43_what_was_not_paid_after_all_is_left_over():
    play = WindowPlay(**pool())
    for player in (1, 2):
        play.admit(player)
    play.say(Finalize())
    play.say(Closed(contest_id(ID, 1), 2))
    assert sent(play.say(Tick()), Settle) == [Settle(50)]
    play.say(Paid(contest_id(ID, 1), 1, 1, {"cash": 50}))
    assert play.say(GetReport()).reply.remainder == 50
