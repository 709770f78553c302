"""Requests that can be read and not be followed: each says what is wrong, and nothing has changed."""

from __future__ import annotations

import math
from typing import Any

import pytest
from raw_peer import Map, nested
from servers import ATTACK, ann_plays, game_of, serving

from kraty_protocol.limits import MAX_WHOLE

pytestmark = pytest.mark.anyio

GAME = game_of(ATTACK)


@pytest.mark.parametrize("op", ["", "nothing", "events.start ", "EVENTS.START", "__class__", "x" * 10_000, "hello\n"])
async def test_unknown_operations(codec: str, op: str) -> None:
    async with ann_plays(codec) as (_, ann, _attempt):
        assert await ann.refused(op) == ("unknown_op", 404)


BAD_FIELDS: list[tuple[str, Map, str]] = [
    ("ping", {"extra": 1}, "extra"),
    ("events.list", {"upcoming": "yes"}, "upcoming"),
    ("events.list", {"upcoming": 1}, "upcoming"),
    ("events.start", {}, "eventKey"),
    ("events.start", {"eventKey": 5}, "eventKey"),
    ("events.start", {"eventKey": ""}, "eventKey"),
    ("events.start", {"eventKey": "x" * 65}, "eventKey"),
    ("events.start", {"eventKey": "a b"}, "eventKey"),
    ("events.start", {"eventKey": ["attack"]}, "eventKey"),
    ("events.start", {"eventKey": "attack", "playerContext": []}, "playerContext"),
    ("events.start", {"eventKey": "attack", "playerContext": {f"k{n}": n for n in range(17)}}, "playerContext"),
    ("events.start", {"eventKey": "attack", "playerContext": {"skill": [1]}}, "playerContext.skill"),
    ("events.finish", {}, "attemptId"),
    ("events.finish", {"attemptId": 5}, "attemptId"),
    ("attempts.get", {"attemptId": None}, "attemptId"),
    ("attempts.get", {"attemptId": "x" * 65}, "attemptId"),
    ("boards.read", {}, "leaderboardId"),
    ("boards.read", {"leaderboardId": "a", "boardKey": "b"}, "boardKey"),
    ("boards.read", {"leaderboardId": "a", "limit": 0}, "limit"),
    ("boards.read", {"leaderboardId": "a", "limit": 201}, "limit"),
    ("boards.read", {"leaderboardId": "a", "limit": 1.5}, "limit"),
    ("boards.read", {"leaderboardId": "a", "limit": True}, "limit"),
    ("boards.read", {"leaderboardId": "a", "offset": -1}, "offset"),
    ("boards.read", {"leaderboardId": "a", "offset": 2**53}, "offset"),
    ("boards.read", {"leaderboardId": "a", "offset": 1, "around": "self"}, "offset"),
    ("boards.read", {"leaderboardId": "a", "around": "self", "limit": 101}, "limit"),
    ("boards.watch", {"leaderboardId": "a", "around": "p1"}, "around"),
    ("boards.watch", {"leaderboardId": "a", "spread": -1}, "spread"),
    ("boards.watch", {"leaderboardId": "a", "participants": [str(n) for n in range(101)]}, "participants"),
    ("boards.watch", {"leaderboardId": "a", "participants": [1]}, "participants[0]"),
    ("boards.unwatch", {}, "sub"),
    ("lobbies.get", {"lobbyId": {}}, "lobbyId"),
    ("wallet.get", {"currency": "cash"}, "currency"),
    ("grants.list", {"status": "lost"}, "status"),
    ("grants.list", {"limit": 0}, "limit"),
    ("grants.list", {"limit": 201}, "limit"),
    ("grants.list", {"after": 1}, "after"),
    ("grants.claim", {}, "grantId"),
]


@pytest.mark.parametrize(
    ("op", "fields", "path"), BAD_FIELDS, ids=[f"{op}-{path}-{n}" for n, (op, _, path) in enumerate(BAD_FIELDS)]
)
async def test_fields_of_the_wrong_form_are_named(codec: str, op: str, fields: Map, path: str) -> None:
    async with ann_plays(codec) as (_, ann, _attempt):
        error = await ann.error(op, **fields)
        assert (error["code"], error["status"]) == ("validation_failed", 400)
        assert error["details"]["path"] == path


BAD_OPERATIONS: list[tuple[str, Map]] = [
    ("game.put", {}),
    ("game.put", {"game": []}),
    ("game.put", {"game": {}}),
    ("game.put", {"game": {"gameId": "arena", "events": [1, None, {}]}}),
    ("game.put", {"game": {"gameId": "arena", "events": [{**ATTACK, "metrics": [{"key": "x", "target": 1e300}]}]}}),
    ("events.put", {"event": "attack"}),
    ("events.put", {"event": {}}),
    ("events.put", {"event": {"key": "deep", "metrics": nested(28)}}),
    ("events.put", {"event": {**ATTACK, "metadata": {"big": "x" * 17_000}}}),
    ("events.put", {"event": {**ATTACK, "metrics": [{"key": "x", "target": -(2**63)}]}}),
    ("events.get", {"eventKey": None}),
    ("windows.list", {"eventKey": 1}),
    ("events.finalize", {"eventKey": "attack", "windowId": 1}),
]


@pytest.mark.parametrize(("op", "fields"), BAD_OPERATIONS)
async def test_operators_are_told_too(codec: str, op: str, fields: Map) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        error = await operator.error(op, **fields)
        assert (error["code"], error["status"]) == ("validation_failed", 400)
        assert (await operator.ok("events.get", eventKey="attack"))["revision"] == 1


UNKNOWN_IDS = [
    *("x", "nobody.1.0", "w.1.0", "calendar", "..", "\x7f"),
    *("waaaaaaaaaaaaaaaa", "waaaaaaaaaaaaaaaa.1", "waaaaaaaaaaaaaaaa.1.0"),
]


@pytest.mark.parametrize("name", UNKNOWN_IDS)
async def test_ids_of_nothing_are_not_found(codec: str, name: str) -> None:
    async with ann_plays(codec) as (_, ann, attempt_id):
        assert await ann.refused("events.progress", attemptId=name, metricValue=1) == ("not_found", 404)
        assert await ann.refused("events.finish", attemptId=name) == ("not_found", 404)
        assert await ann.refused("attempts.get", attemptId=name) == ("not_found", 404)
        assert await ann.refused("boards.read", leaderboardId=name) == ("not_found", 404)
        assert await ann.refused("boards.watch", leaderboardId=name) == ("not_found", 404)
        assert await ann.refused("boards.unwatch", sub=name) == ("not_found", 404)
        assert await ann.refused("lobbies.get", lobbyId=name) == ("not_found", 404)
        assert await ann.refused("grants.claim", grantId=name) == ("not_found", 404)
        for strange in (f"{attempt_id}0", f"{attempt_id}.0", attempt_id.upper(), f" {attempt_id}"):
            assert await ann.refused("attempts.get", attemptId=strange) == ("not_found", 404)


# -- values

BAD_VALUES: list[Any] = [
    *(True, False, "1", "", [], [1], {}, {"x": 1}),
    *(-1, -0.5, -(2**63), -1e308, math.nan, math.inf, -math.inf),
    *(2**53, float(2**53), 2**63, 2**64 - 1, 1e308, b"1"),
]


def fits(codec: str, value: Any) -> bool:
    """Whether a frame of this codec can carry the value at all."""
    if codec == "msgpack":
        return True
    return not isinstance(value, bytes) and (not isinstance(value, float) or math.isfinite(value))


@pytest.mark.parametrize("mode", ["increment", "set"])
async def test_values_that_no_metric_may_have_r8(codec: str, mode: str) -> None:
    async with ann_plays(codec) as (_, ann, attempt_id):
        for value in [value for value in BAD_VALUES if fits(codec, value)]:
            both = ({"metricValue": value}, {"metrics": {"points": value}}, {"metrics": {"points": 1, "kills": value}})
            for body in both:
                error = await ann.error("events.progress", attemptId=attempt_id, mode=mode, seq=1, **body)
                assert (error["code"], error["status"]) == ("validation_failed", 400), body
                assert error["details"]["path"] in ("metricValue", "metrics.points", "metrics.kills")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400, "0." + "0" * 400 + "1e800"])
async def test_json_numbers_beyond_every_range_r8(number: str) -> None:
    async with ann_plays("json") as (_, ann, attempt_id):
        await ann.send_frame(
            f'{{"id": 9, "op": "events.progress", "attemptId": "{attempt_id}", "metricValue": {number}}}'
        )
        assert (await ann.reply(9))["error"]["code"] == "validation_failed"


BAD_WRITES: dict[str, tuple[Map, str, str]] = {
    "neither": ({}, "validation_failed", "metrics"),
    "both": ({"metrics": {"points": 1}, "metricValue": 1}, "validation_failed", "metricValue"),
    "empty": ({"metrics": {}}, "validation_failed", "metrics"),
    "metrics_a_list": ({"metrics": [1]}, "validation_failed", "metrics"),
    "metrics_a_number": ({"metrics": 1}, "validation_failed", "metrics"),
    "null_value": ({"metrics": {"points": None}}, "validation_failed", "metrics.points"),
    "mode": ({"metricValue": 1, "mode": "add"}, "validation_failed", "mode"),
    "mode_number": ({"metricValue": 1, "mode": 1}, "validation_failed", "mode"),
    "seq_zero": ({"metricValue": 1, "seq": 0}, "validation_failed", "seq"),
    "seq_negative": ({"metricValue": 1, "seq": -1}, "validation_failed", "seq"),
    "seq_fraction": ({"metricValue": 1, "seq": 1.5}, "validation_failed", "seq"),
    "seq_text": ({"metricValue": 1, "seq": "1"}, "validation_failed", "seq"),
    "seq_true": ({"metricValue": 1, "seq": True}, "validation_failed", "seq"),
    "seq_false": ({"metricValue": 1, "seq": False}, "validation_failed", "seq"),
    "seq_too_large": ({"metricValue": 1, "seq": 2**53}, "validation_failed", "seq"),
    "key_empty": ({"metricValue": 1, "idempotencyKey": ""}, "validation_failed", "idempotencyKey"),
    "key_long": ({"metricValue": 1, "idempotencyKey": "k" * 65}, "validation_failed", "idempotencyKey"),
    "key_number": ({"metricValue": 1, "idempotencyKey": 1}, "validation_failed", "idempotencyKey"),
    "seq_and_key": ({"metricValue": 1, "seq": 1, "idempotencyKey": "k"}, "validation_failed", "idempotencyKey"),
    "unknown_field": ({"metricValue": 1, "bonus": 1}, "validation_failed", "bonus"),
    "unknown_metric": ({"metrics": {"points": 1, "lives": 1}}, "invalid_metric", "metrics.lives"),
    "empty_metric": ({"metrics": {"": 1}}, "invalid_metric", "metrics."),
}


@pytest.mark.parametrize("name", BAD_WRITES)
async def test_writes_of_the_wrong_form_are_refused_whole_r8(codec: str, name: str) -> None:
    body, code, path = BAD_WRITES[name]
    async with ann_plays(codec) as (_, ann, attempt_id):
        error = await ann.error("events.progress", attemptId=attempt_id, **body)
        assert (error["code"], error["status"]) == (code, 400)
        assert error["details"]["path"] == path


async def test_an_unknown_metric_is_answered_with_the_known_ones_r8(codec: str) -> None:
    async with ann_plays(codec) as (_, ann, attempt_id):
        error = await ann.error("events.progress", attemptId=attempt_id, metrics={"lives": 1})
        assert error["details"] == {"path": "metrics.lives", "known": ["points", "kills"]}


async def test_no_raw_value_passes_the_largest_r8(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        attempt_id = (await ann.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        full = await ann.ok("events.progress", attemptId=attempt_id, metricValue=MAX_WHOLE, seq=1)
        assert full["score"] == full["metrics"]["points"] == MAX_WHOLE
        error = await ann.error("events.progress", attemptId=attempt_id, metricValue=1, seq=2)
        assert (error["code"], error["details"]) == ("validation_failed", {"path": "metrics.points"})
        more = await ann.ok("events.progress", attemptId=attempt_id, metrics={"kills": MAX_WHOLE}, seq=2)
        assert more["score"] == MAX_WHOLE  # clamped
