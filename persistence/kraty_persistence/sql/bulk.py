"""Many rows by few statements.

Every statement lends the interpreter to the event loop and waits to get it back, and an `executemany` does so for
every row. So one statement inserts many rows; and it goes to the driver as text, for SQLAlchemy's own way costs four
times as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kraty_persistence.sql.dialects import dialect
from kraty_persistence.sql.dialects.base import BulkInsert

__all__ = ["Bulk"]


class Bulk:
    """The INSERT of one row, for as many as there are. To one that changes rows that are there already, no two with
    the same key may be given: PostgreSQL changes no row twice.

    Attributes:
        columns: What a row consists of, in the order of the table.
    """

    def __init__(self, statement: sa.Insert, columns: Sequence[str]) -> None:
        table: sa.FromClause = statement.table
        self.columns: tuple[str, ...] = tuple(key for key in table.c.keys() if key in columns)  # noqa: SIM118
        self._statement = statement
        self._inserts: dict[str, BulkInsert] = {}

    def write(self, connection: sa.Connection, values: Sequence[Any]) -> None:
        """Insert, within the transaction begun; `values` are those of all rows, one after the other."""
        if values:
            self._in(connection.dialect.name).write(connection, values)

    def _in(self, database: str) -> BulkInsert:
        insert = self._inserts.get(database)
        if insert is None:
            kind = dialect(database)
            if kind is None:
                raise LookupError(database)
            insert = self._inserts[database] = kind.bulk_insert(self._statement, self.columns)
        return insert
