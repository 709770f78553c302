"""One connection's side of the wire, without the wire: frames in, requests and refusals out.

No socket and no clock: whoever owns the connection hands over each frame, answers each request, sends the
bytes, and keeps the time in which `hello` has to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kraty_protocol.codec import Codec, Malformed
from kraty_protocol.errors import STATUS, CloseCode
from kraty_protocol.fields import Fields
from kraty_protocol.limits import LIMITS, MALFORMED_FRAMES, MAX_WHOLE, PLAYER_LIMITS, Limits, Role
from kraty_protocol.messages import OPERATIONS
from kraty_protocol.progress import Progress, check_progress
from kraty_protocol.validation import InvalidFields, check_fields


@dataclass(slots=True)
class Request:
    """Something that the peer may ask, with fields of the right form.

    Attributes:
        fields: The operation's model, or `Progress` for `events.progress`.
    """

    id: int
    op: str
    fields: Fields | Progress


@dataclass(slots=True)
class Refusal:
    """The answer to a frame that is not a request, and whether it ends the connection.

    Attributes:
        id: The frame's, None when it has no usable one.
        close: The code to close with once the answer is sent, or None to go on.
    """

    id: int | None
    code: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    close: CloseCode | None = None


class Conversation:
    """Judges the frames of one connection: frame, id, `hello` done, op, role, fields, in this order."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.role: Role | None = None
        self.player_id: str | None = None
        self.limits: Limits = PLAYER_LIMITS
        self._malformed = 0

    def admit(self, role: Role, player_id: str | None) -> None:
        """Let the peer in as what its `hello` proved; from now on its role's limits hold."""
        self.role = role
        self.player_id = player_id
        self.limits = LIMITS[role]

    def receive(self, data: bytes | str) -> Request | Refusal:
        """Judge one frame: `bytes` of a binary one, `str` of a text one.

        Decode text frames with `errors="surrogateescape"`: bytes that are not UTF-8 are then malformed.
        Nothing is raised, whatever the frame.
        """
        if len(data) > self.limits.frame_bytes:
            message = f"a frame is at most {self.limits.frame_bytes} bytes"
            return Refusal(None, "malformed", message, close=CloseCode.TOO_BIG)
        try:
            frame = self.codec.decode(data, self.limits)
        except Malformed as error:
            return self._refuse_malformed(_usable_id(error.frame_id), str(error))
        request_id = _usable_id(frame.get("id"))
        if request_id is None:
            return self._refuse_malformed(None, "no id that is a whole number of 1..2^53 - 1")
        op = frame.get("op")
        if op.__class__ is not str:
            return self._refuse_malformed(request_id, "no op")
        return self._judge(request_id, op, frame)

    def _judge(self, request_id: int, op: str, frame: dict[str, Any]) -> Request | Refusal:
        role = self.role
        if role is None and op != "hello":
            return Refusal(request_id, "unauthenticated", "say hello first")
        operation = OPERATIONS.get(op)
        if operation is None:
            return Refusal(request_id, "unknown_op", "no such operation")
        if role is not None and role not in operation.roles:
            return Refusal(request_id, "forbidden", f"{op} is not for the role {role}")
        try:
            return Request(request_id, op, _fields(op, role or "player", frame))
        except InvalidFields as error:
            return Refusal(request_id, "validation_failed", str(error), {"path": error.path})

    def _refuse_malformed(self, request_id: int | None, message: str) -> Refusal:
        self._malformed += 1
        close = CloseCode.POLICY_VIOLATION if self._malformed >= MALFORMED_FRAMES else None
        return Refusal(request_id, "malformed", message, close=close)

    def reply(self, request_id: int, ok: Mapping[str, Any]) -> bytes:
        """The frame that answers a request."""
        return self.codec.encode({"id": request_id, "ok": ok})

    def error_reply(
        self, request_id: int | None, code: str, message: str, details: Mapping[str, Any] | None = None
    ) -> bytes:
        """The frame that refuses a request; `code` is one of `STATUS`."""
        error = {"code": code, "status": STATUS[code], "message": message, "details": details or {}}
        return self.codec.encode({"id": request_id, "error": error})

    def push(self, name: str, fields: Mapping[str, Any]) -> bytes:
        """A frame that answers nothing."""
        return self.codec.encode({"push": name, **fields})


def _usable_id(value: Any) -> int | None:
    if value.__class__ is float and value.is_integer():
        value = int(value)
    return value if value.__class__ is int and 0 < value <= MAX_WHOLE else None


def _fields(op: str, role: str, frame: dict[str, Any]) -> Fields | Progress:
    if op == "events.progress":
        return check_progress(role, frame)
    del frame["id"], frame["op"]
    return check_fields(op, role, frame)
