"""What a player is told unasked, and who is told nothing."""

from __future__ import annotations

from contextlib import AsyncExitStack

import anyio
import pytest
from raw_peer import Map, Peer, dialled
from servers import ATTACK, RACE, TRAIL, WINDOW_ENDS, game_of, serving

from kraty_actors.gateway.gateway import GOODBYE_SECONDS

pytestmark = pytest.mark.anyio

DASH: Map = {**RACE, "key": "dash", "attempt": {"durationSeconds": 60, "replayableDuringWindow": True}}
GAME = game_of(DASH, ATTACK, TRAIL)


async def begin(peer: Peer, event: str = "dash") -> Map:
    return (await peer.ok("events.start", eventKey=event))["attempt"]


async def told(peer: Peer) -> list[str]:
    """The names of all that has been pushed so far, in order."""
    await peer.ok("ping")
    return [push["push"] for push in peer.pushes]


async def test_an_attempt_that_runs_out_of_time_is_told_r12(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        attempt = await begin(ann)
        assert attempt["endsAt"] == "2026-06-02T12:01:00.000Z"
        server.clock.advance(60)
        ended = await ann.push("attempt.ended")
        assert ended == {"push": "attempt.ended", "attempt": {**attempt, "status": "expired"}}
        assert (await ann.refused("events.progress", attemptId=attempt["attemptId"], metricValue=3))[
            0
        ] == "attempt_finished"


async def test_a_score_attack_that_runs_out_of_time_counts_if_it_was_played_r11(codec: str) -> None:
    short = {**ATTACK, "attempt": {"durationSeconds": 60}}
    async with (
        serving(game_of(short)) as server,
        server.peer("ann", codec=codec) as ann,
        server.peer("bob", codec=codec) as bob,
    ):
        played = await begin(ann, "attack")
        await begin(bob, "attack")
        await ann.ok("events.progress", attemptId=played["attemptId"], metricValue=1)
        server.clock.advance(61)
        completed = (await ann.push("attempt.ended"))["attempt"]
        assert (completed["status"], completed["completedAt"]) == ("completed", "2026-06-02T12:01:00.000Z")
        assert (await bob.push("attempt.ended"))["attempt"]["status"] == "expired"


async def test_the_end_of_a_window_in_order_r26_r27(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann, server.peer("bob", codec=codec) as bob:
        attempt = await begin(ann)
        await ann.ok("events.progress", attemptId=attempt["attemptId"], metricValue=3)
        await begin(ann)
        server.clock.move_to(WINDOW_ENDS - 30_000)
        await ann.push("attempt.ended", lambda push: push["attempt"]["status"] == "expired")
        ann.pushes.clear()
        running = await begin(ann)
        assert running["endsAt"] == "2026-06-03T00:00:00.000Z"  # the earlier of the two ends
        server.clock.move_to(WINDOW_ENDS)
        seen = []
        while not seen or seen[-1].get("state") != "finalized":
            seen.append(await ann.receive())
        state = {"push": "event.state", "eventKey": "dash", "windowId": attempt["windowId"]}
        assert seen[0] == {**state, "state": "closing"}
        assert seen[1]["attempt"] == {**running, "status": "expired"}
        assert [push["push"] for push in seen] == ["event.state", "attempt.ended", "grant", "event.state"]
        assert seen[2]["grant"] == (await ann.ok("grants.list"))["grants"][0]
        assert await told(bob) == []


async def test_a_write_at_the_very_end_is_too_late_r14(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        attempt = await begin(ann, "trail_of_triumph")
        server.clock.move_to(WINDOW_ENDS - 1)
        await ann.ok("events.progress", attemptId=attempt["attemptId"], metrics={"streak": 4})
        server.clock.move_to(WINDOW_ENDS)
        error = await ann.error("events.progress", attemptId=attempt["attemptId"], metrics={"streak": 1})
        assert (error["code"], error["status"]) == ("attempt_finished", 409)
        assert error["details"]["attempt"]["metrics"]["streak"] == 4


async def test_every_connection_of_the_player_is_told_and_no_other(codec: str) -> None:
    async with (
        serving(GAME) as server,
        server.peer("ann", codec=codec) as phone,
        server.peer("ann", codec="json") as tablet,
        server.peer("bob", codec=codec) as bob,
        server.peer(role="server", codec=codec) as backend,
    ):
        attempt = await begin(phone)
        await tablet.ok("events.finish", attemptId=attempt["attemptId"])
        assert await phone.push("attempt.ended") == await tablet.push("attempt.ended")
        assert await told(bob) == await told(backend) == []


async def test_a_player_is_told_of_what_a_server_does_for_them(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        async with server.peer(role="server", codec=codec) as backend:
            started = await backend.ok("events.start", eventKey="dash", playerId="ann")
            write = {"attemptId": started["attempt"]["attemptId"], "playerId": "ann", "metricValue": 3}
            await backend.ok("events.progress", **write)
        assert (await ann.push("attempt.ended"))["attempt"]["status"] == "completed"


async def test_everybody_is_told_to_come_back_when_the_server_stops(codec: str) -> None:
    codes: list[int | None] = []

    async def hear_out(peer: Peer) -> None:
        codes.append(await peer.until_closed())

    with anyio.fail_after(GOODBYE_SECONDS - 1):  # nobody who answers is waited for longer
        async with AsyncExitStack() as peers, anyio.create_task_group() as tasks, serving(GAME) as server:
            ann = await peers.enter_async_context(dialled(server.port, codec=codec))
            await ann.ok("hello", playerId="ann")
            stranger = await peers.enter_async_context(dialled(server.port, codec=codec))
            for peer in (ann, stranger):
                tasks.start_soon(hear_out, peer)
    assert codes == [1001, 1001]
