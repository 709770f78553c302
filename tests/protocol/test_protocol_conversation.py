"""One connection's frames in, requests and refusals out: the order of judgement and the bad-input rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraty_protocol.codec import CODECS, JSON, MSGPACK, Codec
from kraty_protocol.conversation import Conversation, Refusal, Request
from kraty_protocol.errors import STATUS, CloseCode
from kraty_protocol.fields import ForPlayer
from kraty_protocol.limits import LIMITS, PLAYER_LIMITS
from kraty_protocol.messages import OPERATIONS
from tests.protocol.vectors import REQUESTS

PROGRESS = {"id": 7, "op": "events.progress", "attemptId": "w.1.2", "metrics": {"streak": 1}, "seq": 12}


def admitted(role: Any = "player", codec: Codec = MSGPACK) -> Conversation:
    conversation = Conversation(codec)
    conversation.admit(role, "p1" if role == "player" else None)
    return conversation


def judge(conversation: Conversation, frame: dict[str, Any]) -> Request | Refusal:
    data = conversation.codec.encode(frame)
    return conversation.receive(data.decode() if conversation.codec.text else data)


def refusal(conversation: Conversation, frame: dict[str, Any]) -> tuple[int | None, str, Any]:
    judged = judge(conversation, frame)
    assert isinstance(judged, Refusal)
    assert judged.close is None
    return judged.id, judged.code, judged.details.get("path")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"op": "nonsense"}, "malformed"),
        ({"id": 1}, "malformed"),
        ({"id": 1, "op": 7}, "malformed"),
        ({"id": 1, "op": "nonsense"}, "unknown_op"),
        ({"id": 1, "op": "game.put", "nonsense": 1}, "forbidden"),
        ({"id": 1, "op": "events.start", "nonsense": 1}, "validation_failed"),
    ],
    ids=["id", "op", "op's type", "known op", "role", "fields"],
)
def test_the_first_of_several_faults_is_told(frame: dict[str, Any], code: str) -> None:
    assert refusal(admitted(), frame)[1] == code


@pytest.mark.parametrize("op", ["ping", "nonsense", "game.put"])
def test_nothing_goes_before_hello(op: str) -> None:
    conversation = Conversation(MSGPACK)
    assert refusal(conversation, {"id": 1, "op": op, "nonsense": 1}) == (1, "unauthenticated", None)
    assert isinstance(judge(conversation, {"id": 2, "op": "hello"}), Request)


def test_a_second_hello_is_passed_on() -> None:
    assert isinstance(judge(admitted(), {"id": 2, "op": "hello", "token": "fresh"}), Request)


@pytest.mark.parametrize("bad", [0, -1, 2**53, 1.5, True, "7", None, [], 1e300, float("inf"), float("nan")])
def test_an_id_that_cannot_be_used_is_malformed_with_id_null(bad: Any) -> None:
    assert refusal(admitted(), {"id": bad, "op": "ping"}) == (None, "malformed", None)


@pytest.mark.parametrize("good", [1, 2**53 - 1, 7.0])
def test_ids_are_echoed(good: float) -> None:
    judged = judge(admitted(), {"id": good, "op": "ping"})
    assert isinstance(judged, Request)
    assert (judged.id, type(judged.id)) == (int(good), int)


def test_the_twentieth_malformed_frame_closes_and_good_ones_in_between_do_not_help() -> None:
    conversation = admitted()
    for _ in range(19):
        assert refusal(conversation, {"id": 1})[1] == "malformed"
        assert isinstance(judge(conversation, PROGRESS), Request)
        assert refusal(conversation, {"id": 1, "op": "nonsense"})[1] == "unknown_op"
    last = judge(conversation, {"id": 1})
    assert isinstance(last, Refusal)
    assert last.close == CloseCode.POLICY_VIOLATION


@pytest.mark.parametrize("role", [None, *LIMITS])
def test_too_large_a_frame_closes(role: Any) -> None:
    conversation = admitted(role) if role else Conversation(JSON)
    limit = (LIMITS[role] if role else PLAYER_LIMITS).frame_bytes
    for size, close in ((limit, None), (limit + 1, CloseCode.TOO_BIG)):
        judged = conversation.receive("x" * size if conversation.codec.text else b"\xc1" * size)
        assert isinstance(judged, Refusal)
        assert judged.close == close


@pytest.mark.parametrize("op", OPERATIONS)
def test_roles_may_what_the_table_says_and_name_the_player_where_it_is_one_players_business(op: str) -> None:
    operation = OPERATIONS[op]
    for role in LIMITS:
        judged = judge(admitted(role), {"id": 1, "op": op, "nonsense": 1})
        assert isinstance(judged, Refusal)
        assert judged.code == ("validation_failed" if role in operation.roles else "forbidden")
    if issubclass(operation.model, ForPlayer) and "player" in operation.roles:
        assert refusal(admitted("player"), {"id": 1, "op": op, "playerId": "p1"}) == (
            *(1, "validation_failed", "playerId"),
        )
    if operation.needs_player:
        for role in operation.roles - {"player"}:
            assert refusal(admitted(role), {"id": 1, "op": op}) == (1, "validation_failed", "playerId")


LONG = "x" * 65
FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("ping", {"nonsense": None}, "nonsense"),
    ("hello", {"token": 7}, "token"),
    ("hello", {"resume": [{"leaderboardId": "b", "version": 1}, {"leaderboardId": "b"}]}, "resume[1].version"),
    ("hello", {"resume": [{"leaderboardId": "b", "version": 1, "limit": 201}]}, "resume[0].limit"),
    ("events.list", {"upcoming": 1}, "upcoming"),
    ("events.start", {}, "eventKey"),
    ("events.start", {"eventKey": None}, "eventKey"),
    ("events.start", {"eventKey": b"race"}, "eventKey"),
    ("events.start", {"eventKey": "a b"}, "eventKey"),
    ("events.start", {"eventKey": "race\n"}, "eventKey"),
    ("events.start", {"eventKey": LONG}, "eventKey"),
    ("events.start", {"eventKey": "race", "playerContext": {"a": []}}, "playerContext.a"),
    ("events.start", {"eventKey": "race", "playerContext": {"a": float("nan")}}, "playerContext.a"),
    ("events.start", {"eventKey": "race", "playerContext": {f"k{at}": 1 for at in range(17)}}, "playerContext"),
    ("attempts.get", {"attemptId": LONG}, "attemptId"),
    ("attempts.get", {"attemptId": ""}, "attemptId"),
    ("boards.read", {}, "leaderboardId"),
    ("boards.read", {"leaderboardId": "b", "boardKey": "k"}, "boardKey"),
    ("boards.read", {"leaderboardId": "b", "limit": 0}, "limit"),
    ("boards.read", {"leaderboardId": "b", "limit": 201}, "limit"),
    ("boards.read", {"leaderboardId": "b", "limit": True}, "limit"),
    ("boards.read", {"leaderboardId": "b", "limit": 1.5}, "limit"),
    ("boards.read", {"leaderboardId": "b", "offset": -1}, "offset"),
    ("boards.read", {"leaderboardId": "b", "offset": 2**63}, "offset"),
    ("boards.read", {"leaderboardId": "b", "offset": 0, "around": "self"}, "offset"),
    ("boards.read", {"leaderboardId": "b", "limit": 101, "around": "self"}, "limit"),
    ("boards.watch", {"leaderboardId": "b", "around": "p2"}, "around"),
    ("boards.watch", {"leaderboardId": "b", "limit": 0}, "limit"),
    ("boards.watch", {"leaderboardId": "b", "participants": ["x"] * 101}, "participants"),
    ("boards.watch", {"leaderboardId": "b", "participants": ["x", 7]}, "participants[1]"),
    ("boards.unwatch", {}, "sub"),
    ("grants.list", {"status": "gone"}, "status"),
    ("grants.list", {"limit": 0}, "limit"),
    ("grants.claim", {"grantId": 7}, "grantId"),
]


@pytest.mark.parametrize(("op", "fields", "path"), FAULTS)
def test_a_field_at_fault_is_named_by_its_path(op: str, fields: dict[str, Any], path: str) -> None:
    assert refusal(admitted(), {"id": 1, "op": op, **fields}) == (1, "validation_failed", path)


@pytest.mark.parametrize(
    ("op", "fields", "path"),
    [
        ("game.put", {"game": []}, "game"),
        ("game.put", {"game": {"events": [{"target": float("inf")}]}}, "game"),
        ("events.put", {"event": {"key": b"x"}}, "event"),
        ("events.finalize", {"eventKey": "race", "playerId": "p1"}, "playerId"),
        ("wallet.get", {"playerId": "a\nb"}, "playerId"),
        ("wallet.get", {"playerId": "a\x80b"}, "playerId"),
        ("wallet.get", {"playerId": LONG}, "playerId"),
        ("wallet.get", {"playerId": 7}, "playerId"),
    ],
)
def test_an_operators_field_at_fault_is_named_by_its_path(op: str, fields: dict[str, Any], path: str) -> None:
    assert refusal(admitted("operator"), {"id": 1, "op": op, **fields}) == (1, "validation_failed", path)


@pytest.mark.parametrize(
    ("op", "fields", "expected"),
    [
        ("boards.read", {"leaderboardId": "b"}, {"limit": 50}),
        ("boards.read", {"leaderboardId": "b", "limit": 7.0}, {"limit": 7}),
        ("boards.read", {"leaderboardId": "b", "limit": None, "offset": None}, {"limit": 50, "offset": None}),
        ("boards.read", {"leaderboardId": "b", "around": "self"}, {"limit": 10}),
        ("boards.read", {"leaderboardId": "b", "around": "self", "limit": 0}, {"limit": 0}),
        ("boards.watch", {"boardKey": "k"}, {"limit": 50, "spread": 5}),
        ("boards.watch", {"leaderboardId": "b", "around": "self"}, {"limit": 0, "spread": 5}),
        ("boards.watch", {"leaderboardId": "b", "participants": ["x"], "limit": 3}, {"limit": 3}),
        ("grants.list", {}, {"limit": 50, "status": None, "after": None}),
        ("events.start", {"eventKey": "race", "playerContext": {"a": None, "b": 1}}, {"player_context": {"b": 1}}),
    ],
)
def test_what_is_left_out_or_null_has_its_default(op: str, fields: dict, expected: dict) -> None:
    judged = judge(admitted(), {"id": 1, "op": op, **fields})
    assert isinstance(judged, Request)
    assert {name: getattr(judged.fields, name) for name in expected} == expected


def test_replies_errors_and_pushes_are_frames_of_the_codec() -> None:
    for codec in CODECS.values():
        conversation = Conversation(codec)
        for frame, expected in (
            (conversation.reply(7, {"a": 1}), {"id": 7, "ok": {"a": 1}}),
            (conversation.push("grant", {"grant": {}}), {"push": "grant", "grant": {}}),
            (
                conversation.error_reply(None, "malformed", "no"),
                {"id": None, "error": {"code": "malformed", "status": 400, "message": "no", "details": {}}},
            ),
        ):
            assert codec.decode(frame.decode() if codec.text else frame, PLAYER_LIMITS) == expected


# Whatever comes: a request or a refusal with a code of the table, and nothing raised.


def check_any(codec: Codec, data: bytes | str) -> None:
    for role in (None, *LIMITS):
        conversation = admitted(role, codec) if role else Conversation(codec)
        judged = conversation.receive(data)
        if isinstance(judged, Refusal):
            assert judged.code in STATUS
            conversation.error_reply(judged.id, judged.code, judged.message, judged.details)
        else:
            assert judged.op in OPERATIONS


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    check_any(MSGPACK, data)
    check_any(JSON, data)


@given(st.text(st.characters(), max_size=200))
def test_any_text(data: str) -> None:
    check_any(MSGPACK, data)
    check_any(JSON, data)


@settings(max_examples=200)
@given(st.data())
def test_any_damage_to_a_good_frame(data: st.DataObject) -> None:
    vector = data.draw(st.sampled_from(REQUESTS))
    good = bytearray.fromhex(vector["msgpack"])
    text = JSON.encode(vector["message"])
    for frame, codec in ((good, MSGPACK), (bytearray(text), JSON)):
        flipped = bytearray(frame)
        flipped[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        for damaged in (frame[: data.draw(st.integers(0, len(frame)))], flipped):
            whole = bytes(damaged)
            check_any(codec, whole.decode("utf-8", "surrogateescape") if codec.text else whole)


FIELDS = sorted({field.alias for operation in OPERATIONS.values() for field in operation.model.model_fields.values()})
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(OPERATIONS)), st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4))
def test_any_fields(op: str, fields: dict[str, Any]) -> None:
    check_any(MSGPACK, MSGPACK.encode({"id": 1, "op": op, **fields}))
