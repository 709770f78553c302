"""The fields of a frame, checked against their operation's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kraty_protocol.fields import Fields, ForPlayer
from kraty_protocol.messages import OPERATIONS

MAX_PATH_CHARS = 256


class InvalidFields(Exception):
    """A field is not what its operation takes: `validation_failed`, with the field's path."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path[:MAX_PATH_CHARS]
        super().__init__(f"{self.path}: {message}")


def check_fields(op: str, role: str, given: Mapping[str, Any]) -> Fields:
    """The fields of an operation that exists and that the role may ask for.

    Raises:
        InvalidFields: For the first fault.
    """
    operation = OPERATIONS[op]
    if issubclass(operation.model, ForPlayer):
        check_player_id(role, given, required=operation.needs_player)
    try:
        return operation.model.model_validate(given)
    except ValidationError as error:
        raise InvalidFields(*faults(error)[0]) from None


def check_player_id(role: str, given: Mapping[str, Any], *, required: bool) -> None:
    """A player never names a player; others must where the operation is one player's.

    Raises:
        InvalidFields: With the path `playerId`.
    """
    if role == "player":
        if "playerId" in given:
            raise InvalidFields("playerId", "unknown field")
    elif required and given.get("playerId") is None:
        raise InvalidFields("playerId", "required of servers and operators")


def faults(error: ValidationError) -> list[tuple[str, str]]:
    """Path and message of each fault, in the order of the model's fields."""
    return [_path_and_message(fault) for fault in error.errors(include_url=False, include_input=False)]


def _path_and_message(fault: ErrorDetails) -> tuple[str, str]:
    if "path" in fault.get("ctx", {}):
        return fault["ctx"]["path"], fault["msg"]
    path = ""
    for step in fault["loc"]:
        if step == "[key]":  # the key itself is at fault, and has just been named
            continue
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path, "unknown field" if fault["type"] == "extra_forbidden" else fault["msg"]
