"""How late the loop is, and what is not done while it is too late.

Now and then, while there is something to do, a task asks for a turn and measures how long it waits for it. One long
turn is nothing; that even the shortest of the last few waits was long means that more comes in than can be done.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

PROBE_SECONDS = 0.05
"""Between two looks, at least."""

PROBES = 3
"""Looks of which the shortest wait counts."""

TURNS = 2
"""Turns that a look waits for: where in a turn a task comes is up to chance."""

STALE_SECONDS = 1.0
"""After which a look says nothing any more."""

LEVELS = (0.2, 0.4, 0.8, 1.6)
"""Waits, in seconds, from which on listings, new watches, new starts and reads are refused."""

SHEDS: Mapping[str, int] = {
    "events.list": 1,
    "boards.watch": 2,
    "events.start": 3,
    **dict.fromkeys(["attempts.get", "boards.read", "boards.periods", "lobbies.get", "players.get"], 4),
    **dict.fromkeys(["wallet.get", "inventory.get", "grants.list"], 4),
}
"""The level from which on an operation is refused; what changes something that was begun never is."""


class Pressure:
    """Looks while there is something to do: `look` is called at each turn in which something is answered."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._waits: deque[float] = deque(maxlen=PROBES)
        self._is_looking = False
        self._looked_at = 0.0

    def look(self, now: float) -> None:
        """Have a look, unless there was one just now."""
        if not self._is_looking and now - self._looked_at >= PROBE_SECONDS:
            if now - self._looked_at > STALE_SECONDS:
                self._waits.clear()
            self._is_looking = True
            self._tasks.start_soon(self._wait_for_a_turn)

    async def _wait_for_a_turn(self) -> None:
        begun = anyio.current_time()
        for _ in range(TURNS):
            await checkpoint()
        self._looked_at = anyio.current_time()
        self._waits.append((self._looked_at - begun) / TURNS)
        self._is_looking = False

    def delay_seconds(self, now: float) -> float:
        """How long everybody waits for a turn of the loop; 0 while there is little to do."""
        is_stale = not self._is_looking and now - self._looked_at > STALE_SECONDS
        return 0.0 if is_stale or len(self._waits) < PROBES else min(self._waits)

    def level(self, now: float) -> int:
        """0 while all is well, up to 4."""
        return bisect_right(LEVELS, self.delay_seconds(now))
