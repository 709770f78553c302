"""All that is particular to SQLite: connections, transactions, which errors pass, and upserts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

__all__ = ["among", "create_engine", "immediate", "insert_once", "is_outage", "upsert"]

BUSY_TIMEOUT_MS = 250
"""How long one statement waits for another process's lock; the writer's patience goes on from there."""

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


def create_engine(url: sa.URL, *, writable: bool, connections: int) -> sa.Engine:
    """An engine whose connections are durable on commit (WAL, `synchronous=FULL`) and begin for real.

    Python's own transaction control is off: it would begin late and not at all before a SELECT.
    """
    engine = sa.create_engine(
        url, connect_args={"isolation_level": None, "cached_statements": 256}, pool_size=connections, max_overflow=0
    )
    pragmas = [f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON", "synchronous=FULL"]
    pragmas.append("journal_mode=WAL" if writable else "query_only=ON")

    def set_up(connection: sqlite3.Connection, _: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate") else "BEGIN")

    sa.event.listen(engine, "connect", set_up)
    sa.event.listen(engine, "begin", begin)
    return engine


def immediate(connection: sa.Connection) -> sa.Connection:
    """Let the connection's transactions take the write lock at once, so that none fails half-way for it."""
    return connection.execution_options(immediate=True)


def is_outage(error: BaseException) -> bool:
    """Whether the world broke (disk, lock, file), so that the same transaction may succeed later."""
    if isinstance(error, sa.exc.DBAPIError):
        error = error.orig or error
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _OUTAGES


def among(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """IN a list of any length, given under `name` as JSON, so that the statement is always the same."""
    values = sa.func.json_each(sa.bindparam(name)).table_valued("value", name="given")
    return column.in_(sa.select(values.c.value))


def insert_once(table: sa.Table) -> Insert:
    """INSERT that leaves a row with the same primary key as it is."""
    return insert(table).on_conflict_do_nothing(index_elements=table.primary_key.columns)


def upsert(table: sa.Table, change: Callable[[Any], dict[str, Any]]) -> Insert:
    """INSERT that changes a row with the same primary key instead; `change` is given the refused row."""
    statement = insert(table)
    return statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=change(statement.excluded))
