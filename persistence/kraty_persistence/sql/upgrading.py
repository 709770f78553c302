"""Bringing a database to the newest revision, and saying how far it is from that. Only this needs Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from kraty_persistence.errors import StoreUnusable
from kraty_persistence.sql import opening
from kraty_persistence.sql.dialects import Dialect
from kraty_persistence.sql.tables import REVISION, metadata

__all__ = ["current", "differences", "upgrade"]

SCRIPTS = Path(__file__).with_name("migrations")


def current(url: str) -> str:
    """The revision that a database has.

    Raises:
        StoreUnusable: It is none of ours, or is empty.
        StoreUnavailable: It is locked or away.
    """
    with _opened(url, owner=False) as database:
        return database.revision


def differences(url: str) -> list[str]:
    """How the tables of a database of the newest revision differ from what this version expects; empty if they do
    not.

    Raises:
        StoreUnusable, StoreUnavailable: As `current`.
    """
    with _opened(url, owner=False) as database:
        return [str(one) for one in compare_metadata(MigrationContext.configure(database.connection), metadata)]


def upgrade(url: str) -> tuple[str, str]:
    """Bring a database to the newest revision, in one transaction; whoever serves it is stopped by that.

    Returns the revision that it had, and the one that it has.

    Raises:
        StoreUnusable: It is none of ours, is empty, or is newer than this version.
        StoreUnavailable: It is locked or away.
    """
    current(url)  # only of one that is there: no file is made
    with _opened(url, owner=True) as database:
        if database.revision > REVISION:
            raise StoreUnusable(opening.is_newer(database.name, database.revision))
        if database.revision < REVISION:
            database.kind.fence(opening.raise_epoch(database.connection)).raise_it(database.connection)
            command.upgrade(_config(database.connection), REVISION)
        return database.revision, REVISION


@dataclass(frozen=True, slots=True)
class _Database:
    """One that is open, within a transaction."""

    name: str
    kind: Dialect
    connection: sa.Connection
    revision: str


@contextmanager
def _opened(url: str, *, owner: bool) -> Iterator[_Database]:
    engine, kind = opening.connect(url, owner=owner, connections=1)
    name = kind.name(engine.url)
    try:
        with opening.plain_errors(kind, name), engine.connect() as connection:
            if owner:
                kind.for_writing(connection)
            with connection.begin():
                if owner:
                    kind.alone(connection)
                revision = opening.state_of(connection, kind, name)
                if revision is None:
                    raise StoreUnusable(f"{name}: is empty; a server must open it first")
                yield _Database(name, kind, connection, revision)
    finally:
        engine.dispose()


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
