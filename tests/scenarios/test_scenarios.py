"""Every scenario is played in memory; those of modes and availabilities also on SQLite over real sockets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from runner import play
from scenario_file import read_scenario
from stages import Stage

from kraty_persistence import MemoryStore

pytestmark = pytest.mark.anyio

FILES = [file for file in sorted(Path(__file__).parent.glob("*.md")) if file.name != "README.md"]
NOT_YET: list[str] = []
"""Files that wait for a part of the server that is still to come."""


def scenarios(*prefixes: str) -> list[object]:
    chosen = [file for file in FILES if file.name.startswith(prefixes or "")]
    not_yet = pytest.mark.xfail(reason="the server cannot do this yet", run=False)
    return [pytest.param(file, marks=[not_yet] if file.stem in NOT_YET else [], id=file.stem) for file in chosen]


@pytest.mark.parametrize("file", scenarios())
async def test_in_memory(file: Path, anyio_backend: str) -> None:
    codec = "msgpack" if anyio_backend == "trio" else "json"
    await play(read_scenario(file), Stage(MemoryStore(), codec, has_sockets=False))


@pytest.mark.parametrize("file", scenarios("mode_", "availability_"))
async def test_on_sqlite_over_sockets(file: Path, tmp_path: Path) -> None:
    await play(read_scenario(file), Stage(f"sqlite:///{tmp_path}/game.db", "msgpack", has_sockets=True))


def test_no_file_waits_that_is_not_there() -> None:
    assert set(NOT_YET) <= {file.stem for file in FILES}


def test_the_readme_leads_to_every_file() -> None:
    readme = (Path(__file__).parent / "README.md").read_text("utf-8")
    assert sorted(re.findall(r"\]\((\w+\.md)\)", readme)) == [file.name for file in FILES]
