"""Boards by hand: the cases that the rules name (R-11, R-12, R-14, R-28, R-29, R-37)."""

from __future__ import annotations

from typing import Any

import pytest
from board_play import BOARD, Play, board
from playing import HOUR, START, STREAK

from kraty_actors.domain import conclusion
from kraty_actors.domain.board_view import GetBoard
from kraty_actors.domain.contest_messages import AttemptsEnded, Close, Closed, Finish, GetAttempt, Seat, Settle, Write
from kraty_actors.domain.outcome import Refusal, Tick


def test_r28_on_a_tie_the_first_to_come_there_leads_and_a_repetition_of_the_score_changes_nothing():
    play = Play()
    play.seat(1, 2, 3)
    assert play.rows() == [(1, 0), (2, 0), (3, 0)]
    for serial in (2, 1, 0, 1):
        play.write(serial, {"points": 5}, "set")
    assert play.rows() == [(3, 5), (2, 5), (1, 5)]


def test_r28_players_stand_before_bots_of_the_same_score_whoever_came_first():
    play = Play(bots=2)
    play.seat(1, 2)
    play.write(0, {"points": 0})  # both bots go to 1
    play.write(0, {"points": 2})  # both bots go to 2
    assert [(who > 0, score) for who, score in play.rows()] == [(True, 2), (False, 2), (False, 2), (True, 0)]


@pytest.mark.parametrize(("aggregation", "stands"), [("best", 4), ("latest", 1), ("last", 1), ("sum", 5)])
def test_r29_a_new_attempt_counts_from_its_first_write(aggregation: str, stands: int):
    """A start writes no score: `latest` still stands at the last one."""
    play = Play(**board(scoreAggregation=aggregation), attempt={"replayableDuringWindow": True})
    play.seat(1)
    play.write(0, {"points": 4})
    play.apply(Finish(0, 1))
    play.seat(1)
    assert play.rows() == [(1, 4)]
    play.write(1, {"points": 1})
    assert play.rows() == [(1, stands)]


def test_r29_best_survives_a_reset_and_latest_and_sum_follow_it():
    for aggregation, stands in (("best", 3), ("latest", 0), ("sum", 0)):
        play = Play(metrics=STREAK, **board(scoreAggregation=aggregation))
        play.seat(1)
        play.write(0, {"streak": 3})
        play.write(0, {"losses": 1})
        assert play.rows() == [(1, stands)]


def test_r29_the_best_score_seen_at_any_write_may_be_below_the_0_of_the_start():
    play = Play(metrics=[{"key": "errors", "scorePerUnit": -1}])
    play.seat(1, 2)
    play.write(0, {"errors": 3})
    assert play.rows() == [(2, 0), (1, -3)]
    play.restart()
    play.write(0, {"errors": 9}, "set")
    assert play.rows() == [(2, 0), (1, -3)]
    play.write(0, {"errors": 1}, "set")
    play.write(1, {"errors": 2})
    assert play.rows() == [(1, -1), (2, -2)]


def test_r29_sums_do_not_drift():
    play = Play(metrics=[{"key": "points", "scorePerUnit": 0.1}], **board(scoreAggregation="sum"))
    play.seat(1)
    for points in (3, 7, 2**53 - 1, 1, 0):
        play.write(0, {"points": points}, "set")
    (row,) = play.rows()
    assert repr(row) == "(1, 0)"


def test_r29_a_sum_stays_a_number_that_clients_hold():
    play = Play(**board(scoreAggregation="sum"), attempt={"replayableDuringWindow": True})
    for serial in range(3):
        play.seat(1)
        play.write(serial, {"points": 2**53 - 1})
        play.apply(Finish(serial, 1))
    assert play.rows() == [(1, 2**53 - 1)]


def test_r28_an_ascending_board_has_rows_of_completed_attempts_only():
    play = Play(bots=3, **board(sort="asc"), attempt={"replayableDuringWindow": True})
    play.seat(1, 2)
    assert play.write(0, {"points": 9}).rank is None
    assert play.rows() == []
    play.apply(Finish(0, 1))
    play.apply(Finish(1, 2))  # without a write: expired
    assert play.rows() == [(1, 9)]
    play.seat(1, 2)
    play.write(2, {"points": 7})
    play.write(3, {"points": 8})
    play.apply(Finish(2, 1))
    play.apply(Finish(3, 2))
    assert play.rows() == [(1, 7), (2, 8)]


def test_r28_of_attempts_that_run_out_in_one_tick_the_earlier_end_comes_first():
    play = Play(**board(sort="asc"), attempt={"durationSeconds": 60})
    play.seat(3, 2, 1)
    for serial in range(3):
        play.write(serial, {"points": 4})
    play.apply(Finish(2, 1))
    play.now += HOUR
    outcome = play.apply(Tick())
    ended = {notice.players[0]: notice.body.completed_at for notice in outcome.notices}
    assert ended == {3: START + 62_000, 2: START + 63_000}
    assert play.rows() == [(1, 4), (3, 4), (2, 4)]


def test_r12_an_attempt_ends_at_the_earlier_of_its_duration_and_the_windows_end():
    play = Play(START + 100_000, attempt={"durationSeconds": 60})
    play.seat(1)
    play.now = START + 90_000
    play.seat(2)
    ends = [play.board.apply(GetAttempt(p), play.now).reply.ends_at for p in (1, 2)]
    assert ends == [START + 62_000, START + 100_000]
    assert play.board.wake_at == ends[0]


def test_r12_closing_ends_an_attempt_no_later_than_its_own_end():
    play = Play(START + HOUR, attempt={"durationSeconds": 60})
    play.seat(1, 2)
    play.write(0, {"points": 1})
    play.apply(Close(START + HOUR))
    views = [play.board.apply(GetAttempt(p), play.now).reply for p in (1, 2)]
    assert [(view.status, view.completed_at) for view in views] == [("completed", START + 62_000), ("expired", None)]
    assert play.board.wake_at is None


@pytest.mark.parametrize(("metrics", "written", "status"), [
    ([{"key": "points"}], True, "completed"),
    ([{"key": "points"}], False, "expired"),
    ([{"key": "points", "target": 5}], True, "expired"),
])  # fmt: skip
@pytest.mark.parametrize("how", ["finish", "time", "close"])
def test_r11_r12_how_an_attempt_ends(metrics: list[dict[str, Any]], written: bool, status: str, how: str):
    play = Play(metrics=metrics, attempt={"durationSeconds": 60})
    play.seat(1)
    if written:
        play.write(0, {"points": 1})
    if how == "time":
        play.now += HOUR
    play.apply({"finish": Finish(0, 1), "time": Tick(), "close": Close(play.now)}[how])
    assert play.board.apply(GetAttempt(1), play.now).reply.status == status
    again = play.apply(Finish(0, 1))
    assert (again.traced, again.reply.status) == (False, status)


def test_r12_finish_ticks_no_bot():
    play = Play(bots=2)
    play.seat(1)
    play.apply(Finish(0, 1))
    assert play.rows() == [(1, 0), *((who, 0) for who, _ in play.rows()[1:])]


def test_r37_every_applied_write_ticks_once_and_no_other_does():
    play = Play(bots=1)
    play.seat(1, 2)
    play.write(0, {"points": 0}, seq=2)
    for serial, metrics, seq in [(0, {"points": 0}, 2), (0, {"points": 1}, 2), (0, {"points": 1}, 1), (0, {"x": 1}, 3)]:
        play.write(serial, metrics, seq=seq)
    play.apply(Write(1, {"points": 1}, "increment", None, 1))  # another player's
    play.write(0, {"points": 2**53}, seq=4)
    bots = play.board.arena.bots
    assert bots.dump()[0] == 1
    answer = play.write(1, 1)
    assert (bots.dump()[0], answer.rank) == (
        2,
        2,
    )  # the tick shows in the same answer: the bot stands at 2


def test_r38_behind_its_end_a_board_promises_no_move_and_asks_for_no_turn():
    """Its window may need a while to close it: whoever waits for it must not turn in circles."""
    play = Play(START + 60_000, bots=1, bot={"key": "hunter", "behaviour": {"block": "match_player_pace"}})
    play.seat(1)
    play.write(0, {"points": 3})
    assert play.board.apply(GetBoard(limit=9), play.now).reply.moves_at == START + 5_000
    play.now = START + HOUR
    play.apply(Tick())
    assert play.board.wake_at is None
    assert play.board.apply(GetBoard(limit=9), play.now).reply.moves_at is None


def test_r14_a_write_after_the_end_applies_nothing():
    play = Play(attempt={"durationSeconds": 60})
    play.seat(1)
    play.now += HOUR
    play.apply(Tick())
    refusal = play.write(0, {"points": 1}, seq=1)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.details["attempt"].last_seq) == ("attempt_finished", 0)


def test_r15_the_newest_answer_is_kept_even_when_the_attempt_has_ended_since():
    play = Play()
    play.seat(1, 2)
    first = play.write(0, {"points": 3}, seq=1)
    play.write(1, {"points": 9})
    play.apply(Finish(0, 1))
    again = play.write(0, {"points": 3}, seq=1)
    assert (again.status, again.rank, again.repeated) == (first.status, first.rank, True) == ("in_progress", 1, True)


def test_r15_the_write_that_completed_is_repeated_as_completed():
    play = Play(metrics=STREAK)
    play.seat(1)
    for status, repeated in (("completed", False), ("completed", True)):
        answer = play.write(0, {"streak": 7}, seq=1)
        assert (answer.status, answer.repeated, answer.metrics, answer.metrics_raw) == (
            status,
            repeated,
            {"streak": 5, "losses": 0},
            {"streak": 7, "losses": 0},
        )


def test_r15_after_finalization_a_repeat_is_told_that_the_attempt_is_over_and_what_it_counted():
    play = Play()
    play.seat(1)
    play.write(0, {"points": 3}, seq=4)
    play.apply(Close(play.now))
    assert play.write(0, {"points": 3}, seq=4).repeated
    assert play.apply(Settle()).finished
    refusal = play.write(0, {"points": 3}, seq=4)
    assert (refusal.code, refusal.details["attempt"].last_seq) == ("attempt_finished", 4)


def test_r8_a_bare_value_is_the_first_metrics():
    play = Play(metrics=[{"key": "a"}, {"key": "b"}])
    play.seat(1)
    assert play.write(0, 2.5).metrics == {"a": 2.5, "b": 0}


def test_r13_keys_are_judged_before_values():
    play = Play(metrics=[{"key": "a"}])
    play.seat(1)
    play.write(0, {"a": 2**53 - 1})
    assert play.write(0, {"a": 1, "wrong": 1}).code == "invalid_metric"


def test_a_tick_that_ends_nothing_leaves_no_trace():
    play = Play(attempt={"durationSeconds": 60})
    play.seat(1)
    play.apply(Finish(0, 1))
    play.now += HOUR
    assert play.board.wake_at is not None
    assert not play.apply(Tick()).traced
    assert play.board.wake_at is None


def test_r27_a_board_of_many_closes_in_short_steps_that_end_everybody_once():
    """Quadratic, this takes a minute."""
    play = Play()
    players = 80 * conclusion.ATTEMPTS_PER_STEP + 1
    for player in range(1, players + 1):
        play.board.apply(Seat(player), play.now)
    steps = [play.apply(Close(play.now))]
    while play.board.wake_at is not None:
        steps.append(play.apply(Tick()))
    said = [message.command for step in steps for message in step.messages]
    assert [len(one.expired) for one in said[:-1]] == [conclusion.ATTEMPTS_PER_STEP] * 80 + [1]
    assert said == [AttemptsEnded([], one.expired) for one in said[:-1]] + [Closed(BOARD, 0)]
    assert sorted(player for one in said[:-1] for player in one.expired) == list(range(1, players + 1))
