"""One actor's journal played again to a fresh state, a page at a time, and what every input led to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kraty_actors.actors.chain import AlteredJournal, Chain, Sealer
from kraty_actors.actors.records import FROM_ACTOR, Restore, Unreadable, inputs_of, unpack_batch
from kraty_actors.domain.outcome import Command, Gathers, Message, Outcome, State
from kraty_persistence import Store, StoredRecord

Before = Callable[[Command, int], None]
"""Is shown each command before it is applied, with its time."""

RECORDS_PER_PAGE = 200
"""Each holds up to a thousand inputs."""


@dataclass(slots=True, frozen=True)
class Input:
    """One input of a journal: who said it ("" for nobody but a player or the clock), and as which word of theirs."""

    command: Command
    source: str
    number: int


async def history_pages(store: Store, actor_id: str) -> AsyncGenerator[Sequence[StoredRecord], None]:
    """All records of an actor, page by page; close it if you leave early."""
    after: StoredRecord | None = None
    while page := await store.history_page(actor_id, after=after, limit=RECORDS_PER_PAGE):
        yield page
        after = page[-1]


def decoded(actor_id: str, one: StoredRecord) -> tuple[int, list[Input]]:
    """The time of a batch and its inputs.

    Raises:
        UnknownFormat: It was written by a newer program.
        AlteredJournal: It is nothing that was ever written.
    """
    try:
        now, inputs = unpack_batch(one.record)
        words = inputs_of(actor_id)
        return now, [_input(words, plain) for plain in inputs]
    except (Unreadable, KeyError, TypeError, ValueError, IndexError) as error:
        raise AlteredJournal(actor_id, one.number, f"record {one.number} can not be read") from error


def _input(words: Mapping[str, Restore], plain: Sequence[Any]) -> Input:
    if plain[0] == FROM_ACTOR:
        return Input(words[plain[3]](*plain[4:]), plain[1], plain[2])
    return Input(words[plain[0]](*plain[1:]), "", 0)


@dataclass(slots=True)
class Playback:
    """A state, and how far it was played.

    Attributes:
        sealer: Checks the digests on the way; None leaves them unchecked.
        before: Is shown each command before it is applied, with its time.
        until: The instant (ms) after which nothing is played any more; then it `is_past` that.
        said: Messages to others so far; `heard` the last word of each source; as a checkpoint has them.
    """

    actor_id: str
    state: State
    sealer: Sealer | None = None
    before: Before | None = None
    until: int | None = None
    is_past: bool = False
    number: int = 0
    now: int = 0
    inputs: int = 0
    chain: Chain = field(default_factory=Chain)
    said: int = 0
    heard: dict[str, int] = field(default_factory=dict)
    has_finished: bool = False

    def play(self, one: StoredRecord) -> Iterator[tuple[Input, Outcome]]:
        """Apply the next record: each input with what it led to. What the batch led to as a whole comes with the last.

        Raises:
            AlteredJournal: It is not the next one, or not the one that was written, or makes no sense.
            UnknownFormat: It was written by a newer program.
        """
        if one.number != self.number + 1:
            raise AlteredJournal(self.actor_id, self.number + 1, f"record {self.number + 1} is missing")
        if self.sealer is not None:
            self.sealer.check(self.chain, self.actor_id, one.number, one.record)
        now, inputs = decoded(self.actor_id, one)
        if self.until is not None and now > self.until:
            self.is_past = True
            return
        self.number, self.now = one.number, now
        last = len(inputs) - 1
        for at, each in enumerate(inputs):
            self.inputs += 1
            if each.source:
                self.heard[each.source] = each.number
            outcome = self._applied(each.command, now, one.number)
            if at == last and isinstance(self.state, Gathers) and (gathered := self.state.gathered(now)):
                outcome.messages = [*outcome.messages, *gathered]
            self.has_finished = self.has_finished or outcome.finished
            yield each, outcome

    def numbered(self, outcome: Outcome) -> Iterator[tuple[int, Message]]:
        """What was said to others, as the numbered words of this actor; to be asked for once, of every outcome."""
        for message in outcome.messages:
            self.said += 1
            yield self.said, message

    def _applied(self, command: Command, now: int, number: int) -> Outcome:
        try:
            if self.before is not None:
                self.before(command, now)
            return self.state.apply(command, now)
        except Exception as error:
            message = f"record {number} can not be played: {type(error).__name__}: {error}"
            raise AlteredJournal(self.actor_id, number, message) from error
