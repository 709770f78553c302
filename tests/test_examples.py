"""Every example runs as it stands and says what it is meant to show."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from playing_examples import play_through

from kraty_actors.cli import main
from kraty_actors.definitions import json_schema, load_game_text

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
GAMES = sorted(EXAMPLES.glob("*.json"))
LINES_MAX = 80
QUOTE = re.compile(r"^\| \[`[^`]+`\]\(examples/([^)]+)\) \|.*\| `([^`]+)` \|$", re.MULTILINE)
"""A row of the README's table of game files: the file, and the line of it that is worth a look."""

NOT_YET: list[str] = []
"""Game files that wait for a part of the server that is still to come."""


@pytest.mark.parametrize(
    ("name", "shows"),
    [
        ("embed_in_trio", ["streak 5, completed", "again? entry_requirement_failed (403)"]),
        ("embed_in_asyncio", ["somebody said: who plays?", "grace has a streak of 1"]),
        ("play_and_watch", ["match 1:", "of 50, behind"]),
        ("crash_and_recover", ["killed after", "after the restart there are"]),
    ],
)
def test_the_example_runs_and_shows_its_point(name: str, shows: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", EXAMPLES / f"{name}.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=40, check=False)
    assert run.returncode == 0, run.stderr
    assert [words for words in shows if words not in run.stdout] == [], run.stdout


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.stem)
def test_an_example_is_short_and_says_what_it_shows(file: Path) -> None:
    text = file.read_text("utf-8")
    assert len(text.splitlines()) < LINES_MAX
    assert text.startswith('"""')


@pytest.mark.parametrize("file", GAMES, ids=lambda file: file.stem)
def test_a_game_file_has_neither_faults_nor_warnings(file: Path) -> None:
    checked = CliRunner().invoke(main, ["check", str(file)])
    assert (checked.exit_code, checked.stdout) == (0, "")


@pytest.mark.parametrize("file", GAMES, ids=lambda file: file.stem)
def test_an_editor_that_knows_the_schema_finds_no_fault_in_it(file: Path) -> None:
    _validator().validate(json.loads(file.read_text("utf-8")))


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema())


def _played() -> list[object]:
    not_yet = pytest.mark.xfail(reason="the server cannot do this yet", run=False)
    return [
        pytest.param(file.read_text("utf-8"), marks=[not_yet] if file.stem in NOT_YET else [], id=file.stem)
        for file in GAMES
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("text", _played())
async def test_a_game_file_is_played_through(text: str) -> None:
    await play_through(load_game_text(text).game)


def test_the_readme_quotes_every_game_file() -> None:
    quotes = dict(QUOTE.findall((ROOT / "README.md").read_text("utf-8")))
    assert sorted(quotes) == [file.name for file in GAMES]
    for name, line in quotes.items():
        assert _without_spaces(line) in _without_spaces((EXAMPLES / name).read_text("utf-8")), name


def _without_spaces(text: str) -> str:
    return "".join(text.split())
