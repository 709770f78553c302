"""A window that is over, judged again without a cheat: over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from acting_for_ann import assert_shape
from raw_peer import Map, Peer
from servers import ATTACK, RACE, WINDOW_ENDS, Server, game_of, serving

from kraty_protocol import operator_shapes

pytestmark = pytest.mark.anyio

CASH: Map = {"type": "currency", "currencyKey": "cash"}


@asynccontextmanager
async def raced(codec: str) -> AsyncIterator[tuple[Server, Peer, str]]:
    """Ann and Bob have won the race and share 100; Cid has not run far. Ann has claimed and spent 20 of her 50."""
    async with serving(game_of(RACE, ATTACK)) as server, server.peer(role="operator", codec=codec) as operator:
        for name, laps in (("ann", 4), ("bob", 3), ("cid", 1)):
            who = {"playerId": name}
            attempt = (await operator.ok("events.start", **who, eventKey="race"))["attempt"]
            await operator.ok("events.progress", **who, attemptId=attempt["attemptId"], metricValue=laps)
        window = attempt["windowId"]
        server.clock.move_to(WINDOW_ENDS)
        while (await operator.ask("windows.report", windowId=window)).get("error"):
            pass
        (grant,) = (await operator.ok("grants.list", playerId="ann"))["grants"]
        await operator.ok("grants.claim", playerId="ann", grantId=grant["id"])
        spent = {"key": "cash", "amount": 20, "reason": "shop", "idempotencyKey": "k"}
        await operator.ok("wallet.debit", playerId="ann", **spent)
        yield server, operator, window


async def report(operator: Peer, window: str) -> Map:
    found: Map = (await operator.ok("windows.report", windowId=window))["report"]
    assert_shape(found, operator_shapes.Report)
    return found


async def held(operator: Peer, name: str) -> int:
    balance: int = (await operator.ok("wallet.get", playerId=name))["balances"][0]["balance"]
    return balance


async def test_a_correction_is_a_plan_until_it_is_applied_and_is_applied_once(codec: str) -> None:
    async with raced(codec) as (_, operator, window):
        before = await report(operator, window)
        assert (before["participants"], before["winners"], before["orphans"]) == (3, 2, 0)
        plan = await operator.ok("windows.correct", windowId=window, without=["ann"])
        assert_shape(plan, operator_shapes.CorrectionPlan)
        assert not plan["applied"]
        rows = {row["playerId"]: row for row in plan["plan"]}
        for row in rows.values():
            assert_shape(row, operator_shapes.Correction)
        assert rows["ann"] == {
            "playerId": "ann",
            "rankBefore": 1,
            "rankAfter": None,
            "grant": [],
            "take": [{**CASH, "amount": 30}],
            "owed": [{**CASH, "amount": 20}],
        }
        assert (rows["bob"]["rankAfter"], rows["bob"]["grant"]) == (1, [{**CASH, "amount": 50}])
        assert await report(operator, window) == before
        assert await held(operator, "ann") == 30
        applied = await operator.ok("windows.correct", windowId=window, without=["ann"], apply=True)
        assert applied == {**plan, "applied": True}
        assert await held(operator, "ann") == 0
        pending = (await operator.ok("grants.list", playerId="bob", status="pending"))["grants"]
        assert sum(grant["contents"]["entries"][0]["amount"] for grant in pending) == 100
        for again in (False, True):
            nothing = await operator.ok("windows.correct", windowId=window, without=["ann"], apply=again)
            assert (nothing["plan"], nothing["granted"], nothing["taken"]) == ([], [], [])
        assert await held(operator, "ann") == 0
        after = await report(operator, window)
        assert (after["winners"], after["orphans"]) == (1, 0)
        trail = [row for row in (await operator.ok("audit.list"))["audit"] if row["action"] == "windows.correct"]
        (row,) = trail
        assert (row["who"], row["subject"], row["before"]) == ("operator", window, {"without": []})
        assert row["after"]["without"] == ["ann"]


async def test_only_a_final_window_is_corrected_and_only_without_who_was_in_it(codec: str) -> None:
    async with raced(codec) as (_, operator, window):
        (other,) = (await operator.ok("windows.list", eventKey="attack"))["windows"]
        error = await operator.error("windows.correct", windowId=other["windowId"], without=["ann"])
        assert (error["code"], error["details"]) == ("conflict", {"state": "open"})
        await operator.ok("wallet.get", playerId="dan")
        for name in ("nobody", "dan"):
            error = await operator.error("windows.correct", windowId=window, without=["ann", name], apply=True)
            assert (error["code"], error["details"]) == ("not_found", {"path": "without[1]"})
        assert await held(operator, "ann") == 30
