"""What is to happen at which instant: actors that are to be woken, and callbacks."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from kraty_actors.actors.cell import Cell

Callback = Callable[[], None]


class Alarms:
    """Instants in ms. An actor has one alarm, the one in `cell.alarm`: older ones of it ring for nobody."""

    __slots__ = ("_heap", "_order")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Cell | Callback]] = []
        self._order = count()

    @property
    def next_at(self) -> int | None:
        """The earliest alarm."""
        return self._heap[0][0] if self._heap else None

    def call_at(self, at: int, callback: Callback) -> None:
        heapq.heappush(self._heap, (at, next(self._order), callback))

    def wake_at(self, at: int | None, cell: Cell) -> None:
        """Let the actor be woken then, and not when it was going to be; None is never."""
        if at is not None and at != cell.alarm:
            heapq.heappush(self._heap, (at, next(self._order), cell))
        cell.alarm = at

    def due(self, now: int) -> list[Cell | Callback]:
        """Take what has come. What one of these asks for comes next time, be it at once."""
        found: list[Cell | Callback] = []
        while self._heap and self._heap[0][0] <= now:
            at, _, whom = heapq.heappop(self._heap)
            if isinstance(whom, Cell):
                if whom.alarm != at:
                    continue
                whom.alarm = None
            found.append(whom)
        return found
