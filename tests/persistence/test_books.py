"""What auditors read, in every kind of store: the books of all players, and what a window has granted, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from postgres_server import Database
from store_contract import a_grant, gold, new_player, pay, put, swords

from kraty_persistence import AttemptRow, AuditEntry, Charge, GrantRow, MemoryStore, Store, Unit
from kraty_persistence.sql import open_sql_store

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    database: Database | None = request.getfixturevalue("database") if request.param == "postgresql" else None
    async with open_sql_store(f"sqlite:///{tmp_path}/game.db" if database is None else database.url) as store:
        yield store


async def test_the_books_of_all_players_come_a_few_players_at_a_time(store: Store):
    """R-40: everything about each player once, the ledger in the order in which it was written."""
    ada, bob, eve = [await new_player(store, name) for name in ("ada", "bob", "eve")]
    await put(
        store,
        Unit(
            "a",
            1,
            b"1",
            (
                AttemptRow(ada, "w1.1.1", "race", 20),
                AttemptRow(ada, "w1.1.0", "race", 10),
                AttemptRow(eve, "w1.1.2", "race", 10),
                a_grant(ada, id="g2", deliver=(gold(5), swords(1))),
                a_grant(ada, id="g1"),
                a_grant(eve, id="g3"),
                Charge(ada, "entry:w1", (gold(-2),), "entry_cost", "w1", 30),
            ),
        ),
    )
    await pay(store, bob, gold(7))
    first = await store.books(0, 2)
    assert first is not None
    assert first.last == bob
    assert [(row.player, row.id) for row in first.grants] == [(ada, "g1"), (ada, "g2")]
    assert [(row.player, row.key, row.part, row.delta, row.balance) for row in first.ledger] == [
        (ada, "grant:g2", 0, 5, 5),
        (ada, "grant:g2", 1, 1, 1),
        (ada, "entry:w1", 0, -2, 3),
        (bob, "adjust:k1", 0, 7, 7),
    ]
    assert [row.attempt_id for row in first.attempts] == ["w1.1.0", "w1.1.1"]
    rest = await store.books(first.last, 2)
    assert rest is not None
    assert (rest.last, [row.id for row in rest.grants], rest.ledger) == (eve, ["g3"], ())
    assert [row.attempt_id for row in rest.attempts] == ["w1.1.2"]
    assert await store.books(rest.last, 2) is None


async def test_the_grants_of_a_source_come_page_by_page(store: Store):
    """R-45: those of a window itself apart from those of its attempts; and what came out of them."""
    ada = await new_player(store)
    of_window = [a_grant(ada, id=f"g{n}", created_at=1_000 - (n == 4)) for n in range(5)]
    of_attempts = [a_grant(ada, id=f"h{n}", source_ref=f"w1.1.{n // 2}") for n in range(4)]
    others = [a_grant(ada, id="x1", source_ref="w10"), a_grant(ada, id="x2", source_ref=None)]
    crates = [a_grant(ada, id=f"c{n}", parent="g1", source_ref="w1") for n in (2, 1)]
    await put(store, Unit("a", 1, b"1", (*reversed(of_window), *of_attempts, *others, *crates)))

    async def pages(source: str, *, within: bool) -> list[list[str]]:
        found: list[list[str]] = []
        last: GrantRow | None = None
        while page := await store.grants_from(source, within=within, after=last, limit=3):
            found.append([row.id for row in page])
            last = page[-1]
        return found

    assert await pages("w1", within=False) == [["g4", "c1", "c2"], ["g0", "g1", "g2"], ["g3"]]
    assert await pages("w1", within=True) == [["h0", "h1", "h2"], ["h3"]]
    assert await pages("w1.1", within=True) == [["h0", "h1", "h2"], ["h3"]]
    assert await pages("w1.1.1", within=False) == [["h2", "h3"]]
    assert await pages("w2", within=False) == await pages("w2", within=True) == []
    assert [row.id for row in await store.grants_under(["g1", "g2"])] == ["c1", "c2"]
    assert await store.grants_under([]) == []


async def test_a_fact_of_the_game_comes_with_who_put_it_there(store: Store):
    await store.set_meta("corrected:w1", "[1]", audited=AuditEntry(5, "op", "windows.correct", "w1", None, b"after"))
    await store.set_meta("corrected:w1", "[1,2]")
    assert await store.get_meta("corrected:w1") == "[1,2]"
    assert [(row.who, row.action, row.after) for row in await store.audit()] == [("op", "windows.correct", b"after")]
