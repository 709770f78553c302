"""Who goes first: actors for whom somebody waits, then others, as long as there is time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from time import perf_counter

from kraty_actors.actors.cell import Cell, Lane

TURNS_SECONDS = 0.001
"""How long actors have turns before the sockets have theirs, so that ten thousand at once stall nobody."""


class Lanes:
    """Two lines of actors."""

    __slots__ = ("_patient", "_pressing")

    def __init__(self) -> None:
        self._pressing: deque[Cell] = deque()
        self._patient: deque[Cell] = deque()

    def __bool__(self) -> bool:
        return bool(self._pressing or self._patient)

    def add(self, cell: Cell, lane: Lane) -> None:
        (self._pressing if lane == "pressing" else self._patient).append(cell)

    def take(self) -> Iterator[tuple[Cell, Lane]]:
        """Everybody who presses now, then at least one of the patient, and more of them until time is up."""
        enough = perf_counter() + TURNS_SECONDS
        for _ in range(len(self._pressing)):
            yield self._pressing.popleft(), "pressing"
        for _ in range(len(self._patient)):
            yield self._patient.popleft(), "patient"
            if perf_counter() > enough:
                return
