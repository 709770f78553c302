"""Bans over the wire: at once on open sockets, in what is answered, and on boards (R-51)."""

from __future__ import annotations

import pytest
from acting_for_ann import GAME
from raw_peer import Map, Peer, dialled
from servers import Server, serving

from kraty_actors.actors.records import unpack
from kraty_actors.client import ConnectionLost
from kraty_protocol.errors import CloseCode

pytestmark = pytest.mark.anyio


async def started(peer: Peer, score: int, **who: str) -> Map:
    """An attempt at the score attack that has come to `score`."""
    attempt = (await peer.ok("events.start", eventKey="attack", **who))["attempt"]
    await peer.ok("events.progress", attemptId=attempt["attemptId"], metricValue=score, **who)
    return attempt


async def scores(peer: Peer, board: str) -> list[int]:
    return [row["score"] for row in (await peer.ok("boards.read", leaderboardId=board))["entries"]]


async def test_a_ban_closes_every_socket_of_the_player_and_lets_no_new_one_in_r51(codec: str) -> None:
    async with (
        serving(GAME) as server,
        server.peer(role="server", codec=codec) as backend,
        server.peer("ann", codec=codec) as ann,
        server.peer("ann", codec=codec) as ann_too,
        server.peer("bob", codec=codec) as bob,
    ):
        banned = (await backend.ok("players.ban", playerId="ann", reason="sold accounts"))["player"]
        assert (banned["playerId"], banned["banned"]) == ("ann", True)
        assert [await ann.until_closed(), await ann_too.until_closed()] == [CloseCode.BANNED] * 2
        async with dialled(server.port, codec=codec) as again:
            assert await again.refused("hello", role="player", playerId="ann") == ("player_banned", 403)
            assert await again.until_closed() == CloseCode.BANNED
        await bob.ok("ping")
        freed = (await backend.ok("players.unban", playerId="ann"))["player"]
        assert freed == {**banned, "banned": False}
        async with server.peer("ann", codec=codec) as ann:
            await ann.ok("wallet.get")


async def test_a_banned_row_leaves_the_board_and_comes_back_r51(codec: str) -> None:
    async with (
        serving(GAME) as server,
        server.peer(role="server", codec=codec) as backend,
        server.peer("ann", codec=codec) as ann,
        server.peer("bob", codec=codec) as bob,
    ):
        attempt, _ = await started(ann, 7), await started(bob, 5)
        board = attempt["leaderboardId"]
        watched = await bob.ok("boards.watch", leaderboardId=board)
        assert [row["score"] for row in watched["entries"]] == [7, 5]
        await backend.ok("players.ban", playerId="ann")
        gone = await bob.push("board.delta")
        assert (gone["removed"], gone["total"]) == ([ann.welcome["participantId"]], 1)
        assert await scores(backend, board) == [5]
        await backend.ok("players.unban", playerId="ann")
        back = await bob.push("board.delta")
        assert (back["total"], sorted((row["rank"], row["score"]) for row in back["entries"])) == (2, [(1, 7), (2, 5)])
        assert await scores(backend, board) == [7, 5]


ACTS: list[tuple[str, Map]] = [
    ("events.list", {}),
    ("events.start", {"eventKey": "attack"}),
    ("events.finish", {}),
    ("events.progress", {"metricValue": 1}),
    ("lobbies.leave", {"lobbyId": "a"}),
    ("grants.claim", {"grantId": "a"}),
    ("crates.open", {"grantId": "a"}),
    ("profile.set", {"name": "Ann"}),
]


async def test_nothing_is_done_for_a_banned_player_r51(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="server", codec=codec) as backend:
        attempt = await started(backend, 7, playerId="ann")
        named = {"playerId": "ann", "attemptId": attempt["attemptId"]}
        await backend.ok("players.ban", playerId="ann")
        for op, fields in ACTS:
            who = named if op in ("events.finish", "events.progress") else {"playerId": "ann"}
            assert await backend.refused(op, **who, **fields) == ("player_banned", 403), op
        await backend.ok("players.unban", playerId="ann")
        assert (await backend.ok("attempts.get", **named))["attempt"] == {**attempt, **SCORED}
        await backend.ok("events.progress", **named, metricValue=1)


SCORED: Map = {"metrics": {"points": 7, "kills": 0}, "metricsRaw": {"points": 7, "kills": 0}, "score": 7}


async def test_servers_may_still_see_and_settle_what_a_banned_player_has(codec: str) -> None:
    change = {"playerId": "ann", "key": "cash", "reason": "r"}
    async with serving(GAME) as server, server.peer(role="server", codec=codec) as backend:
        await backend.ok("wallet.credit", **change, amount=9, idempotencyKey="one")
        await backend.ok("players.ban", playerId="ann")
        assert (await backend.ok("wallet.debit", **change, amount=4, idempotencyKey="two"))["balance"] == 5
        put = (await backend.ok("players.put", playerId="ann", attributes={"level": 3}))["player"]
        assert (put["banned"], put["attributes"]) == (True, {"level": 3})
        assert (await backend.ok("players.get", playerId="ann"))["player"] == put
        assert (await backend.ok("wallet.get", playerId="ann"))["balances"][0]["balance"] == 5


async def test_a_ban_leaves_who_did_it_and_again_leaves_nothing(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="server", codec=codec) as backend:
        await backend.ok("players.put", playerId="ann", attributes={})
        for _ in range(2):
            assert (await backend.ok("players.ban", playerId="ann", reason="bot"))["player"]["banned"]
        for _ in range(2):
            assert not (await backend.ok("players.unban", playerId="ann"))["player"]["banned"]
        assert await _audited(server) == [("players.ban", "bot"), ("players.unban", None)]


async def test_a_ban_is_for_players_who_are_there(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="server", codec=codec) as backend:
        for op in ("players.ban", "players.unban"):
            assert await backend.refused(op, playerId="nobody") == ("not_found", 404)
        assert await backend.refused("players.get", playerId="nobody") == ("not_found", 404)  # nor has it made one


async def test_the_client_of_a_banned_player_does_not_come_back(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="server") as backend, server.client("ann", codec=codec) as ann:
        await ann.ping()
        await backend.ok("players.ban", playerId="ann")
        async for _ in ann.pushes():
            pass
        with pytest.raises(ConnectionLost) as lost:
            await ann.ping()
        assert lost.value.code == CloseCode.BANNED


async def _audited(server: Server) -> list[tuple[str, object]]:
    rows = [row for row in reversed(await server.game.engine._store.audit(limit=100)) if "ban" in row.action]
    assert {(row.who, row.subject) for row in rows} == {("server", "player:1")}
    return [(row.action, unpack(row.after or b"")) for row in rows]
