"""What a bot does in one state: the three kinds of blocks (R-38, R-39).

A block is pure and holds nothing about who plays it: one object serves each seat of each board that runs the same
definition. What differs between seats comes as arguments: the score, and `luck`, the one draw of the seat in 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

from kraty_actors.definitions import BlockParams
from kraty_actors.domain.numbers import Number

P = TypeVar("P", bound=BlockParams)


class Block(Generic[P]):
    """Made once for each revision of an event.

    Args:
        params: its parameters, as its model in the definitions has read them.
        target: what it aims for: its own parameter, else the event's largest metric target, else 0.
    """

    def __init__(self, params: P, target: Number) -> None:
        self.params = params
        self.target = target


class TimedBlock(Block[P]):
    """A score that depends on nothing but time since the block was entered, so that idle hours are skipped.

    A block that leaves these methods alone stays at its score for ever.
    """

    freezes: ClassVar[bool] = False
    """Once settled it is final: the bot stands still for good."""
    leaves: ClassVar[bool] = False
    """Once settled the bot leaves the board."""

    def score(self, seconds: Number, since: Number, luck: float) -> Number:
        """The score so many seconds after the block was entered at the score `since`; it is rounded down.

        It may rise or fall but never turn round, and must stay as it is once settled.
        """
        return since

    def settles_after(self, since: Number, luck: float) -> Number | None:
        """The seconds after which the score stays and a sequence goes on to its next step; None if they never end."""
        return 0


class View(Protocol):
    """A board as it was before the tick, for those who follow others."""

    def leader(self) -> Number | None:
        """The score of the best human; None without one."""

    def at_rank(self, rank: int) -> Number | None:
        """The score at a rank, 1 for the first, of those who track nobody; beyond the last, that of the last."""


class FollowingBlock(Block[P]):
    """A score that moves each tick by where others stand, and by nothing else."""

    tracks: ClassVar[bool] = False
    """Whether others who look at ranks do not see its row, lest trackers chase each other."""

    def step(self, score: Number, view: View, luck: float) -> Number:
        """The score after one tick; it is rounded down."""
        raise NotImplementedError


class WriteBlock(Block[P]):
    """A score that moves once with each applied write of a human on its board, as it is: nothing is rounded."""

    def step(self, score: Number, draw: int) -> Number:
        """The score after one write; `draw` is chance, in 0 .. `DRAW_RANGE` - 1."""
        raise NotImplementedError

    def rests(self, score: Number) -> bool:
        """Whether writes move it no more from this score on."""
        return False

    def step_all(
        self, seats: Sequence[int], draws: Sequence[int], scores: list[Number], reached: list[int], moment: int
    ) -> tuple[bool, bool]:
        """`step` for every seat that plays it. Whether any moved, and whether any rests now."""
        moved = rests = False
        for seat in seats:
            score = self.step(scores[seat], draws[seat])
            if score != scores[seat]:
                scores[seat], reached[seat] = score, moment
                moved, rests = True, rests or self.rests(score)
        return moved, rests
