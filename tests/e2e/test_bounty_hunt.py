"""The source document's paid event, point by point, on a socket (R-20, R-21, R-42, R-55)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from acting_for_ann import assert_shape
from raw_peer import Map, Peer
from servers import Server, game_of, serving

from kraty_actors.client import Refused
from kraty_persistence.sql import open_sql_store
from kraty_protocol import shapes

pytestmark = pytest.mark.anyio

BOUNTY_HUNT: Map = {
    "key": "bounty_hunt",
    "type": "single_metric",
    "entryCost": {
        "currencies": [{"key": "cash", "amount": 50}],
        "items": [{"key": "bullet_basic", "quantity": 1}],
    },
    "metrics": [{"key": "bounties", "target": 5, "capAtTarget": True}],
    "rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "bounty-hunt-payout-bundle"}},
}
"""As it stands there, with its placeholder filled in."""

REPLAYABLE: Map = {**BOUNTY_HUNT, "attempt": {"replayableDuringWindow": True, "maxAttempts": 3}}
OWNS_A_LICENCE: Map = {"entryRequirement": {"type": "owns_item", "itemKey": "licence"}}
PAYOUT: Map = {"type": "currency", "currencyKey": "cash", "amount": 200}
AT_ONCE = 100


def hunting(event: Mapping[str, Any] = BOUNTY_HUNT, **more: Any) -> Map:
    items = [{"key": "bullet_basic"}, {"key": "licence"}]
    return game_of(event, items=items, bundles=[{"key": "bounty-hunt-payout-bundle", "entries": [PAYOUT]}], **more)


@pytest.fixture(params=["trio-msgpack", "trio-json", "asyncio-msgpack", "asyncio-json"])
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@asynccontextmanager
async def hunters(codec: str, game: Mapping[str, Any], **more: Any) -> AsyncIterator[tuple[Server, Peer, Peer]]:
    """A server, player 42 on it, and the game's backend."""
    async with (
        serving(game, **more) as server,
        server.peer("player_42", codec=codec) as player,
        server.peer(role="server", codec=codec) as backend,
    ):
        yield server, player, backend


async def give(backend: Peer, *, cash: int = 0, bullets: int = 0, key: str = "gift") -> None:
    about = {"playerId": "player_42", "reason": "purchase"}
    if cash:
        await backend.ok("wallet.credit", key="cash", amount=cash, idempotencyKey=f"{key}-cash", **about)
    if bullets:
        await backend.ok("inventory.grant", key="bullet_basic", quantity=bullets, idempotencyKey=f"{key}-item", **about)


async def purse(peer: Peer) -> tuple[int, int]:
    """Cash and bullets."""
    (cash, _) = (await peer.ok("wallet.get"))["balances"]
    items = {one["key"]: one["quantity"] for one in (await peer.ok("inventory.get"))["items"]}
    return cash["balance"], items.get("bullet_basic", 0)


async def listed(peer: Peer) -> Map:
    (listing,) = (await peer.ok("events.list"))["events"]
    assert_shape(listing, shapes.Listing)
    return listing


def short_of(resource: str, needed: int, have: int) -> Map:
    return {
        "code": "insufficient_entry_cost",
        "status": 402,
        "message": f"not enough {resource} to enter: need {needed}",
        "details": {"resource": resource, "needed": needed, "have": have},
    }


async def test_a_start_takes_fifty_cash_and_a_bullet_r20(codec: str) -> None:
    async with hunters(codec, hunting()) as (_, player, backend):
        await give(backend, cash=60, bullets=2)
        started = await player.ok("events.start", eventKey="bounty_hunt")
        assert started["attempt"]["status"] == "in_progress"
        assert await purse(player) == (10, 1)


@pytest.mark.parametrize(
    ("cash", "bullets", "error"),
    [
        (0, 0, short_of("cash", 50, 0)),
        (49, 1, short_of("cash", 50, 49)),
        (50, 0, short_of("bullet_basic", 1, 0)),
        (500, 0, short_of("bullet_basic", 1, 0)),
    ],
)
async def test_who_is_short_of_something_is_told_of_what_first_and_pays_nothing_r20(
    codec: str, cash: int, bullets: int, error: Map
) -> None:
    async with hunters(codec, hunting()) as (_, player, backend):
        await give(backend, cash=cash, bullets=bullets)
        assert await player.error("events.start", eventKey="bounty_hunt") == error
        assert await purse(player) == (cash, bullets)
        assert (await listed(player))["currentAttemptId"] is None
        await give(backend, cash=50, bullets=1, key="more")
        await player.ok("events.start", eventKey="bounty_hunt")
        assert await purse(player) == (cash, bullets)


async def test_the_listing_says_need_and_have_before_the_tap_r55(codec: str) -> None:
    async with hunters(codec, hunting()) as (_, player, backend):
        listing = await listed(player)
        assert listing["entryCost"] == BOUNTY_HUNT["entryCost"]
        assert (listing["requirementMet"], listing["affordable"]) == (True, False)
        cash, bullet = (
            {"resource": "cash", "needed": 50, "have": 0},
            {"resource": "bullet_basic", "needed": 1, "have": 0},
        )
        assert listing["missing"] == [cash, bullet]
        await give(backend, cash=30, bullets=1)
        listing = await listed(player)
        assert (listing["affordable"], listing["missing"]) == (False, [{**cash, "have": 30}])
        await give(backend, cash=20, key="more")
        listing = await listed(player)
        assert (listing["affordable"], listing["missing"]) == (True, [])
        await player.ok("events.start", eventKey="bounty_hunt")
        listing = await listed(player)
        assert (listing["affordable"], listing["missing"]) == (True, []), "it is paid for"


async def test_what_is_required_is_looked_at_and_what_it_costs_is_taken_r18(codec: str) -> None:
    async with hunters(codec, hunting({**BOUNTY_HUNT, **OWNS_A_LICENCE})) as (_, player, backend):
        await give(backend, cash=50)
        assert await player.refused("events.start", eventKey="bounty_hunt") == ("entry_requirement_failed", 403)
        about = {"playerId": "player_42", "key": "licence", "quantity": 1, "reason": "exam", "idempotencyKey": "l"}
        await backend.ok("inventory.grant", **about)
        assert await player.error("events.start", eventKey="bounty_hunt") == short_of("bullet_basic", 1, 0)
        await give(backend, bullets=1)
        await player.ok("events.start", eventKey="bounty_hunt")
        assert (await player.ok("inventory.get"))["items"] == [{"key": "licence", "quantity": 1}]


async def test_a_retry_does_not_charge_twice_r16_r21(codec: str) -> None:
    async with hunters(codec, hunting()) as (server, player, backend):
        await give(backend, cash=150, bullets=3)
        first = await player.ok("events.start", eventKey="bounty_hunt")
        async with server.peer("player_42", codec=codec) as again:
            assert await again.ok("events.start", eventKey="bounty_hunt") == first
        assert await player.ok("events.start", eventKey="bounty_hunt") == first
        assert await purse(player) == (100, 2)


async def test_a_hundred_at_once_are_one_start_and_one_charge_r21(codec: str) -> None:
    attempts = set()
    async with hunters(codec, hunting()) as (server, player, backend):
        await give(backend, cash=500, bullets=9)

        async def hammer() -> None:
            async with server.peer("player_42", codec=codec) as peer:
                ids = [await peer.post("events.start", eventKey="bounty_hunt") for _ in range(AT_ONCE // 4)]
                for _ in ids:
                    reply = await peer.receive()
                    attempts.add(reply["ok"]["attempt"]["attemptId"])

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(hammer)
        assert len(attempts) == 1
        assert await purse(player) == (450, 8)


async def test_a_restart_knows_what_is_paid_r56(codec: str, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/game.db"
    async with hunters(codec, hunting(), store=store) as (_, player, backend):
        await give(backend, cash=100, bullets=2)
        first = await player.ok("events.start", eventKey="bounty_hunt")
    async with hunters(codec, hunting(), store=store) as (_, player, _):
        assert await player.ok("events.start", eventKey="bounty_hunt") == first
        assert await purse(player) == (50, 1)
    async with open_sql_store(store, owner=False) as opened:
        rows = [row for row in await opened.ledger(1) if row.reason == "entry_cost"]
        assert {row.key for row in rows} == {f"entry:{first['attempt']['windowId']}"}
        assert sorted((row.resource, row.delta) for row in rows) == [("bullet_basic", -1), ("cash", -50)]
        assert await opened.ledger_faults() == []


async def test_the_payout_comes_with_the_fifth_bounty_once_for_each_attempt_r42(codec: str) -> None:
    async with hunters(codec, hunting(REPLAYABLE)) as (_, player, backend):
        await give(backend, cash=50, bullets=1)
        paid = []
        for _ in range(2):
            attempt = (await player.ok("events.start", eventKey="bounty_hunt"))["attempt"]["attemptId"]
            answer = await player.ok("events.progress", attemptId=attempt, metricValue=7, seq=1)
            assert (answer["status"], answer["metrics"]) == ("completed", {"bounties": 5})
            assert (await player.ok("events.progress", attemptId=attempt, metricValue=7, seq=1))["repeated"]
            grant = (await player.push("grant"))["grant"]
            assert (grant["sourceKind"], grant["sourceRefId"]) == ("event_completion", attempt)
            assert grant["contents"] == {"entries": [PAYOUT]}
            paid.append(grant["id"])
            for _ in range(2):
                await player.ok("grants.claim", grantId=grant["id"])
        assert {grant["id"] for grant in (await player.ok("grants.list"))["grants"]} == set(paid)
        assert await purse(player) == (400, 0)


async def test_the_client_has_a_word_for_who_is_short(codec: str) -> None:
    async with serving(hunting()) as server, server.client("player_42", codec=codec) as client:
        with pytest.raises(Refused) as refused:
            await client.start("bounty_hunt")
        assert refused.value.is_insufficient_entry_cost
        assert "not enough cash to enter: need 50" in str(refused.value)
        assert refused.value.details == {"resource": "cash", "needed": 50, "have": 0}
