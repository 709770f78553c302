"""Many rows by few statements.

Every statement lends the interpreter to the event loop and waits to get it back, and an `executemany` does so for
every row. So one statement inserts many rows; and it goes to the driver as text, for SQLAlchemy's own way costs four
times as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

__all__ = ["Bulk"]

ROWS_A_STATEMENT = 256
"""A power of two: a table has a statement for it and for each smaller one, and the driver keeps 256 statements."""


class Bulk:
    """The INSERT of one row, for as many as there are.

    Attributes:
        columns: What a row consists of, in this order.
    """

    def __init__(self, statement: sa.Insert, columns: Sequence[str]) -> None:
        compiled: Any = statement.compile(dialect=sqlite.dialect(), column_keys=list(columns))
        self.columns: tuple[str, ...] = tuple(compiled.positiontup)
        self._row = f"({', '.join('?' * len(self.columns))})"
        self._before, self._after = compiled.string.split(self._row)
        self._statements: dict[int, str] = {}

    def write(self, connection: sa.Connection, values: Sequence[Any]) -> None:
        """Insert, within the transaction begun; `values` are those of all rows, one after the other."""
        cursor = connection.connection.cursor()
        start = 0
        for rows in _portions(len(values) // len(self.columns)):
            end = start + rows * len(self.columns)
            cursor.execute(self._statement(rows), values[start:end])
            start = end
        cursor.close()

    def _statement(self, rows: int) -> str:
        text = self._statements.get(rows)
        if text is None:
            text = self._statements[rows] = f"{self._before}{', '.join([self._row] * rows)}{self._after}"
        return text


def _portions(rows: int) -> Iterator[int]:
    size = ROWS_A_STATEMENT
    while rows:
        while size > rows:
            size //= 2
        yield size
        rows -= size
