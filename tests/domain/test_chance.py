"""Seeded chance, of which all that bots do is made (R-36)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from playing import expected_draws

from kraty_actors.domain.chance import DRAW_RANGE, Chance, threshold

BOARD = "w.1"


def test_r36_the_draws_are_these_on_every_machine_and_python():
    """Worked out with another program: `openssl dgst -shake256 -xoflen 12`."""
    assert Chance(7, "w.1").draws(1, 3) == (332495537, 625858850, 2189859453)
    assert Chance(-1, "wabc.12").draws(2**40, 2) == (558834508, 2141633543)


@given(st.integers(-(2**53), 2**53), st.integers(0, 2**60), st.integers(0, 60), st.integers(0, 60))
def test_r36_a_seat_draws_the_same_however_many_sit_beside_it(seed: int, tick: int, few: int, more: int):
    chance = Chance(seed, BOARD)
    drawn = chance.draws(tick, few + more)
    assert list(drawn) == expected_draws(seed, BOARD, tick, few + more)
    assert chance.draws(tick, few) == drawn[:few]


def test_r36_seed_board_and_tick_each_change_the_draws():
    blocks = [Chance(s, b).draws(t, 4) for s in (1, 2) for b in ("w.1", "w.2") for t in (1, 2)]
    assert len(set(blocks)) == len(blocks)
    assert Chance(1, "2").draws(0, 1) != Chance(12, "").draws(0, 1)


def test_r37_the_ends_of_chance_are_certain():
    assert (threshold(0), threshold(1)) == (0, DRAW_RANGE)
    assert threshold(0.3) / DRAW_RANGE == round(0.3 * DRAW_RANGE) / DRAW_RANGE
