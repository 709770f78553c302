"""All that is particular to SQLite: its connections, transactions and errors, and many rows at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from kraty_persistence.errors import StoreError, StoreTaken, StoreUnavailable, StoreUnusable
from kraty_persistence.sql.dialects.base import BulkInsert, Dialect, Fence

__all__ = ["Sqlite"]

BUSY_TIMEOUT_MS = 250
"""How long one statement waits for another process's lock; the writer's patience goes on from there."""

ROWS_A_STATEMENT = 256
"""A power of two: a table has a statement for it and for each smaller one, and the driver keeps 256 statements."""

CHECKPOINT_PAGES = 8_000
"""The write-ahead log is folded into the file when it has so many pages, some 32 MB: a page that changes often is then
copied and synced once for many commits."""

_OUTAGES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

_EPOCH = "SELECT value FROM meta WHERE key = 'epoch'"


class Sqlite(Dialect):
    """A file of its own for every store."""

    begin_anew = "begin with a new file"
    driver_error: type[Exception] = sqlite3.Error

    def create_engine(self, url: sa.URL, *, owner: bool, connections: int) -> sa.Engine:
        """Durable on commit means WAL and `synchronous=FULL`.

        Python's own transaction control is off: it would begin late and not at all before a SELECT.
        """
        _check(url, owner)
        engine = sa.create_engine(
            url, connect_args={"isolation_level": None, "cached_statements": 256}, pool_size=connections, max_overflow=0
        )
        pragmas = [f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON", "synchronous=FULL"]
        pragmas += ["journal_mode=WAL", f"wal_autocheckpoint={CHECKPOINT_PAGES}"] if owner else ["query_only=ON"]

        def set_up(connection: sqlite3.Connection, _: object) -> None:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")

        def begin(connection: sa.Connection) -> None:
            driver: Any = connection.connection.driver_connection
            driver.execute("BEGIN IMMEDIATE" if connection.get_execution_options().get("for_writing") else "BEGIN")

        sa.event.listen(engine, "connect", set_up)
        sa.event.listen(engine, "begin", begin)
        return engine

    def name(self, url: sa.URL) -> str:
        return str(url.database)

    def for_writing(self, connection: sa.Connection) -> sa.Connection:
        """The write lock is taken at once, so that no transaction fails half-way for it."""
        return connection.execution_options(for_writing=True)

    def alone(self, connection: sa.Connection) -> None:
        """Whoever has begun to write is alone."""

    def fence(self, epoch: str) -> Fence:
        return _EpochFence(epoch)

    def bulk_insert(self, statement: sa.Insert, columns: Sequence[str]) -> BulkInsert:
        return _ManyValues(statement, columns)

    def is_outage(self, error: BaseException) -> bool:
        return _code(error) in _OUTAGES

    def is_damage(self, error: BaseException) -> bool:
        return _code(error) in _DAMAGE

    def cannot_open(self, error: BaseException, name: str) -> StoreError:
        cause = str(getattr(error, "orig", None) or error)
        if "locked" in cause:
            return StoreUnavailable(f"{name}: is locked by another program")
        what_to_do = ": restore a backup" if self.is_damage(error) else ""
        return StoreUnusable(f"{name}: cannot be opened as an SQLite database: {cause}{what_to_do}")


def _code(error: BaseException) -> int | None:
    """SQLite's own, without its details."""
    if isinstance(error, sa.exc.DBAPIError):
        error = error.orig or error
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _check(url: sa.URL, owner: bool) -> None:
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise StoreUnusable(f"no store for {url.drivername}: write the URL as sqlite:///game.db")
    if url.database in (None, "", ":memory:"):
        raise StoreUnusable("the store needs a file: write the URL as sqlite:///game.db")
    if not owner and not Path(str(url.database)).is_file():
        raise StoreUnusable(f"{url.database}: there is no such file")


class _EpochFence(Fence):
    """Compares the epoch in the database. A commit that fails has changed nothing, so there are no doubts."""

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch

    def raise_it(self, connection: sa.Connection) -> None:
        """The epoch is the fence."""

    def look(self, connection: sa.Connection) -> None:
        self.enter(connection)

    def enter(self, connection: sa.Connection) -> None:
        cursor = connection.connection.cursor()
        cursor.execute(_EPOCH)
        row = cursor.fetchone()
        cursor.close()
        if row is None or row[0] != self._epoch:
            raise StoreTaken

    def add_records(self, connection: sa.Connection, values: Sequence[int | bytes]) -> None:
        cursor = connection.connection.cursor()
        cursor.execute(_insert_fenced(len(values) // 4), [*values, self._epoch])
        if cursor.rowcount == 0:
            raise StoreTaken
        cursor.close()

    def passed(self) -> None:
        """Nothing to remember."""

    def leaves_doubt(self, error: BaseException) -> bool:
        return False

    def was_stored(self, connection: sa.Connection) -> bool:
        return False


@cache
def _insert_fenced(rows: int) -> str:
    values = ", ".join(["(?, ?, ?, ?)"] * rows)
    return (
        f"INSERT INTO journal (place, actor_no, number, record) SELECT * FROM (VALUES {values}) "
        "WHERE (SELECT value FROM meta WHERE key = 'epoch') = ?"
    )


class _ManyValues(BulkInsert):
    """INSERT ... VALUES of many rows."""

    def __init__(self, statement: sa.Insert, columns: Sequence[str]) -> None:
        compiled: Any = statement.compile(dialect=sqlite.dialect(), column_keys=list(columns))
        self.columns = tuple(compiled.positiontup)
        self._row = f"({', '.join('?' * len(self.columns))})"
        self._before, self._after = compiled.string.split(self._row)
        self._statements: dict[int, str] = {}

    def write(self, connection: sa.Connection, values: Sequence[Any]) -> None:
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
