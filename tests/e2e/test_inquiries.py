"""What operators look up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import anyio
import pytest
from acting_for_ann import GAME, assert_shape
from raw_peer import Map, Peer
from servers import NOON, Server, serving

from kraty_actors.actors.records import pack
from kraty_persistence import AnomalyRow, Delivery, StoreError, Unit
from kraty_protocol import operator_shapes, shapes
from kraty_protocol.shapes import iso

pytestmark = pytest.mark.anyio

SNAPSHOT = {"before": {"points": 1}, "after": {"points": 9000}}


async def stored(server: Server, *effects: Any) -> None:
    """Rows that somebody has written."""
    fates: list[StoreError | None] = []
    written = anyio.Event()

    def done(error: StoreError | None) -> None:
        fates.append(error)
        written.set()

    server.game.engine._store.submit(Unit("wsomewhere", 1, b"", effects), done)
    await written.wait()
    assert fates == [None]


async def pages(peer: Peer, op: str, part: str, limit: int, **fields: Any) -> list[Map]:
    """All pages of a list, joined."""
    found: list[Map] = []
    after: dict[str, str] = {}
    while True:
        page = await peer.ok(op, limit=limit, **fields, **after)
        assert len(page[part]) <= limit
        assert page[part] or not after  # a page that was announced holds something
        found += page[part]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


# -- anomalies


def anomaly(number: int, player: int, event_key: str = "attack", verdict: str = "flag") -> AnomalyRow:
    return AnomalyRow(
        id=f"n{number}",
        player=player,
        event_key=event_key,
        window_id="wa",
        attempt_id=f"wa.1.{number}",
        validator="max_metric_jump",
        verdict=verdict,
        outcome="reject",
        reason="points rose by 8999",
        snapshot=pack(SNAPSHOT),
        at=NOON + number,
    )


async def test_anomalies_come_newest_first_of_a_player_of_an_event_or_of_all_r51(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        for player in ("ann", "bob"):
            await operator.ok("wallet.get", playerId=player)  # numbers 1 and 2
        rows = [anomaly(n, player=1 + n % 2, event_key=("attack", "race")[n // 3]) for n in range(6)]
        await stored(server, *rows)
        whole = await pages(operator, "anomalies.list", "anomalies", 4)
        assert whole[0] == {
            "id": "n5",
            "playerId": "bob",
            "eventKey": "race",
            "windowId": "wa",
            "attemptId": "wa.1.5",
            "validatorKey": "max_metric_jump",
            "verdict": "flag",
            "outcome": "reject",
            "reason": "points rose by 8999",
            "metricSnapshot": SNAPSHOT,
            "occurredAt": iso(NOON + 5),
        }
        assert _ids(whole) == ["n5", "n4", "n3", "n2", "n1", "n0"]
        assert _ids(await pages(operator, "anomalies.list", "anomalies", 2, playerId="ann")) == ["n4", "n2", "n0"]
        assert _ids(await pages(operator, "anomalies.list", "anomalies", 2, eventKey="attack")) == ["n2", "n1", "n0"]
        both = {"playerId": "ann", "eventKey": "attack"}
        assert _ids(await pages(operator, "anomalies.list", "anomalies", 1, **both)) == ["n2", "n0"]
        assert await operator.ok("anomalies.list", after="nowhere") == {"anomalies": [], "next": None}


async def test_anomalies_of_nobody_and_of_nothing_are_not_found(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        assert await operator.refused("anomalies.list", playerId="nobody") == ("not_found", 404)
        assert await operator.refused("anomalies.list", eventKey="nothing") == ("not_found", 404)
        assert await operator.ok("anomalies.list", eventKey="attack") == {"anomalies": [], "next": None}


# -- one player


CASH: Map = {"type": "currency", "currencyKey": "cash", "amount": 1}


async def test_a_lookup_shows_all_there_is_about_a_player_r51(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        ann = {"playerId": "ann"}
        await operator.ok("players.put", **ann, attributes={"level": 3}, name="Ann")
        old = (await operator.ok("events.start", **ann, eventKey="attack"))["attempt"]
        await operator.ok("events.progress", **ann, attemptId=old["attemptId"], metricValue=7)
        finished = (await operator.ok("events.finish", **ann, attemptId=old["attemptId"]))["attempt"]
        server.clock.move_to(NOON + 1000)
        newer = (await operator.ok("events.start", **ann, eventKey="race"))["attempt"]
        server.clock.move_to(NOON + 2000)
        newest = (await operator.ok("events.start", **ann, eventKey="attack"))["attempt"]
        await operator.ok("events.start", playerId="bob", eventKey="attack")
        await operator.ok("wallet.credit", **ann, key="gems", amount=9, reason="r", idempotencyKey="k")
        await stored(server, *[anomaly(n, player=1) for n in range(60)], anomaly(60, player=2))
        found = await operator.ok("players.lookup", **ann)
        assert_shape(found, operator_shapes.Lookup)
        assert found["player"] == (await operator.ok("players.get", **ann))["player"]
        assert found["attempts"] == [newest, newer, finished]
        assert found["grants"] == (await operator.ok("grants.list", **ann))["grants"]
        assert found["wallet"] == (await operator.ok("wallet.get", **ann))["balances"]
        assert found["inventory"] == (await operator.ok("inventory.get", **ann))["items"]
        assert _ids(found["anomalies"]) == [f"n{n}" for n in reversed(range(10, 60))]
        assert await operator.refused("players.lookup", playerId="nobody") == ("not_found", 404)


async def test_a_lookup_shows_the_last_50_of_each_and_attempts_of_long_ago_too(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        ann = {"playerId": "ann"}
        made = []
        for n in range(52):
            server.clock.move_to(NOON + n)
            made.append((await operator.ok("events.start", **ann, eventKey="attack"))["attempt"]["attemptId"])
            await operator.ok("events.finish", **ann, attemptId=made[-1])
            await operator.ok("grants.create", **ann, entries=[CASH], idempotencyKey=f"gift-{n}")
        await operator.ok("events.finalize", eventKey="attack")
        lookup = await operator.ok("players.lookup", **ann)
        assert lookup["grants"] == (await operator.ok("grants.list", **ann, limit=50))["grants"]
        found = lookup["attempts"]
        assert [attempt["attemptId"] for attempt in found] == list(reversed(made))[:50]
        for attempt in found:
            assert_shape(attempt, shapes.Attempt)
            assert attempt["status"] == "expired"


# -- webhooks


async def given_up(server: Server, numbers: Iterable[int]) -> None:
    """Deliveries that were tried in vain for a day."""
    store = server.game.engine._store
    await stored(server, *[Delivery(f"d{n}", "backend", "grant.created", NOON + n, b"") for n in numbers])
    for n in numbers:
        await store.failed(f"d{n}", attempts=31, next_at=None, error="status 503")


async def test_what_was_given_up_is_listed_and_tried_again_r53(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        assert await operator.ok("webhooks.dead") == {"deliveries": [], "next": None}
        await given_up(server, range(5))
        dead = await pages(operator, "webhooks.dead", "deliveries", 2)
        assert _ids(dead) == ["d4", "d3", "d2", "d1", "d0"]
        assert dead[0] == {
            "id": "d4",
            "webhookKey": "backend",
            "eventName": "grant.created",
            "occurredAt": iso(NOON + 4),
            "attempts": 31,
            "error": "status 503",
        }
        assert await operator.ok("webhooks.replay", ids=["d1", "d3", "d9"]) == {"replayed": 2}
        assert await operator.ok("webhooks.replay", ids=["d1"]) == {"replayed": 0}
        assert _ids((await operator.ok("webhooks.dead"))["deliveries"]) == ["d4", "d2", "d0"]
        assert await operator.ok("webhooks.replay") == {"replayed": 3}
        assert (await operator.ok("webhooks.dead"))["deliveries"] == []
        rows = (await operator.ok("audit.list", limit=3))["audit"]
        assert [(row["action"], row["subject"], row["after"]) for row in rows[:2]] == [
            ("webhooks.replay", "webhooks", "all"),
            ("webhooks.replay", "webhooks", ["d1", "d3", "d9"]),
        ]
        assert rows[2]["action"] != "webhooks.replay"  # what changes nothing leaves nothing


def _ids(rows: Iterable[Map]) -> list[str]:
    return [row["id"] for row in rows]


# -- the audit trail


async def test_the_audit_trail_names_players_and_comes_in_pages_newest_first_r57(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        async with server.peer(role="server", codec=codec) as backend:
            await backend.ok("players.put", playerId="ann", attributes={"level": 3})
        await operator.ok("events.pause", eventKey="race")
        await operator.ok("events.resume", eventKey="race")
        whole = (await operator.ok("audit.list", limit=200))["audit"]
        for row in whole:
            assert_shape(row, operator_shapes.AuditRow)
        assert [_told(row) for row in whole[:3]] == [
            ("operator", "events.resume", "race", "paused", "live"),
            ("operator", "events.pause", "race", "live", "paused"),
            ("server", "players.put", "player:ann", {"level": None}, {"level": 3}),
        ]
        assert {row["who"] for row in whole[3:]} == {"file"}
        assert {row["at"] for row in whole} == {"2026-06-02T12:00:00.000Z"}
        assert await pages(operator, "audit.list", "audit", 2) == whole


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "²", "9" * 64])
async def test_the_audit_trail_begins_behind_no_row_that_is_not_one(codec: str, after: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        assert await operator.ok("audit.list", after=after) == {"audit": [], "next": None}


async def test_an_event_with_the_name_of_a_player_is_no_player(codec: str) -> None:
    odd = {**GAME, "events": [{"key": "player:1", "metrics": [{"key": "laps"}]}]}
    async with serving(odd) as server, server.peer(role="operator", codec=codec) as operator:
        await operator.ok("wallet.get", playerId="ann")
        await operator.ok("events.pause", eventKey="player:1")
        (newest,) = (await operator.ok("audit.list", limit=1))["audit"]
        assert newest["subject"] == "player:1"


def _told(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["who"], row["action"], row["subject"], row["before"], row["after"]
