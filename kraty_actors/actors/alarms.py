"""What is to happen at which instant: actors that are to be woken, be they in memory or not, and callbacks."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

Callback = Callable[[], None]


class Alarms:
    """Instants in ms. An actor, named by its id, has one alarm: older ones of it ring for nobody."""

    __slots__ = ("_at", "_heap", "_order")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str | Callback]] = []
        self._at: dict[str, int] = {}
        self._order = count()

    @property
    def next_at(self) -> int | None:
        """The earliest alarm."""
        return self._heap[0][0] if self._heap else None

    def call_at(self, at: int, callback: Callback) -> None:
        heapq.heappush(self._heap, (at, next(self._order), callback))

    def wake_at(self, at: int | None, actor: str) -> None:
        """Let the actor be woken then, and not when it was going to be; None is never."""
        if at is None:
            self._at.pop(actor, None)
        elif self._at.get(actor) != at:
            self._at[actor] = at
            heapq.heappush(self._heap, (at, next(self._order), actor))

    def due(self, now: int) -> list[str | Callback]:
        """Take what has come. What one of these asks for comes next time, be it at once."""
        found: list[str | Callback] = []
        while self._heap and self._heap[0][0] <= now:
            at, _, whom = heapq.heappop(self._heap)
            if isinstance(whom, str):
                if self._at.get(whom) != at:
                    continue
                del self._at[whom]
            found.append(whom)
        return found
