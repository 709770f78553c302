"""What every released version has written down is still opened, is what it was, and replays (R-56, R-57)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from click.testing import CliRunner
from golden_game import HERE, look
from golden_rows import restore
from postgres_server import Database

from kraty_actors.cli import main

pytestmark = pytest.mark.anyio

RELEASES = sorted(path.parent.name for path in HERE.glob("*/game.db"))
every_release = pytest.mark.parametrize("release", RELEASES)


def test_the_first_release_is_among_them():
    assert RELEASES[0] == "0.1.0"


def seen(release: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / release / "seen.json").read_text("utf-8"))
    return found


async def says(*args: str) -> str:
    """The last line of what a command says, which has to succeed."""
    result = await anyio.to_thread.run_sync(CliRunner().invoke, main, list(args))
    assert result.exit_code == 0, result.output
    return str(result.stdout.splitlines()[-1])


async def check(url: str, release: str) -> None:
    await says("db", "upgrade", "--db", url)
    assert (await says("db", "check", "--db", url)).endswith(": as this version expects it")
    expected = seen(release)
    windows = sorted({name.partition(".")[0] for name in expected if "." in name})
    assert len(windows) == 3
    for _ in range(2):  # as it was left, and as this version leaves it
        for window in windows:
            assert await says("replay", window, "--verify", "--db", url) == "all of it agrees"
        assert await look(url) == expected


@every_release
async def test_r56_a_golden_file(release: str, tmp_path: Path):
    shutil.copyfile(HERE / release / "game.db", tmp_path / "game.db")
    await check(f"sqlite:///{tmp_path}/game.db", release)


@every_release
async def test_r56_the_same_rows_on_postgresql(release: str, schema: Database):
    """In the tables that PostgreSQL had at that release."""
    await anyio.to_thread.run_sync(restore, HERE / release / "game.db", schema)
    await check(schema.url, release)
