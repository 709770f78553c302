"""`kraty-actors bench` on a real server: what it says is what the server counted."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import anyio
import pytest
from processes import COMMAND, run, run_here, serve, write_json

from kraty_actors.client import connect

GAME = {"gameId": "bench", "events": [{"key": "race", "metrics": [{"key": "points"}, {"key": "laps"}]}]}

pytestmark = pytest.mark.anyio


def started(*args: object) -> list[str]:
    """A load of one second by three players; they are at work in a process of their own, as they should be."""
    load = ("--players", 3, "--rate", 100, "--seconds", 1, "--warm-up", 0)
    return [*COMMAND, "bench", "race", *map(str, (*load, *args))]


async def test_what_was_acknowledged_is_on_the_board(tmp_path: Path):
    secrets = tmp_path / "secrets"
    secrets.write_text("s" * 40 + "\n")
    game = write_json(tmp_path / "game.json", GAME)
    args = ["--game", game, "--db", f"sqlite:///{tmp_path}/game.db", "--secret-file", secrets]
    picture = tmp_path / "waits.svg"
    async with serve(*args, log=tmp_path / "log") as server:
        asked = ["--url", server.url, "--secret-file", secrets]
        command = started(*asked, "--metric", "points=2", "--watchers", 2, "--json", "--picture", picture)
        done = await anyio.run_process(command, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        found = json.loads(done.stdout)
        write = found["deeds"]["write"]
        assert (write["asked"], write["answered"], write["refused"], found["unanswered"]) == (100, 100, {}, 0)
        assert 0 < write["ms"]["p50"] <= write["ms"]["p99"] <= write["ms"]["max"]
        assert found["pushesPerSecond"] > 0
        assert found["mismatches"] == 0
        assert ET.parse(picture).getroot().tag.endswith("svg")

        told = await anyio.run_process(started(*asked, "--rate", 50, "--seconds", 2, "--max-p99", "0.001"), check=False)
        lines = told.stderr.decode().splitlines()
        assert told.returncode == 1
        assert lines[-1].startswith("too slow: p99 of writes is ")
        assert any(line.startswith("1 s: ") and " under way, p50 " in line for line in lines[:-1])
        assert " answers a second; 50 were due" in told.stdout.decode()

        missing = await anyio.run_process([*COMMAND, "bench", "nope", *map(str, asked)], check=False)
        assert missing.returncode == 2
        assert missing.stderr == b"error: nope can not be entered: not_found (404): no event 'nope'\n"

        async with connect(server.url, token=_operator(secrets)) as client:
            [window] = await client.operator.windows("race")
            board = await client.read_board(f"{window['windowId']}.1")
        assert sorted(entry["score"] for entry in board["entries"]) == [99, 99, 102]


def _operator(secrets: Path) -> str:
    return run_here("token", "--role", "operator", "--secret-file", secrets).out.strip()


@pytest.mark.parametrize("anyio_backend", ["trio"])
@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("--mix", "dance=1"), "error: no 'dance'; known: write, read, list, ping"),
        (("--metric", "points"), "error: 'points': write it as METRIC=AMOUNT, with an amount of at least 0"),
        (("--secret-file", "nowhere"), "error: nowhere: No such file or directory"),
        (("--url", "ws://127.0.0.1:1/v1/socket"), "error: ws://127.0.0.1:1/v1/socket: All connection attempts failed"),
    ],
)
async def test_what_cannot_be_asked_is_one_line(args: tuple[str, ...], reason: str):
    ended = await anyio.to_thread.run_sync(run, "bench", "race", *args)
    assert (ended.code, ended.reasons) == (2, [reason])
