"""What an attempt that an operator completes does to the board, to repeats and to its window (R-12, R-15, R-29)."""

from __future__ import annotations

import pytest
from board_play import Play, board
from playing import HOUR

from kraty_actors.domain.contest_messages import AttemptEnded, Finish, ForceComplete
from kraty_actors.domain.outcome import Tick


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize(("sort", "forced", "written", "stands"), [("desc", 9, 3, 9), ("asc", None, 5, 0)])
def test_r29_the_best_may_be_a_score_that_an_operator_gave(
    sort: str, forced: int | None, written: int, stands: int, is_restarted: bool
):
    play = Play(**board(sort=sort), attempt={"replayableDuringWindow": True})
    play.seat(1)
    play.apply(ForceComplete(0, forced, "ops"))
    if is_restarted:
        play.restart()
    play.seat(1)
    play.write(1, {"points": written})
    play.apply(Finish(1, 1))
    assert play.rows() == [(1, stands)]


def test_r29_a_sum_follows_an_earlier_attempt_that_is_given_another_score():
    play = Play(**board(scoreAggregation="sum"), metrics=[{"key": "points", "target": 9}])
    play.seat(1)
    play.write(0, {"points": 0.1})
    play.apply(Finish(0, 1))
    play.seat(1)
    play.write(1, {"points": 0.2})
    play.apply(ForceComplete(0, 4, "ops"))
    assert play.rows() == [(1, 4.2)]
    play.restart()
    play.write(1, {"points": 1}, "set")
    assert play.rows() == [(1, 5)]


def test_r15_a_repeat_is_answered_as_before_though_an_operator_gave_another_score_since():
    play = Play()
    play.seat(1)
    first = play.write(0, {"points": 3}, seq=1)
    play.apply(ForceComplete(0, 50, "ops"))
    again = play.write(0, {"points": 3}, seq=1)
    assert (again.status, again.score, again.repeated) == (first.status, 3, True)


def test_r12_an_attempt_that_ended_before_is_told_so_to_the_window_when_it_is_forced():
    """The player may have another one by then, which goes on."""
    play = Play(attempt={"durationSeconds": 60})
    play.seat(1, 2)
    running = play.apply(ForceComplete(1, None, "ops"))
    play.now += HOUR
    play.apply(Tick())
    expired = play.apply(ForceComplete(0, None, "ops"))
    told = [outcome.messages[0].command for outcome in (running, expired)]
    assert told == [AttemptEnded(2, True, had_ended=False), AttemptEnded(1, True, had_ended=True)]
