"""Any history of units means the same to every store, however it is cut into groups, and after a reopening."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import Place

from kraty_persistence import (
    AnomalyRow,
    Ban,
    Change,
    Charge,
    Completion,
    Delivery,
    Effect,
    LeagueMove,
    LedgerRow,
    MemoryStore,
    NewGrant,
    Occurred,
    Refund,
    Store,
    StoreError,
    Unit,
)
from kraty_persistence.sql import open_sql_store

pytestmark = pytest.mark.anyio

ACTORS = "abc"
PLAYERS = 2


@dataclass(frozen=True)
class Step:
    """One unit, with its number told as the distance from the right one."""

    actor: str
    shift: int
    record: bytes | None
    checkpoint: tuple[bytes, ...] | None
    effects: tuple[Effect, ...]
    finished: bool
    pause: bool


@dataclass(frozen=True)
class Pay:
    """One adjustment, or with a key that begins with g the claim of that grant."""

    player: int
    key: str
    changes: tuple[Change, ...]


Call: TypeAlias = Callable[[Store], Awaitable[object]]
"""One question or command."""


def mostly(value: int, *others: int) -> st.SearchStrategy[int]:
    return st.sampled_from([value] * 12 + list(others))


GOLD, BOW = Change("currency", "x", 3), Change("item", "y", 1)


def grant(n: int, player: int, created_at: int, **more: Any) -> NewGrant:
    plain = NewGrant(f"g{n}", player, "reward", b"", "api", None, None, created_at, None)
    return replace(plain, **more)


GRANTS = [
    grant(0, 1, 3, source_ref="w"),
    grant(1, 1, 5, deliver=(GOLD, BOW), source_ref="w.1"),
    grant(2, 2, 3, expires_at=5),
    grant(3, 2, 3, deliver=(Change("currency", "x", -3),), expires_at=4, parent="g0"),
    grant(4, PLAYERS + 1, 3),
]  # the last one is for nobody: its unit is refused
grants = mostly(*range(len(GRANTS))).map(GRANTS.__getitem__)
completions = st.builds(Completion, mostly(1, 2), st.sampled_from(["e", "f"]), st.sampled_from(["w", "x"]))
moves = st.builds(LeagueMove, mostly(1, 2), st.sampled_from(["e", "f"]), st.sampled_from(["gold", "silver"]))
changes = st.builds(
    Change, st.sampled_from(["currency", "item"]), st.sampled_from(["x", "y"]), st.sampled_from([-2, -1, 1, 3])
)
charges = st.builds(
    Charge, mostly(1, 2), st.sampled_from(["c0", "c1"]), st.lists(changes, max_size=2).map(tuple),
    st.just("entry"), st.just("w"), st.just(4),
)  # fmt: skip
refunds = st.builds(Refund, mostly(1, 2), st.sampled_from(["c0", "c1"]), st.just("w"), st.just(5))
bans = st.builds(Ban, mostly(1, 2), st.booleans())
anomalies = st.builds(
    lambda n, player, event_key: AnomalyRow(f"n{n}", player, event_key, "w", "w.1", "v", "flag", "flag", "", b"", 3),
    st.integers(0, 3),
    mostly(1, 2),
    st.sampled_from(["e", "f"]),
)
deliveries = st.sampled_from(["z", "hook"]).map(lambda name: Delivery(f"{name}/sent", name, "n", 2, b"body"))
others = bans | anomalies | deliveries
CALLS: list[Call] = [
    lambda store: store.withdraw(["g2", "g1", "g0", "g2"], key="k", reason="r", source="s", now=6),
    lambda store: store.withdraw(["g3", "c0"], key="k", reason="r", source="s", now=7),
    lambda store: store.expire_grants(4, 9),
    lambda store: store.expire_grants(5, 1),
    lambda store: store.create_grants([grant(0, 1, 9), grant(7, 1, 9, parent="g0")]),
    lambda store: store.create_grants([grant(8, 2, 9, deliver=(GOLD,)), grant(9, 1, 9, parent="g8")]),
    lambda store: store.claim("g0", 1, 4, [GOLD], [grant(5, 1, 4, parent="g0"), grant(6, 2, 4, deliver=(BOW,))]),
    lambda store: store.failed("hook/GrantCreated/g0", attempts=1, next_at=None, error="gone"),
    lambda store: store.failed("hook/sent", attempts=2, next_at=9, error="again", body=b"other"),
    lambda store: store.delivered(["hook/GrantCreated/g1", "z/sent"]),
    lambda store: store.replay(None, 8),
    lambda store: store.replay(["hook/GrantCreated/g0"], 8),
]
pays = st.builds(
    Pay,
    mostly(1, 2),
    st.sampled_from(["k0", "k1", "k2", "g0", "g2"]),
    st.lists(changes, max_size=3).map(tuple),
)
units = st.builds(
    Step,
    actor=st.sampled_from(ACTORS),
    shift=mostly(0, -1, 1),
    record=st.none() | st.binary(max_size=8) | st.binary(max_size=8),
    checkpoint=st.none() | st.none() | st.lists(st.binary(max_size=3), max_size=2).map(tuple),
    effects=st.lists(grants | charges | refunds | completions | moves | others, max_size=3).map(tuple),
    finished=mostly(0, 1).map(bool),
    pause=st.booleans(),
)


steps = units | units | units | pays | st.sampled_from(CALLS)


def tell(occurred: Occurred) -> list[Delivery]:
    of = f"{occurred.player}/{occurred.key}/{occurred.part}" if isinstance(occurred, LedgerRow) else occurred.grant.id
    return [Delivery(f"hook/{type(occurred).__name__}/{of}", "hook", "n", 1, repr(occurred).encode())]


async def everything(store: Store) -> list[object]:
    """All that can be asked of a store, in a form that can be compared."""
    players = range(1, PLAYERS + 1)
    return [
        [await store.load(actor) for actor in ACTORS],
        [list(await store.history(actor)) for actor in ACTORS],
        [[(one.number, one.record) for one in await store.history_page(actor)] for actor in ACTORS],
        [await store.checkpoint(actor) for actor in ACTORS],
        await store.unfinished(),
        await store.statistics(),
        [await store.grants(player, now=5) for player in players],
        [await store.completed(p, e, w) for p in players for e in "ef" for w in ("w", "x", None)],
        [await store.dossier(p) for p in players],
        [await store.ledger(p) for p in players],
        [await store.ledger_faults(), await store.money_totals(), await store.window_grants("w")],
        [await store.due("hook", 9, 999), await store.due("z", 9, 9), await store.endpoints_due(), await store.dead()],
        [await store.anomalies(), await store.banned_players(), await store.players(players)],
    ]


async def with_players(store: Store) -> Store:
    store.reporter = tell
    for number in range(PLAYERS):
        await store.resolve(f"p{number}", lambda number=number: f"public-{number}")
    return store


async def pay(store: Store, step: Pay) -> object:
    """What the store answers; for an error its name and all that it says."""
    try:
        if step.key.startswith("g"):
            return await store.claim(step.key, step.player, 4, step.changes)
        return await store.adjust(step.player, step.changes, key=step.key, reason="r", source="s", now=4)
    except StoreError as error:
        return kind(error), vars(error)


async def call(store: Store, step: Call) -> object:
    try:
        return await step(store)
    except StoreError as error:
        return kind(error)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, max_size=30))
async def test_all_stores_agree_on_every_history(new_place: Callable[[], Place], history: list[Step | Pay | Call]):
    """R-56. The order of outcomes is the order of submission, in each."""
    memory = await with_players(MemoryStore())
    expected: list[tuple[int, str]] = []
    fates: list[tuple[int, str]] = []
    url = new_place().url
    async with open_sql_store(url) as store:
        await with_players(store)
        for n, step in enumerate(history):
            if isinstance(step, Pay):
                assert await pay(store, step) == await pay(memory, step)
                continue
            if not isinstance(step, Step):
                assert await call(store, step) == await call(memory, step)
                continue
            number = (await memory.load(step.actor)).number + (step.record is not None) + step.shift
            unit = Unit(step.actor, number, step.record, step.effects, step.checkpoint, step.finished)
            memory.submit(unit, lambda error, n=n: expected.append((n, kind(error))))
            store.submit(unit, lambda error, n=n: fates.append((n, kind(error))))
            if step.pause:
                await anyio.lowlevel.checkpoint()
        found = await everything(store)
    assert fates == expected
    assert found == await everything(memory)
    async with open_sql_store(url) as store:
        assert await everything(store) == found


def kind(error: StoreError | None) -> str:
    return type(error).__name__
