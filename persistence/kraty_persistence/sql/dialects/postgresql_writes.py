"""How PostgreSQL is written to: the fence that tells what was committed, and many rows by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg as driver

from kraty_persistence.errors import StoreSetBack, StoreTaken
from kraty_persistence.sql.dialects.base import BulkInsert, Fence

__all__ = ["CommitFence", "ManyRows"]

_DIALECT: sa.Dialect = driver.dialect()  # type: ignore[no-untyped-call]

_PASS = "UPDATE meta SET value = %s WHERE key = 'last_commit' AND value = %s"
_LAST = "SELECT value FROM meta WHERE key = 'last_commit'"
_RAISE = (
    "INSERT INTO meta (key, value) VALUES ('last_commit', %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_ADD_RECORDS = f"""
WITH passed AS ({_PASS} RETURNING 1)
INSERT INTO journal (place, actor_no, number, record)
SELECT rows.* FROM passed, unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bytea[]) AS rows
"""


class CommitFence(Fence):
    """One row, `last_commit`, holds the owner's epoch and the number of its last commit, and every transaction moves
    it on from the one to the next.

    Its lock is what a takeover waits for, and afterwards nobody finds the value that he has left there. And it tells
    whether a commit took place whose answer was lost with the connection; a number that was passed over never will,
    though a process of the server be still at work on it.
    """

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch
        self._last = self._tried = self._doubtful = 0

    def raise_it(self, connection: sa.Connection) -> None:
        _run(connection, _RAISE, [self._value(0)])

    def look(self, connection: sa.Connection) -> None:
        self._last_number(connection)

    def enter(self, connection: sa.Connection) -> None:
        if _run(connection, _PASS, self._next()).rowcount == 0:
            raise self._refused(connection)

    def add_records(self, connection: sa.Connection, values: Sequence[int | bytes]) -> None:
        columns = [list(values[at::4]) for at in range(4)]
        if _run(connection, _ADD_RECORDS, [*self._next(), *columns]).rowcount == 0:
            raise self._refused(connection)

    def passed(self) -> None:
        self._last = self._tried

    def leaves_doubt(self, error: BaseException) -> bool:
        """An error of the server undoes a transaction, but one that ends the connection may come behind the commit."""
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if not isinstance(cause, psycopg.OperationalError):
            return False
        self._doubtful = self._tried
        return cause.sqlstate is None or cause.diag.severity_nonlocalized in ("FATAL", "PANIC")

    def was_stored(self, connection: sa.Connection) -> bool:
        if _run(connection, _PASS, self._next()).rowcount:
            self.passed()
            return False
        last = self._last_number(connection)
        if last < self._last:
            raise StoreSetBack
        self._last = last
        return self._last == self._doubtful

    def _refused(self, connection: sa.Connection) -> StoreTaken:
        """Why nobody passes: the owner is another one, or is not where it was."""
        self._last_number(connection)
        return StoreSetBack()

    def _last_number(self, connection: sa.Connection) -> int:
        [found] = _run(connection, _LAST, []).fetchone() or [""]
        epoch, _, number = found.partition(".")
        if epoch != self._epoch:
            raise StoreTaken
        return int(number)

    def _next(self) -> list[str]:
        """The value to write, and the one that must be there."""
        self._tried += 1
        return [self._value(self._tried), self._value(self._last)]

    def _value(self, number: int) -> str:
        return f"{self._epoch}.{number}"


class ManyRows(BulkInsert):
    """INSERT of lists, one for each column, so that it is the same statement however many rows there are."""

    def __init__(self, statement: sa.Insert, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        table = statement.table
        compiled = str(statement.inline().compile(dialect=_DIALECT, column_keys=list(columns)))
        before = compiled.partition(" VALUES ")[0]
        _, conflict, after = compiled.partition(" ON CONFLICT ")
        lists = ", ".join(f"%b::{_type(table.c[key])}[]" for key in columns)
        self._text = f"{before} SELECT * FROM unnest({lists}){conflict}{after}"

    def write(self, connection: sa.Connection, values: Sequence[Any]) -> None:
        width = len(self.columns)
        _run(connection, self._text, [list(values[at::width]) for at in range(width)])


def _type(column: sa.ColumnElement[Any]) -> str:
    return column.type.compile(_DIALECT).partition(" COLLATE ")[0]


def _run(connection: sa.Connection, statement: str, values: Sequence[Any]) -> psycopg.Cursor[Any]:
    """By the driver itself, which is several times as fast."""
    cursor: Any = connection.connection.cursor()
    return cursor.execute(statement, values)  # type: ignore[no-any-return]
