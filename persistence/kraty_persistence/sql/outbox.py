"""The outbox as plain functions of a connection."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from kraty_persistence.outbox_rows import DeliveryRow
from kraty_persistence.rows import AuditEntry
from kraty_persistence.sql.queries import put_audited
from kraty_persistence.sql.statements import among
from kraty_persistence.sql.tables import outbox

_WAITING = outbox.c.next_at.is_not(None)
_DEAD = outbox.c.next_at.is_(None)
_ENDPOINT: sa.BindParameter[str] = sa.bindparam("endpoint")
_DUE = (
    sa.select(outbox)
    .where(_WAITING, outbox.c.endpoint == _ENDPOINT, outbox.c.next_at <= sa.bindparam("now"))
    .order_by(outbox.c.next_at, outbox.c.id)
    .limit(sa.bindparam("most"))
)
_NEXT_ENDPOINT = (
    sa.select(outbox.c.endpoint, outbox.c.next_at)
    .where(_WAITING, outbox.c.endpoint > _ENDPOINT)
    .order_by(outbox.c.endpoint, outbox.c.next_at)
    .limit(1)
)
_REMOVE = sa.delete(outbox).where(among(outbox.c.id, "ids"))
_REVIVE = (
    sa.update(outbox).where(_DEAD, among(outbox.c.id, "ids")).values(attempts=0, next_at=sa.bindparam("now"), error="")
)
_ENDPOINTS = sa.select(outbox.c.endpoint).where(_DEAD, among(outbox.c.id, "ids"))
_SOME_DEAD = sa.select(outbox.c.id).where(_DEAD).limit(sa.bindparam("most"))
_AT = sa.select(outbox.c.at).where(_DEAD, outbox.c.id == sa.bindparam("id"))


_POSTED = "posted"


def note_posted(connection: sa.Connection, endpoints: Iterable[str]) -> None:
    """Something becomes due for these, once the transaction is committed."""
    connection.info.setdefault(_POSTED, set()).update(endpoints)


def take_posted(connection: sa.Connection) -> Collection[str]:
    """The endpoints that were noted since the last call, perhaps in a transaction that was not committed."""
    found: set[str] = connection.info.pop(_POSTED, set())
    return found


def due(connection: sa.Connection, endpoint: str, now: int, limit: int) -> list[DeliveryRow]:
    rows = connection.execute(_DUE, {"endpoint": endpoint, "now": now, "most": limit})
    return [DeliveryRow(*row) for row in rows]


def endpoints_due(connection: sa.Connection) -> list[tuple[str, int]]:
    """From each endpoint to the next, so that however much waits for one is not read."""
    found: list[tuple[str, int]] = []
    while True:
        last = found[-1][0] if found else ""
        row = connection.execute(_NEXT_ENDPOINT, {"endpoint": last}).one_or_none()
        if row is None:
            return found
        found.append((row.endpoint, row.next_at))


def remove(connection: sa.Connection, ids: Sequence[str]) -> None:
    connection.execute(_REMOVE, {"ids": json.dumps(list(ids))})


def put_failure(
    connection: sa.Connection, delivery_id: str, attempts: int, next_at: int | None, error: str, body: bytes | None
) -> None:
    values: dict[str, Any] = {"attempts": attempts, "next_at": next_at, "error": error}
    if body is not None:
        values["body"] = body
    connection.execute(sa.update(outbox).where(outbox.c.id == delivery_id).values(values))


def dead(connection: sa.Connection, limit: int, after: str | None) -> list[DeliveryRow]:
    query = sa.select(outbox).where(_DEAD).order_by(outbox.c.at.desc(), outbox.c.id).limit(limit)
    if after is not None:
        at = connection.execute(_AT, {"id": after}).scalar()
        if at is None:
            return []
        query = query.where(outbox.c.at <= at, (outbox.c.at < at) | (outbox.c.id > after))
    return [DeliveryRow(*row) for row in connection.execute(query)]


def revive(connection: sa.Connection, ids: Sequence[str], now: int, audited: AuditEntry | None) -> int:
    named = json.dumps(list(ids))
    note_posted(connection, connection.execute(_ENDPOINTS, {"ids": named}).scalars())
    revived = connection.execute(_REVIVE, {"ids": named, "now": now}).rowcount
    put_audited(connection, audited if revived else None)
    return revived


def revive_some(connection: sa.Connection, limit: int, now: int, audited: AuditEntry | None) -> int:
    """Make up to so many due again; how many there were."""
    return revive(connection, list(connection.execute(_SOME_DEAD, {"most": limit}).scalars()), now, audited)
