"""What one transaction of the writer holds: the fence, the units as one plan, then all other jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, ClassVar

import sqlalchemy as sa

from kraty_persistence.errors import StoreError
from kraty_persistence.money_rows import touches_money
from kraty_persistence.outbox_rows import Reporter
from kraty_persistence.ports import Done, StoredActor, Unit
from kraty_persistence.sql.books import Wanted, read_books
from kraty_persistence.sql.dialects import Fence
from kraty_persistence.sql.effects import EffectsPlan
from kraty_persistence.sql.journal import GroupPlan, Heads, drop_stale, move_to_history

__all__ = ["Job", "Task", "Transactions", "UnitTask"]


ROW_WEIGHT = 1024
"""A row takes about as long to write as so many bytes do: some ten microseconds."""

MONEY_ROWS = 2
"""What a change of money leads to beside its own row: one in the ledger, and in the outbox."""


@dataclass(slots=True)
class UnitTask:
    """A unit, and who is told of its fate."""

    unit: Unit
    done: Done

    @property
    def can_wait(self) -> bool:
        return self.unit.can_wait

    @property
    def weight(self) -> int:
        """About how much there is to write, in bytes; every row counts as some more of them."""
        unit = self.unit
        parts = unit.checkpoint or (() if unit.aside is None else unit.aside.parts)
        size = sum(map(len, parts)) + len(unit.record or b"")
        rows = 1 + len(parts)
        if unit.effects:
            rows += len(unit.effects) + MONEY_ROWS * sum(map(touches_money, unit.effects))
        return size + ROW_WEIGHT * rows


@dataclass(slots=True)
class Job:
    """Any other work. It must refuse (`StoreError`) before it writes its first row, or not at all."""

    work: Callable[[sa.Connection], Any]
    done: Done
    only_reads: bool = False
    result: Any = None
    can_wait: ClassVar[bool] = False
    weight: ClassVar[int] = 50 * ROW_WEIGHT  # a few statements


Task = UnitTask | Job

MOVED_AT_ONCE = 64
"""Records that move to the history in one transaction: some two milliseconds, for which a commit may have to wait."""


PARTS_AT_ONCE = 16
"""Parts of a replaced checkpoint that are removed in one transaction."""


@dataclass(slots=True)
class _Attempt:
    """What a transaction is to store, and whether it was told to commit."""

    tasks: Sequence[Task]
    plan: GroupPlan
    errors: list[StoreError | None]
    is_committing: bool = False


class Transactions:
    """Writes groups of tasks, one transaction each; knows what the journal of each actor has reached."""

    def __init__(self, heads: Heads, fence: Fence) -> None:
        self._heads = heads
        self._fence = fence
        self._plan = GroupPlan(heads)
        self.reporter: Reporter | None = None
        self._doubtful: _Attempt | None = None
        self._dropped = 0

    @property
    def is_in_doubt(self) -> bool:
        """Whether the connection broke during a commit, so that nobody knows yet if the group is stored. Then it must
        be the next to be tried."""
        return self._doubtful is not None

    def commit(self, connection: sa.Connection, tasks: Sequence[Task]) -> list[StoreError | None]:
        """Store all and commit; an error for each task that is refused by itself.

        Raises:
            StoreTaken: Another server owns the database.
            Exception: Anything else; nothing of the group is stored.
        """
        stored = self._stored_after_all(connection)
        if stored is not None and stored.tasks is tasks:
            return stored.errors
        self._plan = plan = self._begin(connection, [task.unit for task in tasks if isinstance(task, UnitTask)])
        errors = [_refusal(task, plan) for task in tasks]
        jobs = [(n, task) for n, task in enumerate(tasks) if isinstance(task, Job)]
        if plan.is_empty and not jobs:
            return errors
        with self._trying(_Attempt(tasks, plan, errors)) as attempt:
            if not jobs and plan.fits_one_statement:
                attempt.is_committing = True
                plan.write_at_once(connection, self._fence)
            else:
                with connection.begin():
                    self._fence.enter(connection)
                    plan.write(connection)
                    for n, job in jobs:
                        errors[n] = _do(job, connection)
                    attempt.is_committing = True
        return errors

    @contextmanager
    def _trying(self, attempt: _Attempt) -> Iterator[_Attempt]:
        try:
            yield attempt
        except Exception as error:
            if attempt.is_committing and self._fence.leaves_doubt(error):
                self._doubtful = attempt
            raise
        self._fence.passed()
        attempt.plan.adopt()

    def _stored_after_all(self, connection: sa.Connection) -> _Attempt | None:
        """The attempt in doubt, if there is one and it is stored."""
        doubtful = self._doubtful
        if doubtful is None:
            return None
        was_stored = self._fence.was_stored(connection)
        self._doubtful = None
        if not was_stored:
            return None
        doubtful.plan.adopt()
        return doubtful

    def _begin(self, connection: sa.Connection, units: Sequence[Unit]) -> GroupPlan:
        """A plan with the heads of actors that write for the first time since the opening, and with whatever the
        units do to money. What is read here holds until it is written: the fence lets nobody else write between."""
        unknown = self._heads.unknown({unit.actor for unit in units})
        effects = chain.from_iterable(unit.effects for unit in units if unit.effects)
        wanted = Wanted()
        wanted.add(filter(touches_money, effects), reported=self.reporter is not None)
        if not unknown and wanted.is_empty:
            return GroupPlan(self._heads, effects=EffectsPlan(reporter=self.reporter))
        with connection.begin():
            heads = self._heads.look_up(connection, unknown) if unknown else {}
            plan = EffectsPlan(read_books(connection, wanted), self.reporter)
        return GroupPlan(self._heads, heads, plan)

    def look(self, connection: sa.Connection) -> None:
        """See whether the database is still ours.

        Raises:
            StoreTaken: Another server owns it.
        """
        self._fence.look(connection)

    def tidy(self, connection: sa.Connection) -> bool:
        """Move some records that checkpoints cover out of the log, or remove some of a checkpoint that was replaced;
        whether there were any.

        Raises:
            StoreTaken: Another server owns the database.
        """
        self._stored_after_all(connection)
        covered = self._heads.covered
        places = list(islice(covered, MOVED_AT_ONCE))
        if places:
            attempt = _Attempt((), GroupPlan(self._heads), [])  # moved twice is moved once
            with self._trying(attempt), connection.begin():
                self._fence.enter(connection)
                move_to_history(connection, places)
                attempt.is_committing = True
            for _ in places:
                covered.popleft()
        return bool(places) or self._drop_stale(connection)

    def _drop_stale(self, connection: sa.Connection) -> bool:
        stale = self._heads.stale
        if not stale:
            return False
        no, generation = stale[0]
        self._dropped += PARTS_AT_ONCE
        with self._trying(_Attempt((), GroupPlan(self._heads), [])), connection.begin():
            self._fence.enter(connection)
            if not drop_stale(connection, no, generation, self._dropped):
                stale.popleft()
                self._dropped = 0
        return True

    def read_actor(self, connection: sa.Connection, name: str) -> StoredActor:
        """For a job: all that is stored of an actor, with the units of the same transaction."""
        return self._plan.read(connection, name)


def _refusal(task: Task, plan: GroupPlan) -> StoreError | None:
    if isinstance(task, UnitTask):
        try:
            plan.add(task.unit)
        except StoreError as error:
            return error
    return None


def _do(job: Job, connection: sa.Connection) -> StoreError | None:
    try:
        job.result = job.work(connection)
    except StoreError as error:
        return error
    return None
