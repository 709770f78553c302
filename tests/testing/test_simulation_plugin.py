"""The pytest plugin: one run a seed, and how to play a failure again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TEST = """
from kraty_actors.testing import CALM

GAME = {"gameId": "arena", "events": [{"key": "sprint", "metrics": [{"key": "points"}]}]}

def test_sprint(run_simulation, simulation_seed):
    async def script(universe):
        async with universe.client("ada") as ada:
            attempt = await ada.start("sprint")
            written = await ada.progress(attempt["attemptId"], {"points": 2})
            assert written["score"] == (2 if simulation_seed < 2 else 3)
    run_simulation(GAME, script, faults=CALM)
"""


def run_pytest(folder: Path, *args: str) -> str:
    (folder / "conftest.py").write_text('pytest_plugins = ["kraty_actors.testing.plugin"]\n', "utf-8")
    (folder / "test_sprint.py").write_text(TEST, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_a_test_runs_once_a_seed_and_names_the_seed_that_failed(tmp_path: Path) -> None:
    told = run_pytest(tmp_path, "--simulation-seeds", "3")
    assert "1 failed, 2 passed" in told
    assert "play it again: pytest test_sprint.py::test_sprint --simulation-seed 2" in told
