"""What one transaction of the writer holds: the fence, then the units as one plan, then all other jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kraty_persistence.errors import StoreError
from kraty_persistence.ports import Done, StoredActor, Unit
from kraty_persistence.sql.journal import GroupPlan, Heads
from kraty_persistence.sql.opening import check_epoch

__all__ = ["Job", "Task", "Transactions", "UnitTask"]


@dataclass(slots=True)
class UnitTask:
    """A unit, and who is told of its fate."""

    unit: Unit
    done: Done


@dataclass(slots=True)
class Job:
    """Any other writing. It must refuse (`StoreError`) before it writes its first row, or not at all."""

    work: Callable[[sa.Connection], Any]
    done: Done
    result: Any = None


Task = UnitTask | Job


class Transactions:
    """Writes groups of tasks, one transaction each; knows what the journal of each actor has reached."""

    def __init__(self, heads: Heads, epoch: str) -> None:
        self._heads = heads
        self._epoch = epoch
        self._plan = GroupPlan(heads)

    def write(self, connection: sa.Connection, tasks: Sequence[Task]) -> list[StoreError | None]:
        """Write all within the transaction begun; an error for each task that is refused by itself.

        Raises:
            StoreTaken: Another server owns the database.
            Exception: Anything else; nothing of the group can be kept.
        """
        check_epoch(connection, self._epoch)
        actors = {task.unit.actor for task in tasks if isinstance(task, UnitTask)}
        self._plan = plan = GroupPlan(self._heads, self._heads.look_up(connection, actors))
        errors: list[StoreError | None] = [None] * len(tasks)
        for n, task in enumerate(tasks):
            if isinstance(task, UnitTask):
                try:
                    plan.add(task.unit)
                except StoreError as error:
                    errors[n] = error
        plan.write(connection)
        for n, task in enumerate(tasks):
            if isinstance(task, Job):
                try:
                    task.result = task.work(connection)
                except StoreError as error:
                    errors[n] = error
        return errors

    def committed(self) -> None:
        """What was written last is durable."""
        self._plan.adopt()

    def read_actor(self, connection: sa.Connection, name: str) -> StoredActor:
        """For a job: all that is stored of an actor, with the units of the same transaction."""
        return self._plan.read(connection, name)
