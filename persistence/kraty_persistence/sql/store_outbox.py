"""The outbox of the store on SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kraty_persistence.money_ports import Outbox
from kraty_persistence.outbox_rows import DeliveryRow
from kraty_persistence.rows import AuditEntry
from kraty_persistence.sql import outbox
from kraty_persistence.sql.access import SqlAccess

__all__ = ["SqlOutbox"]

REVIVED_AT_ONCE = 500
"""Dead deliveries that are made due in one transaction, so that nobody waits long for it."""


class SqlOutbox(SqlAccess, Outbox):
    """What waits to be delivered."""

    async def due(self, endpoint: str, now: int, limit: int) -> list[DeliveryRow]:
        return await self._read(partial(outbox.due, endpoint=endpoint, now=now, limit=limit))

    async def endpoints_due(self) -> list[tuple[str, int]]:
        return await self._read(outbox.endpoints_due)

    async def delivered(self, ids: Sequence[str]) -> None:
        await self._write(partial(outbox.remove, ids=ids))

    async def failed(
        self, delivery_id: str, *, attempts: int, next_at: int | None, error: str, body: bytes | None = None
    ) -> None:
        failure = partial(
            outbox.put_failure, delivery_id=delivery_id, attempts=attempts, next_at=next_at, error=error, body=body
        )
        await self._write(failure)

    async def dead(self, limit: int = 50, after: str | None = None) -> list[DeliveryRow]:
        return await self._read(partial(outbox.dead, limit=limit, after=after))

    async def replay(self, ids: Sequence[str] | None, now: int, *, audited: AuditEntry | None = None) -> int:
        if ids is not None:
            return await self._write(partial(outbox.revive, ids=ids, now=now, audited=audited))
        revived = 0
        revive = partial(outbox.revive_some, limit=REVIVED_AT_ONCE, now=now)
        while some := await self._write(partial(revive, audited=None if revived else audited)):
            revived += some
        return revived
