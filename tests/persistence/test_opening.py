"""Opening a database: what is refused, in one plain line, and who may write."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from store_contract import put, records, submit_all

from kraty_persistence import StoreClosed, StoreTaken, StoreUnavailable, StoreUnusable, Unit
from kraty_persistence.sql import open_sql_store

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/game.db"


async def refusal(url: str, *, owner: bool = True) -> str:
    with pytest.raises(StoreUnusable) as caught:
        async with open_sql_store(url, owner=owner):
            pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "write it as sqlite:///game.db"),
        ("game.db", "write it as sqlite:///game.db"),
        ("sqlite://", "write the URL as sqlite:///game.db"),
        ("sqlite:///:memory:", "write the URL as sqlite:///game.db"),
        ("postgresql://kraty:hunter2@db/game", "no store for postgresql"),
        ("nonsense://kraty:hunter2@db/game", "no store for nonsense"),
        ("kraty:hunter2@db", "write it as sqlite:///game.db"),
        ("sqlite:////no/such/folder/game.db", "/no/such/folder/game.db: cannot be opened"),
    ],
)
async def test_a_bad_url_is_refused_without_its_password(url: str, says: str):
    message = await refusal(url)
    assert says in message
    assert "hunter2" not in message


async def test_a_folder_or_a_file_of_another_kind_is_refused(tmp_path: Path):
    assert "cannot be opened" in await refusal(f"sqlite:///{tmp_path}")
    (tmp_path / "text").write_text("not a database at all, but long enough to be looked at" * 20)
    assert "not a database" in await refusal(f"sqlite:///{tmp_path}/text")


async def test_a_database_of_another_program_is_left_alone(tmp_path: Path):
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE meta (key, value)")
    connection.close()
    assert "another program" in await refusal(f"sqlite:///{tmp_path}/other.db")


@pytest.mark.parametrize(("version", "what_to_do"), [(2, "begin with a new file"), (4, "upgrade kraty-actors")])
async def test_another_schema_is_refused(url: str, version: int, what_to_do: str):
    async with open_sql_store(url) as store:
        await store.set_meta("schema_version", str(version))
    for owner in (True, False):
        says = await refusal(url, owner=owner)
        assert says.endswith(f"game.db: has schema {version}, this version knows schema 3: {what_to_do}")


async def test_a_locked_database_is_unavailable(url: str, tmp_path: Path):
    async with open_sql_store(url):
        pass
    other = sqlite3.connect(tmp_path / "game.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        async with open_sql_store(url):
            pass
    other.close()


async def test_the_last_to_open_is_the_only_writer(url: str):
    """The fence: two owners are impossible."""
    async with open_sql_store(url) as old:
        await put(old, *records("a", b"1"))
        async with open_sql_store(url) as new:
            await put(new, *records("a", b"2", start=2))
            for late in records("a", b"late", start=2), records("b", b"late"):
                fates = await submit_all(old, late)
                assert [type(error) for error in fates] == [StoreTaken]
            with pytest.raises(StoreTaken):
                await old.set_meta("key", "value")
            assert (await new.load("a")).records == (b"1", b"2")
            assert await old.unfinished() == ["a"]  # reading harms nobody


async def test_a_reader_raises_no_epoch_and_writes_nothing(url: str):
    async with open_sql_store(url) as owner:
        await put(owner, *records("a", b"1"))
        async with open_sql_store(url, owner=False) as reader:
            assert (await reader.load("a")).records == (b"1",)
            [error] = await submit_all(reader, records("a", b"2", start=2))
            assert isinstance(error, StoreClosed)
            with pytest.raises(StoreClosed):
                await reader.set_meta("key", "value")
        await put(owner, *records("a", b"2", start=2))


async def test_a_reader_makes_no_database(url: str, tmp_path: Path):
    assert "no such file" in await refusal(url, owner=False)
    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(f"file:{tmp_path}/game.db?mode=ro", uri=True)
    sqlite3.connect(tmp_path / "game.db").execute("VACUUM").connection.close()
    assert "a server must open it first" in await refusal(url, owner=False)


async def test_closing_writes_what_was_handed_over(url: str):
    fates: list[object] = []
    async with open_sql_store(url) as store:
        for n in range(1, 101):
            store.submit(Unit("a", n, b""), fates.append)
    assert fates == [None] * 100
    store.submit(Unit("a", 101, b""), fates.append)
    assert isinstance(fates[100], StoreClosed)
    async with open_sql_store(url) as store:
        assert (await store.load("a")).number == 100
