"""A journal that cannot be gone on with, or a file that is damaged: why and what to do in one line, exit 2, and not a
row is changed (R-56)."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from processes import run

from kraty_actors.actors.chain import Chain, Sealer
from kraty_actors.actors.records import DIGEST_BYTES, pack

GOLDEN = Path(__file__).parents[1] / "golden" / "0.1.0" / "game.db"
GAME = {"gameId": "golden", "events": [{"key": "race", "metrics": [{"key": "streak"}]}]}
CALENDAR = "(SELECT no FROM actors WHERE id = 'calendar')"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database in which much goes on."""
    return Path(shutil.copyfile(GOLDEN, tmp_path / "game.db"))


def start(file: Path) -> str:
    """Why a server does not start."""
    path = file.with_name("game.json")
    path.write_text(json.dumps(GAME))
    ended = run("serve", "--port", "0", "--game", path, "--db", f"sqlite:///{file}", "--insecure-dev")
    assert (ended.code, ended.out) == (2, "")
    [reason] = ended.reasons
    return reason


def rows(file: Path) -> list[str]:
    """Everything there is but the epoch, which tells the server before that there is a new one."""
    with closing(sqlite3.connect(file)) as connection:
        return [line for line in connection.iterdump() if "'epoch'" not in line]


def change(file: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


def _journalled(file: Path, body: bytes) -> None:
    """One more record of the calendar, with the digest that it has to have."""
    with closing(sqlite3.connect(file)) as connection:
        [(key,)] = connection.execute("SELECT value FROM meta WHERE key = 'journal_key'")
        [(number, last)] = connection.execute(
            f"SELECT number, record FROM history WHERE actor_no = {CALENDAR} ORDER BY number DESC LIMIT 1"
        )
    record = Sealer(key.encode()).add(Chain(1, last[-DIGEST_BYTES:]), "calendar", number + 1, body)
    change(file, f"INSERT INTO journal VALUES (1, {CALENDAR}, ?, ?)", number + 1, record)


def newer_journal(file: Path) -> None:
    _journalled(file, pack([0x7E, 1, []]))


def altered_journal(file: Path) -> None:
    _journalled(file, pack([2, 1, []]))
    change(file, "UPDATE journal SET record = CAST(substr(record, 1, 2) || x'05' || substr(record, 4) AS BLOB)")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (newer_journal, "a journal record has format 126; this program reads 2: upgrade kraty-actors"),
        (altered_journal, "the journal of calendar was altered: record 4 is not the one that was written there"),
    ],
)
def test_r56_what_is_not_understood_is_left_as_it_is(spoil: Callable[[Path], None], reason: str, file: Path) -> None:
    spoil(file)
    before = rows(file)
    assert reason in start(file)
    assert rows(file) == before


def overwritten(table: str) -> Callable[[Path], None]:
    def spoil(file: Path) -> None:
        with closing(sqlite3.connect(file)) as connection:
            [(size,)] = connection.execute("PRAGMA page_size")
            [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table])
        with file.open("r+b") as damaged:
            damaged.seek(size * (page - 1))
            damaged.write(b"\xa5" * size)

    return spoil


def cut_off(file: Path) -> None:
    with file.open("r+b") as damaged:
        damaged.truncate(file.stat().st_size // 2)


@pytest.mark.parametrize("spoil", [overwritten("checkpoints"), overwritten("actors"), overwritten("meta"), cut_off])
def test_a_damaged_file_is_told_and_not_waited_for(spoil: Callable[[Path], None], file: Path) -> None:
    spoil(file)
    reason = start(file)
    assert "malformed" in reason
    assert reason.endswith(": restore a backup")
