"""Boards of so many seats, filled one after another in the order of first starts, in each of several piles."""

from __future__ import annotations

from collections.abc import Iterable

from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.placement.decision import Decision, NewBoard

Pile = tuple[str, Plain]
"""What the players of a board have in common, as a kind and a value."""


class Filling:
    """Nobody leaves such a board, so only the newest of each pile has a seat to give. `seats` None is no limit."""

    def __init__(self, seats: int | None) -> None:
        self._seats = seats
        self._piles: list[Pile] = []
        self._seated: list[int] = []
        self._newest: dict[Pile, int] = {}

    def place(self, player: int, pile: Pile) -> Decision:
        """The next seat of the pile."""
        number = self._newest.get(pile)
        opened = []
        if number is None or self._seated[number - 1] == self._seats:
            number = self._open(pile, 0)
            opened.append(NewBoard(number))
        self._seated[number - 1] += 1
        return Decision(places={player: number}, opened=opened, starts=[player])

    def pile_of(self, number: int) -> Pile:
        return self._piles[number - 1]

    def _open(self, pile: Pile, seated: int) -> int:
        self._piles.append(pile)
        self._seated.append(seated)
        self._newest[pile] = len(self._piles)
        return len(self._piles)

    def dump(self) -> Iterable[Plain]:
        """A row for each board, in the order of their numbers, as all stand now."""
        return ([*pile, seated] for pile, seated in zip(self._piles[:], self._seated[:], strict=True))

    def restore(self, rows: Iterable[Plain]) -> None:
        for kind, value, seated in rows:
            self._open((kind, value), seated)
