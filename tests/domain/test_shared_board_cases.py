"""Shared boards by hand: what counts in a period, what ends it, and names."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from playing import HOUR, START, frozen, thawed

from kraty_actors.domain import ids
from kraty_actors.domain.board_view import GetBoard
from kraty_actors.domain.outcome import Notice, Outcome, Tick
from kraty_actors.domain.periods import BoardRules
from kraty_actors.domain.shared_board import ENTRIES_PER_PART, SharedBoard
from kraty_actors.domain.shared_board_messages import Contribute, EndPeriod, OpenPeriod, PeriodClosed

DAY = 24 * HOUR
MIDNIGHT = START - START % DAY
NEXT = MIDNIGHT + DAY
RULES = BoardRules("ladder", 1, "desc", "sum", "daily", "UTC", None, 0)
NAME = ids.board_id("ladder", MIDNIGHT)
CONTEST = "waaaaaaaaaaaaaaaa.1"


class Page:
    def __init__(self, rules: BoardRules) -> None:
        self.rules = rules

    def board(self, key: str, revision: int) -> BoardRules:
        assert (key, revision) == ("ladder", 1)
        return self.rules


def opened(**rules: Any) -> SharedBoard:
    board = SharedBoard(NAME, Page(replace(RULES, **rules)))
    assert board.apply(OpenPeriod("ladder", 1, MIDNIGHT), START) == Outcome(traced=True, moved=True)
    return board


def tell(board: SharedBoard, *entries: list[Any], bound_at: int = 0, contest: str = CONTEST) -> Outcome:
    return board.apply(Contribute(contest, "ladder", 1, MIDNIGHT, bound_at, list(entries)), START)


def wrote(
    player: int,
    score: Any,
    *,
    prior: Any = 0,
    order: int = 0,
    serial: int = 0,
    started_at: int = START,
    done: bool = False,
) -> list[Any]:
    """One write; `order` is the contest's number of the write before it."""
    return [player, serial, started_at, order, prior, score, START, done]


def closed(ends_at: int | None) -> Notice:
    """What those outside are told once: R-54."""
    return Notice("board.period_closed", (), PeriodClosed("ladder", NAME, MIDNIGHT, ends_at))


def shown(board: SharedBoard) -> list[tuple[int, Any]]:
    return [(one.participant, one.score) for one in board.apply(GetBoard(limit=100), START).reply.standings]


class TestSums:
    """R-29: for each attempt its score now less its score when the period began, never below 0."""

    def test_each_attempt_adds_what_it_gained(self):
        board = opened()
        tell(board, wrote(1, 5), wrote(2, 6, serial=1), wrote(1, 3, serial=2))
        assert shown(board) == [(1, 8), (2, 6)]
        tell(board, wrote(1, 4, prior=5, order=1))
        assert shown(board) == [(1, 7), (2, 6)]

    def test_an_attempt_that_began_before_starts_from_where_it_stood(self):
        board = opened()
        old = {"started_at": MIDNIGHT - 1, "order": 4}
        for prior, score, expected in [(10, 12, 2), (12, 7, 0), (7, 11, 1)]:
            tell(board, wrote(1, score, prior=prior, **old))
            assert shown(board) == [(1, expected)]

    def test_one_that_began_with_the_period_starts_from_0(self):
        board = opened()
        tell(board, wrote(1, 12, prior=10, order=3, started_at=MIDNIGHT), bound_at=9)
        assert shown(board) == [(1, 12)]

    def test_scores_from_before_the_event_named_the_board_count_if_the_attempt_is_of_this_period(self):
        board = opened()
        tell(board, wrote(1, 12, prior=10, order=3), bound_at=4)
        tell(board, wrote(1, 13, prior=12, order=4), bound_at=4)
        assert shown(board) == [(1, 13)]

    def test_what_is_gained_while_the_board_takes_nothing_stays_out(self):
        board = opened()
        tell(board, wrote(1, 5), bound_at=1)
        tell(board, wrote(1, 9, prior=8, order=6), bound_at=1)  # 5 to 8 was written while it was archived
        assert shown(board) == [(1, 6)]

    def test_attempts_of_two_contests_are_not_mixed_up(self):
        board = opened()
        old = {"started_at": MIDNIGHT - 1, "order": 4}
        tell(board, wrote(1, 12, prior=10, **old))
        tell(board, wrote(1, 4, prior=3, **old), contest="waaaaaaaaaaaaaaaa.2")
        tell(board, wrote(1, 13, prior=12, **old))
        assert shown(board) == [(1, 4)]

    def test_fractions_leave_no_trace(self):
        board = opened()
        steps = [0, 0.1, 0.3, 0.7, 0.1, 0.2]
        for order, (prior, score) in enumerate(itertools.pairwise(steps)):
            tell(board, wrote(1, score, prior=prior, order=order))
        assert shown(board) == [(1, 0.2)]

    def test_what_went_over_the_largest_score_is_not_forgotten(self):
        board = opened()
        tell(board, wrote(1, 2**53 - 1), wrote(1, 10, serial=1))
        assert shown(board) == [(1, 2**53 - 1)]
        board = thawed(SharedBoard(NAME, Page(RULES)), frozen(board))
        tell(board, wrote(1, 0, prior=2**53 - 1, order=1))
        assert shown(board) == [(1, 10)]

    def test_of_a_board_of_lowest_scores_each_final_score_counts(self):
        board = opened(sort="asc")
        tell(
            board, wrote(1, 30, prior=20, order=2, done=True), wrote(2, 31, serial=1, done=True), wrote(3, 1, serial=2)
        )
        assert shown(board) == [(1, 30), (2, 31)]


@pytest.mark.parametrize(
    ("sort", "aggregation", "expected"),
    [
        ("desc", "best", [(1, 8), (2, 8)]),
        ("desc", "latest", [(2, 8), (1, 5)]),
        ("asc", "best", [(1, 3), (2, 8)]),
        ("asc", "latest", [(1, 5), (2, 8)]),
    ],
)
def test_r29_best_and_latest(sort: str, aggregation: str, expected: list[tuple[int, int]]):
    board = opened(sort=sort, aggregation=aggregation)
    assert tell(board).moved is False
    for player, score in [(1, 8), (2, 8), (1, 8), (1, 3), (1, 5)]:
        tell(board, wrote(player, score, done=True))
    assert shown(board) == expected


class TestTheEnd:
    """R-32, R-33: a period ends once, and stays readable with all that was accepted for it."""

    def test_it_closes_at_its_end(self):
        board = opened()
        assert board.wake_at == NEXT
        assert board.apply(Tick(), NEXT) == Outcome(traced=True, finished=True, notices=[closed(NEXT)])
        assert board.wake_at is None
        assert board.apply(GetBoard(), NEXT).reply.finalized

    def test_what_comes_late_counts_all_the_same(self):
        board = opened()
        board.apply(Tick(), NEXT)
        board = thawed(SharedBoard(NAME, Page(RULES)), frozen(board))
        assert board.wake_at is None
        assert tell(board, wrote(1, 5)) == Outcome(traced=True, moved=True, finished=True)
        assert shown(board) == [(1, 5)]

    def test_a_late_word_opens_a_period_that_nobody_opened(self):
        board = SharedBoard(NAME, Page(RULES))
        assert tell(board, wrote(1, 5)) == Outcome(traced=True, moved=True)
        assert (shown(board), board.wake_at) == ([(1, 5)], NEXT)
        assert board.apply(OpenPeriod("ladder", 1, MIDNIGHT), NEXT).moved is False

    @pytest.mark.parametrize(("at", "is_over"), [(START, True), (START - 1, True), (START + 1, False), (None, False)])
    def test_the_calendar_moves_the_end(self, at: int | None, is_over: bool):
        board = opened()
        told = [closed(at)] if is_over else ()
        assert board.apply(EndPeriod(at), START) == Outcome(traced=True, finished=is_over, notices=told)
        assert board.wake_at == (None if is_over else at)

    def test_over_is_over(self):
        board = opened()
        board.apply(EndPeriod(START), START)
        assert board.apply(EndPeriod(NEXT), START) == Outcome(traced=True, finished=True)
        assert board.wake_at is None


def test_r56_a_checkpoint_comes_in_small_parts():
    board = opened()
    count = 2 * ENTRIES_PER_PART + 1
    old = {"started_at": MIDNIGHT - 1, "order": 1, "prior": 0.5}
    tell(board, *(wrote(player, player + 0.7, serial=player, **old) for player in range(count)))
    parts = list(board.dump())
    assert all(len(part[1]) <= ENTRIES_PER_PART for part in parts[1:])
    assert frozen(thawed(SharedBoard(NAME, Page(RULES)), frozen(board))) == frozen(board)


class TestNames:
    def test_the_name_of_a_period_is_its_board_and_start(self):
        assert NAME == ids.board_id("ladder", MIDNIGHT) == "bkyc2kfvh5pztxp6b-1a316a4dc00"
        assert len({ids.board_id(key, at) for key in ("a", "b") for at in (0, MIDNIGHT)}) == 4

    @pytest.mark.parametrize("name", [NAME, ids.board_id("x", 0)])
    def test_it_is_no_other_name(self, name: str):
        assert ids.is_shared_board(name)
        assert not ids.is_contest(name)
        assert ids.split_attempt(f"{name}.0") is None

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "b",
            f"{NAME}\n",
            f"{NAME}.1",
            NAME.upper(),
            "w" + NAME[1:],
            NAME.partition("-")[0] + "-",
            f"{NAME}0000000",
        ],
    )
    def test_no_other_name_is_one(self, name: str):
        assert not ids.is_shared_board(name)
