"""Who a peer is: tokens that prove it, and those that do not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from raw_peer import Map, Peer, dialled
from servers import ATTACK, NOON, Server, game_of, serving
from signing import HOUR_ON, SECRETS, signed, token

from kraty_protocol.errors import CloseCode

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def strict() -> AsyncIterator[Server]:
    """A server that takes tokens only."""
    async with serving(game_of(ATTACK), secrets=SECRETS, insecure_dev=False) as server:
        yield server


@asynccontextmanager
async def stranger(**options: Any) -> AsyncIterator[Peer]:
    async with strict() as server, dialled(server.port, **options) as peer:
        yield peer


GOOD = {
    "the_first_secret": token(),
    "the_second_secret": token(SECRETS[1]),
    "other_claims": token(aud="somebody-else", iss="x", nbf=HOUR_ON, iat=HOUR_ON, jti=5, crit=["x"], playerId="bob"),
    "a_fractional_exp": token(exp=NOON / 1000 + 0.5),
}
CLAIMS: Map = {"role": "player", "sub": "ann", "exp": HOUR_ON}
BAD = {
    "expired": token(exp=NOON // 1000),
    "long_expired": token(exp=1),
    "forged": token("a-secret-that-nobody-here-knows-of"),
    "another_algorithm": token(algorithm="HS512"),
    "alg_none": jwt.encode(CLAIMS, None, "none"),
    "alg_none_signed": signed({"alg": "none", "typ": "JWT"}, CLAIMS),
    "alg_rs256": signed({"alg": "RS256", "typ": "JWT"}, CLAIMS),
    "alg_missing": signed({"typ": "JWT"}, CLAIMS),
    "crit": signed({"alg": "HS256", "crit": ["x"], "x": 1}, CLAIMS),
    "no_exp": token(exp=None),
    "exp_text": token(exp="soon"),
    "exp_true": signed({"alg": "HS256"}, {**CLAIMS, "exp": True}),
    "exp_nan": signed({"alg": "HS256"}, {**CLAIMS, "exp": float("nan")}),
    "exp_huge": signed({"alg": "HS256"}, {**CLAIMS, "exp": 10**400}),
    "no_role": token(role=None),
    "unknown_role": token(role="admin"),
    "role_list": token(role=["operator"]),
    "no_sub": token(sub=None),
    "sub_number": signed({"alg": "HS256"}, {**CLAIMS, "sub": 5}),
    "sub_empty": token(sub=""),
    "sub_long": token(sub="x" * 65),
    "sub_with_a_line_end": token(sub="a\nb"),
    "sub_with_a_lone_surrogate": token(sub="\ud800"),
    "claims_no_map": signed({"alg": "HS256"}, ["player"]),  # type: ignore[arg-type]
    "one_letter_changed": token()[:-2] + ("AA" if token()[-2:] != "AA" else "BB"),
    "no_token": "open sesame",
    "dots": "..",
    "not_ascii": "π.π.π",
    "empty_parts": "e30.e30.",
}


@pytest.mark.parametrize("name", GOOD)
async def test_a_token_is_its_player(name: str) -> None:
    async with stranger() as peer:
        welcome = await peer.ok("hello", token=GOOD[name])
        assert (welcome["role"], welcome["playerId"]) == ("player", "ann")


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_token_closes_with_4401(name: str) -> None:
    async with stranger() as peer:
        assert await peer.refused("hello", token=BAD[name]) == ("unauthenticated", 401)
        assert await peer.until_closed() == CloseCode.BAD_TOKEN


async def test_a_refusal_tells_nothing_of_the_token() -> None:
    async with stranger() as peer:
        error = await peer.error("hello", token=BAD["forged"])
        assert all(part not in error["message"] for part in BAD["forged"].split("."))


async def test_no_token_is_a_bad_token() -> None:
    async with stranger() as peer:
        assert await peer.refused("hello", role="operator") == ("unauthenticated", 401)
        assert await peer.until_closed() == CloseCode.BAD_TOKEN


async def test_the_handshake_may_bring_the_token() -> None:
    async with stranger(token=token()) as peer:
        assert (await peer.ok("hello"))["playerId"] == "ann"


@pytest.mark.parametrize("role", ["server", "operator"])
async def test_servers_and_operators_need_no_sub(role: str) -> None:
    async with stranger() as peer:
        welcome = await peer.ok("hello", token=token(role=role, sub=None))
        assert (welcome["role"], welcome["playerId"], welcome["participantId"]) == (role, None, None)
        await peer.ok("events.list", playerId="ann")


async def test_a_token_acts_for_its_own_player_alone() -> None:
    async with stranger() as peer:
        welcome = await peer.ok("hello", token=token(), role="operator", playerId="bob")
        assert (welcome["role"], welcome["playerId"]) == ("player", "ann")
        error = await peer.error("wallet.get", playerId="bob")
        assert (error["code"], error["details"]["path"]) == ("validation_failed", "playerId")
        assert await peer.refused("events.get", eventKey="attack") == ("forbidden", 403)


async def test_player_ids_may_be_any_text_without_control_characters() -> None:
    family = "family 👨‍👩‍👧 né"
    async with stranger() as peer:
        assert (await peer.ok("hello", token=token(sub=family)))["playerId"] == family


async def test_a_token_sets_the_profile_that_boards_show_r28() -> None:
    async with strict() as server, dialled(server.port) as ann, dialled(server.port) as bob:
        profile = {"name": "Ann the Bold", "avatar": "fox", "country": "PT"}
        await ann.ok("hello", token=token(**profile))
        await bob.ok("hello", token=token(sub="bob", name="\ud800", avatar=5, country=None))
        for peer in (ann, bob):
            started = await peer.ok("events.start", eventKey="attack")
        board = await bob.ok("boards.read", leaderboardId=started["leaderboardId"])
        shown = [{name: row[name] for name in profile} for row in board["entries"]]
        assert shown == [profile, dict.fromkeys(profile)]


# -- hello


@pytest.mark.parametrize("op", ["ping", "events.list", "nothing", "events.put"])
async def test_before_hello_everything_is_unauthenticated(op: str) -> None:
    async with stranger() as peer:
        assert await peer.refused(op) == ("unauthenticated", 401)
        await peer.ok("hello", token=token())


async def test_a_second_hello_is_a_conflict_unless_it_brings_a_fresh_token() -> None:
    async with stranger() as peer:
        await peer.ok("hello", token=token())
        assert await peer.refused("hello", token=token(sub="bob")) == ("conflict", 409)
        assert await peer.refused("hello", token=token(role="operator")) == ("conflict", 409)
        fresh = await peer.ok("hello", token=token(exp=HOUR_ON + 60))
        assert (fresh["role"], fresh["playerId"]) == ("player", "ann")
        await peer.ok("ping")


async def test_without_tokens_a_second_hello_is_always_a_conflict() -> None:
    async with serving(game_of(ATTACK)) as server, server.peer("ann") as ann:
        assert await ann.refused("hello", playerId="ann") == ("conflict", 409)
        await ann.ok("ping")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"playerId": ""}, "playerId"),
        ({"playerId": "x" * 65}, "playerId"),
        ({"playerId": "a\tb"}, "playerId"),
        ({"playerId": 5}, "playerId"),
        ({"role": "admin"}, "role"),
        ({"token": 5}, "token"),
        ({"token": "x" * 10_000}, "token"),
        ({"resume": {}}, "resume"),
        ({"resume": [{}]}, "resume[0].leaderboardId"),
        ({"resume": [{"leaderboardId": "a", "version": -1}]}, "resume[0].version"),
        ({"password": "x"}, "password"),
    ],
)
async def test_a_hello_of_the_wrong_form_may_be_said_again(fields: Map, path: str) -> None:
    async with serving(game_of(ATTACK)) as server, dialled(server.port) as peer:
        error = await peer.error("hello", **fields)
        assert (error["code"], error["details"]["path"]) == ("validation_failed", path)
        await peer.ok("hello", playerId="ann")
