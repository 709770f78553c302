"""Order on a board against a list that is sorted anew (R-28), on both sides of the switch to a sorted container."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kraty_actors.domain import ranking
from kraty_actors.domain.ids import bot_participant
from kraty_actors.domain.ranking import LIST_MAX, Ranking, Row
from kraty_actors.domain.standings import Standings

PLAYERS = range(1, 16)
SEATS = 6
EVERYONE = [*PLAYERS, 99, *(bot_participant(seat) for seat in range(SEATS + 1))]
scores = st.sampled_from([-2, -1.5, 0, 1, 2.5, 3])
orders = st.integers(0, 5)


@dataclass
class Seated:
    """Bots as a board sees them."""

    values: list[float]
    reached: list[int]
    standing: list[int]


class Board(RuleBasedStateMachine):
    """`LIST_MAX` is lowered so that a run crosses it in both forms."""

    @initialize(list_max=st.sampled_from([0, 5, 500]), bots=st.integers(0, SEATS))
    def begin(self, list_max: int, bots: int) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(ranking, "LIST_MAX", list_max)
        self.values, self.reached = [0] * bots, [0] * bots
        self.real = Standings()
        self.seated = Seated(self.values, self.reached, list(range(bots)))
        self.real.seat_bots(self.seated)
        self.twin = {bot_participant(seat): Row(0, True, 0, bot_participant(seat)) for seat in range(bots)}

    @rule(player=st.sampled_from(PLAYERS), score=scores, order=orders)
    def put(self, player: int, score: float, order: int) -> None:
        row = self.twin[player] = Row(-score, False, order, player)
        self.real.players.put(row)

    @rule(player=st.sampled_from(PLAYERS))
    def remove(self, player: int) -> None:
        self.real.players.remove(player)
        self.twin.pop(player, None)

    @rule(moves=st.lists(st.tuples(st.integers(0, SEATS - 1), scores, orders), max_size=SEATS))
    def bots_move(self, moves: list[tuple[int, float, int]]) -> None:
        for seat, score, order in moves:
            if seat in self.seated.standing:
                self.values[seat], self.reached[seat] = score, order
                participant = bot_participant(seat)
                self.twin[participant] = Row(-score, True, order, participant)
        self.real.bots_moved()
        ranks = self.ranks()
        for player in PLAYERS:  # before anybody has looked at a page
            assert self.real.rank(player) == ranks.get(player)

    @rule(seat=st.integers(0, SEATS - 1))
    def bot_leaves(self, seat: int) -> None:
        self.seated.standing = [other for other in self.seated.standing if other != seat]
        self.twin.pop(bot_participant(seat), None)
        self.real.bots_moved()

    @rule(participant=st.sampled_from(EVERYONE))
    def r28_a_rank_without_a_page_before_it(self, participant: int) -> None:
        assert self.real.rank(participant) == self.ranks().get(participant)

    @rule(offset=st.integers(0, 25), limit=st.integers(0, 25))
    def r33_a_page(self, offset: int, limit: int) -> None:
        assert self.real.page(offset, limit) == self.expected()[offset : offset + limit]

    @rule()
    def r28_the_same_order_and_ranks(self) -> None:
        assert list(self.real) == self.expected()
        ranks = self.ranks()
        for participant in EVERYONE:
            assert self.real.rank(participant) == ranks.get(participant)

    @invariant()
    def r28_the_same_rows(self) -> None:
        assert len(self.real) == len(self.twin)
        for participant in EVERYONE:
            assert self.real.row(participant) == self.twin.get(participant)
            if participant > 0:
                assert (participant in self.real.players) == (participant in self.twin)

    def expected(self) -> list[Row]:
        found = list(self.twin.values())
        for field in ("participant", "order", "is_bot", "sort_score"):  # stable sorts, the least important first
            found.sort(key=lambda row: getattr(row, field))
        return found

    def ranks(self) -> dict[int, int]:
        return {row.participant: rank for rank, row in enumerate(self.expected(), 1)}

    def teardown(self) -> None:
        if hasattr(self, "real"):
            self.r28_the_same_order_and_ranks()
            self.patch.undo()


TestBoard = Board.TestCase
TestBoard.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@given(st.integers(LIST_MAX - 3, LIST_MAX + 3))
@settings(max_examples=7, deadline=None)
def test_r28_a_board_of_some_500_rows_is_the_same_in_either_form(size: int):
    made = [Row(-(n * 7919 % 101), False, n, n) for n in range(size)]
    board = Ranking()
    for row in made:
        board.put(row)
    assert list(board) == sorted(made)
    filled = Ranking()
    filled.fill(made)
    assert list(filled) == sorted(made)
    for row in made[::50]:
        board.put(row._replace(sort_score=-50.5))
        filled.put(row._replace(sort_score=-50.5))
        assert filled.rank(row.participant) == board.rank(row.participant)
        assert board.rank(row.participant) == 1 + sorted(board).index(board.row(row.participant))
        assert board.ahead_of(Row(-50.5, True, 0, -1)) == sum(score <= -50.5 for score, *_ in board)
