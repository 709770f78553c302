"""The worked example on PostgreSQL, embedded and as a process."""

from __future__ import annotations

import signal
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from postgres_server import PASSWORD, Database
from processes import http_get, run, serve, write_json
from raw_peer import Map, Peer
from servers import NOON, TRAIL, WINDOW_ENDS, Server, game_of, serving

from kraty_actors.client import ConnectionLost, Refused, connect
from kraty_actors.testing import ManualClock

pytestmark = pytest.mark.anyio

GAME = game_of(TRAIL)
EVENT = "trail_of_triumph"
WINNERS = ("ann", "bob", "cid")
LOSERS = ("dan", "eve")


async def win(peer: Peer, times: int) -> Map:
    """Start, and win so many times in a row; the last answer."""
    answer = await peer.ok("events.start", eventKey=EVENT)
    attempt_id = answer["attempt"]["attemptId"]
    for _ in range(times):
        answer = await peer.ok("events.progress", attemptId=attempt_id, metrics={"streak": 1})
    return answer


async def everybody(server: Server, stack: AsyncExitStack, codec: str) -> dict[str, Peer]:
    return {name: await stack.enter_async_context(server.peer(name, codec=codec)) for name in (*WINNERS, *LOSERS)}


async def test_the_worked_example_is_played_paid_and_claimed_over_restarts_r27_r43_r45(
    codec: str, schema: Database
) -> None:
    clock = ManualClock(NOON)
    async with serving(GAME, store=schema.url, clock=clock) as server, AsyncExitStack() as stack:
        peers = await everybody(server, stack, codec)
        for name in WINNERS:
            assert (await win(peers[name], 5))["status"] == "completed"
        board = (await win(peers["dan"], 4))["attemptId"].rpartition(".")[0]
        await win(peers["eve"], 0)
        before = await peers["dan"].ok("boards.read", leaderboardId=board, limit=200)
        assert len(before["entries"]) == 50

    async with serving(GAME, store=schema.url, clock=clock) as server, AsyncExitStack() as stack:
        peers = await everybody(server, stack, codec)
        after = await peers["dan"].ok("boards.read", leaderboardId=board, limit=200)
        assert after["entries"] == before["entries"]
        clock.move_to(WINDOW_ENDS)
        for peer in peers.values():
            await peer.push("event.state", lambda push: push["state"] == "finalized")
        (grant,) = (await peers["ann"].ok("grants.list"))["grants"]
        assert grant["contents"] == {"entries": [{"type": "currency", "currencyKey": "cash", "amount": 3333}]}
        for _ in range(2):
            await peers["ann"].ok("grants.claim", grantId=grant["id"])

    async with serving(GAME, store=schema.url, clock=clock) as server, AsyncExitStack() as stack:
        peers = await everybody(server, stack, codec)
        for name, peer in peers.items():
            assert len((await peer.ok("grants.list"))["grants"]) == (name in WINNERS)
        await peers["ann"].ok("grants.claim", grantId=grant["id"])
        assert (await peers["ann"].ok("wallet.get"))["balances"][0] == {"key": "cash", "balance": 3333}
        assert (await peers["bob"].ok("wallet.get"))["balances"][0] == {"key": "cash", "balance": 0}


async def test_a_window_that_ended_while_the_server_was_down_pays_on_start_r24_r27(schema: Database) -> None:
    async with serving(GAME, store=schema.url) as server, server.peer("ann") as ann:
        await win(ann, 5)
    later = ManualClock(WINDOW_ENDS + 1)
    async with serving(GAME, store=schema.url, clock=later) as server, server.peer(role="operator") as operator:
        while not (grants := (await operator.ok("grants.list", playerId="ann"))["grants"]):
            pass
        assert grants[0]["contents"]["entries"][0]["amount"] == 10_000


async def test_serve_goes_on_after_a_kill_and_gives_way_to_the_next(
    anyio_backend: str, schema: Database, tmp_path: Path
) -> None:
    """R-56: from the command line; two servers on one database are impossible."""
    game, log = write_json(tmp_path / "arena.json", GAME), tmp_path / "server.log"
    args = ("--game", game, "--db", schema.url, "--insecure-dev", "--backend", anyio_backend)
    async with serve(*args, log=log) as server, connect(server.url, player_id="ann", reconnect=False) as ann:
        attempt = await ann.start(EVENT)
        await ann.progress(attempt["attemptId"], {"streak": 2})
        await server.stop(signal.SIGKILL)
    async with serve(*args, log=log) as old, connect(old.url, player_id="ann", reconnect=False) as ann:
        assert (await ann.start(EVENT))["metrics"] == {"streak": 2, "losses": 0}
        assert (await http_get(old.port, "/readyz"))[0] == 200
        async with serve(*args, log=log) as new:
            with pytest.raises((ConnectionLost, Refused)):
                await ann.progress(attempt["attemptId"], {"streak": 1})
            assert await old.process.wait() == 2
            async with connect(new.url, player_id="ann") as ann_again:
                assert (await ann_again.start(EVENT))["metrics"] == {"streak": 2, "losses": 0}
            assert await new.stop() == 0
    assert "error: another server has opened this database: this one must stop" in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"user": f"stranger:wrong-{PASSWORD}"}, 'password authentication failed for user "stranger"'),
        ({"name": "nonesuch"}, 'database "nonesuch" does not exist'),
        ({"folder": Path("/no/such/folder")}, "No such file or directory"),
    ],
)
def test_serve_tells_in_one_line_why_there_is_no_database(
    schema: Database, tmp_path: Path, change: Map, says: str
) -> None:
    game = write_json(tmp_path / "arena.json", GAME)
    ended = run("serve", "--game", game, "--db", replace(schema, **change).url, "--insecure-dev", "--port", 0)
    (line,) = ended.reasons
    assert (ended.code, ended.out) == (2, "")
    assert says in line
    assert PASSWORD not in line
