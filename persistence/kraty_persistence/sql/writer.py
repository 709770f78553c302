"""Group commit: one thread that writes what has gathered in one transaction, over and over.

While a group is being committed the next one gathers, so the group's size follows the load by itself, up to a
limit: a burst is cut into several transactions, so that the first of it need not wait for the last. What can wait
goes in small helpings with whatever somebody waits for. The event loop is never waited for: outcomes are left in a
queue, and the loop is told once for each group.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import anyio.lowlevel
import anyio.to_thread
import sqlalchemy as sa

from kraty_persistence.errors import (
    StoreClosed,
    StoreError,
    StoreTaken,
    StoreUnavailable,
    StoreUnusable,
    UnitRefused,
)
from kraty_persistence.ports import Done
from kraty_persistence.sql.dialects import Dialect
from kraty_persistence.sql.outbox import take_posted
from kraty_persistence.sql.transaction import Job, Task, Transactions

__all__ = ["Writer"]

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.005
LONGEST_PAUSE_S = 0.25
"""Pauses between tries while the database is away; each is twice the one before."""


LOOK_SECONDS = 1.0
"""Who has nothing to write looks so often whether the database is still ours."""

GROUP_WEIGHT = 2_000_000
"""Where a group is full, in the unit of `Task.weight`: some 20 ms, of which the sync of the disk is little."""

HELPING_WEIGHT = 100_000
"""How much of a group may be of what can wait."""


class Writer:
    """The thread, its queue and its connection."""

    def __init__(self, engine: sa.Engine, kind: Dialect, transactions: Transactions, patience_s: float) -> None:
        """Prepare; must be called on the event loop's thread, where `done` will be called."""
        self.failing_since: float | None = None
        self.posted: Callable[[Collection[str]], None] | None = None
        self.taken: Callable[[StoreError], None] | None = None
        self.commits = 0
        self._engine = engine
        self._kind = kind
        self._transactions = transactions
        self._patience_s = patience_s
        self._connection: sa.Connection | None = None
        self._queue: SimpleQueue[Task | None] = SimpleQueue()
        self._pressing: deque[Task] = deque()
        self._patient: deque[Task] = deque()
        self._patient_turn = False
        self._outcomes: deque[tuple[Done, StoreError | None]] = deque()
        self._call_soon = _call_soon()
        self._closed = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="kraty-store-writer", daemon=True)
        self._thread.start()

    def put(self, task: Task) -> None:
        """Hand a task over; its `done` is called on the loop, in order with others that can wait, or that cannot."""
        if self._closed:
            task.done(StoreClosed("the store is closed"))
        else:
            self._queue.put(task)

    async def close(self) -> None:
        """Write what has gathered, end the thread and tell everybody."""
        self._queue.put(None)
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._thread.join)
        self._closed = True
        self._fail(self._waiting(), StoreClosed("the store is closed"))
        self._deliver()

    # -- on the loop

    def _deliver(self) -> None:
        """Tell of what is there now: who is done later has a call of this of their own."""
        for _ in range(len(self._outcomes)):
            done, error = self._outcomes.popleft()
            done(error)

    def _tell_posted(self, endpoints: Collection[str], _error: StoreError | None) -> None:
        if self.posted is not None:
            self.posted(endpoints)

    def _tell_taken(self, error: StoreError | None) -> None:
        if self.taken is not None and error is not None:
            self.taken(error)

    # -- on the thread

    def _run(self) -> None:
        while tasks := self._next_group():
            failure = self._settle(tasks)
            if failure is not None:  # who comes behind would only wait in vain as well
                self._fail(self._waiting(), failure)
            self._tell()
        self._disconnect()

    def _next_group(self) -> list[Task]:
        """Wait for a task, and take what stands behind it until the group is full; none if it is time to stop. What
        can wait has a helping in every second group at most, and stands behind whatever presses."""
        while not self._has_any() and self._queue.empty() and not self._stopping and self._tidied():
            pass
        self._sort(wait=not self._has_any() and not self._stopping)
        self._patient_turn = bool(self._patient) and (not self._pressing or not self._patient_turn)
        group = _helping(self._pressing, GROUP_WEIGHT)
        return group + _helping(self._patient, HELPING_WEIGHT) if self._patient_turn else group

    def _has_any(self) -> bool:
        return bool(self._pressing or self._patient)

    def _sort(self, *, wait: bool) -> None:
        """Take everything from the queue, by whether it can wait."""
        while wait or not self._queue.empty():
            task = self._next_task()
            wait = False
            if task is None:
                self._stopping = True
            else:
                (self._patient if task.can_wait else self._pressing).append(task)

    def _next_task(self) -> Task | None:
        while True:
            try:
                return self._queue.get(timeout=LOOK_SECONDS)
            except Empty:
                self._look()

    def _look(self) -> None:
        """Nobody waits for this, and where the database does not answer the next task will notice."""
        try:
            self._transactions.look(self._connected())
        except StoreTaken as error:
            self._outcomes.append((self._tell_taken, error))
            self._tell()
        except Exception as error:  # noqa: BLE001
            log.info("the database does not answer: %s", _cause(error))
            self._disconnect()

    def _tidied(self) -> bool:
        """Use a quiet moment; whether there may be more to tidy up."""
        try:
            return self._transactions.tidy(self._connected())
        except Exception as error:  # noqa: BLE001 - nobody waits for it, and the next task will meet the same trouble
            log.info("the log is not tidied up now: %s", _cause(error))
            self._disconnect()
            return False

    def _waiting(self) -> list[Task]:
        """All that stands in the queue."""
        self._sort(wait=False)
        tasks = [*self._pressing, *self._patient]
        self._pressing.clear()
        self._patient.clear()
        return tasks

    def _settle(self, tasks: list[Task]) -> StoreError | None:
        """Store a group, in parts if a task in it has a bug; return why the store gave up, if it did."""
        try:
            errors = self._persist(tasks)
        except StoreError as failure:
            self._fail(tasks, failure)
            return failure
        except Exception as error:  # noqa: BLE001 - a bug of one must not end the thread for all
            return self._halve(tasks, error)
        self._outcomes.extend(zip((task.done for task in tasks), errors, strict=True))
        return None

    def _halve(self, tasks: list[Task], error: Exception) -> StoreError | None:
        if len(tasks) == 1:
            self._fail(tasks, _refused(error))
            return None
        half = len(tasks) // 2
        failure = self._settle(tasks[:half])
        if failure is None:
            return self._settle(tasks[half:])
        self._fail(tasks[half:], failure)
        return failure

    def _fail(self, tasks: Sequence[Task], error: StoreError) -> None:
        self._outcomes.extend((task.done, error) for task in tasks)

    def _persist(self, tasks: list[Task]) -> list[StoreError | None]:
        """Commit, again and again while the database is away and there is patience left: where it was away for
        long already, only once. If the connection broke during the commit, until it is known what became of it: then
        those who come behind are told that the store has given up."""
        pause, started = FIRST_PAUSE_S, self.failing_since or time.monotonic()
        while True:
            try:
                return self._commit(tasks)
            except Exception as error:
                self._disconnect()
                if _only_read(tasks) and self._kind.is_damage(error):
                    raise StoreUnusable(f"the database is damaged: {_cause(error)}: restore a backup") from error
                if not self._kind.is_outage(error):
                    raise
                if self.failing_since is None:
                    self.failing_since = time.monotonic()
                if time.monotonic() - started + pause > self._patience_s:
                    failure = StoreUnavailable(f"the database cannot be written: {_cause(error)}")
                    failure.__cause__ = error
                    self._fail(self._waiting(), failure)
                    if self._stopping or not self._transactions.is_in_doubt:
                        raise failure from error
                    self._fail_questions(tasks, failure)
                    self._tell()
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _fail_questions(self, tasks: list[Task], failure: StoreError) -> None:
        """Tell those in a group in doubt who only wanted to read: nothing of theirs is in doubt."""
        for task in tasks:
            if isinstance(task, Job) and task.only_reads:
                self._fail([task], failure)
                task.done = _nobody

    def _commit(self, tasks: list[Task]) -> list[StoreError | None]:
        connection = self._connected()
        errors = self._transactions.commit(connection, tasks)
        self.commits += 1
        posted = take_posted(connection)
        if posted:
            self._outcomes.append((partial(self._tell_posted, posted), None))
        if not _only_read(tasks):
            self.failing_since = None
        return errors

    def _connected(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._kind.for_writing(self._engine.connect())
        return self._connection

    def _disconnect(self) -> None:
        """Give the connection up: after an error nobody can say what state it is in."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _tell(self) -> None:
        try:
            self._call_soon(self._deliver)
        except RuntimeError:  # the loop has ended: nobody is left to be told
            self._stopping = True


def _nobody(_error: StoreError | None) -> None:
    """Who has been told already."""


def _only_read(tasks: Sequence[Task]) -> bool:
    return all(isinstance(task, Job) and task.only_reads for task in tasks)


def _helping(tasks: deque[Task], room: int) -> list[Task]:
    """The next tasks, until there is no room for more."""
    taken: list[Task] = []
    while tasks and room > 0:
        taken.append(tasks.popleft())
        room -= taken[-1].weight
    return taken


def _call_soon() -> Callable[[Callable[[], None]], Any]:
    """How another thread calls a function on this event loop without waiting for it."""
    loop: Any = anyio.lowlevel.current_token().native_token
    call: Callable[[Callable[[], None]], Any]
    call = loop.run_sync_soon if hasattr(loop, "run_sync_soon") else loop.call_soon_threadsafe
    return call


def _cause(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error)


def _refused(error: Exception) -> UnitRefused:
    refused = UnitRefused(f"the store refuses it: {_cause(error)}")
    refused.__cause__ = error
    return refused
