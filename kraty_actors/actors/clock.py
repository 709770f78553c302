"""Where the server's time comes from. Only the actor loop reads it; the rules get it with each command."""

from __future__ import annotations

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """A source of instants and of how long one may sleep before looking again."""

    look_again_seconds: float

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""


class SystemClock:
    """The machine's clock; it may be stepped, so a sleeper looks at it again every second."""

    look_again_seconds = 1.0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class LoopClock:
    """Starts at `start_ms` and runs with the event loop's own clock: virtual where that is virtual."""

    look_again_seconds = float("inf")

    def __init__(self, start_ms: int) -> None:
        self._start_ms = start_ms
        self._begun: float | None = None

    def now_ms(self) -> int:
        loop_time = anyio.current_time()
        if self._begun is None:
            self._begun = loop_time
        return self._start_ms + round((loop_time - self._begun) * 1000)
