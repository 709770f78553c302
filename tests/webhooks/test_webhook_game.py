"""R-52 to R-54 in a game that runs: what happens in it is told to its backends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from posting import verified
from receiver import Receiver, receiver, says

from kraty_actors import DefinitionFaults, Game, Refused, open_game
from kraty_actors.testing import ManualClock
from kraty_persistence import MemoryStore
from kraty_protocol.operator_shapes import Anomaly, Delivery
from kraty_protocol.shapes import Attempt, Grant, Lobby, Window, parse_iso

pytestmark = pytest.mark.anyio

OPENS, CLOSES = "2026-05-28T00:00:00Z", "2026-05-29T00:00:00Z"
NOON = parse_iso("2026-05-28T12:00:00Z")
NEXT_DAY = parse_iso("2026-05-29T00:00:01Z")
SECRET = "whsec"
PATIENCE_SECONDS = 20


DAY: dict[str, Any] = {"mode": "fixed", "startsAt": OPENS, "endsAt": CLOSES}


def jump(most: int, verdict: str) -> dict[str, Any]:
    return {"key": "max_metric_jump", "params": {"metricKey": "wins", "maxDelta": most, "verdict": verdict}}


EVENTS: list[dict[str, Any]] = [
    {
        "key": "sprint",
        "availability": DAY,
        "metadata": {"tier": "gold"},
        "metrics": [{"key": "wins", "target": 2}],
        "contributesTo": ["daily"],
        "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 100, "currencyKey": "cash"}},
    },
    {
        "key": "guarded",
        "availability": DAY,
        "metrics": [{"key": "wins"}],
        "antiCheat": {"validators": [jump(100, "flag"), jump(1_000, "reject")]},
    },
    {
        "key": "duel",
        "availability": DAY,
        "metrics": [{"key": "wins", "target": 1}],
        "leaderboard": {"mode": "lobby_matched", "capacity": 2, "fillStrategy": "wait_full"},
    },
]


def game_file(url: str, **webhook: Any) -> dict[str, Any]:
    return {
        "gameId": "arena",
        "currencies": [{"key": "cash"}],
        "items": [{"key": "bullet"}],
        "leaderboards": [{"key": "daily", "resetCadence": "daily"}],
        "webhooks": [{"key": "backend", "url": url, "secret": SECRET, **webhook}],
        "events": list(EVENTS),
    }


@asynccontextmanager
async def played(there: Receiver, **options: Any) -> AsyncIterator[tuple[Game, ManualClock]]:
    clock = ManualClock(NOON)
    webhook = options.pop("webhook", {})
    async with open_game(game_file(there.url, **webhook), clock=clock, allow_private_webhooks=True, **options) as game:
        yield game, clock


async def told(there: Receiver, name: str, count: int = 1) -> list[dict[str, Any]]:
    """Wait for so many of a name."""
    with anyio.fail_after(PATIENCE_SECONDS):
        while True:
            found = [body for body in map(verified, there.heard) if body["eventName"] == name]
            if len(found) >= count:
                return found
            await there.news.wait()


async def test_what_changes_in_wallets_and_inventories_is_told() -> None:
    async with receiver() as there, played(there) as (game, _):
        await game.server.credit("ann", "cash", 5, reason="gift", idempotency_key="k1")
        await game.server.debit("ann", "cash", 2, reason="shop", idempotency_key="k2")
        await game.server.debit("ann", "cash", 2, reason="shop", idempotency_key="k2")
        await game.server.grant_items("ann", "bullet", 3, reason="gift", idempotency_key="k3")
        (item,) = await told(there, "inventory.changed")
        source = item["data"].pop("sourceRefId")
        assert item["data"] == {"playerId": "ann", "key": "bullet", "delta": 3, "quantity": 3, "reason": "gift"}
        changes = [body["data"] for body in await told(there, "wallet.changed", 2)]
        common = {"playerId": "ann", "key": "cash", "sourceRefId": source}
        expected = [
            {**common, "delta": -2, "balance": 3, "reason": "shop"},
            {**common, "delta": 5, "balance": 5, "reason": "gift"},
        ]
        assert sorted(changes, key=lambda data: data["delta"]) == expected


async def test_the_life_of_a_window_is_told() -> None:
    async with receiver() as there, played(there) as (game, clock):
        opened = {body["data"]["window"]["eventKey"]: body for body in await told(there, "event.window_opened", 3)}
        window = opened["sprint"]["data"]["window"]
        assert window.keys() == Window.__annotations__.keys()
        assert (window["state"], window["startsAt"]) == ("open", "2026-05-28T00:00:00.000Z")
        assert window["metadata"] == {"tier": "gold"}
        attempt = await game.start("ann", "sprint")
        await game.progress_attempt("ann", attempt["attemptId"], {"wins": 2})
        (completed,) = await told(there, "event.attempt_completed")
        assert completed["data"].keys() == {"attempt", "playerId"}
        assert completed["data"]["attempt"] == await game.attempt("ann", attempt["attemptId"])
        assert completed["data"]["attempt"].keys() == Attempt.__annotations__.keys()
        assert completed["data"]["playerId"] == "ann"
        clock.move_to(NEXT_DAY)
        closed = [body["data"]["window"] for body in await told(there, "event.window_closed", 3)]
        assert {(one["windowId"], one["state"]) for one in closed} >= {(window["windowId"], "closing")}
        final = [body["data"] for body in await told(there, "event.finalized", 3)]
        assert [one for one in final if one["eventKey"] == "sprint"] == [
            {
                "windowId": window["windowId"],
                "eventKey": "sprint",
                "participants": 1,
                "winners": 1,
                "paid": [{"currencyKey": "cash", "amount": 100}],
                "remainder": 0,
            }
        ]
        (created,) = await told(there, "grant.created")
        assert created["data"]["playerId"] == "ann"
        assert created["data"]["grant"].keys() == Grant.__annotations__.keys()
        assert created["data"]["grant"]["status"] == "pending"
        claimed_grant = await game.claim("ann", created["data"]["grant"]["id"])
        (claimed,) = await told(there, "grant.claimed")
        assert claimed["data"] == {"grant": claimed_grant, "playerId": "ann"}
        (credited,) = await told(there, "wallet.changed")
        assert credited["data"]["delta"] == 100
        (period,) = await told(there, "board.period_closed")
        assert period["data"] == {
            "boardKey": "daily",
            "startsAt": "2026-05-28T12:00:00.000Z",  # when the board was put
            "endsAt": "2026-05-29T00:00:00.000Z",
            "leaderboardId": (await game.board_periods("daily"))["periods"][0]["leaderboardId"],
        }


async def test_a_windows_own_metadata_is_told_with_it() -> None:
    """R-25: as whoever looks at the window sees it."""
    source = game_file("http://localhost:1/")
    source["events"][0] = {**EVENTS[0], "availability": {**DAY, "startsAt": "2026-05-28T13:00:00Z"}}
    async with receiver() as there:
        source["webhooks"][0]["url"] = there.url
        clock = ManualClock(NOON)
        async with open_game(source, clock=clock, allow_private_webhooks=True) as game:
            window = (await game.operator.windows("sprint"))[0]
            await game.operator.override_window(window["windowId"], {"banner": "red"})
            clock.move_to(parse_iso("2026-05-28T13:00:00Z"))
            await told(there, "event.window_opened", 3)
            (listed,) = await game.operator.windows("sprint")
            found = [body["data"]["window"] for body in await told(there, "event.window_opened", 3)]
            assert [one for one in found if one["eventKey"] == "sprint"] == [listed]
            assert listed["metadata"] == {"tier": "gold", "banner": "red"}


async def test_flags_and_rejections_are_told_as_anomalies_r50() -> None:
    async with receiver() as there, played(there) as (game, _):
        attempt_id = (await game.start("ann", "guarded"))["attemptId"]
        await game.progress_attempt("ann", attempt_id, {"wins": 101})
        (flagged,) = await told(there, "event.attempt_flagged")
        assert flagged["data"].keys() == Anomaly.__annotations__.keys()
        assert (await game.operator.anomalies(player_id="ann"))["anomalies"] == [flagged["data"]]
        with pytest.raises(Refused):
            await game.progress_attempt("ann", attempt_id, {"wins": 5_000})
        found = [body["data"] for body in await told(there, "event.attempt_flagged", 3)]
        assert sorted((one["verdict"], one["outcome"]) for one in found) == [
            ("flag", "flag"),
            ("flag", "reject"),
            ("reject", "reject"),
        ]


async def test_what_operators_do_to_players_is_told_r51() -> None:
    async with receiver() as there, played(there) as (game, _):
        attempt_id = (await game.progress("ann", "guarded", 3))["attemptId"]
        voided_attempt = await game.operator.void(attempt_id, "cheat")
        (voided,) = await told(there, "attempt.voided")
        assert voided["data"] == {"attempt": voided_attempt, "playerId": "ann"}
        await game.server.ban("ann", "cheat")
        await game.server.ban("ann", "cheat")
        await game.server.unban("ann", "sorry")
        (banned,) = await told(there, "player.banned")
        (unbanned,) = await told(there, "player.unbanned")
        assert banned["data"] == {"playerId": "ann", "reason": "cheat"}
        assert unbanned["data"] == {"playerId": "ann", "reason": "sorry"}


async def test_the_life_of_a_lobby_is_told_r31() -> None:
    async with receiver() as there, played(there) as (game, clock):
        with pytest.raises(Refused):
            await game.start("ann", "duel")
        (created,) = await told(there, "lobby.created")
        assert created["data"].keys() == {"lobby", "playerIds"}
        assert created["data"]["lobby"].keys() == Lobby.__annotations__.keys()
        assert (created["data"]["lobby"]["status"], created["data"]["playerIds"]) == ("forming", ["ann"])
        await game.start("bob", "duel")
        (started,) = await told(there, "lobby.started")
        assert (started["data"]["lobby"]["status"], started["data"]["playerIds"]) == ("active", ["ann", "bob"])
        clock.move_to(NEXT_DAY)
        (closed,) = await told(there, "lobby.closed")
        assert (closed["data"]["lobby"]["status"], closed["data"]["playerIds"]) == ("closed", ["ann", "bob"])
        assert len(await told(there, "lobby.created")) == 1


async def test_an_endpoint_hears_only_of_what_it_asked_for() -> None:
    async with receiver() as there, played(there, webhook={"events": ["player.banned"]}) as (game, _):
        await game.server.credit("ann", "cash", 5, reason="gift", idempotency_key="k1")
        await game.server.ban("ann")
        await told(there, "player.banned")
        assert len(there.heard) == 1


async def test_a_disabled_endpoint_hears_nothing() -> None:
    store = MemoryStore()
    async with receiver() as there, played(there, webhook={"enabled": False}, store=store) as (game, _):
        await game.server.credit("ann", "cash", 5, reason="gift", idempotency_key="k1")
        assert await store.endpoints_due() == []
        assert store.reporter is None


async def test_each_endpoint_has_an_id_of_its_own_for_the_same_occurrence_r54() -> None:
    async with receiver() as one, receiver() as two:
        source = game_file(one.url)
        source["webhooks"].append({"key": "other", "url": two.url, "secret": SECRET})
        async with open_game(source, allow_private_webhooks=True) as game:
            await game.server.credit("ann", "cash", 5, reason="gift", idempotency_key="k1")
            (first,), (second,) = await told(one, "wallet.changed"), await told(two, "wallet.changed")
            assert first.pop("id") != second.pop("id")
            assert first == second


async def test_what_did_not_arrive_arrives_after_a_restart() -> None:
    store = MemoryStore()
    async with receiver(says("500 Oh")) as there:
        async with played(there, store=store) as (game, _):
            await game.server.credit("ann", "cash", 5, reason="gift", idempotency_key="k1")
            (first,) = await told(there, "wallet.changed")
        there.answer = says("200 OK")
        async with played(there, store=store) as (_, clock):
            clock.advance(3_600)
            again = (await told(there, "wallet.changed", 2))[-1]
        assert (again.pop("deliveryAttempt"), first.pop("deliveryAttempt")) >= (1, 1)
        assert again == first


async def test_what_happens_during_recovery_is_told_too_r53() -> None:
    """A window that ended while the server was down ends before any definition is read again."""
    store = MemoryStore()
    async with receiver() as there:
        async with played(there, store=store) as (game, _):
            attempt = await game.start("ann", "sprint")
            await game.progress_attempt("ann", attempt["attemptId"], {"wins": 2})
            await told(there, "event.attempt_completed")
        clock = ManualClock(NEXT_DAY)
        async with open_game(game_file(there.url), clock=clock, store=store, allow_private_webhooks=True):
            assert len(await told(there, "event.finalized", 3)) == 3
            assert len(await told(there, "grant.created")) == 1


async def _dead(game: Game, name: str) -> list[Delivery]:
    return [one for one in (await game.operator.dead_deliveries())["deliveries"] if one["eventName"] == name]


async def test_operators_see_what_was_given_up_and_have_it_sent_again() -> None:
    store = MemoryStore()
    async with receiver(says("500 Oh")) as there, played(there, store=store) as (game, clock):
        await game.server.credit("ann", "cash", 5, reason="gift", idempotency_key="k1")
        while not (dead := await _dead(game, "wallet.changed")):
            clock.advance(3_600)
            await checkpoint()
        assert (dead[0]["webhookKey"], dead[0]["error"]) == ("backend", "status 500")
        there.answer = says("200 OK")
        assert await game.operator.replay_deliveries([dead[0]["id"]]) == 1
        tries = [body["id"] for body in await told(there, "wallet.changed")].count(dead[0]["id"])
        while len(bodies := await told(there, "wallet.changed")) == tries:
            clock.advance(60)  # the endpoint may rest
            await checkpoint()
        assert bodies[-1] == {**bodies[0], "deliveryAttempt": 1}


async def test_an_endpoint_that_is_put_while_the_game_runs_is_served() -> None:
    async with receiver() as there:
        source = game_file(there.url)
        hook = source.pop("webhooks")
        async with open_game(source, allow_private_webhooks=True) as game:
            await game.server.credit("ann", "cash", 5, reason="gift", idempotency_key="k1")
            await game.operator.put_game({**source, "webhooks": hook})
            await anyio.wait_all_tasks_blocked()
            await game.server.credit("ann", "cash", 7, reason="gift", idempotency_key="k2")
            (body,) = await told(there, "wallet.changed")
            assert body["data"]["delta"] == 7


async def test_private_addresses_are_refused_unless_allowed() -> None:
    store = MemoryStore()
    async with receiver() as there, open_game(game_file(there.url), store=store) as game:
        await game.server.credit("ann", "cash", 5, reason="gift", idempotency_key="k1")
        while not all(row.attempts for row in store._outbox.values()):
            await checkpoint()
        port = there.url.split(":")[2].partition("/")[0]
        del port
        assert {row.error.partition(":")[0] for row in store._outbox.values()} == {"the address is not public"}
        assert there.connections == 0


async def test_a_missing_secret_is_a_fault_that_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    store = MemoryStore()
    source = game_file("https://game.example/hooks", secret=None, secretEnv="HOOK_SECRET")
    with pytest.raises(DefinitionFaults, match=r"webhooks\[0\].secretEnv: the environment has no variable HOOK_SECRET"):
        async with open_game(source, store=store):
            pass
    assert await store.unfinished() == []
    monkeypatch.setenv("HOOK_SECRET", "from the environment")
    async with receiver() as there:
        source["webhooks"][0]["url"] = there.url
        async with open_game(source, store=store, allow_private_webhooks=True) as game:
            await game.server.credit("ann", "cash", 5, reason="gift", idempotency_key="k1")
            while not there.heard:
                await there.news.wait()
            assert verified(there.heard[0], "from the environment")


async def test_secrets_stand_in_no_log_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with receiver(says("500 Oh")) as there:
        source = game_file(there.url + "?token=hidden")
        store = MemoryStore()
        async with open_game(source, store=store, allow_private_webhooks=True) as game:
            await game.server.credit("ann", "cash", 5, reason="gift", idempotency_key="k1")
            await told(there, "wallet.changed")
            texts = [caplog.text, repr(game.engine.catalogue.game), *map(repr, store._outbox.values())]
    assert not [text for text in texts if SECRET in text]
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("kraty")]
    assert not [text for text in ours if "hidden" in text]
