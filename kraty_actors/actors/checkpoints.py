"""Writing down whole actors, however large and busy: a helping of parts at a time, each while the one before is
committed, so that nobody waits for a board of a million players.

All parts show the actor as it stood after one batch, for a state keeps what changes before its part was written. So a
checkpoint ends, whatever happens meanwhile, and is what the journal gives up to that batch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import anyio

from kraty_actors.actors.cell import Cell, Note
from kraty_actors.domain.outcome import State
from kraty_persistence import Aside, Store, StoreError, Unit

log = logging.getLogger(__name__)

HELPING_BYTES = 20_000
"""Packed and handed over in one go: about a millisecond of the loop, and little beside what others wait for."""

INPUTS_MAX = 20_000
"""Inputs that gather in the journal of an actor before it is written down: some tenths of a second of replay."""

BYTES_AN_INPUT = 300
"""A large actor is written down less often, so that no more than this is written for each of its inputs."""

LARGE_INPUTS_MAX = 1_000_000
"""Inputs that gather however large the actor is."""


@dataclass(slots=True, eq=False)
class _Writing:
    """One actor as it stood after its batch `number`; so many parts of it are `laid` aside, of so many bytes. `last`
    waits until that batch is committed."""

    cell: Cell
    number: int
    note: Note
    state: State
    parts: Iterator[bytes]
    is_over: bool
    laid: int = 0
    size: int = 0
    last: Unit | None = None


class Checkpoints:
    """Tells `written` of each actor that was written down, or of the error for which it was not."""

    def __init__(self, store: Store, written: Callable[[Cell, StoreError | None], None]) -> None:
        self._store = store
        self._written = written
        self._under_way: dict[Cell, _Writing] = {}
        self._idle = anyio.Event()

    def __len__(self) -> int:
        return len(self._under_way)

    def __contains__(self, cell: Cell) -> bool:
        return cell in self._under_way

    async def all_written(self) -> None:
        """Wait until no actor is being written down."""
        while self._under_way:
            await self._idle.wait()

    def write(self, cell: Cell) -> None:
        """Write an actor down as it stands, unless it is being written already."""
        if cell.state is None or cell in self._under_way:
            return
        writing = _Writing(
            cell, cell.number, cell.present_note(), cell.state, cell.checkpoint(), cell.retired and not cell.unheard
        )
        cell.gathered = 0
        self._under_way[cell] = writing
        self._go_on(writing)

    def committed(self, cell: Cell) -> None:
        """One of the actor's batches is committed: what waited for that goes on."""
        writing = self._under_way.get(cell)
        if writing is not None and writing.last is not None and cell.committed >= writing.number:
            self._submit_last(writing, writing.last)

    def _go_on(self, writing: _Writing) -> None:
        cell = writing.cell
        if cell.state is not writing.state:  # it was lost, and comes back as something else perhaps
            self._end(writing, None, is_stored=False)
            return
        helping, is_last = _helping(writing.parts)
        writing.size += sum(map(len, helping))
        if is_last:
            writing.last = Unit(
                cell.id,
                writing.number,
                checkpoint=helping,
                checkpoint_follows=writing.laid,
                finished=writing.is_over,
                can_wait=True,
            )
            self.committed(cell)
        else:
            unit = Unit(cell.id, writing.number, aside=Aside(writing.laid, helping), can_wait=True)
            writing.laid += len(helping)
            self._store.submit(unit, partial(self._laid, writing))

    def _submit_last(self, writing: _Writing, unit: Unit) -> None:
        writing.last = None
        if writing.cell.state is writing.state:
            self._store.submit(unit, partial(self._end, writing))
        else:
            self._end(writing, None, is_stored=False)

    def _laid(self, writing: _Writing, error: StoreError | None) -> None:
        if error is None:
            self._go_on(writing)
        else:
            self._end(writing, error)

    def _end(self, writing: _Writing, error: StoreError | None, *, is_stored: bool = True) -> None:
        cell = writing.cell
        del self._under_way[cell]
        if not self._under_way:
            self._idle.set()
            self._idle = anyio.Event()
        if error is not None:
            log.warning("the checkpoint of %s waits: %s", cell.id, error)
        elif is_stored:
            cell.checkpointed = max(cell.checkpointed, writing.number)
            cell.note = writing.note
            cell.is_over = cell.is_over or writing.is_over
            cell.size = writing.size
            cell.room = room_for(cell.size)
        self._written(cell, error)


def room_for(size: int) -> int:
    """How many inputs may gather behind a checkpoint of so many bytes."""
    return min(LARGE_INPUTS_MAX, max(INPUTS_MAX, size // BYTES_AN_INPUT))


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
