"""The beat of a board's time-driven bots (R-38): tick k = 1, 2, 3, ... comes at `began_at + k * tick_ms`."""

from __future__ import annotations

import math

from kraty_actors.domain.numbers import Number

NEVER = 1 << 60
"""A tick, or an instant, that does not come."""


class Grid:
    """`began_at` is the board's start, an instant in ms; `tick_ms` is above 0."""

    __slots__ = ("_tick_seconds", "began_at", "tick_ms")

    def __init__(self, began_at: int, tick_ms: int) -> None:
        self.began_at = began_at
        self.tick_ms = tick_ms
        self._tick_seconds: Number = tick_ms / 1000 if tick_ms % 1000 else tick_ms // 1000

    def tick_at(self, instant: int) -> int:
        """The last tick that has come by then; 0 before the first."""
        return max(0, (instant - self.began_at) // self.tick_ms)

    def instant_of(self, tick: int) -> int:
        """When a tick comes, in ms; `NEVER` stays that."""
        return self.began_at + tick * self.tick_ms if tick < NEVER else NEVER

    def seconds(self, ticks: int) -> Number:
        """How long so many ticks take."""
        return ticks * self._tick_seconds

    def ticks_in(self, seconds: Number) -> int:
        """The first tick, counted from 0, at which so many seconds have passed."""
        ticks = math.ceil(seconds / self._tick_seconds)
        return ticks if self.seconds(ticks) >= seconds else ticks + 1
