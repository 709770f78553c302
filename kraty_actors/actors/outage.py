"""What becomes of commands while the store takes nothing, or an actor goes back to what is stored (R-58)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

from kraty_actors.actors.cell import Cell, Envelope, Respond
from kraty_actors.actors.clock import Clock
from kraty_actors.domain.outcome import Command, Refusal, Tick
from kraty_persistence import Store, StoreClosed, StoreError, StoreTaken, StoreUnavailable

STORE_RETRY_SECONDS = 0.25
"""Between two tries to write to a store that is away."""

OUT_OF_REACH = Refusal("overloaded", "the database does not answer", {"retryAfter": 1})
"""What a question hears whose actor cannot be read back from the store for now."""


class Outage:
    """Whether the store has given up on something: until it takes a write again, actors are only read. `over` is called
    when it does; `give_up` with an error after which it never will."""

    def __init__(
        self, store: Store, clock: Clock, over: Callable[[], None], give_up: Callable[[StoreError], None]
    ) -> None:
        self.is_on = False
        self._store = store
        self._clock = clock
        self._over = over
        self._give_up = give_up

    def begin(self, tasks: TaskGroup) -> None:
        if not self.is_on:
            self.is_on = True
            tasks.start_soon(self._await_store)

    async def _await_store(self) -> None:
        """Try until the store takes a write again; then everybody goes on."""
        while self.is_on:
            try:
                await self._store.set_meta("last_outage_ended_at", str(self._clock.now_ms()))
                self.is_on = False
            except StoreUnavailable:
                await anyio.sleep(STORE_RETRY_SECONDS)
            except (StoreTaken, StoreClosed) as error:
                self._give_up(error)
                break
        self._over()


def take_back(cell: Cell) -> None:
    """Refuse what was to change a state that is lost. Questions are asked again, and what is told to an actor must not
    be lost: both wait in the mailbox, in their old order."""
    envelopes = [envelope for batch in cell.in_flight for envelope in batch.envelopes] + list(cell.mailbox)
    for batch in cell.in_flight:
        batch.envelopes = []
    cell.mailbox.clear()
    for envelope in envelopes:
        command, respond, *_ = envelope
        if may_wait(command, respond):
            cell.mailbox.append(envelope)
        elif respond is not None:
            respond(overloaded())


def refuse_questions(cell: Cell) -> None:
    """Refuse whoever waits for an answer of an actor that cannot be read back for now."""
    waiting, cell.mailbox = cell.mailbox, deque()
    for envelope in waiting:
        command, respond, *_ = envelope
        if respond is not None and command.is_read:
            respond(OUT_OF_REACH)
        else:
            cell.mailbox.append(envelope)


def refuse_behind(cell: Cell) -> None:
    """Refuse whoever has asked behind a batch of which nobody knows whether it is stored."""
    for batch in cell.in_flight:
        if not batch.inputs:
            for respond, _ in batch.replies:
                respond(OUT_OF_REACH)
            batch.replies, batch.envelopes = [], []


def may_wait(command: Command, respond: Respond | None) -> bool:
    """Whether a command need not be refused while nothing can be stored: a question, or something that is told."""
    return command.is_read or (respond is None and command.__class__ is not Tick)


def is_patient(envelope: Envelope) -> bool:
    """Whether nobody waits for what a command leads to."""
    command, respond, *_ = envelope
    return respond is None and command.can_wait


def overloaded() -> Refusal:
    """Nothing was applied and no sequence number used: the same may be sent again."""
    return Refusal("overloaded", "the server is busy: try again shortly", {"retryAfter": 1})
