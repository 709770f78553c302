"""Opening a database: whether it is ours, its schema, and the epoch that says who may write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from kraty_persistence.errors import StoreError, StoreTaken, StoreUnavailable, StoreUnusable
from kraty_persistence.sql import sqlite
from kraty_persistence.sql.queries import get_meta, set_meta
from kraty_persistence.sql.tables import SCHEMA_VERSION, metadata

__all__ = ["check_epoch", "connect", "take_over"]

_EPOCH = "SELECT value FROM meta WHERE key = 'epoch'"


def connect(url: str, *, owner: bool, connections: int) -> sa.Engine:
    """An engine for a store's URL; nothing is opened yet.

    Raises:
        StoreUnusable: The URL names no database that a store can live in.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise StoreUnusable("the store's URL is not one: write it as sqlite:///game.db") from None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise StoreUnusable(f"no store for {parsed.get_backend_name()}: write the URL as sqlite:///game.db")
    if parsed.database in (None, "", ":memory:"):
        raise StoreUnusable("the store needs a file: write the URL as sqlite:///game.db")
    if not owner and not Path(str(parsed.database)).is_file():
        raise StoreUnusable(f"{parsed.database}: there is no such file")
    return sqlite.create_engine(parsed, writable=owner, connections=connections)


def take_over(engine: sa.Engine, *, owner: bool) -> str:
    """Check that the database is a store, and return its epoch; an owner makes the tables and raises it.

    Raises:
        StoreUnusable: It is something else, or of another version, or cannot be opened.
        StoreUnavailable: Another program keeps it locked.
    """
    name = str(engine.url.database)
    with _plain_errors(name), engine.connect() as connection:
        if owner:
            sqlite.immediate(connection)
        with connection.begin():
            version = _version(connection, name)
            if version is None and not owner:
                raise StoreUnusable(f"{name}: is empty; a server must open it first")
            if owner:
                metadata.create_all(connection)
                set_meta(connection, "schema_version", str(SCHEMA_VERSION))
                set_meta(connection, "epoch", str(int(get_meta(connection, "epoch") or 0) + 1))
            return get_meta(connection, "epoch") or ""


def check_epoch(connection: sa.Connection, epoch: str) -> None:
    """The fence: within a write transaction, make sure that nobody has taken the store over.

    Raises:
        StoreTaken: Somebody has.
    """
    cursor = connection.connection.cursor()
    cursor.execute(_EPOCH)
    row = cursor.fetchone()
    cursor.close()
    if row is None or row[0] != epoch:
        raise StoreTaken


def _version(connection: sa.Connection, name: str) -> int | None:
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return None
    version = get_meta(connection, "schema_version") if "meta" in tables else None
    if version is None or not version.isdigit():
        raise StoreUnusable(f"{name}: is a database of another program; name a file of its own")
    if int(version) != SCHEMA_VERSION:
        what_to_do = "upgrade kraty-actors" if int(version) > SCHEMA_VERSION else "begin with a new file"
        raise StoreUnusable(f"{name}: has schema {version}, this version knows schema {SCHEMA_VERSION}: {what_to_do}")
    return int(version)


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
        cause = str(getattr(error, "orig", None) or error)
        if "locked" in cause:
            raise StoreUnavailable(f"{name}: is locked by another program") from error
        raise StoreUnusable(f"{name}: cannot be opened as an SQLite database: {cause}") from error
