"""Starts that are paid for, by one player, all at once (R-16, R-20, R-21)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from acting import SteppedStore, StillClock

from kraty_actors.actors.engine import Engine
from kraty_actors.actors.loop import answer_to
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Refusal
from kraty_persistence import Adjusted, Change, MemoryStore, PlayerRow, Store
from kraty_persistence.sql import open_sql_store

pytestmark = pytest.mark.anyio

AT_ONCE = 300
PRICE = 50


def paid_event(key: str, charge_per: str = "window", **fields: Any) -> dict[str, Any]:
    return {
        "key": key,
        "attempt": {"replayableDuringWindow": True},
        "metrics": [{"key": "kills", "target": 3}],
        "entryCost": {"currencies": [{"key": "cash", "amount": PRICE}], "chargePer": charge_per},
        **fields,
    }


GAME: dict[str, Any] = {
    "gameId": "arena",
    "settings": {"seed": 5},
    "currencies": [{"key": "cash"}],
    "events": [
        {
            "key": "errand",
            "metrics": [{"key": "parcels"}],
            "milestoneRewards": [
                {
                    "key": "one",
                    "metricKey": "parcels",
                    "threshold": 1,
                    "entries": [{"type": "currency", "currencyKey": "cash", "amount": PRICE}],
                }
            ],
        },
        paid_event("hunt"),
        paid_event("arena", "attempt"),
        paid_event("cup"),
        paid_event("duel", leaderboard={"mode": "lobby_matched", "capacity": 2, "fillStrategy": "wait_full"}),
    ],
}


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        async with open_sql_store(f"sqlite:///{tmp_path}/game.db") as opened:
            yield opened


@asynccontextmanager
async def playing(store: Store, cash: int) -> AsyncIterator[tuple[Engine, PlayerRow, PlayerRow]]:
    """Two players, with so much cash each."""
    async with Engine.opened(store, StillClock()) as engine:
        await engine.publishing.put_game(GAME, who="file", is_file=True)
        rows = [await engine.players.resolve(name) for name in ("ann", "bob")]
        for row in rows:
            await adjust(engine, row, cash, "welcome")
        yield engine, *rows


async def adjust(engine: Engine, player: PlayerRow, cash: int, key: str) -> Adjusted | Refusal:
    change = Change("currency", "cash", cash)
    return await engine.money.adjust(player, change, idempotency_key=key, reason="test", source="test")


async def start_all(engine: Engine, player: PlayerRow, events: list[str]) -> list[Any]:
    """One start of each, all under way together."""
    found: list[Any] = []

    async def start(event: str) -> None:
        found.append(await engine.entrance.start(player, event, {}))

    async with anyio.create_task_group() as tasks:
        for event in events:
            tasks.start_soon(start, event)
    return found


async def entries(store: Store, player: PlayerRow) -> list[str]:
    return sorted(row.key for row in await store.ledger(player.number, limit=1_000) if row.reason == "entry_cost")


@pytest.mark.parametrize("event", ["hunt", "arena"])
async def test_r16_r21_hundreds_of_starts_are_one_attempt_and_one_charge(store: Store, event: str):
    async with playing(store, 10 * PRICE) as (engine, ann, _):
        found = await start_all(engine, ann, [event] * AT_ONCE)
        assert all(isinstance(one, AttemptView) for one in found)
        (attempt,) = {one.attempt_id for one in found}
        assert await entries(store, ann) == [f"entry:{attempt.partition('.')[0]}"]
        assert await store.balances(ann.number) == {"cash": 9 * PRICE}
        assert [row.attempt_id for row in await store.attempts(ann.number)] == [attempt]
        assert await store.ledger_faults() == []


async def test_r20_money_for_one_of_two_events_lets_into_one(store: Store):
    async with playing(store, PRICE) as (engine, ann, _):
        found = await start_all(engine, ann, ["hunt", "cup"] * (AT_ONCE // 2))
        started = [one for one in found if isinstance(one, AttemptView)]
        refused = [one for one in found if isinstance(one, Refusal)]
        assert len(started) == len(refused) == AT_ONCE // 2
        assert len({one.attempt_id for one in started}) == len(await entries(store, ann)) == 1
        assert {one.code for one in refused} == {"insufficient_entry_cost"}
        assert refused[0].details == {"resource": "cash", "needed": PRICE, "have": 0}
        assert await store.balances(ann.number) == {}


async def test_r20_debits_and_starts_share_what_there_is(store: Store):
    """As many get something as there is money for, whoever they are."""
    counted: Counter[bool] = Counter()
    async with playing(store, 3 * PRICE) as (engine, ann, _):

        async def debit(number: int) -> None:
            counted[isinstance(await adjust(engine, ann, -PRICE, f"debit-{number}"), Adjusted)] += 1

        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(debit, number)
            tasks.start_soon(start_all, engine, ann, ["hunt", "cup", "arena"] * 20)
        assert counted[True] + len(await entries(store, ann)) == 3
        assert await store.balances(ann.number) == {}
        assert await store.ledger_faults() == []


async def test_r31_a_seat_is_paid_when_the_lobby_starts_and_once(store: Store):
    async with playing(store, 2 * PRICE) as (engine, ann, bob):
        waiting = await start_all(engine, ann, ["duel"] * AT_ONCE)
        assert all(isinstance(one, LobbyView) for one in waiting)
        assert await entries(store, ann) == []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(start_all, engine, bob, ["duel"] * AT_ONCE)
            tasks.start_soon(start_all, engine, ann, ["duel"] * AT_ONCE)
        for player in (ann, bob):
            with anyio.fail_after(5):  # who was answered before the lobby was full is seated, and paid, after that
                while not await store.attempts(player.number):
                    pass
            assert len(await entries(store, player)) == len(await store.attempts(player.number)) == 1
            assert await store.balances(player.number) == {"cash": PRICE}


async def test_r31_who_cannot_pay_any_more_when_the_lobby_starts_loses_the_seat_and_nobody_else_does(store: Store):
    async with playing(store, PRICE) as (engine, ann, bob):
        (lobby,) = await start_all(engine, ann, ["duel"])
        assert isinstance(await adjust(engine, ann, -1, "spent"), Adjusted)
        (attempt,) = await start_all(engine, bob, ["duel"])
        assert isinstance(attempt, AttemptView)
        with anyio.fail_after(5):
            while not isinstance(found := await engine.lobbies.get(bob.number, lobby.lobby_id), LobbyView) or (
                found.players != {bob.number}
            ):
                pass
        assert await entries(store, ann) == []
        assert await store.balances(ann.number) == {"cash": PRICE - 1}
        (refused,) = await start_all(engine, ann, ["duel"])
        assert refused.details == {"resource": "cash", "needed": PRICE, "have": PRICE - 1}


async def test_r51_what_is_void_is_taken_back_once_a_start_that_is_being_stored_is_paid():
    """Else the charge could not be paid, and the window would send everybody away for a while."""
    store = SteppedStore()
    store.at_once = True
    async with playing(store, PRICE) as (engine, ann, _):
        (errand,) = await start_all(engine, ann, ["errand"])
        metrics: Any = {"parcels": 1}
        await answer_to(partial(engine.write, ann.number, errand.attempt_id, metrics, "increment", 1))
        (grant,), _ = await engine.money.grants(ann.number)
        await engine.money.claim(ann.number, grant.id)
        assert isinstance(await adjust(engine, ann, -PRICE, "spent"), Adjusted)
        store.at_once = False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(start_all, engine, ann, ["hunt"])
            await turns()
            (window,) = {unit.actor for unit, _ in store.waiting}
            tasks.start_soon(partial(engine.steering.void, errand.attempt_id, "cheat", who="ops"))
            await turns()
            store.step(of=next(unit.actor for unit, _ in store.waiting if unit.actor != window))
            await turns()
            store.commit_from_now_on()
        assert len(await entries(store, ann)) == len(await store.attempts(ann.number)) - 1 == 1
        assert await store.balances(ann.number) == {}
        assert await store.ledger_faults() == []


async def turns() -> None:
    """Long enough for everybody to come to wait for the store."""
    for _ in range(40):
        await anyio.lowlevel.checkpoint()
