"""`replay` and `explain` as people run them, `events.explain` over a socket, and damaged databases in one line."""

from __future__ import annotations

import json
import shutil
import sqlite3
import xml.dom.minidom
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from acting_for_ann import assert_shape
from postgres_server import Database
from processes import Ended, run, run_here, serve, write_json
from raw_peer import Map
from servers import NOON, WINDOW_ENDS, game_of, serving

from kraty_actors.testing import ManualClock
from kraty_protocol import explained_shapes

CASH: Map = {"type": "currency", "currencyKey": "cash"}
RACE: Map = {
    "key": "race",
    "availability": {"mode": "fixed", "startsAt": "2026-06-02T00:00:00Z", "endsAt": "2026-06-03T00:00:00Z"},
    "metrics": [{"key": "laps", "target": 3, "capAtTarget": True}],
    "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 100, "currencyKey": "cash"}},
    "botBindings": [{"botId": "climber"}],
}
GAME = game_of(RACE)
LAPS = {"ann": 5, "bob": 3, "cat": 1}


async def play(url: str, until: int = WINDOW_ENDS) -> str:
    async with serving(GAME, store=url, clock=ManualClock(NOON)) as server, server.peer(role="operator") as operator:
        for at, name in enumerate(LAPS):
            server.clock.move_to(NOON + 1_500 * at)
            attempt = (await operator.ok("events.start", eventKey="race", playerId=name))["attempt"]
            write = {"playerId": name, "attemptId": attempt["attemptId"], "metricValue": LAPS[name], "seq": 1}
            await operator.ok("events.progress", **write)
        server.clock.move_to(until)
        if until == WINDOW_ENDS:
            await operator.ok("events.finalize", eventKey="race", windowId=attempt["windowId"])
        return str(attempt["windowId"])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    file = tmp_path_factory.mktemp("played") / "game.db"
    window = anyio.run(play, f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection, connection:  # as a quiet moment would have done
        connection.execute("INSERT OR IGNORE INTO history SELECT actor_no, number, record FROM journal")
        connection.execute("DELETE FROM journal")
    return file, window


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "game.db"


@pytest.fixture
def db(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.fixture
def window(played: tuple[Path, str], file: Path) -> str:
    """The window, with a copy of its database in `file`."""
    shutil.copyfile(played[0], file)
    return played[1]


def spoil(file: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


def fault(ended: Ended) -> str:
    assert (ended.code, ended.out) == (2, "")
    [line] = ended.reasons
    return line


# -- replay


def test_r57_a_window_that_agrees(window: str, db: str) -> None:
    ended = run("replay", window, "--verify", "--db", db)
    lines = ended.out.splitlines()
    assert (ended.code, ended.reasons) == (0, [])
    assert lines[:3] == [f"window: {window}", "event: race", "state: finalized"]
    assert f"board {window}.1: 4 rows, 1 bots" in lines
    assert "  1. ann: 3" in lines
    assert "grants: 2: 100 cash" in lines
    assert {"agree: states: 3", "agree: grants: 2", "all of it agrees"} <= set(lines)
    assert any(line.startswith(f"chain {window}.1: ") and ", head " in line for line in lines)


def test_r57_without_verify_nothing_is_compared(window: str, db: str, file: Path) -> None:
    spoil(file, "DELETE FROM grants")
    ended = run_here("replay", window, "--db", db)
    assert ended.code == 0
    assert "grants: 2: 100 cash" in ended.out
    assert "agree" not in ended.out


def test_r57_as_json(window: str, db: str) -> None:
    made = json.loads(run_here("replay", window, "--verify", "--db", db, "--json").out)
    assert made["verified"]["agrees"] is True
    assert made["verified"]["differences"] == []
    assert made["boards"][0]["entries"][0] == {"rank": 1, "playerId": "ann", "score": 3}
    assert made["paid"] == [{**CASH, "amount": 100}]
    assert [chain["sealed"] for chain in made["verified"]["chains"]] == [
        chain["records"] for chain in made["verified"]["chains"]
    ]


BOARD = "(SELECT no FROM actors WHERE id = ?)"
ALTERED = {
    "one byte": (
        f"UPDATE history SET record = CAST(substr(record, 1, 12) || x'07' || substr(record, 14) AS BLOB)"
        f" WHERE number = 3 AND actor_no = {BOARD}",
        3,
    ),
    "the last record": (f"DELETE FROM history WHERE number = 9 AND actor_no = {BOARD}", 9),
    "a record": (f"DELETE FROM history WHERE number = 4 AND actor_no = {BOARD}", 4),
    "two swapped": (
        f"UPDATE history SET number = CASE number WHEN 4 THEN -5 ELSE -4 END"
        f" WHERE number IN (4, 5) AND actor_no = {BOARD}",
        4,
    ),
    "numbered anew": (f"UPDATE history SET number = number + 100 WHERE number = 6 AND actor_no = {BOARD}", 6),
}


@pytest.mark.parametrize("change", ALTERED)
def test_r57_the_first_record_that_was_altered_is_named(change: str, window: str, db: str, file: Path) -> None:
    statement, number = ALTERED[change]
    spoil(file, statement, f"{window}.1")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE history SET number = -number WHERE number < 0")
    ended = run_here("replay", window, "--verify", "--db", db)
    assert (ended.code, ended.reasons) == (1, [])
    [line] = [line for line in ended.out.splitlines() if line.startswith("differs: ")]
    assert line.startswith(f"differs: the journal of {window}.1 was altered: record")
    assert f" {number} " in line
    assert "note: nothing else was compared: a journal is not whole" in ended.out


def test_r57_a_grant_that_was_changed_is_named_with_its_player(window: str, db: str, file: Path) -> None:
    spoil(file, "UPDATE grants SET created_at = created_at + 1 WHERE player = 2")
    ended = run_here("replay", window, "--verify", "--db", db)
    assert ended.code == 1
    assert "differs: player bob: grant g" in ended.out
    made = json.loads(run_here("replay", window, "--verify", "--db", db, "--json").out)
    [difference] = made["verified"]["differences"]
    assert difference["playerId"] == "bob"


def test_r57_by_another_game_file(window: str, db: str, tmp_path: Path) -> None:
    everybody = {"type": "metric_at_least", "metricKey": "laps", "threshold": 1}
    pool = {"pool": 90, "currencyKey": "cash", "winnerPredicate": everybody}
    other = {**RACE, "rewardPolicy": {"type": "shared_pool", "parameters": pool}}
    game = tmp_path / "other.json"
    game.write_text(json.dumps(game_of(other)))
    ended = run_here("replay", window, "--against", game, "--db", db)
    lines = ended.out.splitlines()
    assert ended.code == 0
    assert "otherwise: 3 players, 3 paid otherwise, 0 of another rank" in lines
    assert "cat: rank 3 -> 3; nothing -> 30 cash" in lines
    assert {"paid: 100 cash -> 90 cash", "difference cash: -10"} <= set(lines)
    made = json.loads(run_here("replay", window, "--against", game, "--db", db, "--json").out)["against"]
    assert made["difference"] == [{"kind": "currency", "key": "cash", "amount": -10}]
    assert [one["playerId"] for one in made["changed"]] == ["ann", "bob", "cat"]


def test_what_replay_cannot_do_is_said_in_a_line(window: str, db: str, file: Path, tmp_path: Path) -> None:
    assert fault(run_here("replay", "wnone", "--db", db)) == "error: wnone: no such window"
    assert "there is no such file" in fault(run_here("replay", window, "--db", f"sqlite:///{tmp_path}/none.db"))
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps(game_of()))
    assert "no event 'race'" in fault(run_here("replay", window, "--against", empty, "--db", db))
    assert fault(run_here("replay", window, "--against", tmp_path / "no.json", "--db", db)).endswith(
        "No such file or directory"
    )
    short = tmp_path / "key"
    short.write_text("short\n")
    assert "needs at least 32 characters" in fault(run_here("replay", window, "--key-file", short, "--db", db))
    short.write_text("k" * 40)
    assert "it is not the one in the file" in fault(
        run_here("replay", window, "--verify", "--key-file", short, "--db", db)
    )
    spoil(file, f"UPDATE history SET record = x'00' WHERE number = 2 AND actor_no = {BOARD}", f"{window}.1")
    assert fault(run_here("replay", window, "--db", db)).endswith("record 2 can not be read")


def test_r57_a_window_that_is_still_open(db: str) -> None:
    window = anyio.run(play, db, NOON + 60_000)
    ended = run_here("replay", window, "--verify", "--db", db)
    assert (ended.code, ended.out.splitlines()[2]) == (0, "state: open")
    game = Path(db.removeprefix("sqlite:///")).with_name("game.json")
    game.write_text(json.dumps(GAME))
    assert "the window is open" in fault(run_here("replay", window, "--against", game, "--db", db))
    told = run_here("explain", window, "bob", "--db", db).out
    assert f"window: {window} of race, open" in told
    assert "rank: 2 of 4, with 3" in told


# -- explain


def test_r57_why_is_this_player_second(window: str, db: str, tmp_path: Path) -> None:
    drawn = tmp_path / "out.svg"
    ended = run("explain", window, "bob", "--db", db, "--picture", drawn)
    lines = ended.out.splitlines()
    assert (ended.code, ended.reasons) == (0, [])
    assert lines[:2] == [f"window: {window} of race, finalized", "player: bob"]
    assert "above: 1. ann with 3: same score: they reached it 1.5 s earlier" in lines
    assert any("laps +3 -> score 3 rank 2 completed" in line for line in lines)
    assert any(line.endswith("granted 50 cash") for line in lines)
    xml.dom.minidom.parse(str(drawn))


def test_r57_at_a_time(window: str, db: str) -> None:
    made = json.loads(run_here("explain", window, "ann", "--at", "2026-06-02T14:00:01+02:00", "--db", db, "--json").out)
    assert_shape(made, explained_shapes.Explained)
    assert (made["at"], made["state"], made["self"]["rank"], made["total"]) == (
        "2026-06-02T12:00:01.000Z",
        "open",
        1,
        2,
    )
    assert made["history"][-1]["capped"] == ["laps"]
    assert made["history"][-1]["metricsRaw"] == {"laps": 5}


def test_what_explain_cannot_do_is_said_in_a_line(window: str, db: str, file: Path, tmp_path: Path) -> None:
    assert fault(run_here("explain", "wnone", "ann", "--db", db)) == "error: no window 'wnone'"
    assert fault(run_here("explain", window, "eve", "--db", db)) == "error: no player 'eve'"
    for time in ("yesterday", "2026-06-02T12:00:00"):
        assert f"'{time}' is no instant" in fault(run_here("explain", window, "ann", "--at", time, "--db", db))
    early = run_here("explain", window, "ann", "--at", "2020-01-01T00:00:00Z", "--db", db)
    assert fault(early) == "error: the window had not opened then"
    nowhere = tmp_path / "nowhere" / "out.svg"
    assert "nowhere" in run_here("explain", window, "ann", "--picture", nowhere, "--db", db).reasons[0]
    spoil(file, f"UPDATE history SET record = x'93020102' WHERE number = 2 AND actor_no = {BOARD}", f"{window}.1")
    assert f"the journal of {window}.1 was altered: record 2" in fault(run_here("explain", window, "ann", "--db", db))


@pytest.mark.parametrize("command", [("replay",), ("replay", "--verify"), ("explain", "ann")])
def test_a_file_that_is_no_database_any_more_is_one_line(command: tuple[str, ...], window: str, file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[5_000:] = b"\xff" * (len(data) - 5_000)
    file.write_bytes(bytes(data))
    name, *others = command
    assert fault(run_here(name, window, *others, "--db", f"sqlite:///{file}"))


# -- PostgreSQL


@pytest.mark.anyio
async def test_r57_the_same_on_postgresql(schema: Database) -> None:
    window = await play(schema.url)

    def told(*args: str) -> Ended:
        return run_here(*args, "--db", schema.url)

    ended = await anyio.to_thread.run_sync(told, "replay", window, "--verify")
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "all of it agrees")
    explained = await anyio.to_thread.run_sync(told, "explain", window, "bob")
    assert "above: 1. ann with 3: same score: they reached it 1.5 s earlier" in explained.out.splitlines()
    where = f"actor_no = (SELECT no FROM actors WHERE id = '{window}.1')"
    for table in ("history", "journal"):
        schema.run(f"UPDATE {table} SET record = substr(record, 1, 10) || '\\x00' WHERE number = 4 AND {where}")
    ended = await anyio.to_thread.run_sync(told, "replay", window, "--verify")
    assert ended.code == 1
    assert f"differs: the journal of {window}.1 was altered: record 4 " in ended.out


# -- serve


@pytest.mark.anyio
async def test_a_server_with_its_key_in_a_file_needs_it_again(db: str, file: Path, tmp_path: Path) -> None:
    key, other = tmp_path / "journal.key", tmp_path / "other.key"
    key.write_text("a" * 64 + "\n")
    other.write_text("b" * 64 + "\n")
    args = ["--game", write_json(tmp_path / "game.json", GAME), "--db", db, "--insecure-dev"]
    async with serve(*args, "--key-file", key, log=tmp_path / "log") as server:
        assert await server.stop() == 0
    assert b"a" * 64 not in await anyio.Path(file).read_bytes()
    for wrong, message in [([], "give --key-file"), (["--key-file", other], "the right --key-file")]:
        ended = await anyio.to_thread.run_sync(lambda wrong=wrong: run("serve", "--port", "0", *args, *wrong))
        assert message in fault(ended)
    async with serve(*args, "--key-file", key, log=tmp_path / "log") as server:
        assert await server.stop() == 0


def test_r56_a_server_does_not_start_on_a_database_that_was_altered(
    window: str, db: str, file: Path, tmp_path: Path
) -> None:
    game = write_json(tmp_path / "game.json", GAME)
    spoil(
        file,
        "UPDATE checkpoints SET data = CAST(substr(data, 1, length(data) - 1) || x'7f' AS BLOB)"
        " WHERE part = 0 AND actor_no = (SELECT no FROM actors WHERE id = 'calendar')",
    )
    before = file.read_bytes()
    line = fault(run("serve", "--port", "0", "--game", game, "--db", db, "--insecure-dev"))
    assert "the journal of calendar was altered: its checkpoint is not the one that was written" in line
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM journal").fetchone() == (0,)
    assert len(before) == len(file.read_bytes())


# -- over a socket


@pytest.mark.anyio
async def test_r57_events_explain(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        for at, name in enumerate(LAPS):
            server.clock.move_to(NOON + 1_000 * at)
            attempt = (await operator.ok("events.start", eventKey="race", playerId=name))["attempt"]
            write = {"playerId": name, "attemptId": attempt["attemptId"], "metricValue": LAPS[name], "seq": 1}
            await operator.ok("events.progress", **write)
        asked = {"windowId": attempt["windowId"], "playerId": "bob"}
        made = await operator.ok("events.explain", **asked)
        assert_shape(made, explained_shapes.Explained)
        assert made["above"]["text"] == "same score: they reached it 1 s earlier"
        assert (made["playerId"], made["self"]["rank"], made["historyCount"]) == ("bob", 2, 2)
        early = await operator.ok("events.explain", **{**asked, "playerId": "ann"}, at="2026-06-02T12:00:00.000Z")
        assert (early["total"], early["below"]["rule"]) == (2, "score")
        for wrong, code in [({"playerId": "eve"}, "not_found"), ({"windowId": "wnone"}, "not_found")]:
            assert (await operator.error("events.explain", **{**asked, **wrong}))["code"] == code
        await operator.error("events.explain", windowId=attempt["windowId"])
        async with server.peer("ann") as ann:
            assert (await ann.error("events.explain", **asked))["code"] == "forbidden"
