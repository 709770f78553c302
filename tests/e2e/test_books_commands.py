"""`audit`, `windows close-report` and `correct`: lines in a pipe, a table on a terminal, JSON, and no traceback."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from postgres_server import Database
from processes import Ended, run, run_here
from raw_peer import Map
from servers import NOON, WINDOW_ENDS, Server, game_of, serving
from terminal import on_a_terminal

from kraty_actors.testing import ManualClock

CASH: Map = {"type": "currency", "currencyKey": "cash"}
RACE: Map = {
    "key": "race",
    "availability": {"mode": "fixed", "startsAt": "2026-06-02T00:00:00Z", "endsAt": "2026-06-03T00:00:00Z"},
    "metrics": [{"key": "laps", "target": 3}],
    "entryCost": {"currencies": [{"key": "cash", "amount": 10}]},
    "milestoneRewards": [{"key": "one", "metricKey": "laps", "threshold": 1, "entries": [{**CASH, "amount": 2}]}],
    "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 100, "currencyKey": "cash"}},
}
GAME = game_of(RACE)
LAPS = {"ann": 5, "bob": 3, "cat": 1}
"""Ann and Bob win; all three come past the milestone."""


async def play(url: str) -> str:
    async with serving(GAME, store=url, clock=ManualClock(NOON)) as server:
        return await play_on(server, LAPS)


async def play_on(server: Server, laps: Mapping[str, int]) -> str:
    """The race to its end; Ann and Bob have claimed what they won, and Ann has spent most of it. The window's id."""
    window = ""
    async with server.peer(role="operator") as operator:
        for name in laps:
            credit = {"playerId": name, "key": "cash", "amount": 10, "reason": "r", "idempotencyKey": "first"}
            await operator.ok("wallet.credit", **credit)
            attempt = (await operator.ok("events.start", eventKey="race", playerId=name))["attempt"]
            window = attempt["windowId"]
            await operator.ok(
                "events.progress", playerId=name, attemptId=attempt["attemptId"], metricValue=laps[name], seq=1
            )
        server.clock.move_to(WINDOW_ENDS)
        await operator.ok("events.finalize", eventKey="race", windowId=window)
        for name in ("ann", "bob"):
            for grant in (await operator.ok("grants.list", playerId=name))["grants"]:
                await operator.ok("grants.claim", playerId=name, grantId=grant["id"])
        debit = {"playerId": "ann", "key": "cash", "amount": 45, "reason": "shop", "idempotencyKey": "spent"}
        await operator.ok("wallet.debit", **debit)
    return window


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "game.db"


@pytest.fixture
def db(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The database of a game that was played and stopped, and its window."""
    file = tmp_path_factory.mktemp("played") / "game.db"
    return file, anyio.run(play, f"sqlite:///{file}")


@pytest.fixture
def window(played: tuple[Path, str], file: Path) -> str:
    """The window, with a copy of its database in `file`."""
    shutil.copyfile(played[0], file)
    return played[1]


def spoil(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0


def lines(ended: Ended) -> list[str]:
    assert ended.reasons == []
    return ended.out.splitlines()


# -- audit


def test_an_audit_of_books_that_balance_r40(window: str, db: str) -> None:
    ended = run("audit", "--db", db)
    assert ended.code == 0
    assert lines(ended) == [
        "players: 3",
        "grants: 5",
        "ledger rows: 11",
        "windows that cost something: 1",
        "currency cash: balances 59, ledger 59",
        "faults: 0",
    ]


def test_an_audit_as_json(window: str, db: str) -> None:
    made = json.loads(run_here("audit", "--db", db, "--json").out)
    assert made == {
        "balanced": True,
        "players": 3,
        "grants": 5,
        "ledgerRows": 11,
        "paidWindows": 1,
        "totals": [{"kind": "currency", "key": "cash", "balances": 59, "ledger": 59}],
        "faultCount": 0,
        "faults": [],
    }


BROKEN: dict[str, tuple[str, str]] = {
    "a balance without its ledger": (
        "UPDATE balances SET balance = balance + 1 WHERE player = 1",
        "fault: player ann: cash: the ledger comes to 7, the balance is 8",
    ),
    "a credit without its claim": (
        "UPDATE grants SET claimed_at = NULL WHERE player = 2 AND source_kind = 'event_milestone'",
        "is not claimed: nothing is due in the ledger, 2 cash is there",
    ),
    "a claim without its credit": (
        "UPDATE grants SET claimed_at = 5 WHERE player = 3 AND source_kind = 'event_milestone'",
        "is claimed: 2 cash is due in the ledger, nothing is there",
    ),
    "a credit without a grant": (
        "DELETE FROM grants WHERE player = 2 AND source_kind = 'event_window'",
        "and there is no such grant",
    ),
    "a paid attempt without its debit": (
        "UPDATE ledger SET key = 'lost' WHERE player = 3 AND key LIKE 'entry:%'",
        "fault: player cat: 1 paid starts in window {window}, and 0 charges for them",
    ),
    "a debit for a start that never was": (
        "INSERT INTO ledger (player, key, part, kind, resource, delta, balance, reason, source, at) "
        "SELECT player, key || ':2', 0, kind, resource, 0, balance, reason, source, at FROM ledger "
        "WHERE player = 3 AND key LIKE 'entry:%'",
        "fault: player cat: 2 charges for window {window}, and 1 paid starts for them",
    ),
    "a paid start without an attempt": (
        "DELETE FROM attempts WHERE player = 3",
        "fault: player cat: 1 paid starts in window {window}, and 0 attempts for them",
    ),
    "a charge of a window that there is not": (
        "UPDATE ledger SET key = 'entry:waaaaaaaaaaaaaaaa' WHERE player = 3 AND key LIKE 'entry:%'",
        "fault: player cat: 1 charges for window waaaaaaaaaaaaaaaa, which there is not",
    ),
    "a refund of nothing": (
        "UPDATE ledger SET key = 'refund:entry:waaaaaaaaaaaaaaaa' WHERE player = 3 AND key LIKE 'adjust:%'",
        "fault: player cat: refund:entry:waaaaaaaaaaaaaaaa gives back [10], of [] that was paid",
    ),
    "a row that says another balance": (
        "UPDATE ledger SET balance = 11 WHERE player = 3 AND key LIKE 'adjust:%'",
        "fault: player cat: cash: the ledger says 11 after adjust:first, its rows come to 10",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_every_fault_is_found_and_told(what: str, window: str, db: str, file: Path) -> None:
    """R-20, R-40, R-45: exit 1, and a line that says whose it is."""
    statement, told = BROKEN[what]
    spoil(file, statement)
    ended = run_here("audit", "--db", db)
    assert ended.code == 1
    faults = [line for line in lines(ended) if line.startswith("fault: ")]
    assert any(told.format(window=window) in line for line in faults), faults
    made = json.loads(run_here("audit", "--db", db, "--json").out)
    assert (made["balanced"], made["faultCount"]) == (False, len(faults))


def test_an_audit_on_a_terminal(window: str, db: str) -> None:
    shown = on_a_terminal("audit", "--db", db)
    assert "currency cash" in shown
    assert "─" in shown or "━" in shown


@pytest.mark.anyio
async def test_an_audit_of_a_game_that_is_being_served(file: Path, db: str) -> None:
    """It only reads: the server goes on, and finds nobody in its place."""
    async with serving(GAME, store=db) as server, server.peer(role="operator") as operator:
        await play_on(server, LAPS)
        ended = await anyio.to_thread.run_sync(run, "audit", "--db", db)
        assert (ended.code, ended.reasons) == (0, [])
        await operator.ok("wallet.credit", playerId="cat", key="cash", amount=1, reason="r", idempotencyKey="later")


# -- the report of a window


def test_a_close_report_r27(window: str, db: str) -> None:
    ended = run_here("windows", "close-report", window, "--db", db)
    assert ended.code == 0
    assert lines(ended) == [
        "event: race",
        "state: finalized",
        "participants: 3",
        "winners: 2",
        "grants: 5",
        "taken back: 0",
        "paid at its end: 100 cash",
        "granted in all: 106 cash",
        "remainder: 0",
        "orphans: 0",
    ]
    made = json.loads(run_here("windows", "close-report", window, "--db", db, "--json").out)
    assert made["paid"] == [{"currencyKey": "cash", "amount": 100}]
    assert (made["grants"], made["winners"], made["orphans"], made["mismatches"]) == (5, 2, 0, [])


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM grants WHERE player = 2 AND source_kind = 'event_window'", "missing: player bob: grant "),
        ("DELETE FROM grants WHERE player = 3 AND source_kind = 'event_milestone'", "earned 1 and has 0"),
        (
            "INSERT INTO grants SELECT 'gstranger', 3, kind, contents, source_kind, source_ref, parent, created_at, "
            "expires_at, claimed_at, withdrawn_at, lapse_reported FROM grants WHERE player = 2 "
            "AND source_kind = 'event_window'",
            "orphan: player cat: grant gstranger: it is not due to them",
        ),
        (
            "INSERT INTO grants SELECT 'gstranger', 3, kind, contents, source_kind, source_ref, parent, created_at, "
            "expires_at, claimed_at, withdrawn_at, lapse_reported FROM grants WHERE player = 3",
            "orphan: player cat: grant gstranger: nothing of ",
        ),
    ],
)
def test_what_nothing_accounts_for_is_an_orphan(statement: str, told: str, window: str, db: str, file: Path) -> None:
    spoil(file, statement)
    ended = run_here("windows", "close-report", window, "--db", db)
    assert ended.code == 1
    assert "orphans: 1" in lines(ended)
    assert told in ended.out


# -- corrections


def test_a_correction_on_the_database(window: str, db: str, file: Path) -> None:
    """First the plan, which changes nothing; then it is done; then there is nothing to do."""
    before = file.read_bytes()
    planned = run_here("correct", window, "--without", "ann", "--db", db)
    assert lines(planned) == [
        "ann: rank 1 -> -; gives back 7 cash; owes 45 cash",
        "bob: rank 2 -> 1; gets 50 cash",
        "cat: rank 3 -> 2",
        "players: 2, and 2 who stand higher",
        "granted: 50 cash",
        "taken: 7 cash",
        "owed: 45 cash",
        "applied: no; with --apply it is done",
    ]
    assert file.read_bytes() == before
    done = run("correct", window, "--without", "ann", "--db", db, "--apply", "--json")
    assert done.code == 0
    assert done.reasons == ["note: with --db no server may run on the database meanwhile: one that does is stopped"]
    made = json.loads(done.out)
    assert (made["applied"], made["owed"]) == (True, [{**CASH, "amount": 45}])
    again = run_here("correct", window, "--without", "ann", "--db", db)
    assert lines(again)[0] == "players: 0, and 0 who stand higher"
    assert lines(again)[-1] == "applied: there is nothing to do"
    assert run_here("audit", "--db", db).code == 0
    report = run_here("windows", "close-report", window, "--db", db)
    assert report.code == 0
    assert {"left out: ann", "taken back: 2", "winners: 1", "paid at its end: 100 cash"} <= set(lines(report))


def test_a_plan_on_a_terminal(window: str, db: str) -> None:
    shown = on_a_terminal("correct", window, "--without", "ann", "--db", db)
    for part in ("gives back", "1 -> -", "50 cash", "owed: 45 cash"):
        assert part in shown, shown


@pytest.mark.anyio
async def test_a_correction_through_a_server(db: str) -> None:
    async with serving(GAME, store=db) as server:
        window = await play_on(server, LAPS)
        asked = ["correct", window, "--without", "ann", "--without", "ann", "--url", server.url]
        planned = await anyio.to_thread.run_sync(run, *asked)
        assert (planned.reasons, planned.out.splitlines()[-1]) == ([], "applied: no; with --apply it is done")
        done = await anyio.to_thread.run_sync(run, *asked, "--apply")
        assert (done.code, done.out.splitlines()[-1]) == (0, "applied: yes")
        refused = await anyio.to_thread.run_sync(run, "correct", window, "--without", "zoe", "--url", server.url)
        assert (refused.code, refused.reasons) == (2, [f"error: {window}: no player 'zoe'"])


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["audit", "--db", "sqlite:///nowhere.db"], "there is no such file"),
        (["audit", "--db", "nonsense"], "the store's URL is not one"),
        (["windows", "close-report", "w1", "--db", "{db}"], "no such window"),
        (["correct", "w1", "--without", "ann", "--db", "{db}"], "no such window"),
        (["correct", "{window}", "--without", "zoe", "--db", "{db}"], "no player 'zoe'"),
        (["correct", "{window}", "--without", "ann"], "give --url WS, for a running server, or --db URL"),
        (["correct", "{window}", "--without", "ann", "--db", "{db}", "--url", "ws://x"], "give --url WS"),
        (["correct", "{window}", "--without", "ann", "--db", "{db}", "--token", "t"], "--token goes with --url"),
        (["correct", "{window}", "--without", "ann", "--url", "ws://127.0.0.1:1/v1/socket"], "ws://127.0.0.1:1"),
        (["correct", "{window}", "--without", "ann", "--db", "sqlite:///nowhere.db", "--apply"], "no such file"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(args: list[str], reason: str, window: str, db: str) -> None:
    ended = run_here(*(arg.format(db=db, window=window) for arg in args))
    assert ended.code == 2
    assert any(reason in line for line in ended.reasons), ended.err


@pytest.mark.anyio
async def test_the_same_on_postgresql(schema: Database) -> None:
    window = await play(schema.url)

    async def told(*args: str) -> list[str]:
        ended = await anyio.to_thread.run_sync(partial(run_here, *args, "--db", schema.url))
        assert ended.code == 0, ended
        return ended.out.splitlines()

    assert (await told("audit"))[-1] == "faults: 0"
    assert {"winners: 2", "paid at its end: 100 cash"} <= {*await told("windows", "close-report", window)}
    assert (await told("correct", window, "--without", "ann"))[1] == "bob: rank 2 -> 1; gets 50 cash"
    await told("correct", window, "--without", "ann", "--apply")
    assert (await told("correct", window, "--without", "ann"))[-1] == "applied: there is nothing to do"
    assert (await told("audit"))[-1] == "faults: 0"
    assert {"left out: ann", "taken back: 2"} <= {*await told("windows", "close-report", window)}
