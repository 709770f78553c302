"""The store on SQLAlchemy Core: writes through the one writer, reads in worker threads beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
import sqlalchemy as sa

from kraty_persistence.errors import StoreClosed, StoreError, StoreUnavailable
from kraty_persistence.ports import Done, Store, StoredActor, Unit
from kraty_persistence.rows import (
    Adjusted,
    AuditEntry,
    AuditRow,
    Change,
    Dossier,
    GrantRow,
    GrantStatus,
    LedgerRow,
    PlayerRow,
    StoreStatistics,
)
from kraty_persistence.sql import money, opening, queries
from kraty_persistence.sql.dialects import Dialect
from kraty_persistence.sql.journal import GroupPlan, Heads, read_history
from kraty_persistence.sql.transaction import Job, Task, Transactions, UnitTask
from kraty_persistence.sql.writer import Writer

__all__ = ["SqlStore", "open_sql_store"]

T = TypeVar("T")

READERS = 4
"""Reads at a time, each in a worker thread with a connection of its own."""


@asynccontextmanager
async def open_sql_store(url: str, *, owner: bool = True, patience_s: float = 1.0) -> AsyncIterator[SqlStore]:
    """Open a database, make its tables if it is new, and close it when the block ends.

    Args:
        url: `sqlite:///FILE`, or `postgresql://USER:PASSWORD@HOST/DATABASE`.
        owner: True to serve: whoever served from it before gets `StoreTaken` from then on. False only reads.
        patience_s: Seconds for which a commit is tried again before its units are given up (R-58).

    Raises:
        StoreUnusable: It cannot be opened, is not a store, or is one of another version.
        StoreUnavailable: Another program keeps it locked, or the server is away.
    """
    engine, kind = opening.connect(url, owner=owner, connections=READERS + 1)
    try:
        epoch = await anyio.to_thread.run_sync(partial(opening.take_over, engine, kind, owner=owner))
        store = SqlStore(engine, kind)
        if not owner:
            yield store
            return
        await store.start_writing(epoch, patience_s)
        try:
            yield store
        finally:
            await store.stop_writing()
    finally:
        with anyio.CancelScope(shield=True):  # the last to leave folds the write-ahead log into the file
            await anyio.to_thread.run_sync(engine.dispose)


class SqlStore(Store):
    """A store on a database; made by `open_sql_store`."""

    def __init__(self, engine: sa.Engine, kind: Dialect) -> None:
        self._engine = engine
        self._kind = kind
        self._limiter = anyio.CapacityLimiter(READERS)
        self._transactions: Transactions | None = None
        self._writer: Writer | None = None

    async def start_writing(self, epoch: str, patience_s: float) -> None:
        """Learn where the journals end, and start the writer under this epoch."""
        self._transactions = Transactions(await self._read(Heads), self._kind.fence(epoch))
        self._writer = Writer(self._engine, self._kind, self._transactions, patience_s)

    async def stop_writing(self) -> None:
        """Write what was handed over, then stop."""
        if self._writer is not None:
            await self._writer.close()

    @property
    def failing_since(self) -> float | None:
        return None if self._writer is None else self._writer.failing_since

    @property
    def commits(self) -> int:
        """Transactions committed so far; units a commit is the measure of group commit."""
        return 0 if self._writer is None else self._writer.commits

    async def _read(self, query: Callable[[sa.Connection], T]) -> T:
        """Run a query in a worker thread, in a read transaction of its own."""

        def run() -> T:
            with self._engine.connect() as connection:
                return query(connection)

        try:
            return await anyio.to_thread.run_sync(run, limiter=self._limiter)
        except sa.exc.DBAPIError as error:
            if not self._kind.is_outage(error):
                raise
            raise StoreUnavailable(f"the database cannot be read: {error.orig}") from error

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

    # -- journal

    def submit(self, unit: Unit, done: Done) -> None:
        self._put(UnitTask(unit, done))

    async def load(self, actor: str) -> StoredActor:
        transactions = self._transactions
        if transactions is None:
            return await self._read(lambda connection: GroupPlan(Heads(connection)).read(connection, actor))
        return await self._write(lambda connection: transactions.read_actor(connection, actor), only_reads=True)

    async def history(self, actor: str) -> Sequence[bytes]:
        return await self._read(partial(read_history, name=actor))

    async def unfinished(self) -> list[str]:
        return await self._read(queries.unfinished)

    async def statistics(self) -> StoreStatistics:
        return await self._read(queries.statistics)

    async def ping(self) -> None:
        await self._read(partial(queries.get_meta, key="epoch"))

    # -- facts of the game

    async def get_meta(self, key: str) -> str | None:
        return await self._read(partial(queries.get_meta, key=key))

    async def set_meta(self, key: str, value: str) -> None:
        await self._write(partial(queries.set_meta, key=key, value=value))

    async def put_meta_once(self, key: str, value: str) -> str:
        return await self._write(partial(queries.put_meta_once, key=key, value=value))

    # -- players

    async def resolve(self, player_id: str, mint: Callable[[], str]) -> PlayerRow:
        row = await self.find_player(player_id)
        if row is None:
            new = partial(queries.add_player, player_id=player_id, participant_id=mint())
            row = await self._write(new)
        return row

    async def put_player(
        self,
        number: int,
        *,
        attributes: bytes | None = None,
        name: str | None = None,
        avatar: str | None = None,
        country: str | None = None,
        audited: AuditEntry | None = None,
    ) -> PlayerRow:
        given = {"attributes": attributes, "name": name, "avatar": avatar, "country": country}
        return await self._write(partial(queries.put_player, number=number, audited=audited, given=given))

    async def players(self, numbers: Sequence[int]) -> list[PlayerRow]:
        return await self._read(partial(queries.players_of, numbers=numbers))

    async def find_player(self, player_id: str) -> PlayerRow | None:
        return await self._read(partial(queries.find_player, player_id=player_id))

    async def find_participant(self, participant_id: str) -> PlayerRow | None:
        return await self._read(partial(queries.find_player, participant_id=participant_id))

    async def completed(self, player: int, event_key: str, window_id: str | None = None) -> bool:
        query = partial(queries.completed, player=player, event_key=event_key, window_id=window_id)
        return await self._read(query)

    async def league(self, player: int, event_key: str) -> str | None:
        return await self._read(partial(queries.league, player=player, event_key=event_key))

    async def dossier(self, player: int) -> Dossier:
        return await self._read(partial(queries.dossier, player=player))

    # -- grants and money

    async def grant(self, grant_id: str, player: int) -> GrantRow | None:
        return await self._read(partial(money.grant, grant_id=grant_id, player=player))

    async def grants(
        self,
        player: int,
        *,
        now: int,
        status: GrantStatus | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> list[GrantRow]:
        query = partial(money.grants_of, player=player, now=now, status=status, limit=limit, after=after)
        return await self._read(query)

    async def claim(self, grant_id: str, player: int, now: int, changes: Sequence[Change]) -> GrantRow | None:
        claim = partial(money.claim, grant_id=grant_id, player=player, now=now, changes=changes)
        return await self._write(claim)

    async def adjust(
        self, player: int, changes: Sequence[Change], *, key: str, reason: str, source: str, now: int
    ) -> Adjusted:
        adjust = partial(money.adjust, player=player, changes=changes, key=key, reason=reason, source=source, now=now)
        return await self._write(adjust)

    async def balances(self, player: int) -> dict[str, int]:
        return await self._read(partial(money.held_by, player=player, kind="currency"))

    async def inventory(self, player: int) -> dict[str, int]:
        return await self._read(partial(money.held_by, player=player, kind="item"))

    async def ledger(self, player: int, *, limit: int = 50) -> list[LedgerRow]:
        return await self._read(partial(money.ledger_of, player=player, limit=limit))

    async def audit(self, *, limit: int = 50, before: int | None = None) -> list[AuditRow]:
        return await self._read(partial(queries.audit_trail, limit=limit, before=before))
