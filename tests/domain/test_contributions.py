"""What a contest tells shared boards: every score once, to the period of the moment (R-13, R-32)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playing import HOUR, START

from kraty_actors.domain.attempt import COMPLETED, Attempt
from kraty_actors.domain.board_view import GetBoard
from kraty_actors.domain.contributions import Contributions
from kraty_actors.domain.ids import board_id
from kraty_actors.domain.periods import BoardRules
from kraty_actors.domain.shared_board import SharedBoard
from kraty_actors.domain.write_memory import WriteMemory

CONTEST = "waaaaaaaaaaaaaaaa.1"
DAY = 24 * HOUR


class Book:
    """Shared boards named by what they are: `sum desc`, `best asc`; the first revision never resets."""

    def board(self, key: str, revision: int) -> BoardRules:
        aggregation, sort = key.split()
        return BoardRules(key, revision, sort, aggregation, "never" if revision == 1 else "daily", "UTC", None, START)


class Play:
    """One contest, one attempt, and the boards that hear of it."""

    def __init__(self, *boards: str) -> None:
        self.contributions = Contributions(CONTEST, Book())
        self.attempt = Attempt(0, 7, START, None, [], 0, WriteMemory())
        self.order = 0
        self.boards: dict[str, SharedBoard] = {}
        self.bind(*boards)

    def bind(self, *boards: str, revision: int = 1) -> None:
        self.contributions.bind([[key, revision] for key in boards], self.order + 1)

    def write(self, score: int, now: int = START) -> list[Any]:
        prior, prior_order = self.attempt.score, self.attempt.last_order
        self.order += 1
        self.attempt.score, self.attempt.last_order = score, self.order
        self.contributions.wrote(self.attempt, prior_order, prior, now)
        return list(self.pass_on(now))

    def pass_on(self, now: int = START) -> Iterator[tuple[str, int]]:
        for message in self.contributions.messages(now):
            board = self.boards.setdefault(message.to, SharedBoard(message.to, Book()))
            board.apply(message.command, now)
            yield message.command.key, len(message.command.entries)

    def score(self, key: str, starts_at: int = START) -> Any:
        board = self.boards.get(board_id(key, starts_at))
        return None if board is None else board.apply(GetBoard(viewer=7), START).reply.viewer_score


def test_r13_each_board_is_told_once_in_listed_order():
    play = Play("sum desc", "best desc")
    assert play.write(3) == [("sum desc", 1), ("best desc", 1)]
    assert list(play.pass_on()) == []
    assert (play.score("sum desc"), play.score("best desc")) == (3, 3)


def test_r28_a_board_of_lowest_scores_hears_final_ones_only():
    play = Play("best asc")
    assert play.write(3) == []
    play.attempt.status = COMPLETED
    play.contributions.completed(play.attempt, START)
    assert list(play.pass_on()) == [("best asc", 1)]
    assert play.score("best asc") == 3


def test_r29_an_attempt_that_wrote_before_the_event_named_the_board_counts_whole():
    play = Play()
    play.write(5)
    play.bind("sum desc")
    play.write(7)
    assert play.score("sum desc") == 7
    play.write(8)
    assert play.score("sum desc") == 8


@pytest.mark.parametrize("is_restarted", [False, True])
def test_r29_nothing_counts_twice_when_a_board_is_put_back(is_restarted: bool):
    play = Play("sum desc")
    play.write(5)
    play.bind()
    play.write(8)
    if is_restarted:
        plain = play.contributions.dump()
        play.contributions = Contributions(CONTEST, Book())
        play.contributions.restore(plain)
        assert play.contributions.dump() == plain
    play.bind("sum desc")
    play.write(9)
    assert play.score("sum desc") == 6


def test_r32_a_write_goes_to_the_period_of_its_moment():
    play = Play()
    play.bind("sum desc", revision=2)
    midnight = START - START % DAY + DAY
    play.write(5, midnight - 1)
    play.write(9, midnight)
    assert (play.score("sum desc"), play.score("sum desc", midnight)) == (5, 4)
