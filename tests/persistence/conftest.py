"""Databases of each kind that a store can live in."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from places import Place, PostgresDatabase, SqliteFile
from postgres_server import PostgresServer


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
