"""Any history of units means the same to every store, however it is cut into groups, and after a reopening."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import Place

from kraty_persistence import (
    Change,
    Completion,
    LeagueMove,
    MemoryStore,
    NewGrant,
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
    effects: tuple[NewGrant | Completion | LeagueMove, ...]
    finished: bool
    pause: bool


@dataclass(frozen=True)
class Pay:
    """One adjustment, or with a key that begins with g the claim of that grant."""

    player: int
    key: str
    changes: tuple[Change, ...]


def mostly(value: int, *others: int) -> st.SearchStrategy[int]:
    return st.sampled_from([value] * 12 + list(others))


GRANTS = [
    NewGrant(f"g{n}", player, "reward", b"", "api", None, None, created_at, None)
    for n, (player, created_at) in enumerate([(1, 3), (1, 5), (2, 3), (PLAYERS + 1, 3)])
]  # the last one is for nobody: its unit is refused
grants = mostly(*range(len(GRANTS))).map(GRANTS.__getitem__)
completions = st.builds(Completion, mostly(1, 2), st.sampled_from(["e", "f"]), st.sampled_from(["w", "x"]))
moves = st.builds(LeagueMove, mostly(1, 2), st.sampled_from(["e", "f"]), st.sampled_from(["gold", "silver"]))
changes = st.builds(
    Change, st.sampled_from(["currency", "item"]), st.sampled_from(["x", "y"]), st.sampled_from([-2, -1, 1, 3])
)
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
    effects=st.lists(grants | completions | moves, max_size=2).map(tuple),
    finished=mostly(0, 1).map(bool),
    pause=st.booleans(),
)


steps = units | units | units | pays


async def everything(store: Store) -> list[object]:
    """All that can be asked of a store, in a form that can be compared."""
    players = range(1, PLAYERS + 1)
    return [
        [await store.load(actor) for actor in ACTORS],
        [list(await store.history(actor)) for actor in ACTORS],
        await store.unfinished(),
        await store.statistics(),
        [await store.grants(player, now=5) for player in players],
        [await store.completed(p, e, w) for p in players for e in "ef" for w in ("w", "x", None)],
        [await store.dossier(p) for p in players],
        [await store.ledger(p) for p in players],
    ]


async def with_players(store: Store) -> Store:
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


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, max_size=30))
async def test_all_stores_agree_on_every_history(new_place: Callable[[], Place], history: list[Step | Pay]):
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
