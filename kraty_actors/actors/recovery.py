"""Actors come back from what is stored: at a start, when they are asked for, and when their state is lost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from kraty_actors.actors.cell import Cell
from kraty_actors.actors.chain import AlteredJournal
from kraty_actors.domain.outcome import State
from kraty_persistence import Store, StoreClosed, StoredActor, StoreError, StoreTaken, StoreUnavailable

LOAD_RETRY_SECONDS = 0.05
"""Between two tries to read from a store that is away."""

RECOVERIES_MAX = 8
"""Actors that are read back from the store at the same time."""

AT_ONCE_BYTES = 65_536
"""What is no larger is read back within some milliseconds. More is read back in a worker thread, so that whoever else
runs on the loop goes on."""


class Recovery:
    """Tells `back` of each actor that is there again, `out_of_reach` of one that cannot be read for now, `left_out` of
    one that never can; `give_up` of an error after which nobody comes back any more."""

    def __init__(
        self,
        store: Store,
        make_state: Callable[[str], State],
        back: Callable[[Cell], None],
        out_of_reach: Callable[[Cell], None],
        left_out: Callable[[Cell, AlteredJournal], None],
        give_up: Callable[[StoreError], None],
    ) -> None:
        self._store = store
        self._make_state = make_state
        self._back = back
        self._out_of_reach = out_of_reach
        self._left_out = left_out
        self._give_up = give_up
        self._at_once = anyio.CapacityLimiter(RECOVERIES_MAX)
        self._tasks: TaskGroup | None = None
        self._waiting: list[Cell] = []

    def begin(self, tasks: TaskGroup) -> None:
        """From now on, with whoever has asked before."""
        self._tasks = tasks
        for cell in self._waiting:
            tasks.start_soon(self._recover, cell)
        self._waiting.clear()

    def load(self, cell: Cell) -> None:
        cell.recovered = anyio.Event()
        if self._tasks is None:
            self._waiting.append(cell)
        else:
            self._tasks.start_soon(self._recover, cell)

    def reload(self, cell: Cell) -> None:
        """Bring a lost actor back, as soon as the store has judged all that it was handed of it."""
        if cell.lost and not cell.in_flight:
            cell.lost = False
            self.load(cell)

    async def _recover(self, cell: Cell) -> None:
        while True:
            try:
                async with self._at_once:
                    found = await self._store.load(cell.id)
                    await restore(cell, self._make_state(cell.id), found)
                break
            except StoreUnavailable:
                self._out_of_reach(cell)
                await anyio.sleep(LOAD_RETRY_SECONDS)
            except (StoreTaken, StoreClosed) as error:
                return self._give_up(error)
            except AlteredJournal as error:
                return self._left_out(cell, error)
        cell.recovered.set()
        self._back(cell)


async def restore(cell: Cell, state: State, found: StoredActor) -> None:
    """Bring an actor back, in a thread if there is much to read.

    Raises:
        UnknownFormat: Something was written by a newer program.
        AlteredJournal: Something is not what was written.
    """
    if sum(map(len, found.checkpoint)) + sum(map(len, found.records)) <= AT_ONCE_BYTES:
        cell.recover(state, found)
    else:
        await anyio.to_thread.run_sync(partial(cell.recover, state, found))
