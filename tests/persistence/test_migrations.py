"""Databases of every revision become those of the newest, and are what the tables of this version say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from places import Place
from store_contract import a_grant, new_player, put, records

from kraty_persistence import StoreTaken, StoreUnusable
from kraty_persistence.sql import open_sql_store, opening, tables, upgrading
from kraty_persistence.sql.tables import REVISION, metadata

pytestmark = pytest.mark.anyio

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("players", sa.Column("motto", sa.Text))
"""


@pytest.fixture
def is_postgresql(place: Place) -> bool:
    return place.url.startswith("postgresql")


def schema_of(place: Place, *, is_postgresql: bool) -> set[tuple[object, ...]]:
    """Everything that the database itself says of its tables, columns, constraints and indexes."""
    if not is_postgresql:
        return {(name, _words(text)) for name, text in place.run("SELECT name, sql FROM sqlite_master")}
    here = "= current_schema()"
    columns = "table_name, column_name, data_type, is_nullable, column_default, collation_name, ordinal_position"
    return {
        *place.run(f"SELECT {columns} FROM information_schema.columns WHERE table_schema {here}"),
        *place.run(f"SELECT tablename, indexdef FROM pg_indexes WHERE schemaname {here}"),
        *place.run(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = current_schema()::regnamespace"
        ),
    }


def _words(text: str | None) -> tuple[str, ...]:
    """The parts of a definition, in an order that does not depend on that of its constraints."""
    return tuple(sorted(part.strip(" ()") for part in (text or "").replace("\n", " ").replace("\t", " ").split(",")))


def migrate(place: Place, revision: str) -> None:
    """From nothing, script by script."""
    with writing(place) as connection:
        command.upgrade(upgrading._config(connection), revision)


def empty(place: Place) -> None:
    with writing(place) as connection:
        found = sa.MetaData()
        found.reflect(connection)
        found.drop_all(connection)


@contextmanager
def writing(place: Place) -> Iterator[sa.Connection]:
    engine, kind = opening.connect(place.url, owner=True, connections=1)
    with engine.connect() as connection, kind.for_writing(connection).begin():
        yield connection
    engine.dispose()


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The scripts, of which one more can be written."""
    folder = tmp_path / "migrations"
    shutil.copytree(upgrading.SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(upgrading, "SCRIPTS", folder)
    return folder


def release(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that has one revision more."""
    (scripts / "versions" / "r0002_next.py").write_text(NEXT)
    for module in (tables, opening, upgrading):
        monkeypatch.setattr(module, "REVISION", "0002")


def test_the_newest_script_is_the_revision_of_the_tables():
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        assert ScriptDirectory.from_config(upgrading._config(connection)).get_heads() == [REVISION]
    engine.dispose()


async def test_the_scripts_lead_to_the_tables_of_this_version(place: Place, is_postgresql: bool):
    migrate(place, "head")
    migrated = schema_of(place, is_postgresql=is_postgresql)
    assert upgrading.differences(place.url) == []
    empty(place)
    async with open_sql_store(place.url):
        pass
    assert schema_of(place, is_postgresql=is_postgresql) == migrated
    assert len(migrated) > len(metadata.tables)


async def test_a_migrated_database_is_a_store(place: Place):
    migrate(place, "head")
    async with open_sql_store(place.url) as store:
        player = await new_player(store)
        await put(store, *records("a", b"1"))
        assert (await store.load("a")).records == (b"1",)
        assert await store.create_grants([a_grant(player)])
    assert upgrading.current(place.url) == REVISION


async def test_an_upgrade_brings_an_older_database_to_the_newest_revision_once(
    place: Place, scripts: Path, monkeypatch: pytest.MonkeyPatch
):
    async with open_sql_store(place.url) as store:
        player = await new_player(store)
    release(scripts, monkeypatch)
    with pytest.raises(StoreUnusable, match="has revision 0001, this version needs 0002: back it up"):
        async with open_sql_store(place.url):
            pass
    assert upgrading.current(place.url) == "0001"
    assert upgrading.upgrade(place.url) == ("0001", "0002")
    assert upgrading.upgrade(place.url) == ("0002", "0002")
    assert place.run("SELECT number, motto FROM players") == [(player, None)]
    async with open_sql_store(place.url):
        pass


async def test_an_upgrade_stops_whoever_serves(place: Place, scripts: Path, monkeypatch: pytest.MonkeyPatch):
    async with open_sql_store(place.url) as store:
        await put(store, *records("a", b"1"))
        release(scripts, monkeypatch)
        upgrading.upgrade(place.url)
        with pytest.raises(StoreTaken):
            await store.set_meta("key", "value")


async def test_an_upgrade_that_fails_changes_nothing(
    place: Place, scripts: Path, monkeypatch: pytest.MonkeyPatch, is_postgresql: bool
):
    async with open_sql_store(place.url):
        pass
    before = schema_of(place, is_postgresql=is_postgresql)
    release(scripts, monkeypatch)
    broken = NEXT + '    op.add_column("nowhere", sa.Column("motto", sa.Text))\n'
    (scripts / "versions" / "r0002_next.py").write_text(broken)
    with pytest.raises(StoreUnusable, match="nowhere"):
        upgrading.upgrade(place.url)
    assert schema_of(place, is_postgresql=is_postgresql) == before
    assert place.run("SELECT value FROM meta WHERE key = 'epoch'") == [("1",)]


async def test_what_cannot_be_upgraded_is_told(place: Place):
    place.run("CREATE TABLE meta (key text)")
    for ask in (upgrading.upgrade, upgrading.current):
        with pytest.raises(StoreUnusable, match="another program"):
            ask(place.url)
    place.run("DROP TABLE meta")
    for ask in (upgrading.upgrade, upgrading.current):
        with pytest.raises(StoreUnusable, match="is empty; a server must open it first"):
            ask(place.url)
    async with open_sql_store(place.url):
        pass
    place.run("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnusable, match="has revision 9999, this version knows 0001: upgrade kraty-actors"):
        upgrading.upgrade(place.url)


async def test_tables_that_somebody_has_changed_are_told_apart(place: Place):
    async with open_sql_store(place.url):
        pass
    place.run("DROP INDEX outbox_dead")
    [found] = upgrading.differences(place.url)
    assert "outbox_dead" in found
