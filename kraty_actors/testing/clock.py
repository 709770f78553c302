"""Time that a test moves by hand."""

from __future__ import annotations


class ManualClock:
    """Stands still until it is told otherwise; a server that runs by it notices within a few milliseconds."""

    look_again_seconds = 0.002

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        return self._now_ms

    def move_to(self, at_ms: int) -> None:
        """Set the time, forwards or, as a faulty machine might, backwards (ms since the epoch, UTC)."""
        self._now_ms = at_ms

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ms += round(seconds * 1000)
