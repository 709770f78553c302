"""The store in memory: the same contract, no disk and no threads, so that it runs under a virtual clock.

It outlives the server that writes to it, as a database would: hand it to a second one to play a restart.
`hold`, `release` and `lose` put that restart in the middle of a commit; `outage` plays a database away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from kraty_persistence.errors import JournalConflict, StoreError
from kraty_persistence.memory_money import MemoryMoney
from kraty_persistence.money_plan import MoneyPlan
from kraty_persistence.money_rows import MoneyEffect, touches_money
from kraty_persistence.outbox_rows import Delivery
from kraty_persistence.ports import Done, Store, StoredActor, StoredRecord, Unit
from kraty_persistence.rows import AnomalyRow, AttemptRow, Ban, Completion, Effect, LeagueMove, StoreStatistics

__all__ = ["MemoryStore"]


@dataclass(slots=True)
class _Actor:
    checkpoint: tuple[bytes, ...] = ()
    covered: int = 0
    records: list[bytes] = field(default_factory=list)
    aside: list[bytes] = field(default_factory=list)
    finished: bool = False

    @property
    def head(self) -> int:
        return len(self.records)


class MemoryStore(MemoryMoney, Store):
    """A store whose units are as durable as the object itself."""

    def __init__(self) -> None:
        super().__init__()
        self._actors: dict[str, _Actor] = {}
        self._waiting: deque[tuple[Unit, Done]] = deque()
        self._held = False
        self._busy = False

    # -- switches for tests

    def hold(self) -> None:
        """Let units wait, as if the commit took long."""
        self._held = True

    def release(self) -> None:
        """Commit what waits, and everything from now on."""
        self._held = False
        self._commit()

    def actors(self) -> list[str]:
        """Every actor that is stored, in the order in which they were first."""
        return list(self._actors)

    def lose(self) -> None:
        """Forget what waits, as a killed process does; nobody is told."""
        self._held = False
        self._waiting.clear()

    # -- journal

    def submit(self, unit: Unit, done: Done) -> None:
        self._waiting.append((unit, done))
        self._commit()

    def _commit(self) -> None:
        if self._busy:  # called from within a `done`: the loop below goes on, the stack stays flat
            return
        self._busy = True
        try:
            while self._waiting and not self._held:
                unit, done = self._waiting.popleft()
                done(self._fate(unit))
        finally:
            self._busy = False

    def _fate(self, unit: Unit) -> StoreError | None:
        try:
            self._reach()
            actor = self._actors.get(unit.actor) or _Actor()
            _check_number(unit, actor)
            plan = self._judge(unit.effects) if unit.effects else None
        except StoreError as error:
            return error
        self._write(unit, actor)
        if plan is not None:
            self._adopt(plan)
        return None

    def _judge(self, effects: Sequence[Effect]) -> MoneyPlan:
        """What the effects do to money, once it is sure that none of them is refused."""
        plan = MoneyPlan(self, self.reporter)
        plan.add([effect for effect in effects if touches_money(effect)])
        self._check_plan(plan)
        for effect in effects:
            if isinstance(effect, Completion | LeagueMove | Ban | AttemptRow | AnomalyRow):
                self._check_player(effect.player)
        return plan

    def _write(self, unit: Unit, actor: _Actor) -> None:
        if unit.record is not None:
            actor.records.append(unit.record)
        if unit.aside is not None:
            actor.aside = [*actor.aside[: unit.aside.first], *unit.aside.parts]
        if unit.checkpoint is not None:
            laid = actor.aside[: unit.checkpoint_follows]
            actor.checkpoint, actor.covered, actor.aside = (*laid, *unit.checkpoint), unit.number, []
        actor.finished = actor.finished or unit.finished
        if unit.record is not None or unit.checkpoint is not None or unit.finished:
            self._actors[unit.actor] = actor
        for effect in unit.effects:
            if isinstance(effect, Delivery):
                self._put_delivery(effect)
            elif not isinstance(effect, MoneyEffect):
                self._take(effect)

    async def load(self, actor: str) -> StoredActor:
        self._reach()
        stored = self._actors.get(actor) or _Actor()
        return StoredActor(stored.checkpoint, stored.head, tuple(stored.records[stored.covered :]))

    async def history(self, actor: str) -> Sequence[bytes]:
        self._reach()
        stored = self._actors.get(actor) or _Actor()
        return tuple(stored.records)

    async def history_page(
        self, actor: str, *, after: StoredRecord | None = None, limit: int = 1_000
    ) -> list[StoredRecord]:
        start = 0 if after is None else after.number
        records = (await self.history(actor))[start : start + limit]
        return [StoredRecord(number, record) for number, record in enumerate(records, start + 1)]

    async def checkpoint(self, actor: str) -> StoredActor:
        self._reach()
        stored = self._actors.get(actor) or _Actor()
        return StoredActor(stored.checkpoint, stored.covered)

    async def unfinished(self) -> list[str]:
        self._reach()
        return [name for name, actor in self._actors.items() if not actor.finished]

    async def resting(self) -> dict[str, bytes]:
        self._reach()
        return {
            name: actor.checkpoint[0]
            for name, actor in self._actors.items()
            if not actor.finished and actor.checkpoint and actor.covered == actor.head
        }

    async def statistics(self) -> StoreStatistics:
        self._reach()
        return StoreStatistics(
            actors=len(self._actors),
            unfinished=sum(not actor.finished for actor in self._actors.values()),
            records=sum(actor.head - actor.covered for actor in self._actors.values()),
            players=len(self._players),
            grants=len(self._grants),
        )

    async def ping(self) -> None:
        self._reach()


def _check_number(unit: Unit, actor: _Actor) -> None:
    head = actor.head
    fits = actor.covered <= unit.number <= head if unit.record is None else unit.number == head + 1
    if not fits:
        raise JournalConflict(f"{unit.actor}: unit {unit.number} does not follow {head}")
