"""The store on SQLAlchemy Core: writes through the one writer, reads in worker threads beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio
import anyio.to_thread
import sqlalchemy as sa

from kraty_persistence.ports import Done, Store, StoredActor, StoredRecord, Unit
from kraty_persistence.rows import (
    AnomalyRow,
    AttemptRow,
    AuditEntry,
    AuditRow,
    Books,
    Dossier,
    PlayerRow,
    StoreStatistics,
)
from kraty_persistence.sql import anomalies, opening, player_books, queries
from kraty_persistence.sql.access import READERS
from kraty_persistence.sql.dialects import Dialect
from kraty_persistence.sql.gathered import GatheredReads
from kraty_persistence.sql.journal import GroupPlan, Heads, read_history
from kraty_persistence.sql.pages import history_page, read_checkpoint, resting
from kraty_persistence.sql.store_money import SqlMoney
from kraty_persistence.sql.store_outbox import SqlOutbox
from kraty_persistence.sql.transaction import UnitTask

__all__ = ["SqlStore", "open_sql_store"]


@asynccontextmanager
async def open_sql_store(
    url: str, *, owner: bool = True, patience_s: float = 1.0, judge: opening.Judge | None = None
) -> AsyncIterator[SqlStore]:
    """Open a database, make its tables if it is new, and close it when the block ends.

    Args:
        url: `sqlite:///FILE`, or `postgresql://USER:PASSWORD@HOST/DATABASE`.
        owner: True to serve: whoever served from it before gets `StoreTaken` from then on. False only reads.
        patience_s: Seconds for which a commit is tried again before its units are given up (R-58).
        judge: Asked what the database says of itself before it is taken over; what it raises changes nothing there.

    Raises:
        StoreUnusable: It cannot be opened, is not a store, or is one of another version.
        StoreUnavailable: Another program keeps it locked, or the server is away.
    """
    engine, kind = opening.connect(url, owner=owner, connections=READERS + 1)
    try:
        epoch = await anyio.to_thread.run_sync(partial(opening.take_over, engine, kind, owner=owner, judge=judge))
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


class SqlStore(SqlMoney, SqlOutbox, Store):
    """A store on a database; made by `open_sql_store`."""

    def __init__(self, engine: sa.Engine, kind: Dialect) -> None:
        super().__init__(engine, kind)
        self._dossiers = GatheredReads(self._read_dossiers)

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

    async def history_page(
        self, actor: str, *, after: StoredRecord | None = None, limit: int = 1_000
    ) -> list[StoredRecord]:
        return await self._read(partial(history_page, name=actor, after=after, limit=limit))

    async def checkpoint(self, actor: str) -> StoredActor:
        return await self._read(partial(read_checkpoint, name=actor))

    async def unfinished(self) -> list[str]:
        return await self._read(queries.unfinished)

    async def resting(self) -> dict[str, bytes]:
        return await self._read(resting)

    async def statistics(self) -> StoreStatistics:
        return await self._read(queries.statistics)

    async def ping(self) -> None:
        await self._read(partial(queries.get_meta, key="epoch"))

    # -- facts of the game

    async def get_meta(self, key: str) -> str | None:
        return await self._read(partial(queries.get_meta, key=key))

    async def set_meta(self, key: str, value: str, *, audited: AuditEntry | None = None) -> None:
        await self._write(partial(queries.set_meta, key=key, value=value, audited=audited))

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
        return await self._dossiers.get(player)

    async def _read_dossiers(self, players: Sequence[int]) -> list[Dossier]:
        return await self._read(partial(queries.dossiers, players=players))

    async def banned_players(self) -> list[int]:
        return await self._read(queries.banned_players)

    async def attempts(self, player: int, *, limit: int = 50) -> list[AttemptRow]:
        return await self._read(partial(queries.attempts_of, player=player, limit=limit))

    async def books(self, after: int, limit: int) -> Books | None:
        return await self._read(partial(player_books.books_of, after=after, limit=limit))

    async def anomalies(
        self, *, player: int | None = None, event_key: str | None = None, limit: int = 50, after: str | None = None
    ) -> list[AnomalyRow]:
        query = partial(anomalies.listed, player=player, event_key=event_key, limit=limit, after=after)
        return await self._read(query)

    async def audit(self, *, limit: int = 50, before: int | None = None) -> list[AuditRow]:
        return await self._read(partial(queries.audit_trail, limit=limit, before=before))
