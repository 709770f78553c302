"""The auditor finds nothing wrong in a game that dies anywhere, or that is being played while it looks (R-20, R-40)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from acting import StillClock
from whole_game import MortalStore

from kraty_actors.actors.auditing import Audit, Auditor
from kraty_actors.actors.copies import Copies
from kraty_actors.actors.engine import Engine
from kraty_actors.actors.loop import answer_to
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.ids import window_of
from kraty_persistence import Change, Store
from kraty_persistence.sql import open_sql_store

pytestmark = pytest.mark.anyio

PLAYERS = [f"p{n}" for n in range(8)]
CASH: dict[str, Any] = {"type": "currency", "currencyKey": "cash"}
GAME: dict[str, Any] = {
    "gameId": "arena",
    "settings": {"seed": 5, "grants": {"delivery": "auto"}},
    "currencies": [{"key": "cash"}],
    "events": [
        {
            "key": "race",
            "metrics": [{"key": "laps", "target": 1}],
            "attempt": {"replayableDuringWindow": True},
            "entryCost": {"currencies": [{"key": "cash", "amount": 1}], "chargePer": "attempt"},
            "milestoneRewards": [
                {"key": "one", "metricKey": "laps", "threshold": 1, "entries": [{**CASH, "amount": 2}]}
            ],
            "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 100, "currencyKey": "cash"}},
        },
        {"key": "free", "metrics": [{"key": "laps", "target": 1}]},
    ],
}


async def audited(store: Store) -> Audit:
    copies, _ = await Copies.of_database(store)
    return await Auditor(store, copies).audit()


async def race(engine: Engine, name: str, rounds: int) -> str:
    """So many paid attempts, one after the other; the window."""
    player = await engine.players.resolve(name)
    view: Any = None
    for _ in range(rounds):
        view = await engine.entrance.start(player, "race", {})
        assert isinstance(view, AttemptView)
        metrics: Any = {"laps": 1}
        await answer_to(partial(engine.write, player.number, view.attempt_id, metrics, "increment", None))
    return window_of(view.attempt_id)


async def pay(engine: Engine, name: str) -> None:
    player = await engine.players.resolve(name)
    change = Change("currency", "cash", 50)
    await engine.money.adjust(player, change, idempotency_key="first", reason="gift", source="test")


async def test_after_any_death_every_debit_has_its_attempt_and_every_paid_attempt_its_debit():
    """R-20: killed after any unit, before anybody comes back."""
    whole = MortalStore()
    await _live(whole, None)
    assert (await audited(whole)).fault_count == 0
    for lives in range(1, whole.stored):
        store = MortalStore()
        await _live(store, lives)
        found = await audited(store)
        assert found.faults == [], lives
    assert found.ledger_rows == 18  # 3 gifts, 6 entries, 6 milestones, 3 prizes


async def _live(store: MortalStore, lives: int | None) -> None:
    store.live(lives)

    async def die(life: anyio.CancelScope) -> None:
        await store.died.wait()
        life.cancel()

    with anyio.CancelScope() as life:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(die, life)
            async with Engine.opened(store, StillClock()) as engine:
                await engine.publishing.put_game(GAME, who="file", is_file=True)
                for name in PLAYERS[:3]:
                    await pay(engine, name)
                for name in PLAYERS[:3]:
                    window = await race(engine, name, 2)
                await engine.steering.finalize("race", window, who="op")
            life.cancel()


async def test_what_is_played_meanwhile_is_no_fault(tmp_path: Path):
    """Starts, writes and claims go on while the books are read, again and again, by another reader of the database."""
    url = f"sqlite:///{tmp_path}/game.db"
    audits: list[Audit] = []
    async with open_sql_store(url) as store, Engine.opened(store, StillClock()) as engine:
        await engine.publishing.put_game(GAME, who="file", is_file=True)
        for name in PLAYERS:
            await pay(engine, name)

        async def look(playing: anyio.CancelScope) -> None:
            async with open_sql_store(url, owner=False) as reader:
                while len(audits) < 12 or audits[-1].ledger_rows < 300:
                    audits.append(await audited(reader))
            playing.cancel()

        async def go_on(name: str) -> None:
            while True:
                await race(engine, name, 1)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look, tasks.cancel_scope)
            for name in PLAYERS:
                tasks.start_soon(go_on, name)
        last = await audited(store)
    assert [fault for one in audits for fault in one.faults] == []
    assert last.fault_count == 0
    assert last.ledger_rows >= audits[-1].ledger_rows > audits[0].ledger_rows


async def test_a_free_event_is_not_read(tmp_path: Path):
    """Only windows that cost something are looked at: the rest has nothing to do with money."""
    store = MortalStore()
    async with Engine.opened(store, StillClock()) as engine:
        await engine.publishing.put_game(GAME, who="file", is_file=True)
        await engine.entrance.start(await engine.players.resolve("p0"), "free", {})
    found = await audited(store)
    assert (found.players, found.windows, found.fault_count) == (1, 0, 0)
