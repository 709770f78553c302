"""All that is written down of the money of some players, for whoever checks whether it adds up."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from kraty_persistence.money_rows import GrantRow, LedgerRow
from kraty_persistence.rows import AttemptRow, Books
from kraty_persistence.sql.tables import attempts, grants, ledger, players

__all__ = ["books_of"]

_NEXT = (
    sa.select(players.c.number)
    .where(players.c.number > sa.bindparam("after"))
    .order_by(players.c.number)
    .limit(sa.bindparam("most"))
)


def _of_players(table: sa.Table, row: type[GrantRow | LedgerRow | AttemptRow], then: str) -> sa.Select[Any]:
    columns = [table.c[column.name] for column in fields(row)]
    some = table.c.player.between(sa.bindparam("first"), sa.bindparam("last"))
    return sa.select(*columns).where(some).order_by(table.c.player, table.c[then])


_GRANTS = _of_players(grants, GrantRow, "id")
_LEDGER = _of_players(ledger, LedgerRow, "number")
_ATTEMPTS = _of_players(attempts, AttemptRow, "attempt_id")


def books_of(connection: sa.Connection, after: int, limit: int) -> Books | None:
    """The books of the next players by number, in one read."""
    numbers = list(connection.execute(_NEXT, {"after": after, "most": limit}).scalars())
    if not numbers:
        return None
    some = {"first": numbers[0], "last": numbers[-1]}
    return Books(
        last=numbers[-1],
        grants=tuple(GrantRow(*row) for row in connection.execute(_GRANTS, some)),
        ledger=tuple(LedgerRow(*row) for row in connection.execute(_LEDGER, some)),
        attempts=tuple(AttemptRow(*row) for row in connection.execute(_ATTEMPTS, some)),
    )
