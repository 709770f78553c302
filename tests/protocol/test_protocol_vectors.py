"""The golden frames: what was once promised to clients is still what travels."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from kraty_protocol import shapes
from kraty_protocol.check import board_check
from kraty_protocol.codec import JSON, MSGPACK
from kraty_protocol.conversation import Conversation, Request
from kraty_protocol.errors import STATUS
from kraty_protocol.limits import TRUSTED_LIMITS
from kraty_protocol.messages import OPERATIONS
from tests.protocol.vectors import CHECKS, ERRORS, FRAMES, PUSHES, REPLIES, REQUESTS

SHAPES: dict[str, tuple[type, str | None]] = {  # the part of a reply or push, None: all of it
    "events.list": (list[shapes.Listing], "events"),
    "events.start": (shapes.Started, None),
    "events.progress": (shapes.Progressed, None),
    "events.finish": (shapes.Finished, None),
    "attempts.get": (shapes.AttemptRead, None),
    "boards.read": (shapes.Board, None),
    "boards.watch": (shapes.Watch, None),
    "lobbies.get": (shapes.Lobby, "lobby"),
    "wallet.get": (list[shapes.Balance], "balances"),
    "grants.list": (shapes.Grants, None),
    "grants.claim": (shapes.Grant, "grant"),
    "windows.list": (list[shapes.Window], "windows"),
    "events.finalize": (list[shapes.Window], "windows"),
    "board.delta": (list[shapes.Entry], "entries"),
    "board.snapshot": (list[shapes.Entry], "entries"),
    "board.final": (list[shapes.Entry], "entries"),
    "attempt.ended": (shapes.Attempt, "attempt"),
    "lobby": (shapes.Lobby, "lobby"),
    "grant": (shapes.Grant, "grant"),
}


def name_of(vector: dict[str, Any]) -> str:
    message = vector["message"]
    return str(message.get("op") or message.get("push") or message.get("error", {}).get("code") or vector["op"])


@pytest.mark.parametrize("vector", FRAMES, ids=name_of)
def test_frames_are_written_and_read_as_ever(vector: dict[str, Any]) -> None:
    message, frame = vector["message"], bytes.fromhex(vector["msgpack"])
    assert MSGPACK.encode(message) == frame
    assert MSGPACK.decode(frame, TRUSTED_LIMITS) == message
    assert JSON.decode(JSON.encode(message).decode(), TRUSTED_LIMITS) == message


@pytest.mark.parametrize("vector", REQUESTS, ids=name_of)
def test_every_request_is_taken_as_what_it_is(vector: dict[str, Any]) -> None:
    conversation = Conversation(MSGPACK)
    if vector["message"]["op"] != "hello":
        conversation.admit(vector["role"], "player_42")
    request = conversation.receive(bytes.fromhex(vector["msgpack"]))
    assert isinstance(request, Request)
    assert (request.id, request.op) == (vector["message"]["id"], vector["message"]["op"])


def test_there_is_a_frame_for_every_operation_reply_code_and_push() -> None:
    assert {vector["message"]["op"] for vector in REQUESTS} == OPERATIONS.keys()
    assert {vector["op"] for vector in REPLIES} == OPERATIONS.keys()
    assert {vector["message"]["error"]["code"]: vector["message"]["error"]["status"] for vector in ERRORS} == STATUS
    assert {vector["message"]["push"] for vector in PUSHES} == {
        *("board.delta", "board.snapshot", "board.self", "board.final"),
        *("attempt.started", "attempt.ended", "attempt.refused", "lobby", "grant", "event.state"),
    }


@pytest.mark.parametrize("vector", [vector for vector in [*REPLIES, *PUSHES] if name_of(vector) in SHAPES], ids=name_of)
def test_replies_and_pushes_have_the_shapes_that_are_declared(vector: dict[str, Any]) -> None:
    shape, part = SHAPES[name_of(vector)]
    body = vector["message"].get("ok", vector["message"])
    assert conforms(body if part is None else body[part], shape)


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
