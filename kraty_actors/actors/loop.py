"""The one loop that runs every actor.

An actor has no task of its own: it is a mailbox and a state. When something arrives it is queued; its turn takes
all that has arrived as one batch, applies each command in order, and hands the batch to the store. When the store
has committed it, and only then, messages to other actors, replies and notices leave, in the order of the batches.
Meanwhile the next batch may be applied.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint as yield_to_others

from kraty_actors.actors.alarms import Alarms
from kraty_actors.actors.cell import TICK, Batch, Cell, Envelope, Lane, Respond, read_note
from kraty_actors.actors.chain import UNKEYED, AlteredJournal
from kraty_actors.actors.checkpoints import Checkpoints, room_for
from kraty_actors.actors.clock import Clock
from kraty_actors.actors.effects import Recorder
from kraty_actors.actors.figures import LoopFigures
from kraty_actors.actors.lanes import Lanes
from kraty_actors.actors.outage import (
    OUT_OF_REACH,
    Outage,
    is_patient,
    may_wait,
    overloaded,
    refuse_behind,
    refuse_questions,
    take_back,
)
from kraty_actors.actors.records import FROM_ACTOR, pack_batch
from kraty_actors.actors.recovery import Recovery
from kraty_actors.actors.upkeep import Upkeep
from kraty_actors.domain.outcome import Command, Effect, Message, Notice, Outcome, Refusal, State
from kraty_persistence import Store, StoreClosed, StoreError, StoreTaken, StoreUnavailable, Unit

log = logging.getLogger(__name__)

MAILBOX_MAX = 10_000
"""Commands that wait in one mailbox; the next is refused at once with `overloaded`."""

BATCH_MAX = 1_024
"""Commands applied in one turn, so that no actor keeps the others waiting."""

IN_FLIGHT_MAX = 16
"""Batches of one actor that wait for the store; with more, its mailbox fills."""

PATIENT_IN_FLIGHT_MAX = 2
"""The same for an actor that goes on by itself: what it has to write should not stand in anybody's way."""


class Listener:
    """What the edge wants to hear of; each is called on the loop, after the commit."""

    def moved(self, actor_id: str) -> None:
        """What others see of this actor has changed."""

    def finished(self, actor_id: str) -> None:
        """The actor's state is final."""

    def notice(self, notice: Notice) -> None:
        """Something to push to players."""

    def happened(self, effect: Effect) -> None:
        """A row was written for others to read."""

    def flush(self) -> None:
        """All that could be said now has been said."""


class ActorLoop:
    """See the module. `make_state(actor_id)` gives the empty state of an actor; `listener` may be set before `run`.

    Attributes:
        recorder: Turns what batches lead to into rows.
        sealer: Chains the records of the journal; to be set before anything is asked.
        figures: What is counted on the way.
    """

    def __init__(
        self, store: Store, clock: Clock, make_state: Callable[[str], State], roots: Iterable[str] = ()
    ) -> None:
        self.listener = Listener()
        self.recorder = Recorder()
        self.sealer = UNKEYED
        self.figures = LoopFigures()
        self._store = store
        self._clock = clock
        self._roots = frozenset(roots)
        self._cells: dict[str, Cell] = {}
        self._ready = Lanes()
        self._settled = Lanes()
        self._alarms = Alarms()
        self._wake = anyio.Event()
        self._asleep = False
        self._tasks: TaskGroup | None = None
        self._fatal: StoreError | None = None
        self._checkpoints = Checkpoints(store, self._checkpoint_stored)
        self._upkeep = Upkeep(self._cells, self._checkpoints, self._alarms, self._leave, self.now_ms)
        self._recovery = Recovery(store, make_state, self._back, self._out_of_reach, self._leave_out, self.give_up)
        self._outage = Outage(store, clock, self._queue_all, self.give_up)

    @property
    def store_is_away(self) -> bool:
        """The store has given up on something: until it takes a write again, actors are only read (R-58)."""
        return self._outage.is_on

    # -- speaking to actors

    def ask(self, actor_id: str, command: Command, respond: Respond | None = None) -> None:
        """Post a command; `respond` gets the reply once it may be told, or a `Refusal`. Never waits."""
        cell = self._cell(actor_id)
        if len(cell.mailbox) >= MAILBOX_MAX or (self._outage.is_on and not may_wait(command, respond)):
            if respond is not None:
                respond(overloaded())
            return
        cell.mailbox.append((command, respond, "", 0))
        self._queue(cell)

    def at_rest(self, actor_id: str, now: int) -> State | None:
        """The state of an actor all of whose changes are committed and for which nothing waits or is due by `now`: it
        may be read at once. None means that it has to be asked."""
        cell = self._cells.get(actor_id)
        if cell is None or not cell.number or cell.lane or cell.in_flight or cell.mailbox:
            return None
        return cell.state if cell.alarm is None or cell.alarm > now else None

    def call_at(self, at: int, callback: Callable[[], None]) -> None:
        """Call back once the clock has come to `at` (ms)."""
        self._alarms.call_at(at, callback)
        self._rouse()

    async def call(self, actor_id: str, command: Command) -> object:
        """Post a command and wait for its reply, which may be a `Refusal`.

        Raises:
            StoreUnavailable: It is a question, and the actor cannot be read back from the store for now.
        """
        reply = await answer_to(partial(self.ask, actor_id, command))
        if reply is OUT_OF_REACH:
            raise StoreUnavailable(OUT_OF_REACH.message)
        return reply

    def now_ms(self) -> int:
        return self._clock.now_ms()

    @property
    def cells(self) -> Collection[Cell]:
        """Every actor that is here, to be looked at."""
        return self._cells.values()

    # -- running

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            StoreTaken: Another server owns the database now; nothing more was acknowledged.
        """
        async with anyio.create_task_group() as self._tasks:
            self._recovery.begin(self._tasks)
            while True:
                await self._wait()
                self._ring()
                self._release_settled()
                self._take_turns()
                self.listener.flush()
                if self._fatal is not None:
                    raise self._fatal
                await yield_to_others()

    async def recover(self, names: Iterable[str]) -> None:
        """Bring back actors from the store, and wait until they are there; `run` must be running.

        Raises:
            AlteredJournal: What is stored of one of them is not what was written.
        """
        cells = [self._cell(name) for name in names]
        for cell in cells:
            while cell.state is None:
                await cell.recovered.wait()
                if cell.damage is not None:
                    raise cell.damage

    def let_sleep(self, sleepers: Mapping[str, bytes]) -> set[str]:
        """Those of the stored actors that need not be recovered before somebody asks for them; `sleepers` gives the
        first part of the checkpoint of each that has nothing behind it. They are woken when their time comes."""
        notes = ((name, read_note(own)) for name, own in sleepers.items())
        sleeping = {name: note for name, note in notes if note is not None and note.can_sleep}
        for name, note in sleeping.items():
            self._alarms.wake_at(note.wake_at, name)
        self._rouse()
        return sleeping.keys() - self._cells.keys()

    async def checkpoint_all(self) -> None:
        """Write down every actor as it stands, once all that was accepted is committed."""
        while any(cell.lane or cell.mailbox or cell.in_flight for cell in self._cells.values()):
            if self._outage.is_on or self._store.failing_since is not None:
                return
            await anyio.sleep(0.001)
        await self._checkpoints.all_written()
        for cell in list(self._cells.values()):  # a retired one leaves as soon as it is written down
            if cell.number > cell.checkpointed or (cell.number and cell.note is None):
                self._checkpoints.write(cell)
        await self._checkpoints.all_written()

    # -- one turn

    def _take_turns(self) -> None:
        for cell, lane in self._ready.take():
            if cell.lane == lane:  # else it has had its turn with those that press
                cell.lane = None
                self._turn(cell)

    def _turn(self, cell: Cell) -> None:
        if cell.state is None:
            return
        if len(cell.in_flight) >= (IN_FLIGHT_MAX if cell.mailbox else PATIENT_IN_FLIGHT_MAX):
            cell.stalled = True
            return
        now = cell.now = max(self._clock.now_ms(), cell.now)
        batch = Batch(self._take(cell, now))
        cell.handled += len(batch.envelopes)
        for at, envelope in enumerate(batch.envelopes):
            try:
                self._apply(cell, cell.state, batch, envelope, now)
            except Exception:  # noqa: BLE001 -- a bug in a rule: the one boundary that keeps the other actors running
                self._throw_away(cell, batch, at)
                return
        if batch.inputs:
            if cell.gatherer is not None:
                batch.messages.extend((cell.say(message), message) for message in cell.gatherer.gathered(now))
            self._commit(cell, batch)
        elif cell.in_flight:
            batch.committed = True
            cell.in_flight.append(batch)
            if self._outage.is_on:
                self._in_doubt(cell)
        else:
            self._release(cell, batch)
        self._set_alarm(cell)
        if cell.mailbox:
            if not self._outage.is_on:
                self._queue(cell)
        elif not cell.number and cell.id not in self._roots:
            del self._cells[cell.id]

    def _take(self, cell: Cell, now: int) -> list[Envelope]:
        mailbox = cell.mailbox
        if self._outage.is_on:
            reads = [envelope for envelope in mailbox if envelope[0].is_read]
            cell.mailbox = deque(envelope for envelope in mailbox if not envelope[0].is_read)
            return reads
        taken: list[Envelope] = []
        wake_at = self._wake_at(cell)
        if wake_at is not None and wake_at <= now:
            taken.append((TICK, None, "", 0))
        if len(mailbox) <= BATCH_MAX:
            taken.extend(mailbox)
            mailbox.clear()
        else:
            taken.extend(mailbox.popleft() for _ in range(BATCH_MAX))
        return taken

    def _apply(self, cell: Cell, state: State, batch: Batch, envelope: Envelope, now: int) -> None:
        command, respond, source, number = envelope
        if source:
            if source in cell.deaf_to:
                return
            batch.heard.append((source, number))
            if number <= cell.heard.get(source, 0):
                return
        elif not cell.number and not batch.inputs and cell.id not in self._roots:
            if respond is not None:
                batch.replies.append((respond, Refusal("not_found", "there is no such thing")))
            return
        outcome: Outcome = state.apply(command, now)
        if source:
            cell.heard[source] = number
            batch.inputs.append([FROM_ACTOR, source, number, *command.record()])
        elif outcome.traced:
            batch.inputs.append(command.record())
        if respond is not None:
            batch.replies.append((respond, outcome.reply))
        if outcome.moved:
            batch.moved = True
        if outcome.messages:
            batch.messages.extend((cell.say(message), message) for message in outcome.messages)
        if outcome.effects:
            batch.effects.extend(outcome.effects)
        if outcome.notices:
            batch.notices.extend(outcome.notices)
        if outcome.finished:
            batch.finished = cell.retired = True

    def _commit(self, cell: Cell, batch: Batch) -> None:
        cell.number = batch.number = cell.number + 1
        batch.can_wait = all(map(is_patient, batch.envelopes)) or any(
            one.can_wait and not one.committed for one in cell.in_flight
        )
        cell.in_flight.append(batch)
        self.figures.handed(batch)
        unit = Unit(
            cell.id,
            cell.number,
            self.sealer.add(cell.chain, cell.id, cell.number, pack_batch(cell.now, batch.inputs)),
            self.recorder.rows(batch.effects, batch.notices, cell.now),
            can_wait=batch.can_wait,
        )
        self._store.submit(unit, partial(self._stored, cell, batch))
        cell.gathered += len(batch.inputs)
        if cell.gathered >= cell.room:
            self._checkpoints.write(cell)

    def _stored(self, cell: Cell, batch: Batch, error: StoreError | None) -> None:
        if isinstance(error, StoreTaken | StoreClosed):
            self._fatal = error
        else:
            batch.committed, batch.error = error is None, error
            if batch.committed:
                self.figures.stored(cell.id, batch)
            self._settled.add(cell, "patient" if batch.can_wait else "pressing")
        self._rouse()

    def give_up(self, error: StoreError) -> None:
        """End `run` with an error of the store after which nothing can be acknowledged any more."""
        self._fatal = error
        self._rouse()

    # -- speaking, after the commit

    def _release_settled(self) -> None:
        for cell, _ in self._settled.take():
            while cell.in_flight and cell.in_flight[0].committed:
                self._release(cell, cell.in_flight.popleft())
            if cell.in_flight and cell.in_flight[0].error is not None:
                self._lose(cell, cell.in_flight[0].error)
            if cell.stalled:
                cell.stalled = False
                self._queue(cell)
            self._recovery.reload(cell)

    def _release(self, cell: Cell, batch: Batch) -> None:
        if batch.number:
            cell.committed = batch.number
            self._checkpoints.committed(cell)
        for number, message in batch.messages:
            self._post(cell.id, number, message)
        for source, number in batch.heard:
            self._heard(source, number)
        for effect in batch.effects:
            self.listener.happened(effect)
        for respond, reply in batch.replies:
            respond(reply)
        for notice in batch.notices:
            self.listener.notice(notice)
        if batch.moved:
            self.listener.moved(cell.id)
        if batch.finished:
            self.listener.finished(cell.id)
            self._retire(cell)

    def _post(self, source: str, number: int, message: Message) -> None:
        target = self._cell(message.to)
        target.mailbox.append((message.command, None, source, number))
        self._queue(target, "patient" if message.command.can_wait else "pressing")

    def _heard(self, source: str, number: int) -> None:
        """The receiver has committed a message: its sender need not keep it."""
        cell = self._cells.get(source)
        if cell is not None and cell.unheard.pop(number, None) is not None:
            self._retire(cell)

    def _retire(self, cell: Cell) -> None:
        """An actor whose state is final needs no recovery any more once all that it said was heard."""
        if cell.retired and not cell.unheard and not (cell.is_over and cell.checkpointed == cell.number):
            self._checkpoints.write(cell)

    def _checkpoint_stored(self, cell: Cell, error: StoreError | None) -> None:
        if cell.retired and cell.checkpointed == cell.number and not (cell.mailbox or cell.in_flight or cell.unheard):
            self._cells.pop(cell.id, None)
        elif error is None:
            self._retire(cell)
            self._upkeep.written(cell)

    def _leave(self, cell: Cell) -> None:
        """Nobody asks for the actor: it leaves memory, and only its alarm is remembered."""
        del self._cells[cell.id]

    # -- when something breaks

    def _lose(self, cell: Cell, error: StoreError) -> None:
        """The store will never hold the oldest batch, nor, by their numbers, those behind it: nothing was said of
        them, so the actor goes back to what is stored."""
        if not cell.lost:
            log.warning("%s goes back to what is stored: %s", cell.id, error)
        cell.lost, cell.state = True, None
        take_back(cell)
        while cell.in_flight and (cell.in_flight[0].error is not None or cell.in_flight[0].committed):
            cell.in_flight.popleft()
        if isinstance(error, StoreUnavailable) and self._tasks is not None and not self._outage.is_on:
            self._outage.begin(self._tasks)
            for other in self._cells.values():
                self._in_doubt(other)

    def _throw_away(self, cell: Cell, batch: Batch, culprit: int) -> None:
        """A rule failed on one command: the rest is applied to a fresh state. A request is answered as our bug. What
        nobody can be answered for is not tried again before the next start: another actor's words are kept by it."""
        command, respond, source, _ = batch.envelopes[culprit]
        log.exception("%s failed on %s", cell.id, type(command).__name__)
        if respond is not None:
            respond(Refusal("internal_error", "the server failed on this request"))
        else:
            cell.deaf_to.add(source or command.tag)
        rest = batch.envelopes[:culprit] + batch.envelopes[culprit + 1 :]
        cell.mailbox.extendleft(reversed([envelope for envelope in rest if envelope[0] is not TICK]))
        cell.lost, cell.state = True, None
        self._recovery.reload(cell)

    def _queue_all(self) -> None:
        for cell in self._cells.values():
            self._queue(cell)

    # -- recovery

    def _cell(self, actor_id: str) -> Cell:
        cell = self._cells.get(actor_id)
        if cell is None:
            cell = self._cells[actor_id] = Cell(actor_id, self.sealer)
            self._upkeep.add(cell)
            self._recovery.load(cell)
        return cell

    def _back(self, cell: Cell) -> None:
        cell.room = room_for(cell.size)
        for number, message in list(cell.unheard.items()):
            self._post(cell.id, number, message)
        self._retire(cell)
        self._set_alarm(cell)
        self._queue(cell)

    def _out_of_reach(self, cell: Cell) -> None:
        """Nobody waits for an answer for as long as the store is away (R-58): but for what those at the edge must know
        to answer anything, which is asked once."""
        if cell.id not in self._roots:
            refuse_questions(cell)

    def _in_doubt(self, cell: Cell) -> None:
        """The same for those who have asked behind a batch that may be stored or not."""
        if cell.id not in self._roots:
            refuse_behind(cell)

    def _leave_out(self, cell: Cell, error: AlteredJournal) -> None:
        """Of an actor whose journal was altered nothing is told, and it is told nothing: its senders keep their words
        for a start at which it is whole again."""
        log.warning("%s", error)
        cell.damage = error
        cell.recovered.set()
        self._cells.pop(cell.id, None)
        for _, respond, *_ in cell.mailbox:
            if respond is not None:
                respond(Refusal("internal_error", str(error)))

    # -- time

    def _set_alarm(self, cell: Cell) -> None:
        cell.alarm = at = self._wake_at(cell)
        self._alarms.wake_at(at, cell.id)

    def _wake_at(self, cell: Cell) -> int | None:
        if cell.state is None or not cell.number or TICK.tag in cell.deaf_to:
            return None
        return cell.state.wake_at

    def _ring(self) -> None:
        if self._outage.is_on or self._alarms.next_at is None:
            return
        for whom in self._alarms.due(self._clock.now_ms()):
            if isinstance(whom, str):
                self._queue(self._cell(whom), "patient")
            else:
                whom()

    def _queue(self, cell: Cell, lane: Lane = "pressing") -> None:
        """Put the actor in line; whoever waits for nobody's sake moves up when somebody comes."""
        if cell.lane is None or (cell.lane == "patient" and lane == "pressing"):
            cell.lane = lane
            self._ready.add(cell, lane)
            self._rouse()

    def _rouse(self) -> None:
        if self._asleep:
            self._wake.set()

    async def _wait(self) -> None:
        if self._ready or self._settled:
            return
        self._wake = anyio.Event()
        self._asleep = True
        with anyio.move_on_after(self._patience()):
            await self._wake.wait()
        self._asleep = False

    def _patience(self) -> float:
        seconds = self._clock.look_again_seconds
        next_at = self._alarms.next_at
        if next_at is not None and not self._outage.is_on:
            seconds = min(seconds, max(0, next_at - self._clock.now_ms()) / 1000)
        return seconds


async def answer_to(post: Callable[[Respond], None]) -> object:
    """Post something that is answered through a callback, and wait for the answer."""
    replies: list[object] = []
    answered = anyio.Event()

    def respond(reply: object) -> None:
        replies.append(reply)
        answered.set()

    post(respond)
    await answered.wait()
    return replies[0]
