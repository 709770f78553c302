"""The chance of simulated players: a row of draws for each of them, the same on every machine and Python version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from kraty_actors.domain.chance import DRAW_RANGE, Chance, threshold

T = TypeVar("T")

DRAWS_AT_ONCE = 16


class Dice:
    """What one player rolls, a function of (seed, name, rolls so far)."""

    __slots__ = ("_blocks", "_chance", "_left")

    def __init__(self, seed: int, name: str) -> None:
        self._chance = Chance(seed, name)
        self._blocks = 0
        self._left: list[int] = []

    def _next(self) -> int:
        if not self._left:
            self._left = [*reversed(self._chance.draws(self._blocks, DRAWS_AT_ONCE))]
            self._blocks += 1
        return self._left.pop()

    def unit(self) -> float:
        """Somewhere in [0, 1)."""
        return self._next() / DRAW_RANGE

    def between(self, low: float, high: float) -> float:
        """Somewhere in [low, high)."""
        return low + (high - low) * self.unit()

    def chance(self, probability: float) -> bool:
        """Whether something of this probability (0..1) happens."""
        return self._next() < threshold(probability)

    def below(self, bound: int) -> int:
        """A whole number in 0 .. bound - 1, each as likely as any other; `bound` is 1 .. 2^32.

        Raises:
            ValueError: There is no such number, or not enough chance for it.
        """
        if not 1 <= bound <= DRAW_RANGE:
            raise ValueError(f"a whole number below {bound} cannot be drawn")
        fair = DRAW_RANGE - DRAW_RANGE % bound
        while True:
            drawn = self._next()
            if drawn < fair:
                return drawn % bound

    def one_of(self, choices: Sequence[T]) -> T:
        """One of them, each as likely as any other."""
        return choices[self.below(len(choices))]
