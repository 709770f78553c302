"""An attempt and its writes, the slow and obvious way (R-12, R-15, R-48, R-50)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

REMEMBERED = 32

Limits = list[tuple[float, str]]
"""By how much the first metric may rise in one write, each with the verdict on what rises more."""


@dataclass(frozen=True)
class Kept:
    """A write that used up its identity. It was answered, or rejected for a reason."""

    identity: Any
    body: Any
    answer: dict[str, Any] | None = None
    rejected: str | None = None


@dataclass
class Run:
    """One attempt."""

    serial: int
    player: int
    started_at: int
    ends_at: int | None
    raw: dict[str, Any]
    kept: list[Kept] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)
    score: Any = 0
    status: str = "in_progress"
    ended_at: int | None = None
    is_void: bool = False

    def is_over_by(self, now: int) -> bool:
        return self.status != "in_progress" or (self.ends_at is not None and self.ends_at <= now)

    @property
    def is_completed(self) -> bool:
        return self.status in ("completed", "force_completed")

    @property
    def applied(self) -> list[Kept]:
        return [one for one in self.kept if one.rejected is None]

    @property
    def last_seq(self) -> int:
        return max([one.identity for one in self.kept if isinstance(one.identity, int)], default=0)

    def repeated(self, identity: Any, body: Any, now: dict[str, Any]) -> Any:
        """What a write is told that is none: an answer, or a code and its details. None if it is new. `now` is the
        attempt as it is."""
        if identity is None:
            return None
        alike = [one for one in self.kept if type(one.identity) is type(identity)]
        for one in alike[-REMEMBERED:]:
            if one.identity == identity:
                if one.body != body:
                    return "idempotency_conflict", None
                if one.rejected is not None:
                    return "anti_cheat_rejected", one.rejected
                return one.answer if self.kept[-1] is one else now
        if isinstance(identity, int) and alike and identity <= self.last_seq:
            oldest = alike[-REMEMBERED:][0].identity
            return "idempotency_conflict", False if len(alike) <= REMEMBERED or identity > oldest else None
        return None


def objections(key: str, before: Any, after: Any, limits: Limits) -> list[tuple[str, str]]:
    """What validators say of a rise, each as (verdict, reason), up to the first that rejects it."""
    found = []
    rise = _whole(after) - _whole(before)
    for most, verdict in limits:
        if rise > most:
            found.append((verdict, f"{key} rose by {rise}, over {most}"))
            if verdict == "reject":
                break
    return found


def _whole(value: Any) -> Any:
    return int(value) if value == int(value) else value
