"""Opening a database: what is refused, in one plain line, and who may write."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from places import Place
from postgres_server import PASSWORD, Database
from store_contract import put, records, submit_all

from kraty_persistence import StoreClosed, StoreTaken, StoreUnavailable, StoreUnusable, Unit
from kraty_persistence.sql import open_sql_store
from kraty_persistence.sql.dialects import postgresql
from kraty_persistence.sql.tables import REVISION

pytestmark = pytest.mark.anyio


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
        ("postgresql://kraty:hunter2@db", "needs a database: write the URL as postgresql://user:password@host/game"),
        ("postgresql+asyncpg://kraty:hunter2@db/game", "no store for postgresql+asyncpg"),
        ("postgresql://kraty:hunter2@db:port/game", "write it as sqlite:///game.db or postgresql://"),
        ("postgresql://kraty:hunter2@127.0.0.1/game?passwort=hunter2", "127.0.0.1/game: cannot be opened: invalid"),
        ("postgresql://kraty:hunter2@127.0.0.1/game?sslmode=wild", "127.0.0.1/game: cannot be opened: "),
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


@pytest.mark.parametrize("columns", ["key", "key text, value"])
async def test_a_database_of_another_program_is_left_alone(place: Place, columns: str):
    place.run(f"CREATE TABLE meta ({columns} text)")
    with pytest.raises(StoreUnusable):
        async with open_sql_store(place.url):
            pass
    assert place.run("SELECT count(*) FROM meta") == [(0,)]


async def test_a_table_of_another_program_is_told_so(place: Place):
    place.run("CREATE TABLE things (name text)")
    assert "another program" in await refusal(place.url)


@pytest.mark.parametrize(
    ("step", "says"),
    [(-1, "this version needs {}: back it up, and run kraty-actors db upgrade"), (1, "knows {}: upgrade kraty-actors")],
)
async def test_another_revision_is_refused(place: Place, step: int, says: str):
    async with open_sql_store(place.url):
        pass
    revision = f"{int(REVISION) + step:04}"
    place.run(f"UPDATE alembic_version SET version_num = '{revision}'")
    for owner in (True, False):
        told = await refusal(place.url, owner=owner)
        assert f": has revision {revision}, this version " in told
        assert says.format(REVISION) in told
    assert place.run("SELECT value FROM meta WHERE key = 'epoch'") == [("1",)]


async def test_a_locked_database_is_unavailable(place: Place, monkeypatch: pytest.MonkeyPatch):
    async with open_sql_store(place.url):
        pass
    monkeypatch.setattr(postgresql, "_SETTINGS", postgresql._SETTINGS.replace("'5s'", "'100ms'"))
    with place.stalled(), pytest.raises(StoreUnavailable, match="lock"):
        async with open_sql_store(place.url):
            pass
    async with open_sql_store(place.url):
        pass


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


async def test_a_reader_makes_no_database(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/game.db"
    assert "no such file" in await refusal(url, owner=False)
    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(f"file:{tmp_path}/game.db?mode=ro", uri=True)
    sqlite3.connect(tmp_path / "game.db").execute("VACUUM").connection.close()
    assert "a server must open it first" in await refusal(url, owner=False)


async def test_a_reader_makes_no_tables(database: Database):
    assert "a server must open it first" in await refusal(database.url, owner=False)
    assert database.run("SELECT * FROM information_schema.tables WHERE table_schema = 'public'") == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"user": f"stranger:wrong-{PASSWORD}"}, 'password authentication failed for user "stranger"'),
        ({"user": "stranger"}, "no password supplied"),
        ({"user": f"nobody:{PASSWORD}"}, 'role "nobody" does not exist'),
        ({"name": "nonesuch"}, 'database "nonesuch" does not exist'),
        ({"user": f"stranger:{PASSWORD}"}, "permission denied for schema public"),
    ],
)
async def test_what_an_operator_must_change_is_told_without_the_password(
    database: Database, change: dict[str, str], says: str
):
    message = await refusal(replace(database, **change).url)
    assert message.startswith(f"postgresql:///{change.get('name', database.name)}: cannot be opened: ")
    assert says in message
    assert PASSWORD not in message


@pytest.mark.parametrize(
    "url", ["postgresql://kraty:hunter2@127.0.0.1:1/game", "postgresql:///game?host=/no/such/folder"]
)
async def test_a_server_that_is_not_there_is_unavailable(url: str):
    with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
        async with open_sql_store(url):
            pass
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_server_that_takes_nobody_now_is_unavailable(database: Database):
    database.run(f"ALTER DATABASE {database.name} CONNECTION LIMIT 0")
    other = replace(database, user=f"stranger:{PASSWORD}")
    with pytest.raises(StoreUnavailable, match="too many connections"):
        async with open_sql_store(other.url):
            pass


async def test_a_url_of_hosting_companies_will_do(schema: Database):
    async with open_sql_store(schema.url.replace("postgresql:", "postgres:")) as store:
        await put(store, *records("a", b"1"))


async def test_two_who_open_at_once_follow_each_other(place: Place):
    """Each makes the tables if they are not there, and one of them is the owner afterwards."""
    epochs: list[str | None] = []

    async def open_it() -> None:
        async with open_sql_store(place.url) as store:
            epochs.append(await store.get_meta("epoch"))

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(open_it)
    assert place.run("SELECT value FROM meta WHERE key = 'epoch'") == [("4",)]
    assert sorted(epochs)[-1] == "4"


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
