"""The outbox of the store in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from kraty_persistence.errors import StoreError
from kraty_persistence.memory_rows import MemoryRows, page
from kraty_persistence.outbox_rows import Delivery, DeliveryRow, Reporter
from kraty_persistence.rows import AuditEntry

__all__ = ["MemoryOutbox"]


class MemoryOutbox(MemoryRows):
    """What waits to be delivered, and what was given up."""

    def __init__(self) -> None:
        super().__init__()
        self.reporter: Reporter | None = None
        self.posted: Callable[[Collection[str]], None] | None = None
        self.taken: Callable[[StoreError], None] | None = None
        self._outbox: dict[str, DeliveryRow] = {}

    def _put_delivery(self, new: Delivery) -> None:
        if new.id not in self._outbox:
            self._outbox[new.id] = DeliveryRow(new.id, new.endpoint, new.name, new.at, new.body, 0, new.at, "")
            self._tell_posted({new.endpoint})

    def _tell_posted(self, endpoints: Collection[str]) -> None:
        if self.posted is not None and endpoints:
            self.posted(endpoints)

    async def due(self, endpoint: str, now: int, limit: int) -> list[DeliveryRow]:
        self._reach()
        rows = [(row.next_at, row.id) for row in self._waiting_for(endpoint) if row.next_at is not None]
        return [self._outbox[delivery_id] for next_at, delivery_id in sorted(rows) if next_at <= now][:limit]

    async def endpoints_due(self) -> list[tuple[str, int]]:
        self._reach()
        earliest: dict[str, int] = {}
        for row in self._outbox.values():
            if row.next_at is not None:
                earliest[row.endpoint] = min(row.next_at, earliest.get(row.endpoint, row.next_at))
        return sorted(earliest.items())

    async def delivered(self, ids: Sequence[str]) -> None:
        self._reach()
        for delivery_id in ids:
            self._outbox.pop(delivery_id, None)

    async def failed(
        self, delivery_id: str, *, attempts: int, next_at: int | None, error: str, body: bytes | None = None
    ) -> None:
        self._reach()
        row = self._outbox.get(delivery_id)
        if row is not None:
            body = row.body if body is None else body
            self._outbox[delivery_id] = replace(row, attempts=attempts, next_at=next_at, error=error, body=body)

    async def dead(self, limit: int = 50, after: str | None = None) -> list[DeliveryRow]:
        self._reach()
        rows = [row for row in self._outbox.values() if row.next_at is None]
        return page(rows, lambda row: (-row.at, row.id), limit, after)

    async def replay(self, ids: Sequence[str] | None, now: int, *, audited: AuditEntry | None = None) -> int:
        self._reach()
        dead = [row for row in self._outbox.values() if row.next_at is None and (ids is None or row.id in ids)]
        for row in dead:
            self._outbox[row.id] = replace(row, attempts=0, next_at=now, error="")
        if dead and audited is not None:
            self._take(audited)
        self._tell_posted({row.endpoint for row in dead})
        return len(dead)

    def _waiting_for(self, endpoint: str) -> list[DeliveryRow]:
        return [row for row in self._outbox.values() if row.endpoint == endpoint]
