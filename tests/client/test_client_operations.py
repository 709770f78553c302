"""Every operation has a method, which asks in the words of the golden frames and gives back what they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from kraty_actors.client import Client, connect
from kraty_protocol.messages import OPERATIONS
from kraty_protocol.validation import check_fields
from tests.client.fake_server import Peer, serving
from tests.protocol.vectors import REPLIES, REQUESTS

pytestmark = pytest.mark.anyio

WINDOW, LOBBY = "w7k3f9x2q1ab", "w7k3f9x2q1ab.12"
ATTEMPT = f"{LOBBY}.3"
RUSH = next(vector["message"]["event"] for vector in REQUESTS if vector["message"]["op"] == "events.simulate")
SPRINT = {"key": "sprint", "metrics": [{"key": "score"}]}
WEEKLY = {"key": "weekly_global", "resetCadence": "weekly", "timezone": "Europe/Lisbon"}
ATTRIBUTES = {"skill": 1200, "timezone": "Europe/Lisbon", "vip": True, "ratio": 0.5, "clan": None}

Call = Callable[[Client], Awaitable[Any]]

CALLS: list[tuple[str, int, Call, str | None]] = [  # op, which of its frames, the call, the part of the answer
    ("ping", 0, lambda client: client.ping(), "serverTime"),
    ("events.list", 1, lambda client: client.list_events(upcoming=True), "events"),
    ("events.start", 0, lambda client: client.start("trail_of_triumph"), "attempt"),
    ("events.progress", 0, lambda client: client.progress(ATTEMPT, {"streak": 1}, seq=12), None),
    ("events.finish", 0, lambda client: client.finish(ATTEMPT), None),
    ("attempts.get", 0, lambda client: client.attempt(ATTEMPT), None),
    ("boards.read", 1, lambda client: client.read_board(LOBBY, limit=3, offset=200), None),
    (
        *("boards.read", 4),
        lambda client: client.read_board(board_key="weekly_global", period="2026-11-16T00:00:00.000Z"),
        None,
    ),
    ("boards.periods", 0, lambda client: client.board_periods("weekly_global"), None),
    ("lobbies.get", 0, lambda client: client.lobby(LOBBY), "lobby"),
    ("lobbies.leave", 0, lambda client: client.leave_lobby(LOBBY), "lobby"),
    ("wallet.get", 0, lambda client: client.wallet(), "balances"),
    ("inventory.get", 0, lambda client: client.inventory(), "items"),
    ("inventory.get", 1, lambda client: client.for_player("player_42").inventory(), "items"),
    ("grants.list", 1, lambda client: client.grants(status="pending", limit=20, after="g5v8"), None),
    ("grants.claim", 0, lambda client: client.claim("g5v8"), "grant"),
    ("profile.set", 0, lambda client: client.set_profile(name="Ada", avatar="fox"), "player"),
    (
        *("players.put", 0),
        lambda client: client.server.put_player("player_42", ATTRIBUTES, name="Ada", avatar="fox", country="PT"),
        "player",
    ),
    ("players.put", 1, lambda client: client.server.put_player("player_42", {}), "player"),
    ("players.get", 0, lambda client: client.server.player("player_42"), "player"),
    (
        *("wallet.credit", 0),
        lambda client: client.server.credit("player_42", "cash", 500, reason="purchase", idempotency_key="order-1"),
        None,
    ),
    (
        *("wallet.debit", 0),
        lambda client: client.server.debit("player_42", "cash", 50, reason="shop", idempotency_key="order-2"),
        None,
    ),
    (
        *("inventory.grant", 0),
        lambda client: client.server.grant_items(
            "player_42", "bullet_basic", 10, reason="purchase", idempotency_key="order-3"
        ),
        None,
    ),
    (
        *("inventory.revoke", 0),
        lambda client: client.server.revoke_items(
            "player_42", "bullet_basic", 3, reason="refund", idempotency_key="order-4"
        ),
        None,
    ),
    (
        "lobbies.push",
        0,
        lambda client: client.server.push_lobby("duel", "match-771", ["player_42", "player_7"]),
        "lobby",
    ),
    (
        *("lobbies.push", 1),
        lambda client: client.server.push_lobby(
            "duel", "match-772", ["player_8"], capacity=4, metadata={"map": "harbour", "ranked": True}
        ),
        "lobby",
    ),
    ("game.put", 0, lambda client: client.operator.put_game({"gameId": "arena", "events": [SPRINT]}), None),
    ("events.put", 0, lambda client: client.operator.put_event(SPRINT), None),
    ("events.get", 0, lambda client: client.operator.event("sprint"), None),
    ("events.publish", 0, lambda client: client.operator.publish("sprint"), None),
    ("events.unpublish", 0, lambda client: client.operator.unpublish("sprint"), None),
    ("events.pause", 0, lambda client: client.operator.pause("sprint"), None),
    ("events.resume", 0, lambda client: client.operator.resume("sprint"), None),
    ("events.finalize", 0, lambda client: client.operator.finalize("sprint"), "windows"),
    ("events.finalize", 1, lambda client: client.operator.finalize("sprint", WINDOW), "windows"),
    ("windows.list", 0, lambda client: client.operator.windows("sprint"), "windows"),
    (
        *("windows.override", 0),
        lambda client: client.operator.override_window(WINDOW, {"banner": "lava", "tier": None}),
        "window",
    ),
    ("windows.override", 1, lambda client: client.operator.override_window(WINDOW, None), "window"),
    ("windows.copyPrevious", 0, lambda client: client.operator.copy_previous_override(WINDOW), "window"),
    ("windows.extend", 0, lambda client: client.operator.extend_window(WINDOW, "2026-11-23T02:30:00.000Z"), "window"),
    ("windows.cancel", 0, lambda client: client.operator.cancel_window(WINDOW), "window"),
    ("windows.report", 0, lambda client: client.operator.window_report(WINDOW), "report"),
    (
        *("events.explain", 1),
        lambda client: client.operator.explain(WINDOW, "player_42", at="2026-11-22T20:04:10.000Z"),
        None,
    ),
    ("windows.correct", 1, lambda client: client.operator.correct_window(WINDOW, ["player_7"], apply=True), None),
    ("lobbies.start", 0, lambda client: client.operator.start_lobby(LOBBY), "lobby"),
    ("attempts.forceComplete", 0, lambda client: client.operator.force_complete(ATTEMPT), "attempt"),
    ("attempts.forceComplete", 1, lambda client: client.operator.force_complete(ATTEMPT, 4.5), "attempt"),
    ("boards.put", 0, lambda client: client.operator.put_board(WEEKLY), None),
    ("boards.archive", 0, lambda client: client.operator.archive_board("weekly_global"), None),
    (
        *("events.preview", 0),
        lambda client: client.operator.preview(
            "trail_of_triumph", {"streak": 7, "losses": 2}, rank=3, winner_count=3, seed=7
        ),
        None,
    ),
    ("events.preview", 1, lambda client: client.operator.preview(SPRINT, {"score": 12.5}), None),
    (
        *("events.simulate", 0),
        lambda client: client.operator.simulate(RUSH, 20, seed=7, behaviour="steady", runs=10, afford=0.9),
        None,
    ),
    ("events.simulate", 1, lambda client: client.operator.simulate("trail_of_triumph", 200), None),
    ("crates.open", 0, lambda client: client.open_crate("g7c1"), None),
    (
        *("grants.create", 0),
        lambda client: client.server.create_grant(
            "player_42", [{"type": "currency", "currencyKey": "cash", "amount": 100}], idempotency_key="gift-1"
        ),
        None,
    ),
    ("players.ban", 0, lambda client: client.server.ban("player_42", "sold accounts"), "player"),
    ("players.ban", 1, lambda client: client.server.ban("player_42"), "player"),
    ("players.unban", 0, lambda client: client.server.unban("player_42", "appeal"), "player"),
    ("players.lookup", 0, lambda client: client.operator.lookup("player_42"), None),
    ("anomalies.list", 0, lambda client: client.operator.anomalies(), None),
    (
        *("anomalies.list", 1),
        lambda client: client.operator.anomalies(
            player_id="player_42", event_key="trail_of_triumph", limit=1, after="n4x6"
        ),
        None,
    ),
    ("attempts.void", 0, lambda client: client.operator.void(ATTEMPT, "played by a script"), "attempt"),
    ("webhooks.dead", 0, lambda client: client.operator.dead_deliveries(), None),
    ("webhooks.dead", 1, lambda client: client.operator.dead_deliveries(limit=1, after="d9f3"), None),
    ("webhooks.replay", 0, lambda client: client.operator.replay_deliveries(), "replayed"),
    ("webhooks.replay", 1, lambda client: client.operator.replay_deliveries(["d8f2", "d9f3"]), "replayed"),
    ("audit.list", 0, lambda client: client.operator.audit(), None),
    ("audit.list", 1, lambda client: client.operator.audit(limit=2, after="912"), None),
    ("stats", 0, lambda client: client.operator.stats(), None),
    ("stats", 1, lambda client: client.operator.stats(limit=1), None),
]


def test_every_operation_has_a_method() -> None:
    assert {op for op, *_ in CALLS} == OPERATIONS.keys() - {"hello", "boards.watch", "boards.unwatch"}


@pytest.mark.parametrize("codec", ["msgpack", "json"])
@pytest.mark.parametrize(("op", "which", "call", "part"), CALLS, ids=[f"{op}-{which}" for op, which, *_ in CALLS])
async def test_it_asks_and_answers_as_the_golden_frames_do(
    codec: Any, op: str, which: int, call: Call, part: str | None
) -> None:
    vector = [vector for vector in REQUESTS if vector["message"]["op"] == op][which]
    ok = next(vector["message"]["ok"] for vector in REPLIES if vector["op"] == op)
    asked = {name: value for name, value in vector["message"].items() if name not in ("id", "op")}

    async def script(peer: Peer) -> None:
        await peer.welcome()
        request = await peer.receive(op)
        given = {name: getattr(request.fields, name) for name in _names(request.fields)}
        wanted = check_fields(op, vector["role"], asked)
        assert given == {name: getattr(wanted, name) for name in given}
        await peer.reply(request, ok)
        await peer.until_gone()

    async with serving(script) as url, connect(url, role=vector["role"], codec=codec) as client:
        assert await call(client) == (ok if part is None else ok[part])


def _names(fields: Any) -> list[str]:
    return list(getattr(fields, "__slots__", None) or type(fields).model_fields)


@pytest.mark.parametrize(
    ("fields", "sent"), [({"metadata": None}, None), ({"metadata": {}}, {})], ids=["null", "an empty bag"]
)
async def test_r25_null_travels_in_a_plain_call(fields: dict[str, Any], sent: Any) -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        request = await peer.receive("windows.override")
        assert request.fields.metadata == sent
        await peer.reply(request, {})
        await peer.until_gone()

    async with serving(script) as url, connect(url, role="operator") as client:
        await client.call("windows.override", windowId=WINDOW, **fields)
