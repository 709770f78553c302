"""Grants, wallets and inventories as plain functions of a connection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import sqlalchemy as sa

from kraty_persistence.errors import GrantExpired
from kraty_persistence.money import Entry, Holdings, adjustment_key, claim_key
from kraty_persistence.rows import Adjusted, Change, GrantRow, GrantStatus, LedgerRow, ResourceKind
from kraty_persistence.sql.statements import among, upsert
from kraty_persistence.sql.tables import balances, grants, inventory, ledger

_HOLDINGS: dict[ResourceKind, sa.Table] = {"currency": balances, "item": inventory}
_PUT_AMOUNTS = {kind: upsert(table, lambda new: {"amount": new.amount}) for kind, table in _HOLDINGS.items()}
_HELD = {
    kind: sa.select(table.c.resource, table.c.amount).where(table.c.player == sa.bindparam("player"))
    for kind, table in _HOLDINGS.items()
}
_HELD_OF_SOME = {kind: query.where(among(_HOLDINGS[kind].c.resource, "resources")) for kind, query in _HELD.items()}
_ADD_TO_LEDGER = sa.insert(ledger)
_ENTERED = (
    sa.select(ledger.c.kind, ledger.c.resource, ledger.c.delta)
    .where(ledger.c.player == sa.bindparam("player"), ledger.c.key == sa.bindparam("key"))
    .order_by(ledger.c.part)
)
_GET_GRANT = sa.select(grants).where(grants.c.id == sa.bindparam("id"), grants.c.player == sa.bindparam("player"))
_SET_CLAIMED = sa.update(grants).where(grants.c.id == sa.bindparam("grant_id"))


def grant(connection: sa.Connection, grant_id: str, player: int) -> GrantRow | None:
    row = connection.execute(_GET_GRANT, {"id": grant_id, "player": player}).one_or_none()
    return None if row is None else GrantRow(*row)


def grants_of(
    connection: sa.Connection,
    player: int,
    now: int,
    status: GrantStatus | None,
    limit: int,
    after: str | None,
) -> list[GrantRow]:
    query = sa.select(grants).where(grants.c.player == player)
    if status is not None:
        query = query.where(_has_status(status, now))
    if after is not None:
        last = grant(connection, after, player)
        if last is None:
            return []
        older = grants.c.created_at < last.created_at
        query = query.where(older | ((grants.c.created_at == last.created_at) & (grants.c.id > last.id)))
    query = query.order_by(grants.c.created_at.desc(), grants.c.id).limit(limit)
    return [GrantRow(*row) for row in connection.execute(query)]


def _has_status(status: GrantStatus, now: int) -> sa.ColumnElement[bool]:
    open_ = grants.c.claimed_at.is_(None)
    match status:
        case "claimed":
            return ~open_
        case "expired":
            return open_ & (grants.c.expires_at <= now)
        case "pending":
            return open_ & (grants.c.expires_at.is_(None) | (grants.c.expires_at > now))


def claim(
    connection: sa.Connection, grant_id: str, player: int, now: int, changes: Sequence[Change]
) -> GrantRow | None:
    row = grant(connection, grant_id, player)
    if row is None or row.claimed_at is not None:
        return row
    if row.status(now) == "expired":
        raise GrantExpired(f"grant {grant_id} has expired")
    _enter(connection, Entry(player, changes, claim_key(grant_id), "grant", grant_id, now))
    connection.execute(_SET_CLAIMED, {"grant_id": grant_id, "claimed_at": now})
    return replace(row, claimed_at=now)


def adjust(
    connection: sa.Connection, player: int, changes: Sequence[Change], key: str, reason: str, source: str, now: int
) -> Adjusted:
    entry = Entry(player, changes, adjustment_key(key), reason, source, now)
    if entry.repeats(_entered(connection, entry)):
        return Adjusted(False, entry.balances(_held(connection, entry)))
    return Adjusted(True, entry.balances(_enter(connection, entry)))


def _entered(connection: sa.Connection, entry: Entry) -> list[Change]:
    """What the ledger has under the entry's key."""
    rows = connection.execute(_ENTERED, {"player": entry.player, "key": entry.key})
    return [Change(*row) for row in rows]


def _held(connection: sa.Connection, entry: Entry) -> Holdings:
    """Those balances that the entry changes."""
    held: Holdings = {}
    for kind, query in _HELD_OF_SOME.items():
        wanted = [change.key for change in entry.changes if change.kind == kind]
        if wanted:
            rows = connection.execute(query, {"player": entry.player, "resources": json.dumps(wanted)})
            held.update({(kind, resource): amount for resource, amount in rows})
    return held


def _enter(connection: sa.Connection, entry: Entry) -> Holdings:
    """Write the entry, and return what it has made of the balances."""
    held = _held(connection, entry)
    rows = [asdict(row) for row in entry.apply(held)]
    for kind, put in _PUT_AMOUNTS.items():
        amounts = [
            {"player": entry.player, "resource": resource, "amount": amount}
            for (of_kind, resource), amount in held.items()
            if of_kind == kind
        ]
        if amounts:
            connection.execute(put, amounts)
    if rows:
        connection.execute(_ADD_TO_LEDGER, rows)
    return held


def held_by(connection: sa.Connection, player: int, kind: ResourceKind) -> dict[str, int]:
    rows = connection.execute(_HELD[kind], {"player": player})
    return {resource: amount for resource, amount in rows if amount > 0}


def ledger_of(connection: sa.Connection, player: int, limit: int) -> list[LedgerRow]:
    columns = [column for column in ledger.c if column.name != "number"]
    query = sa.select(*columns).where(ledger.c.player == player).order_by(ledger.c.number.desc()).limit(limit)
    return [LedgerRow(*row) for row in connection.execute(query)]
