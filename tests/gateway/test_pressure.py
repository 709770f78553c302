"""Overload is that everybody waits long for a turn of the loop, again and again; and it is over when it is over."""

from __future__ import annotations

import time

import anyio
import pytest

from kraty_actors.gateway import pressure as pressure_module
from kraty_actors.gateway.operations import HANDLERS
from kraty_actors.gateway.pressure import LEVELS, PROBES, SHEDS, STALE_SECONDS, Pressure

pytestmark = pytest.mark.anyio

NEVER_SHED = {
    *("ping", "events.finish", "boards.unwatch", "grants.claim", "crates.open", "profile.set"),
    *("wallet.credit", "wallet.debit", "inventory.grant", "inventory.revoke", "grants.create"),
    *("lobbies.leave", "lobbies.push", "players.put", "players.ban", "players.unban"),
}


async def hog(seconds: float) -> None:
    """Keep the loop busy, one long turn after another."""
    while True:
        time.sleep(seconds)  # noqa: ASYNC251 -- that is what it is about
        await anyio.lowlevel.checkpoint()


async def looks(pressure: Pressure, times: int) -> None:
    for _ in range(times):
        before = pressure._looked_at
        pressure.look(before + STALE_SECONDS / 2)
        while pressure._is_looking:
            await anyio.lowlevel.checkpoint()


async def test_a_loop_that_turns_slowly_is_noticed_and_one_that_turns_fast_again_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pressure_module, "LEVELS", [wait / 4 for wait in LEVELS])
    async with anyio.create_task_group() as tasks:
        pressure = Pressure(tasks)
        async with anyio.create_task_group() as hogs:
            hogs.start_soon(hog, LEVELS[0] / 2)  # a look may miss half of one of its two turns
            await looks(pressure, PROBES)
            hogs.cancel_scope.cancel()
        now = anyio.current_time()
        assert pressure.level(now) >= 1
        assert pressure.delay_seconds(now) >= LEVELS[0] / 4
        assert pressure.level(now + STALE_SECONDS + 1) == 0  # nothing was asked since: what was says nothing
        while pressure.level(anyio.current_time()):
            await looks(pressure, 1)


async def test_one_long_turn_is_no_overload() -> None:
    async with anyio.create_task_group() as tasks:
        pressure = Pressure(tasks)
        await looks(pressure, PROBES)
        pressure._waits[-1] = 10.0
        assert pressure.level(anyio.current_time()) == 0


def test_levels_rise_with_the_wait_and_no_look_is_taken_for_a_quick_one() -> None:
    pressure = Pressure(None)  # type: ignore[arg-type]
    assert pressure.level(0.0) == 0
    for level, wait in enumerate(LEVELS, 1):
        pressure._waits.extend([wait] * PROBES)
        assert pressure.level(0.0) == level


def test_what_is_shed_comes_in_its_order_and_nothing_that_changes_what_was_begun() -> None:
    order = sorted(SHEDS, key=SHEDS.__getitem__)
    assert order[:3] == ["events.list", "boards.watch", "events.start"]
    assert {SHEDS[op] for op in order[3:]} == {4}
    players_and_servers = {op for op in HANDLERS if op not in SHEDS and op in NEVER_SHED}
    assert players_and_servers == NEVER_SHED
    assert not SHEDS.keys() & {"hello", "events.progress", *NEVER_SHED}
