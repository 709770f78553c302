"""Every example runs as it stands, in a process of its own, and says what it is meant to show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kraty_actors.definitions import load_game_text

EXAMPLES = Path(__file__).parents[1] / "examples"
LINES_MAX = 80


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


def test_the_examples_game_file_has_neither_faults_nor_warnings() -> None:
    assert load_game_text((EXAMPLES / "trail_of_triumph.json").read_text("utf-8")).warnings == ()
