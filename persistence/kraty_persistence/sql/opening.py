"""Opening a database: whether it is ours, its schema, and the epoch that says who may write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import sqlalchemy as sa

from kraty_persistence.errors import StoreError, StoreUnusable
from kraty_persistence.sql.dialects import URLS, Dialect, dialect
from kraty_persistence.sql.dialects.hosts import spread_hosts
from kraty_persistence.sql.queries import get_meta, set_meta
from kraty_persistence.sql.tables import REVISION, alembic_version, metadata

__all__ = ["Judge", "connect", "is_newer", "plain_errors", "raise_epoch", "state_of", "take_over", "what_to_do"]

Judge = Callable[[Callable[[str], str | None]], None]
"""Looks at facts of the game, before it is taken over; what it raises leaves the database, and who serves it, alone."""


def connect(url: str, *, owner: bool, connections: int) -> tuple[sa.Engine, Dialect]:
    """An engine for a store's URL, and what kind of database it is; nothing is opened yet.

    Raises:
        StoreUnusable: The URL names no database that a store can live in.
    """
    try:
        parsed = sa.make_url(spread_hosts(url))
    except (sa.exc.ArgumentError, ValueError):
        raise StoreUnusable(f"the store's URL is not one: write it as {URLS}") from None
    kind = dialect(parsed.get_backend_name())
    if kind is None:
        raise StoreUnusable(f"no store for {parsed.get_backend_name()}: write the URL as {URLS}")
    try:
        return kind.create_engine(parsed, owner=owner, connections=connections), kind
    except sa.exc.ArgumentError as error:
        raise StoreUnusable(f"the store's URL is not one: {error}") from None


def take_over(engine: sa.Engine, kind: Dialect, *, owner: bool, judge: Judge | None = None) -> str:
    """Check that the database is a store, and return its epoch; an owner makes the tables and raises it.

    Raises:
        StoreUnusable: It is something else, or of another revision, or cannot be opened.
        StoreUnavailable: Another program keeps it locked, or it is away.
    """
    name = kind.name(engine.url)
    with plain_errors(kind, name), engine.connect() as connection:
        if owner:
            kind.for_writing(connection)
        with connection.begin():
            if owner:
                kind.alone(connection)
            revision = state_of(connection, kind, name)
            if revision is None and not owner:
                raise StoreUnusable(f"{name}: is empty; a server must open it first")
            if revision is None:
                metadata.create_all(connection, checkfirst=False)
                connection.execute(sa.insert(alembic_version).values(version_num=REVISION))
            elif revision > REVISION:
                raise StoreUnusable(is_newer(name, revision))
            elif revision < REVISION:
                no_way_back = "after which older versions cannot open it any more"
                raise StoreUnusable(f"{name}: has revision {revision}, {what_to_do(revision)}, {no_way_back}")
            if judge is not None:
                judge(partial(get_meta, connection))
            if owner:
                kind.fence(raise_epoch(connection)).raise_it(connection)
            return get_meta(connection, "epoch") or ""


def state_of(connection: sa.Connection, kind: Dialect, name: str) -> str | None:
    """The revision of a database; None if there is nothing in it.

    Raises:
        StoreUnusable: There is something else in it.
    """
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return None
    found = {"meta", alembic_version.name} <= {*tables}
    revision = connection.scalar(sa.select(alembic_version.c.version_num)) if found else None
    if revision is None or not revision.isdigit():
        raise StoreUnusable(f"{name}: is a database of another program; {kind.begin_anew}")
    return str(revision)


def is_newer(name: str, revision: str) -> str:
    """What to tell of a database of a later version."""
    return f"{name}: has revision {revision}, {what_to_do(revision)}"


def what_to_do(revision: str) -> str:
    """What to do about a database of another revision than this version's."""
    if revision > REVISION:
        return f"this version knows {REVISION}: upgrade kraty-actors"
    return f"this version needs {REVISION}: back it up, and run kraty-actors db upgrade"


def raise_epoch(connection: sa.Connection) -> str:
    """Within the transaction that takes the database over: the epoch of whoever does."""
    epoch = str(int(get_meta(connection, "epoch") or 0) + 1)
    set_meta(connection, "epoch", epoch)
    return epoch


@contextmanager
def plain_errors(kind: Dialect, name: str) -> Iterator[None]:
    """Let out what goes wrong with the database as one plain line."""
    try:
        yield
    except StoreError:
        raise
    except (sa.exc.SQLAlchemyError, kind.driver_error) as error:
        raise kind.cannot_open(error, name) from error
