"""One actor as the loop holds it: mailbox, state, what is being committed, and what it said and heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, islice
from typing import Literal

import anyio

from kraty_actors.actors.chain import UNKEYED, AlteredJournal, Chain, Seal, Sealer, read_seal
from kraty_actors.actors.records import (
    CHECKPOINT_FORMAT,
    FROM_ACTOR,
    pack,
    restore_command,
    unpack,
    unpack_batch,
)
from kraty_actors.domain.outcome import Command, Effect, Gathers, Message, Notice, Plain, State, Tick
from kraty_persistence import StoredActor, StoreError

TICK = Tick()

Respond = Callable[[object], None]
Envelope = tuple[Command, Respond | None, str, int]
"""A command, who is to be answered, and the actor that sent it with its number ("" and 0 for none)."""


@dataclass(slots=True, frozen=True)
class Note:
    """What may be known of an actor that is not in memory: when it has to be woken (ms, None is never), and whether it
    `can_sleep` until then."""

    wake_at: int | None
    can_sleep: bool


Lane = Literal["pressing", "patient"]
"""Where an actor waits for its turn: behind others for whom somebody waits, or behind everybody."""


@dataclass(slots=True, eq=False)
class Batch:
    """What one turn of an actor leads to; spoken of only once it is committed. `number` is that in the journal, 0 if
    there is nothing to store; `error` says that it never will be. `handed_at` is when the store got it, by
    `time.perf_counter`."""

    envelopes: list[Envelope]
    inputs: list[Plain] = field(default_factory=list)
    replies: list[tuple[Respond, object]] = field(default_factory=list)
    messages: list[tuple[int, Message]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    heard: list[tuple[str, int]] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    number: int = 0
    moved: bool = False
    finished: bool = False
    can_wait: bool = False
    committed: bool = False
    error: StoreError | None = None
    handed_at: float = 0.0


@dataclass(slots=True, eq=False)
class Cell:
    """`lane` says where it stands in line, if it does. `state` is None while the actor is being recovered. `number` is
    its last batch in the journal, `committed` the last one that is stored for sure, `checkpointed` that of its
    checkpoint. That has so many bytes (`size`), was `written_at` an instant, and says `note` to those who do not read
    it; so many inputs have `gathered` behind it, and there is `room` for so many before it is written down again.
    One whose state is final is `retired`, and `is_over` once the store knows that it needs no recovery any more.
    `deaf_to` names the actors (or `tick`) whose words a rule has failed on. What is read back is checked with the
    `sealer`, if there is one; `damage` says that it can not be. `handled` counts commands.
    """

    id: str
    sealer: Sealer | None = None
    chain: Chain = field(default_factory=Chain)
    damage: AlteredJournal | None = None
    state: State | None = None
    mailbox: deque[Envelope] = field(default_factory=deque)
    in_flight: deque[Batch] = field(default_factory=deque)
    lane: Lane | None = None
    recovered: anyio.Event = field(default_factory=anyio.Event)
    stalled: bool = False
    deaf_to: set[str] = field(default_factory=set)
    lost: bool = False
    retired: bool = False
    is_over: bool = False
    number: int = 0
    committed: int = 0
    checkpointed: int = 0
    note: Note | None = None
    size: int = 0
    gathered: int = 0
    room: int = 0
    written_at: int = 0
    now: int = 0
    said: int = 0
    unheard: dict[int, Message] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    alarm: int | None = None
    handled: int = 0
    gatherer: Gathers | None = None

    def say(self, message: Message) -> int:
        """Number a message to another actor; it is kept until that actor has committed it."""
        self.said += 1
        self.unheard[self.said] = message
        return self.said

    def recover(self, state: State, stored: StoredActor) -> None:
        """Checkpoint and journal give the state again, with all that was said and heard.

        Raises:
            UnknownFormat: Something was written by a newer program.
            AlteredJournal: Something is not what was written.
        """
        self.number = self.committed = stored.number
        self.chain = Chain()
        self.note = None
        self.gathered, self.size = 0, sum(map(len, stored.checkpoint))
        self.now = self.said = 0
        self.heard, self.unheard = {}, {}
        self.retired = self.is_over = False
        covered = self.checkpointed = stored.number - len(stored.records)
        if stored.checkpoint:
            self._restore(state, stored.checkpoint, covered)
        for number, record in enumerate(stored.records, covered + 1):
            if self.sealer is not None:
                self.sealer.check(self.chain, self.id, number, record)
            now, inputs = unpack_batch(record)
            self.now = now
            self.gathered += len(inputs)
            for plain in inputs:
                self.replay(state, plain, now)
            if isinstance(state, Gathers):
                for message in state.gathered(now):
                    self.say(message)
        self.gatherer = state if isinstance(state, Gathers) else None
        self.state = state

    def replay(self, state: State, plain: Plain, now: int) -> None:
        """Apply one journalled input again; what it says to players was said before."""
        if plain[0] == FROM_ACTOR:
            self.heard[plain[1]] = plain[2]
            plain = plain[3:]
        outcome = state.apply(restore_command(self.id, plain), now)
        for message in outcome.messages:
            self.say(message)
        self.retired = self.retired or outcome.finished

    def present_note(self) -> Note:
        """What a checkpoint of now would say to those who do not read it."""
        state = self.state
        if state is None or TICK.tag in self.deaf_to:
            return Note(None, can_sleep=False)
        return Note(state.wake_at, not self.unheard and not self.deaf_to and state.may_sleep)

    def checkpoint(self) -> Iterator[bytes]:
        """The whole actor as it stands now, in parts that may be asked for late; the first is the cell's own, and the
        last seals them and the journal up to here."""
        state, note = self.state, self.present_note()
        if state is None:
            raise RuntimeError(f"{self.id} has no state to write down")
        unheard = [[number, message.to, message.command.record()] for number, message in self.unheard.items()]
        said_and_heard = [self.now, self.said, unheard, self.heard, self.retired]
        own = pack([CHECKPOINT_FORMAT, *said_and_heard, note.wake_at, note.can_sleep])
        rest = iter(state.dump())
        head = [pack(part) for part in islice(rest, 1)]
        parts = chain([own], head, map(pack, rest))
        return self._sealed(parts, Chain(self.chain.first, self.chain.head), self.number)

    def _sealed(self, parts: Iterator[bytes], up_to: Chain, number: int) -> Iterator[bytes]:
        digest = sha256()
        for part in parts:
            digest.update(part)
            yield part
        yield (self.sealer or UNKEYED).seal(up_to, self.id, number, digest.digest())

    def _restore(self, state: State, packed: Sequence[bytes], covered: int) -> None:
        seal = read_seal(packed)
        if seal is not None:
            self._check(seal, packed[:-1], covered)
            packed = packed[:-1]
        parts: list[Plain] = [unpack(part) for part in packed]
        _, self.now, self.said, unheard, self.heard, self.retired, *note = parts[0]
        self.note = Note(*note) if note else None
        self.is_over = self.retired and not unheard
        for number, to, record in unheard:
            self.unheard[number] = Message(to, restore_command(to, record))
        state.restore(parts[1:])

    def _check(self, seal: Seal, parts: Sequence[bytes], covered: int) -> None:
        self.chain = Chain(seal.first, seal.head)
        if self.sealer is None:
            return
        self.sealer.check_seal(seal, self.id, parts)
        if seal.number != covered:
            what = f"the checkpoint covers {seal.number} records, and not {covered}"
            raise AlteredJournal(self.id, min(seal.number, covered) + 1, what)


def read_note(own: bytes) -> Note | None:
    """What the first part of a checkpoint says to those who read no more of it; None if it is of an older program."""
    try:
        version, _, _, _, _, _, *note = unpack(own)
        return Note(*note) if version == CHECKPOINT_FORMAT else None
    except (ValueError, TypeError):
        return None
