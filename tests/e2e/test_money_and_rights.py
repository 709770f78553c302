"""Wallets and grants, and whose things are whose."""

from __future__ import annotations

import pytest
from acting_for_ann import GAME, assert_shape, playing
from raw_peer import Map
from servers import ATTACK, RACE, WINDOW_ENDS, game_of, serving

from kraty_protocol import shapes

pytestmark = pytest.mark.anyio


# -- money


async def test_wallet_and_grants_of_a_winner(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        started = await actor.ok("events.start", eventKey="race")
        await actor.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=3)
        assert (await actor.ok("wallet.get"))["balances"] == [
            {"key": "cash", "balance": 0},
            {"key": "gems", "balance": 0},
        ]
        assert await actor.ok("grants.list") == {"grants": [], "next": None}
        server.clock.move_to(WINDOW_ENDS)
        grants: list[Map] = []
        while not grants:
            grants = (await actor.ok("grants.list", status="pending", limit=1))["grants"]
        (grant,) = grants
        assert_shape(grant, shapes.Grant)
        assert (await actor.ok("grants.list", status="claimed"))["grants"] == []
        claimed = (await actor.ok("grants.claim", grantId=grant["id"]))["grant"]
        assert (claimed["status"], claimed["claimedAt"]) == ("claimed", "2026-06-03T00:00:00.000Z")
        assert (await actor.ok("grants.list", status="claimed"))["grants"] == [claimed]
        assert (await actor.ok("wallet.get"))["balances"][0] == {"key": "cash", "balance": 100}
        async with server.peer("bob", codec=codec) as bob:
            assert await bob.refused("grants.claim", grantId=grant["id"]) == ("not_found", 404)


async def test_grants_come_newest_first_in_pages_r45(codec: str) -> None:
    daily = {
        **RACE,
        "availability": {"mode": "recurring_windows", "windows": [{"startTime": "00:00", "durationSeconds": 86400}]},
    }
    async with serving(game_of(daily)) as server, server.peer("ann", codec=codec) as ann:
        for day in range(3):
            started = await ann.ok("events.start", eventKey="race")
            await ann.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=3)
            server.clock.move_to(WINDOW_ENDS + day * 86_400_000)
            await ann.push("event.state", lambda push: push["state"] == "finalized")
        whole = (await ann.ok("grants.list"))["grants"]
        assert [grant["createdAt"][:10] for grant in whole] == ["2026-06-05", "2026-06-04", "2026-06-03"]
        first = await ann.ok("grants.list", limit=2)
        rest = await ann.ok("grants.list", limit=2, after=first["next"])
        assert first["grants"] + rest["grants"] == whole
        assert rest["next"] is None


# -- what is not theirs


async def test_another_players_attempt_is_not_found(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann, server.peer("bob", codec=codec) as bob:
        attempt_id = (await ann.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        await bob.ok("events.start", eventKey="attack")
        for op, fields in (("events.progress", {"metricValue": 1}), ("events.finish", {}), ("attempts.get", {})):
            assert await bob.refused(op, attemptId=attempt_id, **fields) == ("not_found", 404)
        read = await ann.ok("attempts.get", attemptId=attempt_id)
        assert (read["attempt"]["status"], read["attempt"]["score"]) == ("in_progress", 0)


OPERATOR_OPS: list[tuple[str, Map]] = [
    ("game.put", {"game": {"gameId": "arena"}}),
    ("events.put", {"event": ATTACK}),
    ("events.get", {"eventKey": "attack"}),
    ("windows.list", {"eventKey": "attack"}),
    ("events.finalize", {"eventKey": "attack"}),
]


@pytest.mark.parametrize("role", ["player", "server"])
@pytest.mark.parametrize(("op", "fields"), OPERATOR_OPS)
async def test_operators_operations_are_forbidden_to_others(role: str, codec: str, op: str, fields: Map) -> None:
    async with playing(role, codec) as (server, actor):
        assert await actor.peer.refused(op, **fields) == ("forbidden", 403)
        assert await actor.peer.refused(op, nonsense=1) == ("forbidden", 403)  # judged before the fields
        async with server.peer(role="operator") as operator:
            assert (await operator.ok("events.get", eventKey="attack"))["state"] == "live"


PLAYER_OPS: list[tuple[str, Map]] = [
    ("events.list", {}),
    ("events.start", {"eventKey": "attack"}),
    ("events.progress", {"attemptId": "a", "metricValue": 1}),
    ("events.finish", {"attemptId": "a"}),
    ("attempts.get", {"attemptId": "a"}),
    ("lobbies.get", {"lobbyId": "a"}),
    ("wallet.get", {}),
    ("grants.list", {}),
    ("grants.claim", {"grantId": "a"}),
]


@pytest.mark.parametrize(("op", "fields"), PLAYER_OPS)
async def test_a_player_names_no_player_and_a_server_has_to(role: str, codec: str, op: str, fields: Map) -> None:
    async with playing(role, codec) as (_, actor):
        who = {"playerId": "bob"} if role == "player" else {}
        error = await actor.peer.error(op, **fields, **who)
        assert (error["code"], error["details"]["path"]) == ("validation_failed", "playerId")
