"""One actor as the loop holds it: mailbox, state, what is being committed, and what it said and heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

import anyio

from kraty_actors.actors.chain import UNKEYED, AlteredJournal, Chain, Seal, Sealer, read_seal
from kraty_actors.actors.records import (
    FORMAT,
    FROM_ACTOR,
    pack,
    restore_command,
    unpack,
    unpack_batch,
)
from kraty_actors.domain.outcome import Command, Effect, Gathers, Message, Notice, Plain, State
from kraty_persistence import StoredActor, StoreError

Respond = Callable[[object], None]
Envelope = tuple[Command, Respond | None, str, int]
"""A command, who is to be answered, and the actor that sent it with its number ("" and 0 for none)."""


Lane = Literal["pressing", "patient"]
"""Where an actor waits for its turn: behind others for whom somebody waits, or behind everybody."""


@dataclass(slots=True, eq=False)
class Batch:
    """What one turn of an actor leads to; spoken of only once it is committed. `error` says that it never will be.
    `handed_at` is when the store got it, by `time.perf_counter`."""

    envelopes: list[Envelope]
    inputs: list[Plain] = field(default_factory=list)
    replies: list[tuple[Respond, object]] = field(default_factory=list)
    messages: list[tuple[int, Message]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    heard: list[tuple[str, int]] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    moved: bool = False
    finished: bool = False
    can_wait: bool = False
    committed: bool = False
    error: StoreError | None = None
    handed_at: float = 0.0


@dataclass(slots=True, eq=False)
class Cell:
    """`lane` says where it stands in line, if it does. `state` is None while the actor is being recovered. `number` is
    its last batch in the journal. `deaf_to` names the actors (or `tick`) whose words a rule has failed on. What is read
    back is checked with the `sealer`, if there is one; `damage` says that it can not be. `handled` counts commands."""

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
    number: int = 0
    checkpointed: int = 0
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
        self.number = self.checkpointed = stored.number
        self.chain = Chain()
        self.now = self.said = 0
        self.heard, self.unheard = {}, {}
        self.retired = False
        covered = stored.number - len(stored.records)
        if stored.checkpoint:
            self._restore(state, stored.checkpoint, covered)
        for number, record in enumerate(stored.records, covered + 1):
            if self.sealer is not None:
                self.sealer.check(self.chain, self.id, number, record)
            now, inputs = unpack_batch(record)
            self.now = now
            for plain in inputs:
                self.replay(state, plain, now)
            if isinstance(state, Gathers):
                for message in state.gathered(now):
                    self.say(message)
        if stored.records:
            self.checkpointed = covered
        self.state = state
        self.gatherer = state if isinstance(state, Gathers) else None

    def replay(self, state: State, plain: Plain, now: int) -> None:
        """Apply one journalled input again; what it says to players was said before."""
        if plain[0] == FROM_ACTOR:
            self.heard[plain[1]] = plain[2]
            plain = plain[3:]
        outcome = state.apply(restore_command(self.id, plain), now)
        for message in outcome.messages:
            self.say(message)
        self.retired = self.retired or outcome.finished

    def checkpoint(self) -> Iterator[bytes]:
        """The whole actor in parts; the first is the cell's own, and the last seals them and the journal up to here."""
        digest = sha256()
        for part in self._parts():
            digest.update(part)
            yield part
        yield (self.sealer or UNKEYED).seal(self.chain, self.id, self.number, digest.digest())

    def _parts(self) -> Iterator[bytes]:
        unheard = [[number, message.to, message.command.record()] for number, message in self.unheard.items()]
        yield pack([FORMAT, self.now, self.said, unheard, self.heard, self.retired])
        if self.state is not None:
            for part in self.state.dump():
                yield pack(part)

    def _restore(self, state: State, packed: Sequence[bytes], covered: int) -> None:
        seal = read_seal(packed)
        if seal is not None:
            self._check(seal, packed[:-1], covered)
            packed = packed[:-1]
        parts: list[Plain] = [unpack(part) for part in packed]
        _, self.now, self.said, unheard, self.heard, self.retired = parts[0]
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
