"""`grouped`: boards of some 50 seats, split first by what the players have in common (R-30)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.placement.decision import Decision, Placement
from kraty_actors.domain.placement.filling import Filling, Pile
from kraty_actors.domain.window_messages import Admit

EVERYONE: Pile = ("none", None)


def cohort_of(trait: Plain) -> Pile:
    """Players with equal values are one cohort, and so are those without one. Numbers are equal by value (1 and
    1.0), but never to a truth value or a text."""
    match trait:
        case bool():
            return ("bool", trait)
        case str():
            return ("text", trait)
        case int():
            return ("number", trait)
        case float() if math.isfinite(trait):
            return ("number", trait)
    return EVERYONE


class Groups(Placement):
    """See the module. `seats` are those for players on each board."""

    def __init__(self, seats: int, *, by_cohort: bool) -> None:
        self._boards = Filling(seats)
        self._by_cohort = by_cohort

    def place(self, newcomer: Admit, now: int) -> Decision:
        return self._boards.place(newcomer.player, cohort_of(newcomer.trait) if self._by_cohort else EVERYONE)

    def dump(self) -> Iterable[Plain]:
        return self._boards.dump()

    def restore(self, rows: Iterable[Plain]) -> None:
        self._boards.restore(rows)
