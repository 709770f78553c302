"""The project's own client against a real server, over a restart too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import TaskStatus
from processes import free_port
from raw_peer import dialled
from servers import ATTACK, NOON, RACE, WINDOW_ENDS, game_of, serving

from kraty_actors import Refused, open_game
from kraty_actors.client import connect
from kraty_actors.testing import ManualClock

pytestmark = pytest.mark.anyio

GAME = game_of(ATTACK, RACE)


async def test_a_player_plays_watches_and_claims(codec: Any) -> None:
    async with serving(GAME) as server, server.client("ann", codec=codec) as ann:
        attempt = await ann.start("race")
        assert attempt["leaderboardId"] is not None
        async with ann.watch(attempt["leaderboardId"], limit=10) as boards:
            scores = []
            for laps in (1, 1, 1):
                await ann.progress(attempt["attemptId"], {"laps": laps})
            server.clock.move_to(WINDOW_ENDS)
            async for board in boards:
                scores.append(board.entries[0]["score"])
            assert scores[-1] == 3
            assert scores == sorted(scores)
            assert board.final
            assert ann.mismatches == 0
        (grant,) = (await ann.grants())["grants"]
        claimed = await ann.claim(grant["id"])
        assert claimed["status"] == "claimed"
        assert {balance["key"]: balance["balance"] for balance in await ann.wallet()} == {"cash": 100, "gems": 0}
        with pytest.raises(Refused) as refused:
            await ann.start("race")
        assert refused.value.is_no_active_window


async def test_pushes_that_belong_to_no_board(codec: Any) -> None:
    async with serving(GAME) as server, server.client("ann", codec=codec) as ann:
        attempt = await ann.start("race")
        await ann.progress(attempt["attemptId"], 3)
        server.clock.move_to(WINDOW_ENDS)
        seen = []
        async for push in ann.pushes():
            seen.append(push["push"])
            if push.get("state") == "finalized":
                break
        assert seen == ["attempt.ended", "event.state", "grant", "event.state"]


async def test_a_client_goes_on_over_a_restart_of_the_server_r15_r56(codec: Any, tmp_path: Path) -> None:
    """Writes go on while the server is away; each counts once, and the watched board is right again."""
    database, clock, port = f"sqlite:///{tmp_path}/arena.db", ManualClock(NOON), free_port()

    async def serve(over: anyio.Event, *, task_status: TaskStatus[None]) -> None:
        async with open_game(GAME, store=database, clock=clock, insecure_dev=True) as game:
            await game.serve(port=port)
            task_status.started()
            await over.wait()

    async with anyio.create_task_group() as tasks:
        overs = [anyio.Event(), anyio.Event()]
        await tasks.start(serve, overs[0])
        async with connect(f"ws://127.0.0.1:{port}/v1/socket", player_id="ann", codec=codec) as ann:
            attempt = await ann.start("attack")
            boards = ann.watch(str(attempt["leaderboardId"]), around="self")
            for seq in range(1, 6):
                assert (await ann.progress(attempt["attemptId"], {"points": 1}))["seq"] == seq
            overs[0].set()
            async with anyio.create_task_group() as writes:
                for _ in range(5):
                    writes.start_soon(ann.progress, attempt["attemptId"], {"points": 1})
                await tasks.start(serve, overs[1])
            async for board in boards:
                if board.entries[0]["score"] == 10:
                    break
            read = (await ann.attempt(attempt["attemptId"]))["attempt"]
            assert (read["score"], read["lastSeq"]) == (10, 10)
            assert ann.mismatches == 0
        overs[1].set()


# -- many requests at once


async def test_replies_on_one_attempt_come_in_the_order_of_the_requests(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        attempt_id = (await ann.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        asked = []
        for seq in range(1, 101):
            asked.append(await ann.post("events.progress", attemptId=attempt_id, metricValue=1, seq=seq))
            if seq % 10 == 0:
                asked.append(await ann.post("attempts.get", attemptId=attempt_id))
        asked.append(await ann.post("events.finish", attemptId=attempt_id))
        asked.append(await ann.post("events.progress", attemptId=attempt_id, metricValue=1, seq=101))
        replies = [await ann.reply(request_id) for request_id in asked]
        reads = [reply["ok"]["attempt"]["score"] for reply in replies if "attempt" in reply.get("ok", {})]
        assert reads == [*range(10, 101, 10), 100]
        assert replies[-1]["error"]["code"] == "attempt_finished"


async def test_more_requests_than_a_connection_may_have_open_are_all_answered(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        asked = {await ann.post("events.list") for _ in range(300)}
        assert {(await ann.receive())["id"] for _ in range(300)} == asked


async def test_a_hundred_starts_at_once_are_one_attempt_r16_r21(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        for _ in range(100):
            await ann.post("events.start", eventKey="race")
        replies = [await ann.receive() for _ in range(100)]
        assert len({reply["ok"]["attempt"]["attemptId"] for reply in replies}) == 1


async def test_requests_sent_with_the_hello_are_taken_up_after_it(codec: str) -> None:
    async with serving(GAME) as server, dialled(server.port, codec=codec) as ann:
        first = await ann.post("hello", playerId="ann")
        second = await ann.post("wallet.get")
        assert "ok" in await ann.reply(first)
        assert "ok" in await ann.reply(second)
