"""Actors that only count, and a store that commits when it is told to: the loop, with nothing else in the way."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import anyio
import pytest
from anyio.lowlevel import checkpoint

from kraty_actors.actors import records
from kraty_actors.actors.loop import ActorLoop, Listener
from kraty_actors.domain.outcome import Command, Completed, Effect, Message, Notice, Outcome, Plain, Tick
from kraty_persistence import MemoryStore, StoreError, Unit
from kraty_persistence.ports import Done

ROOTS = ("a", "b", "c")
START = 1_800_000_000_000


@dataclass(slots=True, frozen=True)
class Give(Command):
    """From outside: add `amount`, and pass as much on to each of `to`."""

    tag: ClassVar[str] = "give"
    amount: int
    to: Sequence[str] = ()


@dataclass(slots=True, frozen=True)
class Got(Command):
    tag: ClassVar[str] = "got"
    amount: int


@dataclass(slots=True, frozen=True)
class Tell(Command):
    """From outside: `amount` is said to each of `to`, together with what else the batch has for them."""

    tag: ClassVar[str] = "tell"
    amount: int
    to: Sequence[str] = ()


@dataclass(slots=True, frozen=True)
class Heard(Command):
    tag: ClassVar[str] = "heard"
    amounts: list[int]


@dataclass(slots=True, frozen=True)
class Win(Command):
    """A player completed something, which others may read of."""

    tag: ClassVar[str] = "win"
    player: int


@dataclass(slots=True, frozen=True)
class Look(Command):
    tag: ClassVar[str] = "look"
    is_read: ClassVar[bool] = True


@dataclass(slots=True, frozen=True)
class Sleep(Command):
    """Be woken at an instant, which adds 1000."""

    tag: ClassVar[str] = "sleep"
    until: int


@dataclass(slots=True, frozen=True)
class Break(Command):
    """A bug in a rule."""

    tag: ClassVar[str] = "break"


@dataclass(slots=True, frozen=True)
class End(Command):
    """The state is final; `to` hears of it."""

    tag: ClassVar[str] = "end"
    to: Sequence[str] = ()


class Purse:
    """Counts what it gave and got, and gathers what it tells over a batch."""

    def __init__(self) -> None:
        self.total = 0
        self.given: list[int] = []
        self.got: list[int] = []
        self.told: list[int] = []
        self.heard: list[list[int]] = []
        self.times: list[int] = []
        self.rung = 0
        self._untold: dict[str, list[int]] = {}
        self.wake_at: int | None = None

    may_sleep = True

    def apply(self, command: Command, now: int) -> Outcome:
        if not isinstance(command, Look | Break):
            self.times.append(now)
        match command:
            case Look():
                return Outcome(reply=self.total)
            case Break():
                self.total = -1_000_000
                raise ZeroDivisionError("a bug")
            case Tick():
                self.total, self.rung, self.wake_at = self.total + 1000, self.rung + 1, None
                return Outcome(traced=True)
            case Sleep(until):
                self.wake_at = until
                return Outcome(traced=True)
            case Give(amount, to):
                self.given.append(amount)
                self.total += amount
                messages = [Message(name, Got(amount)) for name in to]
                notices = [Notice("given", (amount,), amount)]
                return Outcome(reply=self.total, traced=True, moved=True, messages=messages, notices=notices)
            case Got(amount):
                self.got.append(amount)
                self.total += amount
                return Outcome(traced=True)
            case Tell(amount, to):
                self.told.append(amount)
                self.total += amount
                for name in to:
                    self._untold.setdefault(name, []).append(amount)
                return Outcome(reply=self.total, traced=True)
            case Heard(amounts):
                self.heard.append(amounts)
                return Outcome(traced=True)
            case Win(player):
                return Outcome(reply=self.total, traced=True, effects=[Completed(player, "race", "w")])
            case End(to):
                return Outcome(traced=True, finished=True, messages=[Message(name, Got(0)) for name in to])
        raise TypeError(command)

    def gathered(self, now: int) -> list[Message]:
        said = [Message(name, Heard(amounts)) for name, amounts in self._untold.items()]
        self._untold = {}
        return said

    def dump(self) -> Iterable[Plain]:
        yield [self.total, self.given, self.got, self.told, self.heard, self.times, self.rung, self.wake_at]

    def restore(self, parts: Sequence[Plain]) -> None:
        ((self.total, self.given, self.got, self.told, self.heard, self.times, self.rung, self.wake_at),) = parts


class SteppedStore(MemoryStore):
    """Hands every unit over only at `step`, one by one; what waits is lost with `crash`."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: deque[tuple[Unit, Done]] = deque()
        self.at_once = False

    def submit(self, unit: Unit, done: Done) -> None:
        if self.at_once:
            super().submit(unit, done)
        else:
            self.waiting.append((unit, done))

    def step(self, error: StoreError | None = None, *, of: str | None = None) -> None:
        """The fate of the unit that waits longest, or longest of one actor's."""
        at = next(at for at, (unit, _) in enumerate(self.waiting) if of in (None, unit.actor))
        unit, done = self.waiting[at]
        del self.waiting[at]
        if error is None:
            super().submit(unit, done)
        else:
            done(error)

    def crash(self) -> None:
        self.waiting.clear()

    def commit_from_now_on(self) -> None:
        self.at_once = True
        while self.waiting:
            self.step()


class StillClock:
    """Stands still; the loop looks at it only when it is roused, or when an alarm is due by it."""

    look_again_seconds = float("inf")

    def __init__(self, now: int = START) -> None:
        self.now = now

    def now_ms(self) -> int:
        return self.now


class Ear(Listener):
    """Writes down what the edge was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def moved(self, actor_id: str) -> None:
        self.told.append(("moved", actor_id))

    def finished(self, actor_id: str) -> None:
        self.told.append(("finished", actor_id))

    def notice(self, notice: Notice) -> None:
        self.told.append(("notice", notice.body))

    def happened(self, effect: Effect) -> None:
        self.told.append(("happened", effect))


class World:
    """A loop over counting actors, and all that was answered."""

    def __init__(self, store: MemoryStore, clock: StillClock | None = None) -> None:
        self.states: dict[str, Purse] = {}
        self.clock = clock or StillClock()
        self.ear = Ear()
        self.answers: list[Any] = []
        self.loop = ActorLoop(store, self.clock, self._make, ROOTS)
        self.loop.listener = self.ear

    def _make(self, actor_id: str) -> Purse:
        self.states[actor_id] = Purse()
        return self.states[actor_id]

    def ask(self, actor_id: str, command: Command, note: Callable[[Any], Any] = lambda reply: reply) -> None:
        self.loop.ask(actor_id, command, lambda reply: self.answers.append(note(reply)))

    async def look(self, actor_id: str) -> Any:
        return await self.loop.call(actor_id, Look())

    async def pass_time(self, ms: int) -> None:
        """Somebody looks at the clock, for whom nothing is done."""
        self.clock.now += ms
        self.loop.call_at(self.clock.now, lambda: None)
        await self.settle()

    async def settle(self) -> None:
        """Long enough for everybody to come to wait for something that only the test can bring."""
        for _ in range(40):
            await checkpoint()


@asynccontextmanager
async def running(
    store: MemoryStore, clock: StillClock | None = None, *, lets_sleep: bool = False
) -> AsyncIterator[World]:
    """A loop that has recovered all that is stored, or only what can not sleep; leaving the block is like a kill."""
    world = World(store, clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(world.loop.run)
        sleeping = world.loop.let_sleep(await store.resting()) if lets_sleep else set()
        await world.loop.recover({*ROOTS, *await store.unfinished()} - sleeping)
        await world.settle()
        yield world
        tasks.cancel_scope.cancel()


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal's vocabulary, with the commands of these actors in it."""
    for command in (Give, Got, Tell, Heard, Win, Sleep, End):
        monkeypatch.setitem(records.WINDOW_INPUTS, command.tag, command)
