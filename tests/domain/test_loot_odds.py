"""How often what comes out: weights, chances and ranges against what is defined, over fixed keys (R-41).

The keys never change, so neither do the counts: a p-value that passes once passes always.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from rolling import amounts, cash, entries, p_value, rolled, table, upper_tail

KEYS = 100_000
RARE = 0.001


def _shares(weights: Sequence[float], draws: int) -> list[float]:
    return [draws * weight / sum(weights) for weight in weights]


@pytest.mark.parametrize(("critical", "freedom"), [(10.828, 1), (13.816, 2), (16.266, 3), (27.877, 9), (137.208, 90)])
def test_the_chi_square_of_these_tests_is_that_of_the_books(critical: float, freedom: int):
    """The critical values at p = 0.001 that every table prints."""
    assert upper_tail(critical, freedom) == pytest.approx(RARE, rel=1e-3)
    assert p_value([60, 40], [50, 50]) == pytest.approx(0.0455003, abs=1e-7)  # a coin: 4 at 1 degree of freedom


@pytest.mark.parametrize(
    "weights",
    [
        [1, 1],
        [60, 1],
        [0.1, 0.2, 0.7],
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        [2.5, 0.125, 33.3, 1 / 3, 1e-3 * 7],
        [1e-7, 3e-7, 6e-7],
        [2**53 - 1, 2**52, 2**51],
    ],
    ids=str,
)
def test_r41_lines_of_a_table_come_by_their_weights(weights: list[float]):
    counts = Counter(amounts(rolled(entries(table(weights)), KEYS)))
    observed = [counts[line] for line in range(1, len(weights) + 1)]
    assert sum(observed) == KEYS
    assert p_value(observed, _shares(weights, KEYS)) > RARE


def test_r41_no_line_is_favoured_where_64_bits_do_not_divide_evenly():
    """Three lines that in whole numbers are 3/4 of 2^64 long: of a draw taken modulo that, the first gets half."""
    weights = [4_611_686_018_427_387, 4_611_686_018_427_387, 4_611_686_018_427_387, 0.001]
    counts = Counter(amounts(rolled(entries(table(weights)), KEYS)))
    assert p_value([counts[1], counts[2], counts[3]], [KEYS / 3] * 3) > RARE


def test_r41_each_roll_of_a_table_is_drawn_anew():
    """All pairs of two rolls come by the product of their weights."""
    weights = [1, 2, 5]
    pairs = Counter(tuple(amounts([loot])) for loot in rolled(entries(table(weights, rolls=2)), KEYS))
    both = [(first, second) for first in (1, 2, 3) for second in (1, 2, 3)]
    expected = [KEYS * weights[first - 1] * weights[second - 1] / 64 for first, second in both]
    assert p_value([pairs[pair] for pair in both], expected) > RARE


@pytest.mark.parametrize("chance", [0.5, 0.1, 0.3333333333333333, 0.999, 0.001])
def test_r41_an_entry_comes_by_its_chance(chance: float):
    given = len(amounts(rolled(entries(cash(1, chance=chance)), KEYS)))
    assert p_value([given, KEYS - given], [KEYS * chance, KEYS * (1 - chance)]) > RARE


def test_r41_the_chance_of_a_line_counts_after_its_draw():
    weighted = [{"weight": 1, "entry": cash(1, chance=0.25)}, {"weight": 3, "entry": cash(2)}]
    drawn: dict[str, Any] = {"type": "table", "weightedEntries": weighted}
    counts = Counter(amounts(rolled(entries(drawn), KEYS)))
    observed = [counts[1], counts[2], KEYS - counts.total()]
    assert p_value(observed, [KEYS / 16, KEYS * 3 / 4, KEYS * 3 / 16]) > RARE


@pytest.mark.parametrize("drawn", [{"min": 100, "max": 1000, "step": 10}, {"min": 1, "max": 6}], ids=str)
def test_r41_every_step_of_a_range_is_as_likely(drawn: dict[str, int]):
    values = range(drawn["min"], drawn["max"] + 1, drawn.get("step", 1))
    counts = Counter(amounts(rolled(entries(cash(drawn)), KEYS)))
    assert p_value([counts[value] for value in values], [KEYS / len(values)] * len(values)) > RARE


def test_r41_entries_of_one_bundle_do_not_follow_each_other():
    counts = Counter(tuple(amounts([loot])) for loot in rolled(entries(cash(1, chance=0.5), cash(2, chance=0.5)), KEYS))
    assert p_value([counts[()], counts[1,], counts[2,], counts[1, 2]], [KEYS / 4] * 4) > RARE
