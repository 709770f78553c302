"""Opening a database: whether it is ours, its schema, and the epoch that says who may write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from kraty_persistence.errors import StoreError, StoreUnusable
from kraty_persistence.sql.dialects import URLS, Dialect, dialect
from kraty_persistence.sql.queries import get_meta, set_meta
from kraty_persistence.sql.tables import SCHEMA_VERSION, metadata

__all__ = ["connect", "take_over"]


def connect(url: str, *, owner: bool, connections: int) -> tuple[sa.Engine, Dialect]:
    """An engine for a store's URL, and what kind of database it is; nothing is opened yet.

    Raises:
        StoreUnusable: The URL names no database that a store can live in.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreUnusable(f"the store's URL is not one: write it as {URLS}") from None
    kind = dialect(parsed.get_backend_name())
    if kind is None:
        raise StoreUnusable(f"no store for {parsed.get_backend_name()}: write the URL as {URLS}")
    return kind.create_engine(parsed, owner=owner, connections=connections), kind


def take_over(engine: sa.Engine, kind: Dialect, *, owner: bool) -> str:
    """Check that the database is a store, and return its epoch; an owner makes the tables and raises it.

    Raises:
        StoreUnusable: It is something else, or of another version, or cannot be opened.
        StoreUnavailable: Another program keeps it locked, or it is away.
    """
    name = kind.name(engine.url)
    with _plain_errors(kind, name), engine.connect() as connection:
        if owner:
            kind.for_writing(connection)
        with connection.begin():
            if owner:
                kind.alone(connection)
            version = _version(connection, kind, name)
            if version is None and not owner:
                raise StoreUnusable(f"{name}: is empty; a server must open it first")
            if version is None:
                metadata.create_all(connection, checkfirst=False)
                set_meta(connection, "schema_version", str(SCHEMA_VERSION))
            if owner:
                epoch = str(int(get_meta(connection, "epoch") or 0) + 1)
                set_meta(connection, "epoch", epoch)
                kind.fence(epoch).raise_it(connection)
            return get_meta(connection, "epoch") or ""


def _version(connection: sa.Connection, kind: Dialect, name: str) -> int | None:
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return None
    version = get_meta(connection, "schema_version") if "meta" in tables else None
    if version is None or not version.isdigit():
        raise StoreUnusable(f"{name}: is a database of another program; {kind.begin_anew}")
    if int(version) != SCHEMA_VERSION:
        what_to_do = "upgrade kraty-actors" if int(version) > SCHEMA_VERSION else kind.begin_anew
        raise StoreUnusable(f"{name}: has schema {version}, this version knows schema {SCHEMA_VERSION}: {what_to_do}")
    return int(version)


@contextmanager
def _plain_errors(kind: Dialect, name: str) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except (sa.exc.SQLAlchemyError, kind.driver_error) as error:
        raise kind.cannot_open(error, name) from error
