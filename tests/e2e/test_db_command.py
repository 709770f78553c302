"""`kraty-actors db` as an operator runs it between two versions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from processes import Ended, run_here

from kraty_persistence.sql import open_sql_store
from kraty_persistence.sql.tables import REVISION


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path}/game.db"

    async def make() -> None:
        async with open_sql_store(made):
            pass

    anyio.run(make)
    return made


def told(ended: Ended) -> tuple[int, list[str], list[str]]:
    return ended.code, ended.out.splitlines(), ended.reasons


def spoil(url: str, statement: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(statement)


def test_a_database_of_this_version(url: str):
    assert told(run_here("db", "current", "--db", url)) == (0, [f"{REVISION} of {REVISION}"], [])
    assert told(run_here("db", "check", "--db", url)) == (0, [f"{REVISION}: as this version expects it"], [])
    assert told(run_here("db", "upgrade", "--db", url)) == (0, [f"{REVISION}: is the newest already"], [])


def test_a_newer_one(url: str, tmp_path: Path):
    spoil(url, "UPDATE alembic_version SET version_num = '9999'")
    says = f"this version knows {REVISION}: upgrade kraty-actors"
    assert told(run_here("db", "current", "--db", url)) == (0, [f"9999 of {REVISION}"], [])
    assert told(run_here("db", "check", "--db", url)) == (1, [f"9999: {says}"], [])
    assert told(run_here("db", "upgrade", "--db", url)) == (
        2,
        [],
        [f"error: {tmp_path}/game.db: has revision 9999, {says}"],
    )


def test_an_older_one_that_is_not_upgraded_yet(url: str):
    spoil(url, "UPDATE alembic_version SET version_num = '0000'")
    says = f"0000: this version needs {REVISION}: back it up, and run kraty-actors db upgrade"
    assert told(run_here("db", "check", "--db", url)) == (1, [says], [])


def test_one_in_which_somebody_has_meddled(url: str):
    spoil(url, "DROP INDEX outbox_dead")
    code, [line], _ = told(run_here("db", "check", "--db", url))
    assert code == 1
    assert "outbox_dead" in line


@pytest.mark.parametrize("verb", ["current", "check", "upgrade"])
def test_what_is_no_database_of_ours_is_one_line(verb: str, tmp_path: Path):
    for name, reason in [("nowhere.db", "nowhere.db: "), ("text", "not a database")]:
        (tmp_path / "text").write_text("no database, but long enough to be looked at " * 30)
        code, out, [line] = told(run_here("db", verb, "--db", f"sqlite:///{tmp_path}/{name}"))
        assert (code, out) == (2, [])
        assert line.startswith("error: ")
        assert reason in line
    assert not (tmp_path / "nowhere.db").exists()
    assert told(run_here("db", verb, "--db", "nonsense"))[0] == 2
