"""Every async test runs on trio and on asyncio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from places import Place, PostgresDatabase, SqliteFile
from postgres_server import Database, PostgresServer, postgres_server


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests that ask for one; it starts in about a second."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Database:
    """An empty database on it."""
    return postgres.database()


@pytest.fixture
def schema(postgres: PostgresServer) -> Database:
    """An empty schema on it, for tests to whom the rest of the database is nothing."""
    return postgres.schema()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Place]:
    """Makes as many of them as are wanted."""
    if request.param == "sqlite":
        folders = (tmp_path / str(n) for n in count())

        def new_file() -> SqliteFile:
            folder = next(folders)
            folder.mkdir()
            return SqliteFile(folder)

        return new_file
    server: PostgresServer = request.getfixturevalue("postgres")
    return lambda: PostgresDatabase(server.schema())


@pytest.fixture
def place(new_place: Callable[[], Place]) -> Place:
    return new_place()


@pytest.fixture
def url(place: Place) -> str:
    return place.url
