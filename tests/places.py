"""Databases of each kind that a store can live in."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from postgres_server import Database


class Place(Protocol):
    """An empty database."""

    @property
    def url(self) -> str: ...

    def stalled(self) -> AbstractContextManager[None]:
        """While in this context, whoever wants to write waits."""

    def run(self, statement: str) -> list[Any]:
        """What another program does to it."""

    def is_opened(self, pid: int, since: float) -> bool:
        """Whether this process, which has begun to since that time (s, of the machine's clock), has it open."""


@dataclass
class SqliteFile(Place):
    """A file in a folder of its own."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "game.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    @contextmanager
    def stalled(self) -> Iterator[None]:
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def run(self, statement: str) -> list[Any]:
        with self._connected() as connection:
            return connection.execute(statement).fetchall()

    def is_opened(self, pid: int, since: float) -> bool:
        descriptors = f"/proc/{pid}/fd"
        try:
            return any(os.readlink(f"{descriptors}/{n}").startswith(str(self.file)) for n in os.listdir(descriptors))
        except FileNotFoundError:  # closed while we looked
            return False

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.file, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()


@dataclass
class PostgresDatabase(Place):
    """One on the server of the tests."""

    database: Database

    @property
    def url(self) -> str:
        return self.database.url

    @contextmanager
    def stalled(self) -> Iterator[None]:
        with self.database.connected() as connection, connection.transaction():
            connection.execute("SELECT value FROM meta FOR UPDATE")
            yield

    def run(self, statement: str) -> list[Any]:
        return self.database.run(statement)

    def is_opened(self, pid: int, since: float) -> bool:
        """A server does not tell which process it talks to, but when that came."""
        found = self.database.run(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'kraty-actors' "
            "AND backend_start >= to_timestamp(%s)",
            since,
        )
        return bool(found)
