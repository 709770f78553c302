"""Looks at every actor in memory now and then: one that has changed is written down, and one that nobody has asked for
anything leaves memory. It comes back with the next message, or when its alarm rings.

Nothing is added to the way of a message: an actor is looked at once in a while, and not whenever it is touched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from kraty_actors.actors.alarms import Alarms
from kraty_actors.actors.cell import Cell
from kraty_actors.actors.checkpoints import Checkpoints

IDLE_MS = 60_000
"""How long nothing comes for an actor until it leaves memory."""

CHECKPOINT_EVERY_MS = 300_000
"""An actor that has changed is written down at the latest so long after it was the last time."""

AT_ONCE = 8
"""Actors that are written down for this at the same time: nobody waits for it."""

LOOKED_AT_MAX = 200
"""Actors looked at in one go."""

AGAIN_MS = 20
"""Between two goes while there is more to do."""


class Upkeep:
    """Over all `cells`. `leave` takes one out of memory."""

    def __init__(
        self,
        cells: Mapping[str, Cell],
        checkpoints: Checkpoints,
        alarms: Alarms,
        leave: Callable[[Cell], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._cells = cells
        self._checkpoints = checkpoints
        self._alarms = alarms
        self._leave = leave
        self._line: deque[tuple[int, Cell]] = deque()
        self._now_ms = now_ms
        self._is_called = False

    def add(self, cell: Cell) -> None:
        """An actor has come into memory."""
        now = self._now_ms()
        cell.written_at = now
        self._put_off(cell, now)

    def written(self, cell: Cell) -> None:
        """An actor was written down; if nothing has come for it since, it leaves at once."""
        now = self._now_ms()
        cell.written_at = now
        if self._is_idle(cell, now) and self._is_written_down(cell):
            self._leave(cell)

    def _put_off(self, cell: Cell, now: int) -> None:
        self._line.append((now + IDLE_MS, cell))
        if not self._is_called:
            self._call(now + IDLE_MS)

    def _call(self, at: int) -> None:
        self._is_called = True
        self._alarms.call_at(at, self._look)

    def _look(self) -> None:
        """At whoever's turn it is; while enough of them are being written down, the others wait."""
        now = self._now_ms()
        for _ in range(LOOKED_AT_MAX):
            if not self._line or self._line[0][0] > now or len(self._checkpoints) >= AT_ONCE:
                break
            _, cell = self._line.popleft()
            if self._cells.get(cell.id) is cell:
                self._look_at(cell, now)
        self._is_called = False
        if self._line:
            self._call(max(self._line[0][0], now + AGAIN_MS))

    def _look_at(self, cell: Cell, now: int) -> None:
        if self._is_idle(cell, now):
            if self._is_written_down(cell):
                self._leave(cell)
                return
            self._checkpoints.write(cell)
        elif cell.number > cell.checkpointed and now - cell.written_at >= CHECKPOINT_EVERY_MS:
            self._checkpoints.write(cell)
        if self._cells.get(cell.id) is cell:
            self._put_off(cell, now)

    def _is_idle(self, cell: Cell, now: int) -> bool:
        """Whether nothing has come for it for a while, and nothing is about to."""
        if cell.state is None or cell.lane or cell.mailbox or cell.in_flight or now - cell.now < IDLE_MS:
            return False
        return bool(cell.number) and cell.present_note().can_sleep and (cell.alarm is None or cell.alarm > now)

    def _is_written_down(self, cell: Cell) -> bool:
        """Whether what is stored says all that there is to know of it."""
        is_whole = cell.checkpointed == cell.number and cell not in self._checkpoints
        return is_whole and (cell.is_over or cell.note == cell.present_note())
