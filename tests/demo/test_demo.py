"""The demo adds up, is repeatable, and tells the truth when something does not fit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kraty_actors.client import BoardView
from kraty_actors.definitions import load_game
from kraty_actors.demo.players import WINS_IN_A_ROW, Plan
from kraty_actors.demo.result import Payment, Result
from kraty_actors.demo.scene import Scene
from kraty_actors.demo.screen import WIDTH, draw
from kraty_actors.demo.setting import Setting
from kraty_actors.domain.window_messages import Report
from kraty_protocol.shapes import iso

SHORT = ["--players", "6", "--seconds", "3"]


def _demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "kraty_actors", "demo", *SHORT, *options]
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=40, check=False)


def _json(folder: Path, *options: str) -> dict[str, Any]:
    run = _demo(folder, "--json", *options)
    assert run.returncode == 0, run.stderr
    [line] = run.stdout.splitlines()
    result: dict[str, Any] = json.loads(line)
    return result


def test_a_seed_is_played_the_same_way_on_both_backends_r36(tmp_path: Path) -> None:
    first = _json(tmp_path, "--seed", "3")
    assert first == _json(tmp_path, "--seed", "3", "--backend", "asyncio")
    assert first["participants"] == 6
    assert (
        first["acknowledged"] == first["journalled"] == sum(len(Plan.drawn(3, number).wins) for number in range(1, 7))
    )
    assert first["winners"] == sum(Plan.drawn(3, number).completes for number in range(1, 7)) > 0
    assert first["winners"] * first["share"] + first["remainder"] == first["pool"] == 10_000
    assert first["disagreements"] == []


def test_piped_it_tells_each_phase_in_a_line_and_ends_with_commands_that_work(tmp_path: Path) -> None:
    run = _demo(tmp_path)
    assert run.returncode == 0, run.stderr
    for phase in ("players connect", "the window is open", "writes acknowledged", "the window is closed", "are paid"):
        assert re.search(rf"^(19|20):\d\d:\d\d  .*{phase}", run.stdout, re.MULTILINE), run.stdout
    [folder] = re.findall(r"--game (\S+)/game.json", run.stdout)
    assert (Path(folder) / "game.db").is_file()
    check = [sys.executable, "-m", "kraty_actors", "check", f"{folder}/game.json"]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0
    assert re.findall(r"kraty-actors call (\S+)", run.stdout) == [
        "windows.list", "boards.read", "grants.list", "wallet.get",
    ]  # fmt: skip


def test_the_window_is_the_examples_own_but_shorter_r22() -> None:
    event = load_game(Setting(seconds=40, seed=7).game()).game.events[0].as_defined()
    assert event["availability"] == {
        "mode": "recurring_windows",
        "timezone": "America/New_York",
        "startsAt": "2026-03-07T01:00:00.000Z",
        "endsAt": "2026-03-07T01:00:40.000Z",
        "windows": [{"startTime": "20:00", "durationSeconds": 40, "daysOfWeek": [0, 1, 2, 3, 4, 5, 6]}],
    }
    assert iso(Setting().opens_at) == "2026-03-07T01:00:00.000Z"


def test_plans_are_a_function_of_seed_and_number() -> None:
    plans = [Plan.drawn(1, number) for number in range(1, 200)]
    assert plans == [Plan.drawn(1, number) for number in range(1, 200)]
    assert plans != [Plan.drawn(2, number) for number in range(1, 200)]
    for plan in plans:
        streaks = "".join("W" if won else "L" for won in plan.wins)
        assert plan.completes == streaks.endswith("W" * WINS_IN_A_ROW)
        assert streaks.find("W" * WINS_IN_A_ROW) in (-1, len(streaks) - WINS_IN_A_ROW)
    assert 0.2 < sum(plan.completes for plan in plans) / len(plans) < 0.8
    assert len({plan.name for plan in plans}) == len(plans)


RESULT = Result(
    Setting(), 10_000, "cash", Report(20, 3, 3, {"cash": 9999}, 1), 650, "w", journalled=650,
    payments=[Payment(f"player-{number}", "Ada", 1, 3333) for number in (1, 2, 3)],
)  # fmt: skip


def test_a_result_that_fits_has_no_disagreements() -> None:
    assert RESULT.disagreements() == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"journalled": 649}, "journalled"),
        ({"journalled": 651}, "journalled"),
        ({"report": Report(20, 3, 3, {"cash": 9999}, 0)}, "pool"),
        ({"payments": RESULT.payments[:2]}, "grants"),
        ({"payments": [*RESULT.payments[:2], Payment("player-3", "Ada", 2, 3333)]}, "grants"),
        ({"payments": [*RESULT.payments[:2], Payment("player-3", "Ada", 1, 6666)]}, "share"),
    ],
)
def test_a_result_that_does_not_fit_says_so(changes: dict[str, Any], says: str) -> None:
    [disagreement] = replace(RESULT, **changes).disagreements()
    assert says in disagreement


def _scene(rank: int) -> Scene:
    """A lobby of 50 in which the watched player is at a rank."""
    setting = Setting()
    scene = Scene(setting, 10_000, "cash", setting.opens_at + 20_000, phase="open", watched=("me", "Ada"))
    scene.advance(scene.now)
    scene.board = BoardView("me")
    scene.board.entries = [
        {
            "participantId": "me" if place == rank else f"bot{place}",
            "kind": "player" if place == rank else "bot",
            "name": "Ada" if place == rank else f"Bot {place}",
            "avatar": None,
            "country": None,
            "score": 5 - place // 10,
            "rank": place,
        }
        for place in range(1, 51)
    ]
    return scene


@pytest.mark.parametrize("rank", [1, 7, 13, 14, 25, 47, 50])
def test_the_picture_fits_a_terminal_and_shows_the_watched_player_once(rank: int) -> None:
    console = Console(width=80, height=24, record=True, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        console.print(draw(_scene(rank)))
    lines = captured.get().splitlines()
    assert len(lines) <= 22
    assert max(map(len, lines)) <= WIDTH
    assert len([line for line in lines if re.search(rf" {rank} Ada ", line)]) == 1
    assert len([line for line in lines if "● " in line or "· " in line]) in (13, 14)
