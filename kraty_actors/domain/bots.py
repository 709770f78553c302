"""The bots of one board (R-35 to R-37): pure functions of (seed, board, seat, the ordered inputs of the board)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kraty_actors.domain.chance import Chance, threshold
from kraty_actors.domain.outcome import Plain

Number = int | float


@dataclass(slots=True, frozen=True)
class BotIdentity:
    name: str
    avatar: str | None
    country: str | None


@dataclass(slots=True, frozen=True)
class BotSeat:
    """What one seat plays: `random_step_with_fall {target, fallChance, step}`, and who sits there."""

    identity: BotIdentity
    target: Number
    fall_below: int
    step: Number

    @classmethod
    def of(cls, identity: BotIdentity, target: Number, fall_chance: float, step: Number) -> BotSeat:
        return cls(identity, target, threshold(fall_chance), step)


class Bots:
    """Ticks once per applied write of a human on the board; a bot at its target freezes for good (R-37).

    `values` are the scores by seat, `reached` the input at which each bot came to its score.
    """

    __slots__ = ("_chance", "_climbing", "_seats", "reached", "ticks", "values")

    def __init__(self, seats: Sequence[BotSeat], chance: Chance) -> None:
        self._seats = seats
        self._chance = chance
        self.ticks = 0
        self.values: list[Number] = [0] * len(seats)
        self.reached: list[int] = [0] * len(seats)
        self._climbing = self._not_frozen()

    def __len__(self) -> int:
        return len(self._seats)

    def identity(self, seat: int) -> BotIdentity:
        return self._seats[seat].identity

    def tick(self, at_input: int) -> bool:
        """Move every bot once; whether any score changed."""
        self.ticks += 1
        if not self._climbing:
            return False
        draws = self._chance.draws(self.ticks, len(self._seats))
        values, reached = self.values, self.reached
        moved = frozen = False
        for seat, falls_below, step, target in self._climbing:
            if draws[seat] >= falls_below:
                values[seat] += step
                reached[seat] = at_input
                moved = True
                if values[seat] >= target:
                    frozen = True
            elif values[seat]:
                values[seat] = 0
                reached[seat] = at_input
                moved = True
        if frozen:
            self._climbing = self._not_frozen()
        return moved

    def _not_frozen(self) -> list[tuple[int, int, Number, Number]]:
        return [
            (at, seat.fall_below, seat.step, seat.target)
            for at, seat in enumerate(self._seats)
            if self.values[at] < seat.target
        ]

    def dump(self) -> list[Plain]:
        return [self.ticks, list(self.values), list(self.reached)]

    def restore(self, plain: list[Plain]) -> None:
        self.ticks, self.values[:], self.reached[:] = plain
        self._climbing = self._not_frozen()
