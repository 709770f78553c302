"""Sums by difference that do not wear off (R-29).

Adding and taking away fractions again and again leaves traces (0.1 + 0.2 - 0.1 is not 0.2), and a sum that was
clamped has lost what went over. So a player's total is kept exactly wherever their score cannot say it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from kraty_actors.domain.numbers import Number, clamped
from kraty_actors.domain.outcome import Plain

Exact = int | Fraction


def exact(value: Number) -> Exact:
    return value if isinstance(value, int) else Fraction(value)


class ExactSums:
    """The totals of those players whose score is not exactly their total."""

    __slots__ = ("_totals",)

    def __init__(self) -> None:
        self._totals: dict[int, Exact] = {}

    def added(self, player: int, score: Number, gain: Exact) -> Number:
        """The player's score, which is `score` now, with `gain` added to the total that it stands for."""
        total = self._totals.pop(player, None)
        total = (exact(score) if total is None else total) + gain
        shown = clamped(total if isinstance(total, int) else float(total))
        if shown != total:
            self._totals[player] = total
        return shown

    def forget(self, player: int) -> None:
        """The player's total begins anew."""
        self._totals.pop(player, None)

    def dump(self) -> list[Plain]:
        return [[player, str(total)] for player, total in self._totals.items()]

    def restore(self, plain: Iterable[Plain]) -> None:
        self._totals.update((player, Fraction(total)) for player, total in plain)
