"""The machine's clock is stepped back and forth, over restarts too: time inside never goes back, and everything happens
once (R-13, R-27)."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from crash_patience import until
from test_catch_up import BEGIN, HOUR
from test_catch_up_of_all import EVENTS, GAME, HOURS, PLAYERS, act, is_quiet

from kraty_actors import open_game
from kraty_actors.actors.records import unpack_batch
from kraty_actors.testing import ManualClock
from kraty_persistence.sql import open_sql_store

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(120)]

STEPS = (-3 * HOUR, -60_000, 1_000, 20 * 60_000, 2 * HOUR, 3 * HOUR)
"""Backwards too (ms), and further than windows last."""
RESTARTS = 4
STEPS_EACH = 8


@pytest.fixture
def anyio_backend() -> str:
    return "trio"


async def test_r13_a_clock_that_is_stepped_back_and_forth(seed: int, tmp_path: Path) -> None:
    chance, clock, attempts = random.Random(seed), ManualClock(BEGIN), {}
    url, latest = f"sqlite:///{tmp_path}/game.db", BEGIN
    for _ in range(RESTARTS):
        async with open_game(GAME, store=url, clock=clock) as game:
            for hour in range(STEPS_EACH):
                await act(game, hour, attempts)
                clock.move_to(clock.now_ms() + chance.choice(STEPS))
                latest = max(latest, clock.now_ms())
                await until(lambda: is_quiet(game, clock.now_ms()), 20)
    clock.move_to(latest + HOURS * HOUR)
    async with open_game(GAME, store=url, clock=clock) as game:
        await until(lambda: is_quiet(game, clock.now_ms()), 20)
        for name, player in attempts.items():
            attempt = await game.attempt(player, name)
            if attempt["endsAt"] is not None:
                assert attempt["status"] != "in_progress", attempt
        grants = [(player, grant) for player in PLAYERS for grant in await game.grants(player, limit=200)]
        for_windows = [(p, g["sourceRefId"]) for p, g in grants if g["sourceKind"] == "event_window"]
        assert for_windows
        assert max(Counter(for_windows).values()) == 1
        for event in EVENTS:
            ids = [window["windowId"] for window in await game.operator.windows(event)]
            assert len(ids) == len({*ids})
    async with open_sql_store(url, owner=False) as store:
        for actor in {name.rpartition(".")[0] for name in attempts} | {*await store.unfinished()}:
            times = [unpack_batch(record)[0] for record in await store.history(actor)]
            assert times == sorted(times), actor
