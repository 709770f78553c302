"""The edges of what servers and operators may do: who may not, what is not there, what comes at the wrong time."""

from __future__ import annotations

from typing import Any

import pytest
from acting_for_ann import GAME
from servers import ATTACK, RACE, Server, game_of, serving

from kraty_actors.actors.records import unpack
from kraty_protocol.shapes import parse_iso

pytestmark = pytest.mark.anyio

NO_WINDOW = "waaaaaaaaaaaaaaaa"
LOBBY: dict[str, Any] = {"metrics": [{"key": "laps"}], "leaderboard": {"mode": "lobby_matched", "capacity": 3}}
LATE = "2036-01-01T00:00:00Z"
BY_SERVERS: list[tuple[str, dict[str, Any]]] = [
    ("players.put", {"playerId": "ann", "attributes": {"level": 3}}),
    ("players.get", {"playerId": "ann"}),
    ("wallet.credit", {"playerId": "ann", "key": "cash", "amount": 1, "reason": "r", "idempotencyKey": "k"}),
    ("wallet.debit", {"playerId": "ann", "key": "cash", "amount": 1, "reason": "r", "idempotencyKey": "k"}),
    ("inventory.grant", {"playerId": "ann", "key": "bow", "quantity": 1, "reason": "r", "idempotencyKey": "k"}),
    ("inventory.revoke", {"playerId": "ann", "key": "bow", "quantity": 1, "reason": "r", "idempotencyKey": "k"}),
    ("grants.create", {"playerId": "ann", "entries": [{}], "idempotencyKey": "k"}),
    ("players.ban", {"playerId": "ann"}),
    ("players.unban", {"playerId": "ann"}),
    ("lobbies.push", {"eventKey": "trail_of_triumph", "key": "one", "playerIds": ["ann"]}),
]
BY_OPERATORS: list[tuple[str, dict[str, Any]]] = [
    *[(f"events.{step}", {"eventKey": "race"}) for step in ("publish", "unpublish", "pause", "resume", "finalize")],
    ("windows.override", {"windowId": NO_WINDOW, "metadata": {}}),
    ("windows.copyPrevious", {"windowId": NO_WINDOW}),
    ("windows.cancel", {"windowId": NO_WINDOW}),
    ("windows.extend", {"windowId": NO_WINDOW, "endsAt": LATE}),
    ("windows.report", {"windowId": NO_WINDOW}),
    ("windows.correct", {"windowId": NO_WINDOW, "without": ["ann"]}),
    ("lobbies.start", {"lobbyId": f"{NO_WINDOW}.1"}),
    ("attempts.forceComplete", {"attemptId": f"{NO_WINDOW}.1.0"}),
    ("boards.put", {"leaderboard": {"key": "ladder"}}),
    ("boards.archive", {"boardKey": "ladder"}),
    ("attempts.void", {"attemptId": f"{NO_WINDOW}.1.0", "reason": "r"}),
    ("events.preview", {"eventKey": "race", "metrics": {}}),
    ("players.lookup", {"playerId": "ann"}),
    ("anomalies.list", {}),
    ("webhooks.dead", {}),
    ("webhooks.replay", {}),
    ("audit.list", {}),
]
UNKNOWN: list[tuple[str, dict[str, Any]]] = [
    *[(f"events.{step}", {"eventKey": "nothing"}) for step in ("publish", "unpublish", "pause", "resume", "finalize")],
    *[(op, fields) for op, fields in BY_OPERATORS if NO_WINDOW in str(fields)],
    ("boards.archive", {"boardKey": "nothing"}),
    ("boards.periods", {"boardKey": "nothing"}),
    ("boards.read", {"boardKey": "nothing"}),
    ("boards.watch", {"boardKey": "nothing"}),
    *[(f"players.{op}", {"playerId": "nobody"}) for op in ("get", "ban", "unban", "lookup")],
    ("grants.claim", {"playerId": "ann", "grantId": "nothing"}),
    ("crates.open", {"playerId": "ann", "grantId": "nothing"}),
    ("lobbies.get", {"playerId": "ann", "lobbyId": f"{NO_WINDOW}.1"}),
    ("lobbies.leave", {"playerId": "ann", "lobbyId": f"{NO_WINDOW}.1"}),
    ("lobbies.push", {"eventKey": "nothing", "key": "one", "playerIds": ["ann"]}),
]
OUT_OF_PLACE: list[tuple[str, dict[str, Any], str, str]] = [
    ("events.publish", {"eventKey": "race"}, "conflict", "live"),
    ("events.unpublish", {"eventKey": "race"}, "conflict", "live"),
    ("events.resume", {"eventKey": "race"}, "conflict", "live"),
    ("events.pause", {"eventKey": "sketch"}, "conflict", "draft"),
    ("events.pause", {"eventKey": "later"}, "conflict", "scheduled"),
    ("lobbies.push", {"eventKey": "race", "key": "one", "playerIds": ["ann"]}, "conflict", "global"),
    ("lobbies.push", {"eventKey": "attack", "key": "one", "playerIds": ["ann"]}, "conflict", "global"),
]
BAD_FIELDS: list[tuple[str, dict[str, Any], str]] = [
    ("windows.extend", {"windowId": NO_WINDOW, "endsAt": "tomorrow"}, "endsAt"),
    ("windows.override", {"windowId": NO_WINDOW}, "metadata"),
    ("players.put", {"playerId": "ann", "attributes": {"level": [1]}}, "attributes.level"),
    ("wallet.credit", {"playerId": "ann", "key": "cash", "amount": 0, "reason": "r", "idempotencyKey": "k"}, "amount"),
    ("wallet.credit", {"playerId": "ann", "key": "gold", "amount": 1, "reason": "r", "idempotencyKey": "k"}, "key"),
    ("lobbies.push", {"eventKey": "race", "key": "one", "playerIds": ["ann", "ann"]}, "playerIds[1]"),
    ("attempts.forceComplete", {"attemptId": "a", "score": "much"}, "score"),
]


async def test_players_and_servers_may_not_steer(codec: str) -> None:
    async with serving(GAME) as server:
        async with server.peer("ann", codec=codec) as ann:
            for op, fields in [*BY_SERVERS, *BY_OPERATORS]:
                assert await ann.refused(op, **fields) == ("forbidden", 403), op
        async with server.peer(role="server", codec=codec) as backend:
            for op, fields in BY_OPERATORS:
                assert await backend.refused(op, **fields) == ("forbidden", 403), op


async def test_what_is_not_there_is_not_found(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        for op, fields in UNKNOWN:
            assert await operator.refused(op, **fields) == ("not_found", 404), (op, fields)


async def test_what_comes_at_the_wrong_time_says_what_state_it_met_r26(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        for op, fields, code, state in OUT_OF_PLACE:
            error = await operator.error(op, **fields)
            assert (error["code"], error["details"]) == (code, {"state": state}), (op, fields, error)


async def test_bad_fields_are_named(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        for op, fields, path in BAD_FIELDS:
            error = await operator.error(op, **fields)
            assert (error["code"], error["details"]["path"]) == ("validation_failed", path), (op, fields, error)


async def test_whatever_is_steered_leaves_who_did_it_with_before_and_after(codec: str) -> None:
    game = game_of(RACE, {**LOBBY, "key": "duel"}, {**LOBBY, "key": "arranged"}, {**ATTACK, "state": "draft"})
    async with serving(game) as server, server.peer(role="operator", codec=codec) as operator:
        (window, *_) = (await operator.ok("windows.list", eventKey="race"))["windows"]
        name, override = window["windowId"], {"tier": "boss"}
        attempt = (await operator.ok("events.start", eventKey="race", playerId="ann"))["attempt"]["attemptId"]
        forming = (await operator.error("events.start", eventKey="duel", playerId="ann"))["details"]["lobbyId"]
        await operator.ok("players.put", playerId="ann", attributes={"level": 3}, name="Ann")
        await operator.ok("players.put", playerId="ann", attributes={"level": None})
        for step in ("publish", "pause", "resume"):
            await operator.ok(f"events.{step}", eventKey="attack")
        await operator.ok("attempts.forceComplete", attemptId=attempt, score=3)
        await operator.ok("lobbies.start", lobbyId=forming)
        for _ in range(2):  # again changes nothing, and leaves nothing
            pushed = await operator.ok("lobbies.push", eventKey="arranged", key="one", playerIds=["bob"])
        await operator.ok("windows.override", windowId=name, metadata=override)
        await operator.ok("windows.extend", windowId=name, endsAt=LATE)
        await operator.ok("windows.cancel", windowId=name)
        await operator.ok("boards.put", leaderboard={"key": "ladder"})
        await operator.ok("boards.archive", boardKey="ladder")
        await operator.ok("events.put", event={**ATTACK, "metadata": {"tier": "gold"}})
        await operator.ok("events.finalize", eventKey="attack")
        ends = [parse_iso(at) for at in (window["endsAt"], LATE)]
        assert await _audit_trail(server) == [
            ("players.put", "player:1", {"level": None}, {"level": 3}),
            ("players.put", "player:1", {"level": 3}, {"level": None}),
            ("events.publish", "attack", "draft", "live"),
            ("events.pause", "attack", "live", "paused"),
            ("events.resume", "attack", "paused", "live"),
            ("attempts.forceComplete", attempt, "in_progress", ["force_completed", 3]),
            ("lobbies.start", forming, "forming", "active"),
            ("lobbies.push", pushed["lobby"]["id"], None, "active"),
            ("windows.override", name, None, override),
            ("windows.extend", name, *ends),
            ("windows.cancel", name, "open", "cancelled"),
            ("game.put", "leaderboards:ladder", None, 1),
            ("game.put", "leaderboards:ladder", 1, 2),
            ("game.put", "events:attack", 1, 2),
            ("events.finalize", "attack", "live", "finalized"),
        ]


async def _audit_trail(server: Server) -> list[tuple[str, str, Any, Any]]:
    """What was done since the game was loaded, in order; all of it by an operator."""
    rows = [row for row in reversed(await server.game.engine._store.audit(limit=100)) if row.who != "file"]
    assert {row.who for row in rows} == {"operator"}
    return [(row.action, row.subject, unpack(row.before or b""), unpack(row.after or b"")) for row in rows]
