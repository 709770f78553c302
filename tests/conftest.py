"""Every async test runs on trio and on asyncio."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
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
