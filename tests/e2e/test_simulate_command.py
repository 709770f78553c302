"""`kraty-actors simulate`: tables on a terminal, lines in a pipe, JSON, a page, budgets, and no traceback (R-47)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import Ended, run, run_here, write_json
from servers import ATTACK, RACE, game_of
from terminal import on_a_terminal

from kraty_actors.cli.population import attribute
from kraty_actors.simulation.strategies import STRATEGIES, forget_strategy

GAME = game_of(
    {**RACE, "botBindings": [{"botId": "climber", "count": 3}]},
    {**ATTACK, "entryCost": {"currencies": [{"key": "cash", "amount": 5}]}},
    currencies=[{"key": "cash"}, {"key": "gems"}],
)


@pytest.fixture
def game(tmp_path: Path) -> Path:
    return write_json(tmp_path / "game.json", GAME)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    policy = {"type": "shared_pool", "parameters": {"pool": 60, "currencyKey": "cash"}}
    return write_json(tmp_path / "other.json", {**GAME, "events": [{**RACE, "rewardPolicy": policy}]})


def _simulated(file: Path, event: str, *options: object) -> Ended:
    return run_here("simulate", file, event, "--players", 12, "--runs", 3, *options)


def test_lines_in_a_pipe_one_fact_each(game: Path):
    ended = run("simulate", game, "race", "--players", 12, "--runs", 3, "--seed", 1)
    lines = ended.out.splitlines()
    assert (ended.code, ended.reasons) == (0, [])
    assert lines[0] == "race: 12 players (mixed), runs: 3, seed 1, 2026-06-02 00:00 to 2026-06-03 00:00 UTC"
    assert "players: took part: 12 always" in lines
    assert any(line.startswith("money: cash paid: ") for line in lines)
    assert any(line.startswith("bots: boards won by a player: ") for line in lines)
    assert any(line.startswith("rank 1: ") for line in lines)
    assert lines[-1].startswith("fingerprint: ")


def test_tables_on_a_terminal(game: Path):
    shown = on_a_terminal("simulate", str(game), "race", "--players", "12", "--runs", "3")
    for part in (
        "over all runs",
        "took part",
        "p95",
        "rank without bots",
        "the first board of the first run, 15 in all",
    ):
        assert part in shown, shown
    assert "━" in shown or "─" in shown


def test_side_by_side_on_a_terminal_and_in_a_pipe(game: Path, other: Path):
    shown = on_a_terminal("simulate", str(game), "race", "--players", "12", "--runs", "3", "--compare", str(other))
    for part in ("game.json", "other.json", "difference", "-42.4 %", "same"):
        assert part in shown, shown
    lines = _simulated(game, "race", "--compare", other).out.splitlines()
    assert "players: took part: game.json 12; other.json 12" in lines
    assert any(line.startswith("bots: places lost to bots: game.json ") and line.endswith("none") for line in lines)


def test_json_of_the_same_seed_is_the_same(game: Path):
    first, again, third = (_simulated(game, "race", "--json", "--seed", seed).out for seed in (1, 1, 2))
    assert first == again
    made = json.loads(first)
    assert (made["players"], made["runs"], made["seed"], made["participants"]["mean"]) == (12, 3, 1, 12)
    assert made["fingerprint"] != json.loads(third)["fingerprint"]


def test_two_files_as_json(game: Path, other: Path):
    made = json.loads(_simulated(game, "race", "--json", "--compare", other).out)
    assert made.keys() == {"simulation", "compared"}
    (before,), (after,) = made["simulation"]["payouts"], made["compared"]["payouts"]
    assert before["paid"]["max"] <= 100
    assert after["paid"]["max"] <= 60


# -- budgets


def test_a_budget_that_is_kept_and_one_that_is_not(game: Path):
    kept = _simulated(game, "race", "--budget", "cash=100", "--budget", "gems=0")
    assert (kept.code, kept.reasons) == (0, [])
    assert "within budget: gems: p95 of what is paid is 0 of 0" in kept.out
    over = _simulated(game, "race", "--budget", "cash=90", "--quantile", 50)
    assert over.code == 1
    (reason,) = over.reasons
    assert reason.startswith("over budget: cash: p50 of what is paid is ")
    assert reason.endswith(" %) over 90")


def test_a_budget_beside_json(game: Path):
    ended = _simulated(game, "race", "--budget", "cash=90", "--json")
    assert ended.code == 1
    (judged,) = json.loads(ended.out)["budgets"]
    assert (judged["key"], judged["amount"], judged["quantile"], judged["exceeded"]) == ("cash", 90, 95, True)
    assert len(ended.reasons) == 1


# -- a page


def test_a_page_is_written(game: Path, other: Path, tmp_path: Path):
    page = tmp_path / "out.html"
    ended = _simulated(game, "race", "--report", page, "--compare", other, "--budget", "cash=1")
    text = page.read_text("utf-8")
    assert ended.code == 1
    assert text.startswith("<!doctype html>")
    assert "over budget: cash" in text
    assert "other.json" in text


# -- what a game adds


OWN = """
from kraty_actors import Dice, Move, Seen, register_strategy

def sprinter(seen: Seen, dice: Dice) -> Move | None:
    if not seen.playing:
        return None if seen.attempts else Move.start(dice.between(0, 600))
    return Move.write(10, {"laps": 1})

register_strategy("sprinter", sprinter)
"""


def test_players_of_the_game_s_own(game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "own_players.py").write_text(OWN, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        made = json.loads(_simulated(game, "race", "--with", "own_players", "--behaviour", "sprinter", "--json").out)
    finally:
        if "sprinter" in STRATEGIES:
            forget_strategy("sprinter")
    assert made["completed"]["min"] == 1
    assert made["payouts"][0]["paid"]["min"] == 96


def test_who_can_pay_and_when(game: Path):
    made = json.loads(
        _simulated(game, "attack", "--afford", 0, "--hours", 2, "--from", "2026-03-01T08:00:00Z", "--json").out
    )
    assert made["participants"]["max"] == 0
    assert (made["startsAt"], made["endsAt"]) == ("2026-03-01T08:00:00.000Z", "2026-03-01T10:00:00.000Z")


# -- what users do wrong


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["nowhere"], "no event 'nowhere'; known: race, attack"),
        (["race", "--behaviour", "wild"], "--behaviour: no 'wild'; known: steady, casual, hardcore, streaky, mixed"),
        (["race", "--budget", "cash"], "--budget: 'cash': write it as CURRENCY=AMOUNT"),
        (["race", "--budget", "cash=-1"], "--budget: 'cash=-1': write it as"),
        (["race", "--budget", "cash=1.5"], "--budget: 'cash=1.5': write it as"),
        (["race", "--budget", "rubies=1"], "has no currency or item 'rubies'; known: cash, gems"),
        (["race", "--from", "tomorrow"], "--from: 'tomorrow' must be an instant with a zone"),
        (["race", "--attribute", "country"], "--attribute: 'country': write it as NAME=A,B,C or NAME=LOW..HIGH"),
        (["race", "--attribute", "skill=9..1"], "--attribute: skill: 1 is below 9"),
        (["race", "--compare", "missing.json"], "missing.json: No such file or directory"),
        (["race", "--with", "no_such_module"], "--with no_such_module: No module named"),
        (["race", "--report", "/no/such/folder/x.html"], "--report: /no/such/folder/x.html: No such file or directory"),
    ],
)
def test_a_wrong_option_is_told_in_a_line(game: Path, options: list[str], reason: str):
    ended = run_here("simulate", game, *options)
    assert ended.code == 2
    (told,) = ended.reasons
    assert told.startswith("error: ")
    assert reason in told


def test_a_faulty_file_is_told_with_every_fault(tmp_path: Path):
    broken: dict[str, Any] = {
        **GAME,
        "events": [{"key": "race", "metrics": []}, {"key": "x y", "metrics": [{"key": "a"}]}],
    }
    ended = run_here("simulate", write_json(tmp_path / "broken.json", broken), "race")
    assert ended.code == 2
    assert len(ended.reasons) == 2


def test_the_other_file_needs_the_event_too(game: Path, tmp_path: Path):
    other = write_json(tmp_path / "other.json", game_of(RACE))
    ended = run_here("simulate", game, "attack", "--compare", other)
    assert (ended.code, ended.reasons) == (2, [f"error: {other}: no event 'attack'; known: race"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [("PT,US", ["PT", "US"]), ("1,2.5,true,007", [1, 2.5, True, "007"]), ("3..5", [3, 4, 5]), ("-1..1", [-1, 0, 1])],
)
def test_attributes_are_read(values: str, expected: list[Any]):
    name, found = attribute(f"x={values}")
    assert (name, list(found)) == ("x", expected)
