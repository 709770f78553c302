"""No question about one player reads more than that player's rows: every statement finds its rows by an index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from outbox_contract import a_delivery, an_anomaly
from store_contract import a_grant, gold, pay, put, swords

from kraty_persistence import AttemptRow, AuditEntry, Ban, Charge, Completion, LeagueMove, Refund, Unit
from kraty_persistence.sql import SqlStore, open_sql_store

pytestmark = pytest.mark.anyio

Question = Callable[[SqlStore], Awaitable[object]]

EFFECTS = (
    a_grant(1, id="g2"),
    a_grant(1, id="g3", deliver=(gold(9), swords(1))),
    Charge(1, "entry:w1", (gold(-1), swords(-1)), "entry", "w1", 1),
    Refund(1, "entry:w1", "w1", 1),
    an_anomaly(1),
    Ban(1, True),
    a_delivery("d1"),
    Completion(1, "race", "w2"),
    LeagueMove(1, "race", "gold"),
    AuditEntry(1, "op", "events.put", "race"),
    AttemptRow(1, "w1.1.0", "race", 1),
)

QUESTIONS: dict[str, Question] = {
    "resolve": lambda store: store.resolve("bob", lambda: "public-bob"),
    "put_player": lambda store: store.put_player(1, attributes=b"{}", name="Ada"),
    "players": lambda store: store.players([1, 2, 3]),
    "find_player": lambda store: store.find_player("ada"),
    "find_participant": lambda store: store.find_participant("public-ada"),
    "completed": lambda store: store.completed(1, "race"),
    "completed in a window": lambda store: store.completed(1, "race", "w1"),
    "league": lambda store: store.league(1, "race"),
    "dossier": lambda store: store.dossier(1),
    "grant": lambda store: store.grant("g1", 1),
    "grants": lambda store: store.grants(1, now=5),
    "grants of a status": lambda store: store.grants(1, now=5, status="pending"),
    "grants after": lambda store: store.grants(1, now=5, after="g1"),
    "claim": lambda store: store.claim("g1", 1, 5, [gold(1), swords(1)]),
    "adjust": lambda store: pay(store, 1, gold(1), swords(1)),
    "create_grants": lambda store: store.create_grants([a_grant(1, id="g2"), a_grant(1, id="g3", parent="g2")]),
    "create_grants again": lambda store: store.create_grants([a_grant(1)]),
    "window_grants": lambda store: store.window_grants("w1"),
    "grants_from": lambda store: store.grants_from("w1"),
    "grants_from within": lambda store: store.grants_from("w1", within=True),
    "grants_under": lambda store: store.grants_under(["g1"]),
    "expire_grants": lambda store: store.expire_grants(5, 100),
    "withdraw": lambda store: store.withdraw(["g0", "g1"], key="k", reason="r", source="s", now=5),
    "due": lambda store: store.due("hook", 100, 10),
    "endpoints_due": lambda store: store.endpoints_due(),
    "delivered": lambda store: store.delivered(["d0", "d1"]),
    "failed": lambda store: store.failed("d0", attempts=1, next_at=None, error="", body=b""),
    "dead": lambda store: store.dead(),
    "dead after": lambda store: store.dead(after="d9"),
    "replay": lambda store: store.replay(["d0", "d9"], 5),
    "replay of all": lambda store: store.replay(None, 5),
    "anomalies": lambda store: store.anomalies(),
    "anomalies after": lambda store: store.anomalies(after="a0"),
    "anomalies of a player": lambda store: store.anomalies(player=1, after="a0"),
    "anomalies of an event": lambda store: store.anomalies(event_key="race", after="a0"),
    "anomalies of both": lambda store: store.anomalies(player=1, event_key="race"),
    "banned_players": lambda store: store.banned_players(),
    "balances": lambda store: store.balances(1),
    "inventory": lambda store: store.inventory(1),
    "ledger": lambda store: store.ledger(1),
    "attempts": lambda store: store.attempts(1),
    "audit": lambda store: store.audit(before=5),
    "load": lambda store: store.load("a"),
    "history_page": lambda store: store.history_page("a"),
    "checkpoint": lambda store: store.checkpoint("a"),
    "submit": lambda store: put(store, Unit("b", 1, b"1", EFFECTS, (b"state",)), Unit("a", 1, checkpoint=(b"s",))),
}

IN_ORDER = "(anomalies|outbox|players) USING (COVERING )?INDEX (anomalies_newest_first|outbox_dead|players_banned)"
FOUND_OR_GIVEN = re.compile(f"SCAN (found|given VIRTUAL TABLE INDEX 1:|([0-9]+ )?CONSTANT ROWS?|{IN_ORDER})")
"""Rows that an index has just found, a list, what is to be inserted, and an index that is read as far as is asked."""


@pytest.fixture
def traced() -> Iterator[list[str]]:
    """Every statement that any connection runs, with its values filled in."""
    statements: list[str] = []

    def trace(connection: sqlite3.Connection, _: object) -> None:
        connection.set_trace_callback(statements.append)

    sa.event.listen(sa.pool.Pool, "connect", trace)
    yield statements
    sa.event.remove(sa.pool.Pool, "connect", trace)


def plan(file: Path, statement: str) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_rows_are_found_by_an_index(question: str, tmp_path: Path, traced: list[str]):
    """R-19, R-55: nothing grows with the number of players, and nothing is sorted."""
    file = tmp_path / "game.db"
    async with open_sql_store(f"sqlite:///{file}") as store:
        await store.resolve("ada", lambda: "public-ada")
        before = (a_grant(1), an_anomaly(0), a_delivery("d0"), a_delivery("d9"))
        await put(store, Unit("a", 1, b"1", before))
        if question == "withdraw":
            await store.claim("g1", 1, 4, [gold(2), swords(2)])
        await store.failed("d9", attempts=1, next_at=None, error="")
        traced.clear()
        await QUESTIONS[question](store)
        asked = [text for text in traced if text.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]
        assert asked
        steps = [step for text in asked for step in plan(file, text)]
    assert not [step for step in steps if "TEMP B-TREE" in step]
    assert not [step for step in steps if step.startswith("SCAN") and not FOUND_OR_GIVEN.fullmatch(step)]
