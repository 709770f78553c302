"""Writing down whole actors, however large: a helping of parts at a time, each while the one before is committed, so
that nobody waits for a board of a million players."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import anyio

from kraty_actors.actors.cell import Cell
from kraty_actors.domain.outcome import State
from kraty_persistence import Aside, Store, StoreError, Unit

log = logging.getLogger(__name__)

HELPING_BYTES = 100_000
"""Packed and handed over in one go: some milliseconds of the loop."""


@dataclass(slots=True, eq=False)
class _Writing:
    """One actor as it stood after its batch `number`; so many parts of it are `laid` aside."""

    cell: Cell
    number: int
    state: State
    parts: Iterator[bytes]
    laid: int = 0


class Checkpoints:
    """Tells `written` of each actor that was written down, or of the error for which it was not."""

    def __init__(self, store: Store, written: Callable[[Cell, StoreError | None], None]) -> None:
        self._store = store
        self._written = written
        self._under_way: set[Cell] = set()
        self._idle = anyio.Event()

    async def all_written(self) -> None:
        """Wait until no actor is being written down."""
        while self._under_way:
            await self._idle.wait()

    def write(self, cell: Cell) -> None:
        """Write an actor down; one that is being written already is so from its beginning if it has changed since."""
        cell.checkpointed = cell.number
        if cell not in self._under_way and cell.state is not None:
            self._under_way.add(cell)
            self._go_on(_Writing(cell, cell.number, cell.state, cell.checkpoint()))

    def _go_on(self, writing: _Writing) -> None:
        cell = writing.cell
        if cell.state is None:
            self._end(cell, None)
            return
        if (cell.number, cell.state) != (writing.number, writing.state):
            writing = _Writing(cell, cell.number, cell.state, cell.checkpoint())
            cell.checkpointed = cell.number
        helping, is_last = _helping(writing.parts)
        if is_last:
            is_over = cell.retired and not cell.unheard
            unit = Unit(
                cell.id,
                writing.number,
                checkpoint=helping,
                checkpoint_follows=writing.laid,
                finished=is_over,
                can_wait=True,
            )
            self._store.submit(unit, partial(self._end, cell))
        else:
            unit = Unit(cell.id, writing.number, aside=Aside(writing.laid, helping), can_wait=True)
            writing.laid += len(helping)
            self._store.submit(unit, partial(self._laid, writing))

    def _laid(self, writing: _Writing, error: StoreError | None) -> None:
        if error is None:
            self._go_on(writing)
        else:
            self._end(writing.cell, error)

    def _end(self, cell: Cell, error: StoreError | None) -> None:
        self._under_way.discard(cell)
        if not self._under_way:
            self._idle.set()
            self._idle = anyio.Event()
        if error is not None:
            log.warning("the checkpoint of %s waits: %s", cell.id, error)
        self._written(cell, error)


def _helping(parts: Iterator[bytes]) -> tuple[tuple[bytes, ...], bool]:
    """The next parts, and whether there are no more."""
    taken: list[bytes] = []
    size = 0
    for part in parts:
        taken.append(part)
        size += len(part)
        if size >= HELPING_BYTES:
            return tuple(taken), False
    return tuple(taken), True
