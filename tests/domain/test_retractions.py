"""An attempt that is taken out leaves shared boards as if it had not been there (R-28, R-29, R-51)."""

from __future__ import annotations

import pytest
from playing import HOUR, START, frozen, thawed
from test_shared_board_cases import CONTEST, MIDNIGHT, NAME, RULES, Page, opened, shown, tell, wrote

from kraty_actors.domain.contest_messages import SetBan
from kraty_actors.domain.outcome import Outcome, Tick
from kraty_actors.domain.shared_board import SharedBoard
from kraty_actors.domain.shared_board_messages import Retract

OLD = {"started_at": MIDNIGHT - 1, "order": 4}


def retract(board: SharedBoard, serial: int, player: int = 1, contest: str = CONTEST) -> Outcome:
    return board.apply(Retract(contest, serial, player), START)


@pytest.mark.parametrize("aggregation", ["best", "latest", "sum"])
def test_r51_who_gave_nothing_else_has_no_row(aggregation: str):
    board = opened(aggregation=aggregation)
    tell(board, wrote(1, 0), wrote(2, 5))
    assert retract(board, 0).moved
    assert shown(board) == [(2, 5)]
    assert not retract(board, 0).moved


def test_r51_who_gave_a_zero_too_keeps_a_row():
    board = opened(aggregation="sum")
    tell(board, wrote(1, 0), wrote(1, 5, serial=1))
    retract(board, 1)
    assert shown(board) == [(1, 0)]


@pytest.mark.parametrize(("aggregation", "rows"), [("latest", [(2, 4), (1, 4)]), ("sum", [(2, 4), (1, 4)])])
def test_r28_a_score_that_changes_when_an_attempt_goes_is_come_to_then(aggregation: str, rows: list[tuple[int, int]]):
    board = opened(aggregation=aggregation)
    tell(board, wrote(1, 4), wrote(1, 5, serial=1), wrote(2, 4, serial=2))
    retract(board, 1)
    assert shown(board) == rows


@pytest.mark.parametrize("aggregation", ["latest", "sum"])
def test_r28_and_one_that_stays_keeps_its_place(aggregation: str):
    board = opened(aggregation=aggregation)
    gone = 0 if aggregation == "sum" else 4
    tell(board, wrote(1, gone), wrote(1, 4, serial=1), wrote(2, 4, serial=2))
    assert not retract(board, 0).moved
    assert shown(board) == [(1, 4), (2, 4)]


def test_r28_the_best_of_what_is_left_was_come_to_when_it_was_first_come_to():
    board = opened(aggregation="best")
    tell(board, wrote(1, 3), wrote(1, 4, prior=3, order=1), wrote(1, 9, serial=1), wrote(2, 4, serial=2))
    tell(board, wrote(1, 2, prior=4, order=2))
    retract(board, 1)
    assert shown(board) == [(1, 4), (2, 4)]


def test_r29_what_it_added_leaves_a_sum_exactly():
    board = opened()
    tell(board, wrote(1, 0.1), wrote(1, 0.2, serial=1), wrote(1, 2**53 - 1, serial=2))
    tell(board, wrote(1, 0.3, prior=0.2, order=2, serial=1))
    board = thawed(SharedBoard(NAME, Page(RULES)), frozen(board))
    retract(board, 2)
    assert shown(board) == [(1, 0.4)]
    retract(board, 0)
    assert shown(board) == [(1, 0.3)]


def test_r29_what_floats_cannot_hold_of_one_attempt_leaves_a_sum_too():
    """2**53 - 1.9 is no float: by 0.1 at a time the attempt has come from 0.1 to a score that is one."""
    board = opened()
    tell(board, wrote(1, 7), wrote(1, 2**52 + 0.5, prior=0.1, serial=1, **OLD))
    board = thawed(SharedBoard(NAME, Page(RULES)), frozen(board))
    retract(board, 1)
    assert shown(board) == [(1, 7)]


def test_r51_only_what_the_period_heard_of_leaves_it():
    """The attempt was at 9 when the period began, and stands at 12; a later period had it at 20."""
    board = opened()
    tell(board, wrote(1, 12, prior=9, **OLD), wrote(1, 5, serial=1))
    board.apply(Tick(), MIDNIGHT + 24 * HOUR)
    board = thawed(SharedBoard(NAME, Page(RULES)), frozen(board))
    assert shown(board) == [(1, 8)]
    assert retract(board, 0).finished
    assert shown(board) == [(1, 5)]


def test_r29_an_attempt_never_takes_from_a_sum():
    """It came to 8 while the event did not name the board, and lost it all since."""
    board = opened()
    tell(board, wrote(1, 5, serial=1))
    tell(board, wrote(1, 0, prior=8, order=6), bound_at=1)
    assert shown(board) == [(1, 5)]
    tell(board, wrote(1, 3, serial=2), bound_at=1)
    tell(board, wrote(1, 0, prior=8, order=9, serial=2), bound_at=1)
    assert shown(board) == [(1, 5)]
    tell(board, wrote(1, 10, prior=0, order=10), bound_at=1)
    assert shown(board) == [(1, 7)]  # from the 8 on which it had when the event named the board again


@pytest.mark.parametrize("aggregation", ["best", "latest", "sum"])
def test_r51_of_a_banned_player_too_unseen_until_they_are_back(aggregation: str):
    board = opened(aggregation=aggregation)
    tell(board, wrote(1, 4), wrote(1, 9, serial=1), wrote(2, 1, serial=2))
    board.apply(SetBan(1, is_banned=True), START)
    assert (retract(board, 1).moved, shown(board)) == (False, [(2, 1)])
    board = thawed(SharedBoard(NAME, board._rulebook), frozen(board))
    board.apply(SetBan(1, is_banned=False), START)
    assert shown(board) == [(1, 4), (2, 1)]
