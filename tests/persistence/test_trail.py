"""What operators look back at, in every kind of store: attempts that are found, and who did what they see done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from postgres_server import Database
from store_contract import a_grant, new_player, put

from kraty_persistence import AttemptRow, AuditEntry, Delivery, IdempotencyConflict, MemoryStore, Store, Unit
from kraty_persistence.sql import open_sql_store

pytestmark = pytest.mark.anyio

DID_IT = AuditEntry(5, "op", "did", "it", None, b"after")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    database: Database | None = request.getfixturevalue("database") if request.param == "postgresql" else None
    async with open_sql_store(f"sqlite:///{tmp_path}/game.db" if database is None else database.url) as store:
        yield store


async def test_a_players_last_attempts_are_found_newest_first(store: Store):
    """R-51."""
    ada, bob = await new_player(store), await new_player(store, "bob")
    rows = [AttemptRow(ada, f"w1.1.{n}", "race", 100 + n // 2) for n in range(7)]
    await put(store, Unit("a", 1, b"1", (*rows, AttemptRow(bob, "w1.1.7", "race", 200))))
    await put(store, Unit("a", 2, b"2", (rows[0],)))  # once, however often it is told
    assert await store.attempts(ada) == rows[::-1]
    assert await store.attempts(ada, limit=3) == rows[:3:-1]
    assert await store.attempts(999) == []


async def test_a_gift_is_stored_together_with_who_gave_it_and_a_repeat_leaves_nothing(store: Store):
    player = await new_player(store)
    for is_new in (True, False):
        assert (await store.create_grants([a_grant(player)], audited=DID_IT))[1] == is_new
    with pytest.raises(IdempotencyConflict):
        await store.create_grants([a_grant(player, contents=b"more")], audited=DID_IT)
    assert [(row.action, row.after) for row in await store.audit()] == [("did", b"after")]
    await store.create_grants([a_grant(player, id="g2")])
    assert len(await store.audit()) == 1


async def test_a_replay_is_stored_together_with_who_did_it_if_it_did_anything(store: Store):
    """R-53."""
    names = ["d1", "d2", "d3"]
    await put(store, Unit("a", 1, b"1", tuple(Delivery(name, "hook", "x", 1, b"") for name in names)))
    for again, ids in enumerate([["d1", "d2"], None]):
        assert await store.replay(ids, 9, audited=DID_IT) == 0
        assert len(await store.audit()) == again
        for name in names:
            await store.failed(name, attempts=1, next_at=None, error="no")
        assert await store.replay(ids, 9, audited=DID_IT) == len(ids or names)
        assert len(await store.audit()) == again + 1
        await store.replay(None, 9)
