"""Grants that servers give, and crates that are opened (R-41, R-45)."""

from __future__ import annotations

from typing import Any

import pytest
from acting_for_ann import acting, assert_shape
from raw_peer import Map, Peer
from servers import ATTACK, Server, game_of, serving

from kraty_actors.actors.records import unpack
from kraty_protocol import shapes
from kraty_protocol.limits import MAX_WHOLE

pytestmark = pytest.mark.anyio

CASH: Map = {"type": "currency", "currencyKey": "cash", "amount": 25}
ARROWS: Map = {"type": "item", "itemKey": "arrow", "quantity": 3}
BOX: Map = {"type": "crate", "crateItemKey": "box", "quantity": 1}
CHEST: Map = {"type": "crate", "crateItemKey": "chest", "quantity": 1}
GAME = game_of(
    ATTACK,
    items=[
        {"key": "arrow"},
        {"key": "box", "crateBundleId": "in_the_box"},
        {"key": "chest", "crateBundleId": "in_the_chest"},
    ],
    bundles=[{"key": "in_the_box", "entries": [CASH, ARROWS]}, {"key": "in_the_chest", "entries": [CASH, BOX]}],
)


async def give(peer: Peer, *entries: Map, key: str = "gift-1", player: str = "ann") -> Map:
    return await peer.ok("grants.create", playerId=player, entries=list(entries), idempotencyKey=key)


async def held(peer: Peer, **who: str) -> dict[str, int]:
    """Everything that a player has."""
    money = {one["key"]: one["balance"] for one in (await peer.ok("wallet.get", **who))["balances"]}
    return money | {one["key"]: one["quantity"] for one in (await peer.ok("inventory.get", **who))["items"]}


async def test_a_gift_is_there_once_for_each_key_and_is_claimed_like_any_other(role: str, codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="server", codec=codec) as backend:
        first = await give(backend, CASH, ARROWS)
        grant = first["grant"]
        assert first["applied"]
        assert_shape(grant, shapes.Grant)
        assert (grant["kind"], grant["sourceKind"], grant["status"]) == ("reward", "api", "pending")
        assert grant["contents"] == {"entries": [CASH, {**ARROWS, "parameters": {}}]}
        assert await give(backend, CASH, ARROWS) == {"grant": grant, "applied": False}
        async with acting(server, role, codec) as actor:
            assert (await actor.ok("grants.list"))["grants"] == [grant]
            await actor.ok("grants.claim", grantId=grant["id"])
            assert (await actor.ok("wallet.get"))["balances"][0]["balance"] == 25
        again = await give(backend, CASH, ARROWS)
        assert (again["applied"], again["grant"]["status"]) == (False, "claimed")
        other = await give(backend, CASH, ARROWS, player="bob")  # a key is one player's
        assert other["applied"]
        assert other["grant"]["id"] != grant["id"]


async def test_a_player_who_is_there_hears_of_a_gift_once_and_of_the_crates_beside_it(codec: str) -> None:
    async with (
        serving(GAME) as server,
        server.peer(role="server", codec=codec) as backend,
        server.peer("ann", codec=codec) as ann,
        server.peer("bob", codec=codec) as bob,
    ):
        for _ in range(2):
            grant = (await give(backend, CASH, BOX))["grant"]
        await give(backend, CASH, key="gift-2", player="bob")
        await give(backend, CASH, key="gift-3")
        heard = [(await ann.push("grant"))["grant"] for _ in range(3)]
        assert heard[0] == grant
        assert [one["kind"] for one in heard] == ["reward", "crate", "reward"]
        listed = (await ann.ok("grants.list"))["grants"]
        assert sorted(heard, key=_id) == sorted(listed, key=_id)
        await bob.push("grant")
        await bob.ok("ping")
        assert not bob.pushes


async def test_a_key_that_was_used_for_something_else_is_refused(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="server", codec=codec) as backend:
        await give(backend, CASH)
        more = {"playerId": "ann", "entries": [{**CASH, "amount": 26}], "idempotencyKey": "gift-1"}
        assert await backend.refused("grants.create", **more) == ("idempotency_conflict", 409)
        assert len((await backend.ok("grants.list", playerId="ann"))["grants"]) == 1


BAD_ENTRIES: list[tuple[Any, str]] = [
    ({}, "entries[1]"),
    ({"type": "wish"}, "entries[1]"),
    ({**CASH, "currencyKey": "gold"}, "entries[1].currencyKey"),
    ({**CASH, "amount": 0}, "entries[1].amount"),
    ({**CASH, "amount": -5}, "entries[1].amount"),
    ({**CASH, "amount": 1.5}, "entries[1].amount"),
    ({**CASH, "amount": MAX_WHOLE + 1}, "entries[1].amount"),
    ({**CASH, "amount": {"min": 9, "max": 1}}, "entries[1].amount"),
    ({**CASH, "chance": 2}, "entries[1].chance"),
    ({**CASH, "more": 1}, "entries[1].more"),
    ({**ARROWS, "itemKey": "bow"}, "entries[1].itemKey"),
    ({**BOX, "crateItemKey": "arrow"}, "entries[1].crateItemKey"),
    ({"type": "table", "rolls": 1, "weightedEntries": []}, "entries[1].weightedEntries"),
]


async def test_entries_are_judged_like_a_bundles_and_nothing_is_given(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="server", codec=codec) as backend:
        for entry, path in BAD_ENTRIES:
            error = await backend.error("grants.create", playerId="ann", entries=[CASH, entry], idempotencyKey="gift-1")
            assert (error["code"], error["status"]) == ("validation_failed", 400), entry
            assert [fault["path"].startswith(path) for fault in error["details"]["faults"]] == [True], error
        assert (await backend.ok("grants.list", playerId="ann"))["grants"] == []
        assert (await give(backend, CASH))["applied"]  # nor is the key used up


async def test_who_gives_is_told_by_source_and_audit_trail(codec: str) -> None:
    async with serving(GAME) as server:
        for role, source in (("server", "api"), ("operator", "admin")):
            async with server.peer(role=role, codec=codec) as peer:
                for _ in range(2):
                    given = await give(peer, CASH, key=role)
                assert given["grant"]["sourceKind"] == source
        assert await _given(server) == [("server", "player:1"), ("operator", "player:1")]


async def test_a_crate_is_opened_once_and_its_contents_are_there_r41(role: str, codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="server", codec=codec) as backend:
        reward = (await give(backend, CASH, BOX))["grant"]
        assert reward["contents"]["entries"] == [CASH]
        async with acting(server, role, codec) as actor:
            (crate,) = [one for one in (await actor.ok("grants.list"))["grants"] if one["kind"] == "crate"]
            assert (crate["parentGrantId"], crate["contents"]) == (reward["id"], {"entries": [BOX]})
            assert (await actor.error("grants.claim", grantId=crate["id"]))["code"] == "conflict"
            opened = await actor.ok("crates.open", grantId=crate["id"])
            assert_shape(opened, shapes.OpenedCrate)
            (contents,) = opened["grants"]
            assert opened["crate"] == {**crate, "status": "claimed", "claimedAt": contents["claimedAt"]}
            assert (contents["kind"], contents["sourceKind"], contents["status"]) == ("reward", "crate_open", "claimed")
            assert (contents["sourceRefId"], contents["parentGrantId"]) == (crate["id"], crate["id"])
            assert opened["contents"] == contents["contents"] == {"entries": [CASH, {**ARROWS, "parameters": {}}]}
            assert await actor.ok("crates.open", grantId=crate["id"]) == opened
        assert await held(backend, playerId="ann") == {"cash": 25, "gems": 0, "arrow": 3}


async def test_a_crate_in_a_crate_waits_for_its_turn_r41(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="server", codec=codec) as backend:
        await give(backend, CHEST)
        (outer,) = await _crates(backend)
        opened = await backend.ok("crates.open", playerId="ann", grantId=outer["id"])
        assert opened["contents"] == {"entries": [CASH]}
        contents, inner = opened["grants"]
        assert [inner] == await _crates(backend)
        assert (inner["parentGrantId"], inner["sourceKind"]) == (contents["id"], "crate_open")
        await backend.ok("crates.open", playerId="ann", grantId=inner["id"])
        assert await held(backend, playerId="ann") == {"cash": 50, "gems": 0, "arrow": 3}
        assert await _crates(backend) == []
        again = (await backend.ok("crates.open", playerId="ann", grantId=outer["id"]))["grants"]
        assert [(one["id"], one["status"]) for one in again] == [(contents["id"], "claimed"), (inner["id"], "claimed")]


async def test_what_is_no_crate_of_theirs_is_not_opened(codec: str) -> None:
    async with (
        serving(GAME) as server,
        server.peer(role="server", codec=codec) as backend,
        server.peer("bob", codec=codec) as bob,
    ):
        reward = (await give(backend, CASH, BOX))["grant"]
        (crate,) = await _crates(backend)
        for grant_id in (crate["id"], reward["id"], "g-of-nobody"):
            assert await bob.refused("crates.open", grantId=grant_id) == ("not_found", 404)
        assert await backend.refused("crates.open", playerId="ann", grantId=reward["id"]) == ("conflict", 409)
        assert await _crates(backend) == [crate]


def _id(grant: Map) -> str:
    return str(grant["id"])


async def _crates(peer: Peer) -> list[Map]:
    """Ann's crates that wait."""
    grants = (await peer.ok("grants.list", playerId="ann", status="pending"))["grants"]
    return [one for one in grants if one["kind"] == "crate"]


async def _given(server: Server) -> list[tuple[str, str]]:
    rows = [row for row in reversed(await server.game.engine._store.audit(limit=100)) if row.action == "grants.create"]
    assert all(unpack(row.after or b"") is not None for row in rows)
    return [(row.who, row.subject) for row in rows]
