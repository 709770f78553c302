"""Sums by difference that do not wear off (R-29).

Adding and taking away fractions again and again leaves traces (0.1 + 0.2 - 0.1 is not 0.2), and a sum that was
clamped has lost what went over. So a total is kept exactly wherever the score that stands for it cannot say it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from kraty_actors.domain.numbers import Number, clamped
from kraty_actors.domain.outcome import Plain

Exact = int | Fraction

Key = int | str
"""Whose total it is: a player, or an attempt."""


def exact(value: Number) -> Exact:
    return value if isinstance(value, int) else Fraction(value)


class ExactSums:
    """The totals of those whose score is not exactly their total."""

    __slots__ = ("_totals",)

    def __init__(self) -> None:
        self._totals: dict[Key, Exact] = {}

    def __bool__(self) -> bool:
        return bool(self._totals)

    def added(self, key: Key, score: Number, gain: Exact) -> Number:
        """The score, which is `score` now, with `gain` added to the total that it stands for."""
        total = self.removed(key, score) + gain
        shown = clamped(total if isinstance(total, int) else float(total))
        if shown != total:
            self._totals[key] = total
        return shown

    def total(self, key: Key, score: Number) -> Exact:
        """The total that `score` stands for."""
        total = self._totals.get(key)
        return exact(score) if total is None else total

    def removed(self, key: Key, score: Number) -> Exact:
        """The total that `score` stands for; it begins anew."""
        total = self._totals.pop(key, None)
        return exact(score) if total is None else total

    def dump(self, keys: Iterable[Key]) -> list[Plain]:
        """The totals of those of the keys that have one."""
        return [[key, str(self._totals[key])] for key in keys if key in self._totals]

    def restore(self, plain: Iterable[Plain]) -> None:
        self._totals.update((key, Fraction(total)) for key, total in plain)
