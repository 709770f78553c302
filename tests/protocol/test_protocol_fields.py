"""Fields of servers' and operators' operations: what each takes, and which field is told to be at fault."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kraty_protocol.limits import (
    ATTRIBUTES,
    BAG_BYTES,
    GRANT_ENTRIES,
    LOBBY_SEATS,
    MAX_WHOLE,
    REPLAYED_DELIVERIES,
    SCALAR_CHARS,
    TEXT_CHARS,
)
from kraty_protocol.messages import OPERATIONS
from kraty_protocol.shapes import iso
from kraty_protocol.validation import InvalidFields, check_fields

FOR_P1 = {"playerId": "p1"}
CREDIT = {**FOR_P1, "key": "cash", "amount": 5, "reason": "purchase", "idempotencyKey": "order-1"}
GIVE = {**FOR_P1, "key": "bullet", "quantity": 5, "reason": "purchase", "idempotencyKey": "order-1"}
GIFT = {**FOR_P1, "entries": [{"type": "currency", "currencyKey": "cash", "amount": 5}], "idempotencyKey": "gift-1"}
PUSH = {"eventKey": "duel", "key": "match-1", "playerIds": ["p1", "p2"]}
SEATED = [f"p{at}" for at in range(LOBBY_SEATS + 1)]

FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("players.put", {"attributes": {}}, "playerId"),
    ("players.put", {**FOR_P1}, "attributes"),
    ("players.put", {**FOR_P1, "attributes": None}, "attributes"),
    ("players.put", {**FOR_P1, "attributes": {"a": []}}, "attributes.a"),
    ("players.put", {**FOR_P1, "attributes": {"a": {"b": 1}}}, "attributes.a"),
    ("players.put", {**FOR_P1, "attributes": {"a": b"x"}}, "attributes.a"),
    ("players.put", {**FOR_P1, "attributes": {"a": math.nan}}, "attributes.a"),
    ("players.put", {**FOR_P1, "attributes": {"a": 2**64}}, "attributes.a"),
    ("players.put", {**FOR_P1, "attributes": {"a": "x" * (SCALAR_CHARS + 1)}}, "attributes.a"),
    ("players.put", {**FOR_P1, "attributes": {"k" * 65: 1}}, "attributes." + "k" * 65),
    ("players.put", {**FOR_P1, "attributes": {"": 1}}, "attributes."),
    ("players.put", {**FOR_P1, "attributes": {f"k{at}": 1 for at in range(ATTRIBUTES + 1)}}, "attributes"),
    ("players.put", {**FOR_P1, "attributes": {}, "name": ""}, "name"),
    ("players.put", {**FOR_P1, "attributes": {}, "name": "a\nb"}, "name"),
    ("players.put", {**FOR_P1, "attributes": {}, "avatar": "x" * (TEXT_CHARS + 1)}, "avatar"),
    ("players.put", {**FOR_P1, "attributes": {}, "country": 351}, "country"),
    ("players.get", {}, "playerId"),
    ("wallet.credit", {**CREDIT, "amount": 0}, "amount"),
    ("wallet.credit", {**CREDIT, "amount": -5}, "amount"),
    ("wallet.credit", {**CREDIT, "amount": 1.5}, "amount"),
    ("wallet.credit", {**CREDIT, "amount": MAX_WHOLE + 1}, "amount"),
    ("wallet.debit", {**CREDIT, "idempotencyKey": None}, "idempotencyKey"),
    ("wallet.debit", {**CREDIT, "reason": None}, "reason"),
    ("wallet.debit", {**CREDIT, "key": "cash money"}, "key"),
    ("inventory.grant", {**GIVE, "quantity": True}, "quantity"),
    ("inventory.revoke", {**GIVE, "amount": 5}, "amount"),
    ("lobbies.push", {**PUSH, "playerId": "p1"}, "playerId"),
    ("lobbies.push", {**PUSH, "playerIds": []}, "playerIds"),
    ("lobbies.push", {**PUSH, "playerIds": SEATED}, "playerIds"),
    ("lobbies.push", {**PUSH, "playerIds": ["p1", "p2", "p1"]}, "playerIds[2]"),
    ("lobbies.push", {**PUSH, "playerIds": ["p1", "a\nb"]}, "playerIds[1]"),
    ("lobbies.push", {**PUSH, "capacity": 1}, "capacity"),
    ("lobbies.push", {**PUSH, "capacity": LOBBY_SEATS + 1}, "capacity"),
    ("lobbies.push", {**PUSH, "metadata": []}, "metadata"),
    ("lobbies.push", {**PUSH, "key": "a b"}, "key"),
    ("events.pause", {"eventKey": "race", "playerId": "p1"}, "playerId"),
    ("windows.override", {"windowId": "w"}, "metadata"),
    ("windows.override", {"windowId": None, "metadata": {}}, "windowId"),
    ("windows.override", {"windowId": "w", "metadata": "boss"}, "metadata"),
    ("windows.override", {"windowId": "w", "metadata": {"a": math.inf}}, "metadata"),
    ("windows.override", {"windowId": "w", "metadata": {"a": "x" * BAG_BYTES}}, "metadata"),
    ("windows.extend", {"windowId": "w"}, "endsAt"),
    ("windows.cancel", {"windowId": ""}, "windowId"),
    ("lobbies.start", {"lobbyId": 7}, "lobbyId"),
    ("attempts.forceComplete", {"attemptId": "a", "score": True}, "score"),
    ("attempts.forceComplete", {"attemptId": "a", "score": -MAX_WHOLE - 1}, "score"),
    ("attempts.forceComplete", {"attemptId": "a", "score": math.nan}, "score"),
    ("boards.put", {"leaderboard": []}, "leaderboard"),
    ("boards.archive", {"boardKey": "k", "leaderboardId": "b"}, "leaderboardId"),
    ("boards.archive", {}, "boardKey"),
    ("grants.create", {**GIFT, "entries": []}, "entries"),
    ("grants.create", {**GIFT, "entries": [{}] * (GRANT_ENTRIES + 1)}, "entries"),
    ("grants.create", {**GIFT, "entries": [{}, 7]}, "entries[1]"),
    ("grants.create", {**GIFT, "entries": {"type": "currency"}}, "entries"),
    ("grants.create", {**GIFT, "entries": [{"amount": math.nan}]}, "entries[0]"),
    ("grants.create", {**GIFT, "idempotencyKey": None}, "idempotencyKey"),
    ("grants.create", {**GIFT, "reason": "gift"}, "reason"),
    ("grants.create", {**GIFT, "playerId": None}, "playerId"),
    ("players.ban", {}, "playerId"),
    ("players.ban", {**FOR_P1, "reason": ""}, "reason"),
    ("players.ban", {**FOR_P1, "reason": "x" * (TEXT_CHARS + 1)}, "reason"),
    ("players.ban", {**FOR_P1, "until": "2026-11-22T20:00:00Z"}, "until"),
    ("players.unban", {**FOR_P1, "reason": 7}, "reason"),
    ("players.lookup", {}, "playerId"),
    ("players.lookup", {**FOR_P1, "limit": 10}, "limit"),
    ("anomalies.list", {"playerId": "a\nb"}, "playerId"),
    ("anomalies.list", {"eventKey": "a b"}, "eventKey"),
    ("anomalies.list", {"limit": 201}, "limit"),
    ("anomalies.list", {"after": ""}, "after"),
    ("anomalies.list", {"validatorKey": "max_metric_jump"}, "validatorKey"),
    ("attempts.void", {"attemptId": "a"}, "reason"),
    ("attempts.void", {"reason": "r"}, "attemptId"),
    ("attempts.void", {"attemptId": "a", "reason": ""}, "reason"),
    ("attempts.void", {"attemptId": "a", "reason": "r", "score": 1}, "score"),
    ("webhooks.dead", {"limit": 0}, "limit"),
    ("webhooks.dead", {"webhookKey": "backend"}, "webhookKey"),
    ("webhooks.replay", {"ids": []}, "ids"),
    ("webhooks.replay", {"ids": ["d"] * (REPLAYED_DELIVERIES + 1)}, "ids"),
    ("webhooks.replay", {"ids": ["d", 7]}, "ids[1]"),
    ("webhooks.replay", {"ids": "d"}, "ids"),
    ("events.preview", {"eventKey": "race"}, "metrics"),
    ("events.preview", {"metrics": {}}, "eventKey"),
    ("events.preview", {"eventKey": "race", "event": {}, "metrics": {}}, "event"),
    ("events.preview", {"event": "race", "metrics": {}}, "event"),
    ("events.preview", {"eventKey": "race", "metrics": []}, "metrics"),
    ("events.preview", {"eventKey": "race", "metrics": {"laps": -1}}, "metrics.laps"),
    ("events.preview", {"eventKey": "race", "metrics": {"laps": math.nan}}, "metrics.laps"),
    ("events.preview", {"eventKey": "race", "metrics": {"laps": None}}, "metrics.laps"),
    ("events.preview", {"eventKey": "race", "metrics": {}, "rank": 0}, "rank"),
    ("events.preview", {"eventKey": "race", "metrics": {}, "rank": 1.5}, "rank"),
    ("events.preview", {"eventKey": "race", "metrics": {}, "winnerCount": 0}, "winnerCount"),
    ("events.preview", {"eventKey": "race", "metrics": {}, "seed": "lucky"}, "seed"),
    ("events.preview", {"eventKey": "race", "metrics": {}, "playerId": "p1"}, "playerId"),
    ("events.simulate", {"eventKey": "race"}, "players"),
    ("events.simulate", {"players": 5}, "eventKey"),
    ("events.simulate", {"eventKey": "race", "event": {}, "players": 5}, "event"),
    ("events.simulate", {"eventKey": "race", "players": 0}, "players"),
    ("events.simulate", {"eventKey": "race", "players": 10_001}, "players"),
    ("events.simulate", {"eventKey": "race", "players": 5, "runs": 0}, "runs"),
    ("events.simulate", {"eventKey": "race", "players": 5, "runs": 1_001}, "runs"),
    ("events.simulate", {"eventKey": "race", "players": 5, "behaviour": "very bad"}, "behaviour"),
    ("events.simulate", {"eventKey": "race", "players": 5, "afford": 1.5}, "afford"),
    ("events.simulate", {"eventKey": "race", "players": 5, "afford": math.nan}, "afford"),
    ("events.simulate", {"eventKey": "race", "players": 5, "seed": -1}, "seed"),
    ("events.explain", {"windowId": "w"}, "playerId"),
    ("events.explain", {"playerId": "p"}, "windowId"),
    ("events.explain", {"windowId": "w", "playerId": "p", "at": "yesterday"}, "at"),
    ("windows.correct", {"windowId": "w"}, "without"),
    ("windows.correct", {"windowId": "w", "without": []}, "without"),
    ("windows.correct", {"windowId": "w", "without": SEATED}, "without"),
    ("windows.correct", {"windowId": "w", "without": ["p1", "p2", "p1"]}, "without[2]"),
    ("windows.correct", {"windowId": "w", "without": ["p1", 7]}, "without[1]"),
    ("windows.correct", {"windowId": "w", "without": ["p1"], "apply": 1}, "apply"),
    ("windows.correct", {"windowId": "w", "without": ["p1"], "apply": "yes"}, "apply"),
    ("audit.list", {"limit": 0}, "limit"),
    ("audit.list", {"limit": 201}, "limit"),
    ("audit.list", {"after": 910}, "after"),
    ("audit.list", {"playerId": "p1"}, "playerId"),
    ("boards.read", {"boardKey": "k", "period": "last"}, "period"),
    ("boards.read", {"boardKey": "k", "period": 7}, "period"),
]


def fault(op: str, fields: dict[str, Any]) -> str:
    with pytest.raises(InvalidFields) as caught:
        check_fields(op, "operator", fields)
    return caught.value.path


@pytest.mark.parametrize(("op", "fields", "path"), FAULTS)
def test_a_field_at_fault_is_named_by_its_path(op: str, fields: dict[str, Any], path: str) -> None:
    assert fault(op, fields) == path


@pytest.mark.parametrize(
    ("op", "fields", "expected"),
    [
        ("players.put", {**FOR_P1, "attributes": {}, "name": None}, {"attributes": {}, "name": None}),
        ("players.put", {**FOR_P1, "attributes": {"clan": None}}, {"attributes": {"clan": None}}),
        ("wallet.credit", {**CREDIT, "amount": 5.0}, {"amount": 5}),
        ("lobbies.push", PUSH, {"capacity": None, "metadata": {}}),
        ("lobbies.push", {**PUSH, "playerIds": SEATED[:-1], "capacity": LOBBY_SEATS}, {"capacity": LOBBY_SEATS}),
        ("windows.override", {"windowId": "w", "metadata": {}}, {"metadata": {}}),
        ("attempts.forceComplete", {"attemptId": "a", "score": None}, {"score": None}),
        ("attempts.forceComplete", {"attemptId": "a", "score": -2.5}, {"score": -2.5}),
        ("anomalies.list", {}, {"player_id": None, "event_key": None, "limit": 50, "after": None}),
        ("webhooks.replay", {}, {"ids": None}),
        ("events.preview", {"eventKey": "race", "metrics": {}}, {"rank": 1, "winner_count": 1, "seed": 0}),
        (
            "events.simulate",
            {"eventKey": "race", "players": 10_000, "runs": 1_000.0},
            {"runs": 1_000, "seed": 0, "behaviour": "mixed", "afford": 1},
        ),
        ("windows.correct", {"windowId": "w", "without": ["p1"]}, {"without": ["p1"], "apply": False}),
        ("boards.read", {"boardKey": "k", "period": "current"}, {"period": "current"}),
        ("boards.read", {"boardKey": "k", "period": "2026-11-23T00:00:00+01:00"}, {"period": 1795388400000}),
    ],
)
def test_what_is_taken(op: str, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    taken = check_fields(op, "operator", fields)
    assert {name: getattr(taken, name) for name in expected} == expected


def test_r25_null_takes_an_override_away_and_a_null_inside_it_stays() -> None:
    assert check_fields("windows.override", "operator", {"windowId": "w", "metadata": None}).metadata is None
    bag = {"tier": None}
    assert check_fields("windows.override", "operator", {"windowId": "w", "metadata": bag}).metadata == bag


def test_r25_a_bag_may_fill_its_16_kib_and_no_more() -> None:
    bag = {"a": "x" * (BAG_BYTES - len('{"a":""}'))}
    assert check_fields("windows.override", "operator", {"windowId": "w", "metadata": bag}).metadata == bag
    assert fault("windows.override", {"windowId": "w", "metadata": {"a": bag["a"] + "x"}}) == "metadata"


@given(st.text(max_size=SCALAR_CHARS) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False))
def test_attributes_are_scalars_and_whole_numbers_travel_as_integers(value: Any) -> None:
    taken = check_fields("players.put", "server", {**FOR_P1, "attributes": {"a": value}}).attributes["a"]
    assert taken == value
    counted = isinstance(value, float) and value.is_integer() and abs(value) <= MAX_WHOLE
    assert type(taken) is (int if counted else type(value))


@given(st.integers(0, 253402300799999), st.integers(-23 * 60, 23 * 60))
def test_an_instant_of_any_zone_is_its_millisecond(at_ms: int, offset_minutes: int) -> None:
    def taken(text: str) -> int:
        return check_fields("windows.extend", "operator", {"windowId": "w", "endsAt": text}).ends_at

    assert taken(iso(at_ms)) == at_ms
    if 86_400_000 <= at_ms <= 253402214400000:
        utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
        assert taken(utc.astimezone(timezone(timedelta(minutes=offset_minutes))).isoformat()) == at_ms


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "now",
            "2026-11-22",
            "2026-11-22T20:00:00",
            "2026-11-22 20:00:00Z",
            "20261122T200000Z",
            "2026-W47-7T20:00Z",
        ),
        *("2026-02-29T00:00:00Z", "2026-11-22T24:00:01Z", "2026-11-22T20:00:60Z", "2026-13-01T00:00:00Z"),
        *(
            "1969-12-31T23:59:59Z",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-00:01",
            "2026-11-22T20:00:00+24:00",
        ),
        *(1795377600000, True, [], {}),
    ],
)
def test_what_is_no_instant_is_refused(text: Any) -> None:
    assert fault("windows.extend", {"windowId": "w", "endsAt": text}) == "endsAt"


@pytest.mark.parametrize("op", OPERATIONS)
def test_servers_may_what_players_may_and_operators_what_servers_may(op: str) -> None:
    assert OPERATIONS[op].roles in ({"player", "server", "operator"}, {"server", "operator"}, {"operator"})
