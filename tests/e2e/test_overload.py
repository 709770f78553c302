"""Under overload the server does less for everybody, in a fixed order, and takes every write."""

from __future__ import annotations

import pytest
from raw_peer import Map, Peer
from servers import ATTACK, game_of, serving

from kraty_actors.gateway.pressure import Pressure

pytestmark = pytest.mark.anyio

GAME = game_of(ATTACK)


async def shed(peer: Peer, attempt: str, board: str) -> list[str]:
    """Which of these requests are refused because the server is busy; the others are answered."""
    requests: list[tuple[str, Map]] = [
        ("events.list", {}),
        ("boards.watch", {"leaderboardId": board}),
        ("events.start", {"eventKey": "attack"}),
        ("boards.read", {"leaderboardId": board}),
        ("attempts.get", {"attemptId": attempt}),
        ("wallet.get", {}),
        ("events.progress", {"attemptId": attempt, "metricValue": 1}),
        ("ping", {}),
    ]
    refused = []
    for op, fields in requests:
        reply = await peer.ask(op, **fields)
        if "error" in reply:
            assert (reply["error"]["code"], reply["error"]["status"]) == ("overloaded", 503)
            assert reply["error"]["details"]["retryAfter"] > 0
            refused.append(op)
    return refused


ORDER = ["events.list", "boards.watch", "events.start", "boards.read", "attempts.get", "wallet.get"]


@pytest.mark.parametrize(("level", "count"), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 6)])
async def test_what_is_shed_at_each_level(codec: str, level: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        serving(GAME) as server,
        server.peer("ann", codec=codec) as ann,
        server.peer(role="operator", codec=codec) as ops,
    ):
        started = await ann.ok("events.start", eventKey="attack")
        board, attempt = started["leaderboardId"], started["attempt"]["attemptId"]
        monkeypatch.setattr(Pressure, "level", lambda *_: level)
        assert await shed(ann, attempt, board) == ORDER[:count]
        assert (await ops.ok("boards.read", leaderboardId=board))["entries"][0]["score"] == 1
        stats = await ops.ok("stats")
        assert (stats["pressure"], stats["shed"]) == (level, count)
        assert (await server.game.board(board))["total"] == 1
        async with server.peer("bob", codec=codec) as bob:
            await bob.ok("ping")
