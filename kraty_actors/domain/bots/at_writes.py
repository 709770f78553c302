"""Blocks that move when humans write (R-37)."""

from __future__ import annotations

from collections.abc import Sequence

from kraty_actors.definitions import RandomStepWithFallParams
from kraty_actors.domain.bots.blocks import WriteBlock
from kraty_actors.domain.chance import threshold
from kraty_actors.domain.numbers import Number


class RandomStepWithFall(WriteBlock[RandomStepWithFallParams]):
    """A step up, or back to 0, until it is at its target (R-37)."""

    def __init__(self, params: RandomStepWithFallParams, target: Number) -> None:
        super().__init__(params, target)
        self._falls_below = threshold(params.fall_chance)

    def rests(self, score: Number) -> bool:
        return score >= self.target

    def step_all(
        self, seats: Sequence[int], draws: Sequence[int], scores: list[Number], reached: list[int], moment: int
    ) -> tuple[bool, bool]:
        # Dozens of bots move at every write: a call for each of them would take as long again as all the rest.
        falls_below, up, target = self._falls_below, self.params.step, self.target
        moved = rests = False
        for seat in seats:
            if draws[seat] >= falls_below:
                scores[seat] += up
                reached[seat] = moment
                moved = True
                if scores[seat] >= target:
                    rests = True
            elif scores[seat]:
                scores[seat] = 0
                reached[seat] = moment
                moved = True
        return moved, rests
