"""`kraty-actors preview`: a table on a terminal, lines in a pipe, the wire's shape as JSON, and no traceback (R-46)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from processes import run, run_here, write_json
from raw_peer import Map
from servers import ATTACK, TRAIL, game_of, serving
from terminal import on_a_terminal

CASH = {"type": "currency", "currencyKey": "cash"}
DUEL: Map = {
    "key": "duel",
    "id": "E-7",
    "metrics": [{"key": "kills", "cap": 5, "target": 5}, {"key": "time_left"}],
    "rewardPolicy": {
        "type": "rank_scaled",
        "parameters": {"tiers": [{"fromRank": 1, "toRank": 3, "rewardBundleId": "chest"}]},
    },
    "milestoneRewards": [
        {"key": "two", "metricKey": "kills", "threshold": 2, "entries": [{**CASH, "amount": 5, "chance": 0.999999}]}
    ],
}
GAME = game_of(
    *(ATTACK, DUEL, TRAIL),
    items=[{"key": "bullet"}, {"key": "wooden", "crateBundleId": "chest"}],
    bundles=[
        {
            "key": "chest",
            "entries": [
                {**CASH, "amount": 500},
                {"type": "item", "itemKey": "bullet", "quantity": 5, "parameters": {"skin": "\u001b[31m[bold]red"}},
                {"type": "crate", "crateItemKey": "wooden"},
            ],
        }
    ],
)


@pytest.fixture
def game(tmp_path: Path) -> Path:
    return write_json(tmp_path / "game.json", GAME)


def test_lines_in_a_pipe_one_fact_each(game: Path) -> None:
    ended = run("preview", game, "duel", "--metrics", "kills=7, time_left=1.5", "--rank", 3)
    assert (ended.code, ended.reasons) == (0, [])
    assert ended.out.splitlines() == [
        "event: duel",
        "metric kills: 5 (raw 7)",
        "metric time_left: 1.5",
        "score: 6.5",
        "completed: yes",
        "milestone two: 5 cash (sampled)",
        'grant reward event_window: 500 cash, 5 bullet {"skin": "\\u001b[31m[bold]red"}',
        "grant crate event_window: 1 wooden (crate)",
    ]


def test_a_tableon_a_terminal(game: Path) -> None:
    shown = on_a_terminal("preview", str(game), "duel", "--metrics", "kills=7", "--rank", "3")
    for part in ("duel: score 5, completed: yes", "kills", "milestone two", "500 cash", "1 wooden (crate)", "sampled"):
        assert part in shown, shown
    assert "━" in shown or "─" in shown
    assert "[31m[bold]red" in shown  # as text: a file must not paint the terminal
    assert "\u001b[31m" not in shown


@pytest.mark.anyio
async def test_json_is_what_the_server_answers(game: Path) -> None:
    ended = run_here("preview", game, "E-7", "--metrics", "kills=3", "--rank", 2, "--seed", 4, "--json")
    async with serving(GAME) as server, server.peer(role="operator", codec="json") as operator:
        made = await operator.ok("events.preview", eventKey="duel", metrics={"kills": 3}, rank=2, seed=4)
    assert json.loads(ended.out) == made
    assert [grant["kind"] for grant in made["grants"]] == ["reward", "crate"]


def test_a_pool_is_told_with_what_is_left_of_it(game: Path) -> None:
    won = run_here("preview", game, "trail_of_triumph", "--metrics", "streak=5", "--winners", 3)
    assert won.out.splitlines()[-2:] == [
        "grant reward event_window: 3333 cash",
        "pool: 10000 cash, winners: 3, each 3333, not paid 1",
    ]
    many = run_here("preview", game, "trail_of_triumph", "--metrics", "streak=5", "--winners", 10_001)
    assert many.out.splitlines()[-2:] == [
        "pool: 10000 cash, winners: 10001: less than 1 for each, nothing is paid",
        "nothing is paid",
    ]
    assert run_here("preview", game, "trail_of_triumph").out.splitlines()[-2:] == ["completed: no", "nothing is paid"]


def test_metrics_may_be_given_in_several_options_and_an_integer_is_exact(game: Path) -> None:
    ended = run_here("preview", game, "attack", "--metrics", f"points={2**53 - 1}", "--metrics", "kills=0", "--json")
    assert json.loads(ended.out)["metricsRaw"] == {"points": 2**53 - 1, "kills": 0}
    assert json.loads(run_here("preview", game, "attack", "--metrics", "points=3.0", "--json").out)["score"] == 3


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["nowhere"], "no event 'nowhere'; known: attack, duel, trail_of_triumph"),
        (["duel", "--metrics", "kill=1"], "--metrics: no metric 'kill': known are kills, time_left"),
        (["duel", "--metrics", "kills"], "--metrics: 'kills': write it as METRIC=VALUE,METRIC=VALUE"),
        (["duel", "--metrics", "kills=1,"], "--metrics: '': write it as METRIC=VALUE,METRIC=VALUE"),
        (["duel", "--metrics", "=1"], "--metrics: '=1': write it as"),
        (["duel", "--metrics", "kills=1,kills=2"], "--metrics: kills is there twice"),
        (["duel", "--metrics", "kills=many"], "--metrics: kills: 'many' is no number of at least 0"),
        (["duel", "--metrics", "kills=1_000"], "--metrics: kills: '1_000' is no number of at least 0"),
        (["duel", "--metrics", "kills=-1"], "--metrics: kills: '-1' is no number of at least 0"),
        (["duel", "--metrics", "kills=nan"], "--metrics: kills: 'nan' is no number of at least 0"),
        (["duel", "--metrics", "kills=inf"], "--metrics: kills: 'inf' is no number of at least 0"),
        (["duel", "--metrics", "kills=9007199254740992"], "--metrics: kills would pass 9007199254740991"),
        (["duel", "--metrics", f"kills={'9' * 400}"], "--metrics: kills"),
        (["duel", "--rank", "0"], "Invalid value for '--rank'"),
        (["duel", "--rank", "first"], "Invalid value for '--rank'"),
        (["duel", "--winners", "-2"], "Invalid value for '--winners'"),
        (["duel", "--seed", "1.5"], "Invalid value for '--seed'"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_is_asked_badly_is_told_in_a_line_and_exit_2(game: Path, args: list[str], reason: str) -> None:
    ended = run_here("preview", game, *args)
    assert (ended.code, ended.out) == (2, "")
    assert reason in ended.reasons[-1]


def test_a_file_that_is_not_there_or_has_faults_is_told_with_all_of_them(tmp_path: Path) -> None:
    missing = run_here("preview", tmp_path / "gone.json", "duel")
    assert (missing.code, missing.reasons) == (2, [f"error: {tmp_path}/gone.json: No such file or directory"])
    faulty = write_json(tmp_path / "faulty.json", game_of({**DUEL, "rewardPolicy": None, "x": 1}, {**ATTACK, "y": 1}))
    ended = run_here("preview", faulty, "duel")
    assert ended.code == 2
    assert [reason.split(":")[2].strip() for reason in ended.reasons] == ["events[0].x", "events[1].y"]


def test_it_opens_no_database_and_leaves_no_file(game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    content = game.read_bytes()
    assert run_here("preview", game, "duel", "--metrics", "kills=5").code == 0
    assert list(folder.iterdir()) == []
    assert (game.read_bytes(), [path.name for path in tmp_path.iterdir() if path.is_file()]) == (content, ["game.json"])
