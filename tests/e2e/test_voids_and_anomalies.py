"""What is done about a cheat: writes that validators judge, anomalies that they leave, attempts that are voided."""

from __future__ import annotations

from typing import Any

import pytest
from acting_for_ann import assert_shape
from raw_peer import Map, Peer
from servers import ATTACK, NOON, RACE, WINDOW_ENDS, game_of, serving

from kraty_protocol import operator_shapes, shapes
from kraty_protocol.shapes import iso

pytestmark = pytest.mark.anyio

JUMP: Map = {"key": "max_metric_jump", "params": {"metricKey": "points", "maxDelta": 100}}
RATE: Map = {"key": "max_metric_rate", "params": {"metricKey": "points", "maxPerSecond": 200, "verdict": "reject"}}
GUARDED: Map = {**ATTACK, "antiCheat": {"validators": [JUMP, RATE]}}
GAME = game_of(GUARDED, RACE)


async def started(peer: Peer, event_key: str, **who: str) -> str:
    attempt_id: str = (await peer.ok("events.start", eventKey=event_key, **who))["attempt"]["attemptId"]
    return attempt_id


async def anomalies(peer: Peer, **of: str) -> list[Map]:
    found: list[Map] = (await peer.ok("anomalies.list", **of))["anomalies"]
    return found


# -- anomalies


async def test_a_flagged_write_counts_and_a_rejected_one_leaves_only_its_anomalies_r50(codec: str) -> None:
    async with (
        serving(GAME) as server,
        server.peer(role="operator", codec=codec) as operator,
        server.peer("ann", codec=codec) as ann,
    ):
        attempt = await started(ann, "attack")
        server.clock.move_to(NOON + 1000)
        written = await ann.ok("events.progress", attemptId=attempt, metricValue=150, seq=1)
        assert written["score"] == 150
        error = await ann.error("events.progress", attemptId=attempt, metricValue=9000, seq=2)
        assert (error["code"], error["status"]) == ("anti_cheat_rejected", 422)
        assert error["details"]["validatorKey"] == "max_metric_rate"
        read = (await ann.ok("attempts.get", attemptId=attempt))["attempt"]
        assert (read["score"], read["lastSeq"]) == (150, 2)
        found = await anomalies(operator)
        for row in found:
            assert_shape(row, operator_shapes.Anomaly)
            assert (row["playerId"], row["attemptId"], row["occurredAt"]) == ("ann", attempt, iso(NOON + 1000))
        told = sorted((row["metricSnapshot"]["after"]["points"], row["verdict"], row["outcome"]) for row in found)
        assert told == [(150, "flag", "flag"), (9150, "flag", "reject"), (9150, "reject", "reject")]
        assert {row["metricSnapshot"]["before"]["points"] for row in found} == {0, 150}
        rejected = next(row for row in found if row["verdict"] == "reject")
        assert rejected["reason"] == error["details"]["reason"]
        assert await anomalies(operator, playerId="ann", eventKey="attack") == found
        assert await anomalies(operator, eventKey="race") == []
        assert (await operator.ok("players.lookup", playerId="ann"))["anomalies"] == found


# -- voids


async def test_a_voided_attempt_is_expired_and_leaves_its_board_r51(codec: str) -> None:
    async with (
        serving(GAME) as server,
        server.peer(role="operator", codec=codec) as operator,
        server.peer("ann", codec=codec) as ann,
        server.peer("bob", codec=codec) as bob,
    ):
        best, worse = await started(ann, "attack"), await started(bob, "attack")
        await ann.ok("events.progress", attemptId=best, metricValue=7)
        await bob.ok("events.progress", attemptId=worse, metricValue=5)
        voided = (await operator.ok("attempts.void", attemptId=best, reason="played by a script"))["attempt"]
        assert_shape(voided, shapes.Attempt)
        assert (voided["attemptId"], voided["status"], voided["completedAt"]) == (best, "expired", None)
        ended = await ann.push("attempt.ended")
        assert ended["attempt"] == voided
        board = await bob.ok("boards.read", leaderboardId=voided["leaderboardId"])
        assert [(row["score"], row["rank"]) for row in board["entries"]] == [(5, 1)]
        assert await ann.refused("events.progress", attemptId=best, metricValue=1) == ("attempt_finished", 409)
        assert await operator.ok("attempts.void", attemptId=best, reason="again") == {"attempt": voided}
        rows = (await operator.ok("audit.list", limit=2))["audit"]
        newest = [rows[0][name] for name in ("action", "subject", "before", "after")]
        assert newest == ["attempts.void", best, "in_progress", "played by a script"]
        assert rows[1]["action"] != "attempts.void"  # what changes nothing leaves nothing
        assert await started(ann, "attack") != best


async def test_a_voided_winner_is_paid_nothing_and_after_the_end_it_is_too_late_r51(codec: str) -> None:
    async with (
        serving(GAME) as server,
        server.peer(role="operator", codec=codec) as operator,
        server.peer("ann", codec=codec) as ann,
        server.peer("bob", codec=codec) as bob,
    ):
        attempts = {}
        for peer, name in ((ann, "ann"), (bob, "bob")):
            attempts[name] = await started(peer, "race")
            await peer.ok("events.progress", attemptId=attempts[name], metricValue=3)
        await operator.ok("attempts.void", attemptId=attempts["ann"], reason="r")
        server.clock.move_to(WINDOW_ENDS)
        grant = (await bob.push("grant"))["grant"]
        assert grant["contents"]["entries"][0]["amount"] == 100
        await bob.push("event.state", lambda push: push["state"] == "finalized")
        assert (await ann.ok("grants.list"))["grants"] == []
        error = await operator.error("attempts.void", attemptId=attempts["bob"], reason="r")
        assert (error["code"], error["status"]) == ("conflict", 409)
        assert (await bob.ok("attempts.get", attemptId=attempts["bob"]))["attempt"]["status"] == "completed"


async def test_what_a_voided_attempt_was_paid_is_taken_back_as_far_as_it_is_there_r51(codec: str) -> None:
    paid = {"key": "three", "metricKey": "points", "threshold": 3, "entries": [{**CASH, "amount": 9}]}
    async with (
        serving(game_of({**ATTACK, "milestoneRewards": [paid]})) as server,
        server.peer(role="operator", codec=codec) as operator,
        server.peer("ann", codec=codec) as ann,
    ):
        grants = []
        for attempt in range(2):
            name = await started(ann, "attack")
            fired = (await ann.ok("events.progress", attemptId=name, metricValue=3))["milestonesFired"]
            grants.append(fired[0]["grants"][0]["id"])
            if attempt == 0:
                await ann.ok("grants.claim", grantId=grants[0])
                await operator.ok(
                    "wallet.debit", playerId="ann", key="cash", amount=4, reason="shop", idempotencyKey="k"
                )
            await operator.ok("attempts.void", attemptId=name, reason="r")
        assert (await ann.ok("wallet.get"))["balances"][0] == {"key": "cash", "balance": 0}
        assert await ann.refused("grants.claim", grantId=grants[1]) == ("conflict", 409)


CASH: dict[str, Any] = {"type": "currency", "currencyKey": "cash"}


async def test_only_attempts_are_voided(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        attempt = await started(operator, "attack", playerId="ann")
        for name in ("x", f"{attempt}0", attempt.rpartition(".")[0], "w.1.0"):
            assert await operator.refused("attempts.void", attemptId=name, reason="r") == ("not_found", 404)
