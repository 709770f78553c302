"""Blocks that move with time alone, by the formulas of R-38."""

from __future__ import annotations

from typing import ClassVar

from kraty_actors.definitions.blocks import (
    CompleteAtParams,
    CompleteParams,
    IdleParams,
    ProgressBurstParams,
    ProgressLinearParams,
    QuitParams,
    WaitParams,
)
from kraty_actors.domain.bots.blocks import TimedBlock
from kraty_actors.domain.numbers import Number


class Idle(TimedBlock[IdleParams]):
    """Stays where it is, and is never done."""


class Wait(TimedBlock[WaitParams]):
    """Stays where it is for a while."""

    def settles_after(self, since: Number, luck: float) -> Number | None:
        return self.params.seconds


class ProgressLinear(TimedBlock[ProgressLinearParams]):
    """Evenly to its target."""

    def score(self, seconds: Number, since: Number, luck: float) -> Number:
        duration = self._duration(luck)
        return self.target if seconds >= duration else since + (self.target - since) * seconds / duration

    def settles_after(self, since: Number, luck: float) -> Number | None:
        return 0 if since == self.target else self._duration(luck)

    def _duration(self, luck: float) -> Number:
        seconds, jitter = self.params.duration_seconds, self.params.jitter
        return seconds * (1 + jitter * (2 * luck - 1)) if jitter else seconds


class ProgressBurst(TimedBlock[ProgressBurstParams]):
    """A part of the way by the burst, the rest within it, then flat."""

    def __init__(self, params: ProgressBurstParams, target: Number) -> None:
        super().__init__(params, target)
        burst_seconds = params.duration_seconds / 10 if params.burst_seconds is None else params.burst_seconds
        self._begins = params.burst_at * params.duration_seconds
        self._ends = self._begins + burst_seconds

    def score(self, seconds: Number, since: Number, luck: float) -> Number:
        if seconds >= self._ends:
            return self.target
        way = self.target - since
        before = way * self.params.before
        if seconds < self._begins:
            return since + before * seconds / self._begins
        return since + before + (way - before) * (seconds - self._begins) / (self._ends - self._begins)

    def settles_after(self, since: Number, luck: float) -> Number | None:
        return self._ends


class CompleteAt(TimedBlock[CompleteAtParams]):
    """At its target from some moment on, and final then."""

    freezes: ClassVar[bool] = True

    def score(self, seconds: Number, since: Number, luck: float) -> Number:
        return self.target if seconds >= self.params.seconds else since

    def settles_after(self, since: Number, luck: float) -> Number | None:
        return self.params.seconds


class Complete(TimedBlock[CompleteParams]):
    """Final where it is."""

    freezes: ClassVar[bool] = True


class Quit(TimedBlock[QuitParams]):
    """Gone."""

    leaves: ClassVar[bool] = True
