"""Why a request was refused and why a connection was closed: the codes, their statuses, the exception."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

STATUS: Mapping[str, int] = {
    "lobby_forming": 202,
    "malformed": 400,
    "validation_failed": 400,
    "invalid_metric": 400,
    "unauthenticated": 401,
    "insufficient_entry_cost": 402,
    "forbidden": 403,
    "player_banned": 403,
    "unlock_condition_failed": 403,
    "entry_requirement_failed": 403,
    "not_found": 404,
    "unknown_op": 404,
    "conflict": 409,
    "idempotency_conflict": 409,
    "event_disabled": 409,
    "no_active_window": 409,
    "attempt_finished": 409,
    "anti_cheat_rejected": 422,
    "max_attempts_reached": 429,
    "max_daily_attempts_reached": 429,
    "rate_limited": 429,
    "limit_reached": 429,
    "internal_error": 500,
    "overloaded": 503,
}
"""Every error code with its status, which says the same in HTTP's words."""


class CloseCode(IntEnum):
    """Why a server closed the connection."""

    GOING_AWAY = 1001
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    BAD_TOKEN = 4401
    BANNED = 4403
    NO_HELLO = 4408
    FLOODING = 4429


FINAL_CLOSE_CODES: frozenset[int] = frozenset(
    {CloseCode.POLICY_VIOLATION, CloseCode.TOO_BIG, CloseCode.BAD_TOKEN, CloseCode.BANNED}
)
"""After these, coming back with the same token and the same requests can only end the same way."""


class _Is:
    """A read-only property that compares a refusal's code with one code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __get__(self, refused: Refused | None, owner: type[Refused]) -> bool:
        return refused is not None and refused.code == self._code


class Refused(Exception):
    """A request was understood and refused; nothing of it was applied.

    The same class on both sides: a game embedded in a program raises it, and the client raises it from an
    error reply. `is_insufficient_entry_cost` and its like are true for the code that they name.

    Attributes:
        code: One of `STATUS`; a newer server may send others.
        status: The number that goes with the code, such as 402.
        message: For a person to read.
        details: What the code adds, such as `{"resource", "needed", "have"}`; often empty.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        details: Mapping[str, Any] | None = None,
        *,
        status: int | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.status = STATUS[code] if status is None else status
        self.message = message
        self.details: dict[str, Any] = dict(details or {})

    def __str__(self) -> str:
        return f"{self.code} ({self.status}): {self.message}" if self.message else f"{self.code} ({self.status})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.code, self.message, self.details, self.status)

    def to_wire(self) -> dict[str, Any]:
        """The `error` map of a reply."""
        return {"code": self.code, "status": self.status, "message": self.message, "details": self.details}

    @classmethod
    def from_wire(cls, error: Mapping[str, Any]) -> Refused:
        """The refusal that a reply's `error` map tells of."""
        return cls(error["code"], error.get("message", ""), error.get("details"), status=error["status"])

    is_lobby_forming = _Is("lobby_forming")
    is_malformed = _Is("malformed")
    is_validation_failed = _Is("validation_failed")
    is_invalid_metric = _Is("invalid_metric")
    is_unauthenticated = _Is("unauthenticated")
    is_insufficient_entry_cost = _Is("insufficient_entry_cost")
    is_forbidden = _Is("forbidden")
    is_player_banned = _Is("player_banned")
    is_unlock_condition_failed = _Is("unlock_condition_failed")
    is_entry_requirement_failed = _Is("entry_requirement_failed")
    is_not_found = _Is("not_found")
    is_unknown_op = _Is("unknown_op")
    is_conflict = _Is("conflict")
    is_idempotency_conflict = _Is("idempotency_conflict")
    is_event_disabled = _Is("event_disabled")
    is_no_active_window = _Is("no_active_window")
    is_attempt_finished = _Is("attempt_finished")
    is_anti_cheat_rejected = _Is("anti_cheat_rejected")
    is_max_attempts_reached = _Is("max_attempts_reached")
    is_max_daily_attempts_reached = _Is("max_daily_attempts_reached")
    is_rate_limited = _Is("rate_limited")
    is_limit_reached = _Is("limit_reached")
    is_internal_error = _Is("internal_error")
    is_overloaded = _Is("overloaded")


def _rebuild(code: str, message: str, details: dict[str, Any], status: int) -> Refused:
    return Refused(code, message, details, status=status)
