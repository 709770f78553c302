"""A database that this version cannot serve: what `serve` says of it, and that every row stays as it was (R-56)."""

from __future__ import annotations

import gc
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from golden_game import GAME, HERE
from golden_rows import restore, rows_of
from postgres_server import Database

from kraty_actors.cli import main
from kraty_persistence.sql import opening

OF_CALENDAR = "(SELECT no FROM actors WHERE id = 'calendar')"


@pytest.fixture(autouse=True)
def _leave_the_collector_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("freeze", "set_threshold"):
        monkeypatch.setattr(gc, name, lambda *_: None)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The golden database of the first release."""
    golden = HERE / "0.1.0" / "game.db"
    if request.param == "sqlite":
        shutil.copyfile(golden, tmp_path / "game.db")
        return f"sqlite:///{tmp_path}/game.db"
    schema: Database = request.getfixturevalue("schema")
    restore(golden, schema)
    return schema.url


def spoil(url: str, statement: str, **values: object) -> None:
    engine, kind = opening.connect(url, owner=True, connections=1)
    with engine.connect() as connection, kind.for_writing(connection).begin():
        connection.execute(sa.text(statement), values)
    engine.dispose()


CASES = {
    "an older revision": ("UPDATE alembic_version SET version_num = '0000'", "run kraty-actors db upgrade"),
    "a newer revision": ("UPDATE alembic_version SET version_num = '9999'", "upgrade kraty-actors"),
    "a newer checkpoint": (
        f"UPDATE checkpoints SET data = :newer WHERE part = 0 AND actor_no = {OF_CALENDAR}",
        "a checkpoint has format 99; this program reads 3: upgrade kraty-actors",
    ),
}
VALUES = {"newer": b"\x92\x63\x00"}


def refused(url: str, folder: Path, game: dict[str, Any], *args: str, but: tuple[str, ...] = ()) -> str:
    """What `serve` says; all rows are as they were, but those."""
    file = folder / "golden.json"
    file.write_text(json.dumps(game))
    before = rows_of(url)
    command = ["serve", "--game", str(file), "--db", url, "--insecure-dev", "--port", "0", *args]
    ended = CliRunner().invoke(main, command)
    assert (ended.exit_code, ended.stdout) == (2, ""), ended.output
    [line] = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in ended.stderr
    after = rows_of(url)
    assert {name: set(after[name]) ^ set(before[name]) for name in before if name not in but} == {
        name: set() for name in before if name not in but
    }
    return line


@pytest.mark.parametrize("case", CASES)
def test_r56_what_cannot_be_served_is_told_and_left_alone(case: str, url: str, tmp_path: Path) -> None:
    """Nothing but the epoch in `meta` moves: to read its actors, it is taken over first."""
    statement, says = CASES[case]
    spoil(url, statement, **{name: value for name, value in VALUES.items() if f":{name}" in statement})
    but = () if "revision" in case else ("meta",)
    assert says in refused(url, tmp_path, GAME, but=but)


def test_the_game_of_another_database_changes_nothing(url: str, tmp_path: Path) -> None:
    says = refused(url, tmp_path, {**GAME, "gameId": "other"})
    assert "belongs to the game 'golden', not to 'other'" in says


def test_another_key_changes_nothing(url: str, tmp_path: Path) -> None:
    key = tmp_path / "journal.key"
    key.write_text("another key than that in the database\n")
    assert "not the one in the file" in refused(url, tmp_path, GAME, "--key-file", str(key))
