"""The golden frames: what was once promised to clients is still what travels."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from kraty_protocol import explained_shapes, operator_shapes, shapes, simulated_shapes
from kraty_protocol.check import board_check
from kraty_protocol.codec import JSON, MSGPACK, Codec
from kraty_protocol.conversation import Conversation, Request
from kraty_protocol.errors import STATUS
from kraty_protocol.limits import TRUSTED_LIMITS
from kraty_protocol.messages import OPERATIONS
from kraty_protocol.pushes import PUSHES as SHAPES_OF_PUSHES
from tests.protocol.vectors import CHECKS, ERRORS, FRAMES, PUSHES, REPLIES, REQUESTS

SHAPES: dict[str, tuple[Any, str | None]] = {  # the part of a reply, None: all of it
    "events.list": (list[shapes.Listing], "events"),
    "events.start": (shapes.Started, None),
    "events.progress": (shapes.Progressed, None),
    "events.finish": (shapes.Finished, None),
    "attempts.get": (shapes.AttemptRead, None),
    "boards.read": (shapes.Board, None),
    "boards.watch": (shapes.Watch, None),
    "boards.periods": (shapes.Periods, None),
    "wallet.get": (list[shapes.Balance], "balances"),
    "inventory.get": (list[shapes.Item], "items"),
    "grants.list": (shapes.Grants, None),
    "grants.claim": (shapes.Grant, "grant"),
    "profile.set": (shapes.Player, "player"),
    **dict.fromkeys([f"players.{done}" for done in ("put", "get", "ban", "unban")], (shapes.Player, "player")),
    **dict.fromkeys(["wallet.credit", "wallet.debit"], (shapes.WalletChanged, None)),
    **dict.fromkeys(["inventory.grant", "inventory.revoke"], (shapes.InventoryChanged, None)),
    **dict.fromkeys(["lobbies.get", "lobbies.leave", "lobbies.push", "lobbies.start"], (shapes.Lobby, "lobby")),
    "game.put": (operator_shapes.GameChanged, None),
    **dict.fromkeys(
        [f"events.{done}" for done in ("put", "get", "publish", "unpublish", "pause", "resume")],
        (operator_shapes.DefinedEvent, None),
    ),
    "events.preview": (operator_shapes.Preview, None),
    "events.simulate": (simulated_shapes.Simulated, None),
    "events.explain": (explained_shapes.Explained, None),
    **dict.fromkeys(["windows.list", "events.finalize"], (list[shapes.Window], "windows")),
    **dict.fromkeys(
        [f"windows.{done}" for done in ("override", "copyPrevious", "extend", "cancel")], (shapes.Window, "window")
    ),
    "windows.report": (operator_shapes.Report, "report"),
    "windows.correct": (operator_shapes.CorrectionPlan, None),
    **dict.fromkeys(["attempts.forceComplete", "attempts.void"], (shapes.Attempt, "attempt")),
    **dict.fromkeys(["boards.put", "boards.archive"], (operator_shapes.DefinedLeaderboard, None)),
    "crates.open": (shapes.OpenedCrate, None),
    "grants.create": (shapes.GrantCreated, None),
    "players.lookup": (operator_shapes.Lookup, None),
    "anomalies.list": (operator_shapes.Anomalies, None),
    "webhooks.dead": (operator_shapes.Deliveries, None),
    "webhooks.replay": (int, "replayed"),
    "audit.list": (operator_shapes.AuditTrail, None),
    "stats": (operator_shapes.ServerStats, None),
}
SHAPELESS = {"hello", "ping", "boards.unwatch"}


def name_of(vector: dict[str, Any]) -> str:
    message = vector["message"]
    return str(message.get("op") or message.get("push") or message.get("error", {}).get("code") or vector["op"])


@pytest.mark.parametrize("vector", FRAMES, ids=name_of)
def test_frames_are_written_and_read_as_ever(vector: dict[str, Any]) -> None:
    message, frame = vector["message"], bytes.fromhex(vector["msgpack"])
    assert MSGPACK.encode(message) == frame
    assert MSGPACK.decode(frame, TRUSTED_LIMITS) == message
    assert JSON.decode(JSON.encode(message).decode(), TRUSTED_LIMITS) == message


@pytest.mark.parametrize("codec", [MSGPACK, JSON], ids=["msgpack", "json"])
@pytest.mark.parametrize("vector", REQUESTS, ids=name_of)
def test_every_request_is_taken_as_what_it_is(vector: dict[str, Any], codec: Codec) -> None:
    conversation = Conversation(codec)
    if vector["message"]["op"] != "hello":
        conversation.admit(vector["role"], "player_42")
    frame = codec.encode(vector["message"])
    request = conversation.receive(frame.decode() if codec.text else frame)
    assert isinstance(request, Request)
    assert (request.id, request.op) == (vector["message"]["id"], vector["message"]["op"])


def test_there_is_a_frame_for_every_operation_reply_code_and_push() -> None:
    assert {vector["message"]["op"] for vector in REQUESTS} == OPERATIONS.keys()
    assert {vector["op"] for vector in REPLIES} == OPERATIONS.keys()
    assert {vector["message"]["error"]["code"]: vector["message"]["error"]["status"] for vector in ERRORS} == STATUS
    assert {vector["message"]["push"] for vector in PUSHES} == SHAPES_OF_PUSHES.keys()


def test_every_reply_has_a_shape_but_those_that_say_nothing_new() -> None:
    assert SHAPES.keys() == OPERATIONS.keys() - SHAPELESS


@pytest.mark.parametrize("vector", [vector for vector in REPLIES if vector["op"] not in SHAPELESS], ids=name_of)
def test_replies_have_the_shapes_that_are_declared(vector: dict[str, Any]) -> None:
    shape, part = SHAPES[vector["op"]]
    ok = vector["message"]["ok"]
    assert part is None or ok.keys() == {part}
    assert conforms(ok if part is None else ok[part], shape)


@pytest.mark.parametrize("vector", PUSHES, ids=name_of)
def test_pushes_have_the_shapes_that_are_declared(vector: dict[str, Any]) -> None:
    fields = {name: value for name, value in vector["message"].items() if name != "push"}
    assert conforms(fields, SHAPES_OF_PUSHES[vector["message"]["push"]])


@pytest.mark.parametrize("vector", ERRORS, ids=name_of)
def test_errors_have_the_shape_that_is_declared(vector: dict[str, Any]) -> None:
    assert conforms(vector["message"]["error"], shapes.Error)
    assert vector.get("op", "ping") in OPERATIONS


def conforms(value: Any, shape: Any) -> bool:
    if is_typeddict(shape):
        hints = get_type_hints(shape)
        if type(value) is not dict or not shape.__required_keys__ <= value.keys() <= hints.keys():
            return False
        return all(conforms(value[key], hints[key]) for key in value)
    origin, parts = get_origin(shape), get_args(shape)
    if origin is UnionType:
        return any(conforms(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if origin is list:
        return type(value) is list and all(conforms(item, parts[0]) for item in value)
    if origin is dict:
        return type(value) is dict and all(conforms(item, parts[1]) for item in value.values())
    return shape is Any or type(value) is shape


@pytest.mark.parametrize("vector", CHECKS)
def test_the_check_of_a_view(vector: dict[str, Any]) -> None:
    assert board_check((participant_id, score) for participant_id, score in vector["rows"]) == vector["check"]
