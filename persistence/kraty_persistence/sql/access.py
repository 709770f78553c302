"""The one way into the database: reads in worker threads, writes through the one writer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

import anyio
import anyio.to_thread
import sqlalchemy as sa

from kraty_persistence.errors import StoreClosed, StoreError, StoreUnavailable, StoreUnusable
from kraty_persistence.outbox_rows import Reporter
from kraty_persistence.sql.dialects import Dialect
from kraty_persistence.sql.journal import Heads
from kraty_persistence.sql.transaction import Job, Task, Transactions
from kraty_persistence.sql.writer import Writer

__all__ = ["READERS", "SqlAccess"]

T = TypeVar("T")

READERS = 4
"""Reads at a time, each in a worker thread with a connection of its own."""


class SqlAccess:
    """The engine, the writer, and what is to be reported of every change."""

    def __init__(self, engine: sa.Engine, kind: Dialect) -> None:
        self._engine = engine
        self._kind = kind
        self._limiter = anyio.CapacityLimiter(READERS)
        self._transactions: Transactions | None = None
        self._writer: Writer | None = None
        self._reporter: Reporter | None = None

    async def start_writing(self, epoch: str, patience_s: float) -> None:
        """Learn where the journals end, and start the writer under this epoch."""
        self._transactions = Transactions(await self._read(Heads), self._kind.fence(epoch))
        self._writer = Writer(self._engine, self._kind, self._transactions, patience_s)

    async def stop_writing(self) -> None:
        """Write what was handed over, then stop."""
        if self._writer is not None:
            await self._writer.close()

    @property
    def reporter(self) -> Reporter | None:
        return self._reporter

    @reporter.setter
    def reporter(self, reporter: Reporter | None) -> None:
        self._reporter = reporter
        if self._transactions is not None:
            self._transactions.reporter = reporter

    @property
    def posted(self) -> Callable[[Collection[str]], None] | None:
        return None if self._writer is None else self._writer.posted

    @posted.setter
    def posted(self, posted: Callable[[Collection[str]], None] | None) -> None:
        if self._writer is not None:
            self._writer.posted = posted

    @property
    def taken(self) -> Callable[[StoreError], None] | None:
        return None if self._writer is None else self._writer.taken

    @taken.setter
    def taken(self, taken: Callable[[StoreError], None] | None) -> None:
        if self._writer is not None:
            self._writer.taken = taken

    @property
    def failing_since(self) -> float | None:
        return None if self._writer is None else self._writer.failing_since

    @property
    def commits(self) -> int:
        """Transactions committed so far; units a commit is the measure of group commit."""
        return 0 if self._writer is None else self._writer.commits

    async def _read(self, query: Callable[[sa.Connection], T]) -> T:
        """Run a query in a worker thread, in a read transaction of its own."""

        def ask() -> T:
            with self._engine.connect() as connection:
                return query(connection)

        def run() -> T:
            try:
                return ask()
            except sa.exc.DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                return ask()  # the connection was one from before a restart of the server

        try:
            return await anyio.to_thread.run_sync(run, limiter=self._limiter)
        except (sa.exc.DBAPIError, self._kind.driver_error) as error:
            cause = getattr(error, "orig", error)
            is_damage = self._kind.is_damage(error)
            if self._kind.is_outage(error) and not is_damage:
                raise StoreUnavailable(f"the database cannot be read: {cause}") from error
            if is_damage or (
                isinstance(error, sa.exc.DatabaseError) and not isinstance(error, sa.exc.ProgrammingError)
            ):
                raise StoreUnusable(f"the database is damaged: {cause}: restore a backup") from error
            raise

    async def _write(self, work: Callable[[sa.Connection], T], *, only_reads: bool = False) -> T:
        """Have a job done in the next group commit; durable on return."""
        answered = anyio.Event()
        errors: list[StoreError] = []

        def done(error: StoreError | None) -> None:
            if error is not None:
                errors.append(error)
            answered.set()

        job = Job(work, done, only_reads)
        self._put(job)
        await answered.wait()
        if errors:
            raise errors[0]
        result: T = job.result
        return result

    def _put(self, task: Task) -> None:
        if self._writer is None:
            task.done(StoreClosed("the store was opened for reading only"))
        else:
            self._writer.put(task)
