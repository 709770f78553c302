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
    """Ticks once per applied write of a human on the board; a bot at its target freezes for good (R-37)."""

    __slots__ = ("_chance", "_climbing", "_seats", "ticks", "values")

    def __init__(self, seats: Sequence[BotSeat], chance: Chance) -> None:
        self._seats = seats
        self._chance = chance
        self.ticks = 0
        self.values: list[Number] = [0] * len(seats)
        self._climbing = self._not_frozen()

    def __len__(self) -> int:
        return len(self._seats)

    def identity(self, seat: int) -> BotIdentity:
        return self._seats[seat].identity

    def tick(self) -> list[int]:
        """Move every bot once; the seats whose value changed."""
        self.ticks += 1
        if not self._climbing:
            return []
        draws = self._chance.draws(self.ticks, len(self._seats))
        values = self.values
        moved = []
        frozen = False
        for seat, plan in self._climbing:
            old = values[seat]
            if draws[seat] >= plan.fall_below:
                values[seat] = new = old + plan.step
                frozen = frozen or new >= plan.target
                moved.append(seat)
            elif old:
                values[seat] = 0
                moved.append(seat)
        if frozen:
            self._climbing = self._not_frozen()
        return moved

    def _not_frozen(self) -> list[tuple[int, BotSeat]]:
        return [(at, seat) for at, seat in enumerate(self._seats) if self.values[at] < seat.target]

    def dump(self) -> list[Plain]:
        return [self.ticks, self.values]

    def restore(self, plain: list[Plain]) -> None:
        self.ticks, self.values = plain
        self._climbing = self._not_frozen()
