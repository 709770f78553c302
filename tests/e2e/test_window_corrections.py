"""A window that is over, reported and corrected over the wire, in both codecs."""

from __future__ import annotations

import pytest
from acting_for_ann import assert_shape
from raw_peer import Map, Peer
from servers import NOON, RACE, WINDOW_ENDS, Server, game_of, serving

from kraty_persistence import MemoryStore
from kraty_protocol import operator_shapes

pytestmark = pytest.mark.anyio

CASH: Map = {"type": "currency", "currencyKey": "cash"}
MILESTONE: Map = {"key": "one", "metricKey": "laps", "threshold": 1, "entries": [{**CASH, "amount": 2}]}
GAME = game_of({**RACE, "milestoneRewards": [MILESTONE]})


async def race(server: Server, operator: Peer, **laps: int) -> str:
    window = ""
    for name, count in laps.items():
        attempt = (await operator.ok("events.start", eventKey="race", playerId=name))["attempt"]
        window = attempt["windowId"]
        await operator.ok("events.progress", playerId=name, attemptId=attempt["attemptId"], metricValue=count)
    return window


async def over(server: Server, operator: Peer, **laps: int) -> str:
    window = await race(server, operator, **laps)
    server.clock.move_to(WINDOW_ENDS)
    await operator.ok("events.finalize", eventKey="race", windowId=window)
    return window


async def test_a_report_counts_what_everybody_was_granted_r27(codec: str) -> None:
    """`orphans` is 0, until there is a grant that nothing accounts for."""
    store = MemoryStore()
    async with serving(GAME, store=store) as server, server.peer(role="operator", codec=codec) as operator:
        window = await over(server, operator, ann=5, bob=3, cat=1)
        report = (await operator.ok("windows.report", windowId=window))["report"]
        assert_shape(report, operator_shapes.Report)
        assert report == {
            "windowId": window,
            "eventKey": "race",
            "participants": 3,
            "winners": 2,
            "grants": 5,
            "paid": [{"currencyKey": "cash", "amount": 100}],
            "remainder": 0,
            "orphans": 0,
        }
        lost = next(row.id for row in store._grants.values() if row.source_kind == "event_milestone")
        await store.withdraw([lost], key="k", reason="r", source="s", now=NOON)
        report = (await operator.ok("windows.report", windowId=window))["report"]
        assert (report["grants"], report["orphans"]) == (4, 1)


async def test_a_correction_is_planned_then_done_once(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        window = await over(server, operator, ann=5, bob=3, cat=1)
        trail = await operator.ok("audit.list")
        plan = await operator.ok("windows.correct", windowId=window, without=["ann"])
        assert_shape(plan, operator_shapes.CorrectionPlan)
        nothing: Map = {"grant": [], "take": [], "owed": []}
        rows = [
            {**nothing, "playerId": "ann", "rankBefore": 1, "rankAfter": None, "take": [{**CASH, "amount": 52}]},
            {**nothing, "playerId": "bob", "rankBefore": 2, "rankAfter": 1, "grant": [{**CASH, "amount": 50}]},
            {**nothing, "playerId": "cat", "rankBefore": 3, "rankAfter": 2},
        ]
        assert plan == {
            "plan": rows,
            "players": 2,
            "moved": 2,
            "granted": [{**CASH, "amount": 50}],
            "taken": [{**CASH, "amount": 52}],
            "owed": [],
            "applied": False,
        }
        assert await operator.ok("audit.list") == trail
        assert await operator.ok("windows.correct", windowId=window, without=["ann"], apply=True) == {
            **plan,
            "applied": True,
        }
        [newest, *rest] = (await operator.ok("audit.list"))["audit"]
        assert (newest["action"], newest["subject"], rest) == ("windows.correct", window, trail["audit"])
        again = await operator.ok("windows.correct", windowId=window, without=["ann"], apply=True)
        assert (again["plan"], again["players"], again["moved"]) == ([], 0, 0)
        grants = (await operator.ok("grants.list", playerId="ann"))["grants"]
        assert {grant["status"] for grant in grants} == {"expired"}
        assert await operator.refused("grants.claim", playerId="ann", grantId=grants[0]["id"]) == ("conflict", 409)
        assert len((await operator.ok("audit.list"))["audit"]) == len(trail["audit"]) + 1
        report = (await operator.ok("windows.report", windowId=window))["report"]
        assert (report["winners"], report["paid"][0]["amount"], report["orphans"]) == (1, 100, 0)


async def test_what_is_taken_back_can_not_be_spent(codec: str) -> None:
    """R-40: a claimed prize leaves the wallet, and the next start knows of it."""
    cost = {"entryCost": {"currencies": [{"key": "cash", "amount": 40}]}, "key": "next", "metrics": [{"key": "laps"}]}
    game = game_of({**RACE, "milestoneRewards": [MILESTONE]}, cost)
    async with serving(game) as server, server.peer(role="operator", codec=codec) as operator:
        window = await over(server, operator, ann=5, bob=3)
        for grant in (await operator.ok("grants.list", playerId="ann"))["grants"]:
            await operator.ok("grants.claim", playerId="ann", grantId=grant["id"])
        assert [one["affordable"] for one in (await operator.ok("events.list", playerId="ann"))["events"]] == [True]
        await operator.ok("windows.correct", windowId=window, without=["ann"], apply=True)
        assert (await operator.ok("wallet.get", playerId="ann"))["balances"][0] == {"key": "cash", "balance": 0}
        error = await operator.error("events.start", eventKey="next", playerId="ann")
        assert (error["code"], error["details"]["have"]) == ("insufficient_entry_cost", 0)


async def test_what_is_not_final_or_not_there_is_not_corrected(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        window = await race(server, operator, ann=5)
        error = await operator.error("windows.correct", windowId=window, without=["ann"], apply=True)
        assert (error["code"], error["details"]) == ("conflict", {"state": "open"})
        assert error["message"] == "the window is open: until it is final, ban the player or void their attempts"
        unknown = {"windowId": "waaaaaaaaaaaaaaaa", "without": ["ann"]}
        assert await operator.refused("windows.correct", **unknown) == ("not_found", 404)
        server.clock.move_to(WINDOW_ENDS)
        await operator.ok("events.finalize", eventKey="race", windowId=window)
        error = await operator.error("windows.correct", windowId=window, without=["ann", "zoe"])
        assert (error["code"], error["details"]) == ("not_found", {"path": "without[1]"})
        for bad in ([], ["ann", "ann"], ["ann"] * 1001, "ann"):
            error = await operator.error("windows.correct", windowId=window, without=bad)
            assert error["code"] == "validation_failed"


async def test_an_upcoming_window_is_not_corrected(codec: str) -> None:
    daily = {
        **RACE,
        "availability": {"mode": "recurring_windows", "windows": [{"startTime": "00:00", "durationSeconds": 86400}]},
    }
    async with serving(game_of(daily)) as server, server.peer(role="operator", codec=codec) as operator:
        windows = (await operator.ok("windows.list", eventKey="race"))["windows"]
        [first, *_] = [window for window in windows if window["state"] == "upcoming"]
        error = await operator.error("windows.correct", windowId=first["windowId"], without=["ann"])
        assert (error["code"], error["details"]) == ("conflict", {"state": "upcoming"})
