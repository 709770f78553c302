"""`top` on a server that runs: lines, JSON and a table."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import pytest
from processes import COMMAND, Ended, run
from servers import ATTACK, Server, game_of, serving
from terminal import on_a_terminal

pytestmark = pytest.mark.anyio

LOOK = ("top", "--once", "--interval", "0.5")


@pytest.fixture
def anyio_backend() -> str:
    """That of the server; the command chooses its own."""
    return "trio"


@asynccontextmanager
async def played() -> AsyncIterator[tuple[Server, str]]:
    async with serving(game_of(ATTACK)) as server, server.peer("ann") as ann:
        started = await ann.ok("events.start", eventKey="attack")
        for _ in range(5):
            await ann.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=1)
        yield server, started["leaderboardId"]


async def told(server: Server, *args: str) -> Ended:
    return await anyio.to_thread.run_sync(lambda: run(*LOOK, "--url", server.url, *args))


async def test_it_writes_lines_where_there_is_no_terminal() -> None:
    async with played() as (server, board):
        ended = await told(server)
        assert ended.code == 0
        first, second, *actors = ended.out.splitlines()
        assert "2 connections" in first
        assert "store up" in second
        assert "3 actors" in second
        [contest] = [line.split() for line in actors if line.startswith(board)]
        assert contest[1:3] == ["contest", "attack"]
        assert int(contest[-1]) >= 6


async def test_it_writes_json_a_line_a_look() -> None:
    async with played() as (server, board):
        [look] = map(
            json.loads, (await told(server, "--json", "--limit", "2", "--backend", "asyncio")).out.splitlines()
        )
        assert look["connections"] == 2
        assert look["answeredPerSecond"] > 0
        assert len(look["actors"]) == 2
        assert [one["key"] for one in look["actors"] if one["actor"] == board] == ["attack"]


async def test_it_draws_a_table_on_a_terminal() -> None:
    async with played() as (server, board):
        shown = await anyio.to_thread.run_sync(lambda: on_a_terminal(*LOOK, "--url", server.url))
        assert "commands/s" in shown
        assert board in shown
        assert "requests/s" in shown


async def test_it_goes_on_until_it_is_stopped_and_that_is_no_fault() -> None:
    async with played() as (server, _):
        command = [*COMMAND, "top", "--url", server.url, "--interval", "0.5", "--json"]
        async with await anyio.open_process(command) as process:
            text = b""
            while text.count(b"\n") < 2:
                text += await process.stdout.receive()
            process.send_signal(2)
            assert await process.wait() == 0
        first, second = (json.loads(line)["uptimeSeconds"] for line in text.splitlines()[:2])
        assert 0.4 < second - first < 5


async def test_who_is_no_operator_is_told_so() -> None:
    async with serving(game_of(ATTACK), insecure_dev=False, secrets=["x" * 32]) as server:
        ended = await told(server, "--token", "nonsense")
        assert (ended.code, len(ended.reasons)) == (1, 1)
        assert "unauthenticated" in ended.err


def test_nobody_listens() -> None:
    ended = run(*LOOK, "--url", "ws://127.0.0.1:1/v1/socket")
    assert (ended.code, len(ended.reasons)) == (2, 1)
