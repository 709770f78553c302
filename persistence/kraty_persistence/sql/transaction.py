"""What one transaction of the writer holds: the fence, the units as one plan, then all other jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

import sqlalchemy as sa

from kraty_persistence.errors import StoreError
from kraty_persistence.ports import Done, StoredActor, Unit
from kraty_persistence.sql.journal import GroupPlan, Head, Heads, move_to_history
from kraty_persistence.sql.opening import check_epoch

__all__ = ["Job", "Task", "Transactions", "UnitTask"]


ROW_WEIGHT = 1024
"""A row takes about as long to write as so many bytes do: some ten microseconds."""


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
        parts = unit.checkpoint or ()
        size = sum(map(len, parts)) + len(unit.record or b"")
        return size + ROW_WEIGHT * (1 + len(parts) + len(unit.effects))


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


class Transactions:
    """Writes groups of tasks, one transaction each; knows what the journal of each actor has reached."""

    def __init__(self, heads: Heads, epoch: str) -> None:
        self._heads = heads
        self._epoch = epoch
        self._plan = GroupPlan(heads)

    def commit(self, connection: sa.Connection, tasks: Sequence[Task]) -> list[StoreError | None]:
        """Store all and commit; an error for each task that is refused by itself.

        Raises:
            StoreTaken: Another server owns the database.
            Exception: Anything else; nothing of the group is stored.
        """
        self._plan = plan = GroupPlan(self._heads, self._look_up(connection, tasks))
        errors = [_refusal(task, plan) for task in tasks]
        jobs = [(n, task) for n, task in enumerate(tasks) if isinstance(task, Job)]
        if not jobs and plan.fits_one_statement:
            plan.write_at_once(connection, self._epoch)
        else:
            with connection.begin():
                check_epoch(connection, self._epoch)
                plan.write(connection)
                for n, job in jobs:
                    errors[n] = _do(job, connection)
        plan.adopt()
        return errors

    def _look_up(self, connection: sa.Connection, tasks: Sequence[Task]) -> dict[str, Head]:
        """The heads of actors that write for the first time since the opening."""
        unknown = self._heads.unknown({task.unit.actor for task in tasks if isinstance(task, UnitTask)})
        if not unknown:
            return {}
        with connection.begin():
            return self._heads.look_up(connection, unknown)

    def tidy(self, connection: sa.Connection) -> bool:
        """Move some records that checkpoints cover out of the log; whether there were any.

        Raises:
            StoreTaken: Another server owns the database.
        """
        covered = self._heads.covered
        places = list(islice(covered, MOVED_AT_ONCE))
        if places:
            with connection.begin():
                check_epoch(connection, self._epoch)
                move_to_history(connection, places)
            for _ in places:
                covered.popleft()
        return bool(places)

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
