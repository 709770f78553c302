"""Grants as plain functions of a connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TypeAlias

import sqlalchemy as sa

from kraty_persistence.granting import check_claimable, check_repeat, reward_of
from kraty_persistence.money import claim_key
from kraty_persistence.money_plan import MoneyPlan
from kraty_persistence.money_rows import Change, GrantRow, GrantStatus, NewGrant, Withdrawn
from kraty_persistence.outbox_rows import Reporter
from kraty_persistence.rows import AuditEntry
from kraty_persistence.sql.books import Wanted, read_books, write_plan
from kraty_persistence.sql.queries import put_audited
from kraty_persistence.sql.statements import among
from kraty_persistence.sql.tables import MAY_LAPSE, grants

PAGE = 1_000
"""Grants of a window that are read at once."""

_GRANTS = sa.select(*[grants.c[column.name] for column in fields(GrantRow)])
_GET = _GRANTS.where(grants.c.id == sa.bindparam("id"))
_GET_SOME = _GRANTS.where(among(grants.c.id, "ids"))
_CHILDREN = _GRANTS.where(grants.c.parent.is_not(None), among(grants.c.parent, "parents"))
_OVER = (
    _GRANTS.where(MAY_LAPSE, grants.c.expires_at <= sa.bindparam("now"))
    .order_by(grants.c.expires_at, grants.c.id)
    .limit(sa.bindparam("most"))
)
_IN_ORDER = (grants.c.source_ref, grants.c.created_at, grants.c.id)
_OF_SOURCE = (
    _GRANTS.where(
        grants.c.source_ref.is_not(None),
        grants.c.source_ref <= sa.bindparam("last"),
        sa.tuple_(*_IN_ORDER) > sa.tuple_(sa.bindparam("ref"), sa.bindparam("at"), sa.bindparam("id")),
    )
    .order_by(*_IN_ORDER)
    .limit(sa.bindparam("most"))
)


def grant(connection: sa.Connection, grant_id: str, player: int) -> GrantRow | None:
    row = _grant(connection, grant_id)
    return row if row is not None and row.player == player else None


def _grant(connection: sa.Connection, grant_id: str) -> GrantRow | None:
    row = connection.execute(_GET, {"id": grant_id}).one_or_none()
    return None if row is None else GrantRow(*row)


def grants_of(
    connection: sa.Connection,
    player: int,
    now: int,
    status: GrantStatus | None,
    limit: int,
    after: str | None,
) -> list[GrantRow]:
    query = _GRANTS.where(grants.c.player == player)
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
    is_claimed = grants.c.claimed_at.is_not(None)
    is_over = grants.c.withdrawn_at.is_not(None) | sa.func.coalesce(grants.c.expires_at <= now, sa.false())
    match status:
        case "claimed":
            return is_claimed
        case "expired":
            return ~is_claimed & is_over
        case "pending":
            return ~is_claimed & ~is_over


Place: TypeAlias = tuple[str, int, str]
"""A grant's `source_ref`, `created_at` and id."""


def of_source(connection: sa.Connection, after: Place, last: str, limit: int = PAGE) -> list[GrantRow]:
    """A page of grants in order of their places, behind this one and up to the source `last`."""
    source, at, grant_id = after
    rows = connection.execute(_OF_SOURCE, {"ref": source, "at": at, "id": grant_id, "last": last, "most": limit})
    return [GrantRow(*row) for row in rows]


def beginning(source: str) -> Place:
    """The place before all grants of a source."""
    return source, -1, ""


def place_of(row: GrantRow) -> Place:
    """Where a grant stands among those that have a source."""
    return row.source_ref or "", row.created_at, row.id


def within(source: str) -> tuple[str, str]:
    """Between which sources those lie that begin with this one and a dot."""
    return f"{source}.", f"{source}.\U0010ffff"


def children_of(connection: sa.Connection, parents: Iterable[str]) -> list[GrantRow]:
    """Those that have one of these for their parent."""
    return [GrantRow(*row) for row in connection.execute(_CHILDREN, {"parents": json.dumps(list(parents))})]


def create(
    connection: sa.Connection, new: Sequence[NewGrant], audited: AuditEntry | None, reporter: Reporter | None
) -> tuple[GrantRow, bool]:
    reward = reward_of(new)
    row = _grant(connection, reward.id)
    if row is not None:
        check_repeat(new, row, children_of(connection, [row.id]))
        return row, False
    wanted = Wanted()
    wanted.add(new)
    plan = MoneyPlan(read_books(connection, wanted), reporter)
    plan.add(new)
    write_plan(connection, plan)
    put_audited(connection, audited)
    return plan.created[reward.id].as_row(), True


def claim(
    connection: sa.Connection,
    grant_id: str,
    player: int,
    now: int,
    changes: Sequence[Change],
    new: Sequence[NewGrant],
    reporter: Reporter | None,
) -> GrantRow | None:
    row = grant(connection, grant_id, player)
    if row is None or row.claimed_at is not None:
        return row
    check_claimable(row, now)
    wanted = Wanted()
    wanted.add(new)
    wanted.add_changes(player, changes)
    plan = MoneyPlan(read_books(connection, wanted), reporter)
    claimed = plan.claim(row, changes, now)
    plan.add(new)
    write_plan(connection, plan)
    return claimed


def expire(connection: sa.Connection, now: int, limit: int, reporter: Reporter | None) -> int:
    plan = MoneyPlan(read_books(connection, Wanted()), reporter)
    for row in connection.execute(_OVER, {"now": now, "most": limit}):
        plan.lapse(GrantRow(*row))
    write_plan(connection, plan)
    return len(plan.lapsed)


def withdraw(
    connection: sa.Connection,
    grant_ids: Sequence[str],
    key: str,
    reason: str,
    source: str,
    now: int,
    reporter: Reporter | None,
) -> list[Withdrawn]:
    found = {row.id: GrantRow(*row) for row in connection.execute(_GET_SOME, {"ids": json.dumps(list(grant_ids))})}
    rows = [found[grant_id] for grant_id in dict.fromkeys(grant_ids) if grant_id in found]
    standing = [row for row in rows if row.withdrawn_at is None]
    wanted = Wanted(keys={(row.player, claim_key(row.id)) for row in standing if row.claimed_at is not None})
    plan = MoneyPlan(read_books(connection, wanted), reporter)
    withdrawn = [plan.withdraw(row, key, reason, source, now) for row in standing]
    write_plan(connection, plan)
    return withdrawn
