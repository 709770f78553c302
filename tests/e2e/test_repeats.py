"""Writes that come again: by `seq` or by `idempotencyKey`, over reconnects and restarts (R-15)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from raw_peer import Map, Peer
from servers import ATTACK, NOON, TRAIL, Server, game_of, serving

from kraty_actors.testing import ManualClock

pytestmark = pytest.mark.anyio

GAME = game_of(ATTACK, TRAIL)


class Writer:
    """Ann's attempt: writes points, and says what stands."""

    def __init__(self, peer: Peer, attempt_id: str) -> None:
        self.peer = peer
        self.attempt_id = attempt_id

    async def ok(self, points: Any, **more: Any) -> Map:
        return await self.peer.ok("events.progress", attemptId=self.attempt_id, metrics={"points": points}, **more)

    async def error(self, points: Any, **more: Any) -> Map:
        return await self.peer.error("events.progress", attemptId=self.attempt_id, metrics={"points": points}, **more)

    async def stands(self) -> tuple[int, int]:
        attempt = (await self.peer.ok("attempts.get", attemptId=self.attempt_id))["attempt"]
        return attempt["metrics"]["points"], attempt["lastSeq"]


@asynccontextmanager
async def writing(server: Server, codec: str) -> AsyncIterator[Writer]:
    async with server.peer("ann", codec=codec) as ann:
        started = await ann.ok("events.start", eventKey="attack")
        yield Writer(ann, started["attempt"]["attemptId"])


@asynccontextmanager
async def ann_writes(codec: str) -> AsyncIterator[Writer]:
    async with serving(GAME) as server, writing(server, codec) as ann:
        yield ann


async def test_the_newest_seq_again_is_the_same_answer(codec: str) -> None:
    async with ann_writes(codec) as ann:
        answer = await ann.ok(5, seq=1)
        assert "repeated" not in answer
        for _ in range(3):
            assert await ann.ok(5, seq=1) == {**answer, "repeated": True}
        assert await ann.stands() == (5, 1)


async def test_the_newest_answer_is_kept_as_it_was(codec: str) -> None:
    """The rank of then, though others have passed since."""
    async with serving(GAME) as server, writing(server, codec) as ann, server.peer("bob", codec=codec) as bob:
        answer = await ann.ok(5, seq=1)
        other = (await bob.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        await bob.ok("events.progress", attemptId=other, metricValue=9)
        assert answer["rank"] == 1
        assert await ann.ok(5, seq=1) == {**answer, "repeated": True}


async def test_an_earlier_seq_is_answered_with_the_attempt_as_it_is_now(codec: str) -> None:
    async with ann_writes(codec) as ann:
        await ann.ok(5, seq=1)
        latest = await ann.ok(7, seq=2)
        assert await ann.ok(5, seq=1) == {**latest, "seq": 1, "repeated": True}
        assert await ann.stands() == (12, 2)


async def test_the_same_values_in_another_form_are_the_same_body(codec: str) -> None:
    async with ann_writes(codec) as ann:
        write = {"attemptId": ann.attempt_id, "seq": 1}
        await ann.peer.ok("events.progress", **write, metrics={"points": 3, "kills": 1})
        for body in (
            {"metrics": {"kills": 1, "points": 3}},
            {"metrics": {"points": 3.0, "kills": 1.0}},
            {"metrics": {"points": 3, "kills": 1}, "mode": "increment"},
            {"metrics": {"points": 3, "kills": 1}, "mode": None, "idempotencyKey": None, "metricValue": None},
        ):
            assert (await ann.peer.ok("events.progress", **write, **body))["repeated"] is True
        assert await ann.stands() == (3, 1)


@pytest.mark.parametrize(
    "body", [{"metrics": {"points": 6}}, {"metricValue": 5, "mode": "set"}, {"metrics": {"kills": 5}}]
)
async def test_a_used_seq_with_another_body_is_a_conflict(codec: str, body: Map) -> None:
    async with ann_writes(codec) as ann:
        await ann.ok(5, seq=1)
        error = await ann.peer.error("events.progress", attemptId=ann.attempt_id, seq=1, **body)
        assert (error["code"], error["status"]) == ("idempotency_conflict", 409)
        assert await ann.stands() == (5, 1)


async def test_a_seq_that_was_passed_over_never_counted(codec: str) -> None:
    async with ann_writes(codec) as ann:
        await ann.ok(5, seq=1)
        await ann.ok(5, seq=9)
        for seq in (2, 8):
            error = await ann.error(5, seq=seq)
            assert (error["code"], error["status"]) == ("idempotency_conflict", 409)
            assert error["details"] == {"lastSeq": 9, "applied": False}
        assert await ann.stands() == (10, 9)


async def test_a_seq_too_old_to_tell_is_a_conflict_too(codec: str) -> None:
    async with ann_writes(codec) as ann:
        for seq in range(1, 35):
            await ann.ok(1, seq=seq)
        assert (await ann.ok(1, seq=3))["repeated"] is True  # the 32nd from the end
        for seq in (1, 2):
            error = await ann.error(1, seq=seq)
            assert error["details"] == {"lastSeq": 34, "applied": None}
        assert await ann.stands() == (34, 34)


async def test_a_refused_write_uses_up_no_seq(codec: str) -> None:
    async with ann_writes(codec) as ann:
        await ann.error(-1, seq=1)
        await ann.peer.error("events.progress", attemptId=ann.attempt_id, metrics={"lives": 1}, seq=1)
        await ann.ok(5, seq=1)
        assert await ann.stands() == (5, 1)


async def test_gaps_and_large_seqs_are_fine(codec: str) -> None:
    async with ann_writes(codec) as ann:
        for seq in (3, 3_000_000_000, 2**53 - 1):
            assert (await ann.ok(1, seq=seq))["seq"] == seq
        assert await ann.stands() == (3, 2**53 - 1)


async def test_without_seq_or_key_a_retry_counts_twice(codec: str) -> None:
    async with ann_writes(codec) as ann:
        for count in (1, 2):
            answer = await ann.ok(5)
            assert (answer["seq"], answer["metrics"]["points"]) == (None, 5 * count)
        assert await ann.stands() == (10, 0)


async def test_a_key_counts_once_and_has_no_order(codec: str) -> None:
    async with ann_writes(codec) as ann:
        for key in ("b", "a", "b", "c", "a"):
            await ann.ok(1, idempotencyKey=key)
        assert (await ann.ok(1, idempotencyKey="b"))["repeated"] is True
        error = await ann.error(2, idempotencyKey="b")
        assert (error["code"], error["details"]) == ("idempotency_conflict", {})
        assert await ann.stands() == (3, 0)


async def test_the_last_32_keys_are_kept(codec: str) -> None:
    async with ann_writes(codec) as ann:
        for number in range(33):
            await ann.ok(1, idempotencyKey=f"k{number}")
        assert (await ann.ok(1, idempotencyKey="k1"))["repeated"] is True
        assert "repeated" not in await ann.ok(1, idempotencyKey="k0")


async def test_keys_and_seqs_do_not_know_each_other(codec: str) -> None:
    async with ann_writes(codec) as ann:
        await ann.ok(1, seq=1)
        await ann.ok(1, idempotencyKey="1")
        assert (await ann.ok(1, seq=1))["repeated"] is True
        assert await ann.stands() == (2, 1)


async def test_seqs_are_each_attempts_own(codec: str) -> None:
    async with ann_writes(codec) as ann:
        await ann.ok(5, seq=7)
        await ann.peer.ok("events.finish", attemptId=ann.attempt_id)
        again = await ann.peer.ok("events.start", eventKey="attack")
        assert again["attempt"]["lastSeq"] == 0
        await ann.peer.ok("events.progress", attemptId=again["attempt"]["attemptId"], metricValue=1, seq=1)


async def test_a_completing_write_may_come_again_after_the_end_of_the_attempt(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        attempt_id = (await ann.ok("events.start", eventKey="trail_of_triumph"))["attempt"]["attemptId"]
        write = {"attemptId": attempt_id, "metrics": {"streak": 5}, "seq": 1}
        answer = await ann.ok("events.progress", **write)
        assert answer["status"] == "completed"
        assert await ann.ok("events.progress", **write) == {**answer, "repeated": True}
        error = await ann.error("events.progress", **{**write, "seq": 2})
        assert (error["code"], error["details"]["attempt"]["lastSeq"]) == ("attempt_finished", 1)


async def test_after_finalization_the_attempt_says_whether_the_write_counted(codec: str) -> None:
    async with serving(GAME) as server, writing(server, codec) as ann, server.peer(role="operator") as operator:
        await ann.ok(5, seq=1)
        await operator.ok("events.finalize", eventKey="attack")
        for seq in (1, 2):
            error = await ann.error(5, seq=seq)
            assert (error["code"], error["status"]) == ("attempt_finished", 409)
            assert error["details"]["attempt"]["lastSeq"] == 1


# -- coming back


async def test_a_repeat_over_another_connection_is_a_repeat(codec: str) -> None:
    async with serving(GAME) as server:
        async with writing(server, codec) as ann:
            answer = await ann.ok(5, seq=1)
        async with writing(server, codec) as ann:
            assert await ann.ok(5, seq=1) == {**answer, "repeated": True}
            assert await ann.stands() == (5, 1)


async def test_an_answer_that_nobody_waited_for_can_be_asked_for_again(codec: str) -> None:
    """The connection is cut with the write on its way: it is applied once, whether it had arrived or not."""
    async with serving(GAME) as server:
        async with writing(server, codec) as ann:
            await ann.peer.post("events.progress", attemptId=ann.attempt_id, metrics={"points": 5}, seq=1)
        async with writing(server, codec) as ann:
            assert (await ann.ok(5, seq=1))["metrics"]["points"] == 5
            assert await ann.stands() == (5, 1)


async def test_repeats_are_known_after_a_restart_r15_r56(codec: str, tmp_path: Path) -> None:
    database, clock = f"sqlite:///{tmp_path}/arena.db", ManualClock(NOON)
    async with serving(GAME, store=database, clock=clock) as server, writing(server, codec) as ann:
        first = await ann.ok(5, seq=1)
        await ann.ok(1, idempotencyKey="k")
        newest = await ann.ok(7, seq=4)
    for _ in range(2):
        async with serving(GAME, store=database, clock=clock) as server, writing(server, codec) as ann:
            assert await ann.ok(7, seq=4) == {**newest, "repeated": True}
            assert await ann.ok(5, seq=1) == {**newest, "seq": first["seq"], "repeated": True}
            assert (await ann.ok(1, idempotencyKey="k"))["repeated"] is True
            assert (await ann.error(1, seq=2))["details"] == {"lastSeq": 4, "applied": False}
            assert (await ann.error(8, seq=4))["code"] == "idempotency_conflict"
            assert await ann.stands() == (13, 4)


async def test_repeats_tick_no_bot_after_a_restart_r37(codec: str, tmp_path: Path) -> None:
    database, clock = f"sqlite:///{tmp_path}/arena.db", ManualClock(NOON)
    boards = []
    for _ in range(2):
        async with serving(GAME, store=database, clock=clock) as server, server.peer("ann", codec=codec) as ann:
            started = await ann.ok("events.start", eventKey="trail_of_triumph")
            for seq in (1, 2, 3):
                write = {"attemptId": started["attempt"]["attemptId"], "metrics": {"losses": 1}, "seq": seq}
                await ann.ok("events.progress", **write)
            boards.append(await ann.ok("boards.read", leaderboardId=started["leaderboardId"]))
    assert boards[0] == boards[1]
