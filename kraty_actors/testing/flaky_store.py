"""A database that is slow, goes away, and tells of a commit late or never. What it holds is on a disk of its own.

It keeps what `Store` promises, as the SQL store does: an error means that nothing was stored; while nobody can know
whether a commit was stored, its units wait, and those who come behind them are refused. Each server has a store of its
own; when the server dies its store is `dead`: nothing reaches the disk any more, and nobody is told anything.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Collection
from functools import partial
from random import Random
from typing import Any, cast

import anyio

from kraty_actors.testing.faults import Faults
from kraty_persistence import MemoryStore, Reporter, Store, StoreUnavailable, Unit
from kraty_persistence.ports import Done

COMMIT_SECONDS = 0.004
"""A commit takes up to this long, unless it is slow."""

PATIENCE_SECONDS = 5.0
"""How long the store tries before it gives up on what waits."""

RETRY_SECONDS = 0.1
GROUP_MAX = 64

Waiting = tuple[Unit, Done]


class FlakyStore:
    """See the module. `die` is called in the middle of the last commit; `as_store` is what a game takes.

    Attributes:
        is_away: The database cannot be reached.
        dies_after: So many units more, and the server dies before anybody is told of the last.
        loses_answer: The database goes away just after the next commit, and before its answer.
    """

    def __init__(
        self, disk: MemoryStore, rng: Random, faults: Faults, die: Callable[[], None], tell: Callable[[str], None]
    ) -> None:
        self.is_away = False
        self.is_calm = False
        self.is_dead = False
        self.dies_after: int | None = None
        self.loses_answer = False
        self.failing_since: float | None = None
        self._disk = disk
        self._rng = rng
        self._faults = faults
        self._die = die
        self._tell = tell
        self._pressing: deque[Waiting] = deque()
        self._patient: deque[Waiting] = deque()
        self._patient_turn = False
        self._came = anyio.Event()

    @property
    def as_store(self) -> Store:
        return cast("Store", self)

    # -- what is handed on as it is

    @property
    def reporter(self) -> Reporter | None:
        return self._disk.reporter

    @reporter.setter
    def reporter(self, reporter: Reporter | None) -> None:
        self._disk.reporter = reporter

    @property
    def posted(self) -> Callable[[Collection[str]], None] | None:
        return self._disk.posted

    @posted.setter
    def posted(self, posted: Callable[[Collection[str]], None] | None) -> None:
        self._disk.posted = posted

    def __getattr__(self, name: str) -> Any:
        """Every method that waits: by way of the network, to the disk and back."""
        method = getattr(self._disk, name)
        return partial(self._call, method) if inspect.iscoroutinefunction(method) else method

    async def _call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        await anyio.sleep(self._latency())
        await self._stay_if_dead()
        tried_until = anyio.current_time() + PATIENCE_SECONDS
        while self.is_away:
            await anyio.sleep(RETRY_SECONDS)
            await self._stay_if_dead()
            if self.is_away and anyio.current_time() > tried_until:
                raise StoreUnavailable("the database does not answer")
        answer = await method(*args, **kwargs)
        await anyio.sleep(self._latency())
        await self._stay_if_dead()
        return answer

    async def _stay_if_dead(self) -> None:
        if self.is_dead:
            await anyio.sleep_forever()

    def _latency(self) -> float:
        if not self.is_calm and self._rng.random() < self._faults.slow:
            return self._rng.uniform(0, self._faults.slow_seconds)
        return self._rng.uniform(0, COMMIT_SECONDS)

    # -- commits

    def submit(self, unit: Unit, done: Done) -> None:
        if not self.is_dead:
            (self._patient if unit.can_wait else self._pressing).append((unit, done))
            self._came.set()

    async def run(self) -> None:
        """Commit what is handed over, a group at a time, until cancelled."""
        while True:
            while not self._pressing and not self._patient:
                self._came = anyio.Event()
                await self._came.wait()
            await anyio.sleep(self._latency())
            group = self._next_group()
            if not await self._reached():
                self._refuse([*group, *self._take_all()])
                continue
            fates = [(done, self._store(unit)) for unit, done in group]
            await self._hear_of_it()
            if self.is_dead:
                return
            for done, error in fates:
                done(error)

    def _next_group(self) -> list[Waiting]:
        """Whatever presses, and every second time what can wait as well, behind it."""
        self._patient_turn = bool(self._patient) and (not self._pressing or not self._patient_turn)
        group = _taken(self._pressing)
        return group + _taken(self._patient) if self._patient_turn else group

    def _store(self, unit: Unit) -> Any:
        if self.is_dead:
            return None
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                self._die()
                return None
        fates: list[Any] = []
        self._disk.submit(unit, fates.append)
        self._tell(f"store: {unit.actor} {unit.number} {type(fates[0]).__name__}")
        return fates[0]

    async def _reached(self) -> bool:
        """Wait while the database is away, as long as there is patience."""
        tried_until = anyio.current_time() + (0 if self.failing_since else PATIENCE_SECONDS)
        while self.is_away:
            self.failing_since = self.failing_since or anyio.current_time()
            if anyio.current_time() >= tried_until:
                return False
            await anyio.sleep(RETRY_SECONDS)
        self.failing_since = None
        return True

    async def _hear_of_it(self) -> None:
        """The answer to a commit that was stored, be it late: until then nobody who comes behind is served for long."""
        if self.dies_after == 0:
            self._die()
        if self.is_dead:
            return
        if self.loses_answer:
            self.loses_answer, self.is_away = False, True
            self._tell("store: the answer to a commit is lost")
        tried_until = anyio.current_time() + PATIENCE_SECONDS
        while self.is_away and not self.is_dead:
            self.failing_since = self.failing_since or anyio.current_time()
            await anyio.sleep(RETRY_SECONDS)
            if anyio.current_time() >= tried_until:
                self._refuse(self._take_all())
        self.failing_since = None

    def _take_all(self) -> list[Waiting]:
        waiting = [*self._pressing, *self._patient]
        self._pressing.clear()
        self._patient.clear()
        return waiting

    def _refuse(self, waiting: list[Waiting]) -> None:
        if waiting and not self.is_dead:
            self._tell(f"store: gives up on {len(waiting)}")
            for _, done in waiting:
                done(StoreUnavailable("the database cannot be written"))


def _taken(queue: deque[Waiting]) -> list[Waiting]:
    return [queue.popleft() for _ in range(min(len(queue), GROUP_MAX))]
