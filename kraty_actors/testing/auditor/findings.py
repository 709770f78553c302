"""How the auditor says that a rule was broken, and what it goes by when something was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


class BrokenRule(AssertionError):
    """The server did what no rule allows."""


def expect(holds: bool, what: str, **seen: Any) -> None:
    """Raise `BrokenRule` unless it holds."""
    if not holds:
        raise BrokenRule("; ".join([what, *(f"{name}: {value}" for name, value in seen.items())]))


@dataclass(frozen=True, slots=True)
class Span:
    """Something was done at an instant that is not known: not before `sent` and not after `came` (ms)."""

    sent: int
    came: int

    def may_be_before(self, at: int | None) -> bool:
        return at is None or self.sent < at

    def may_be_from(self, at: int | None) -> bool:
        """Whether it may have been done at that instant or later."""
        return at is not None and self.came >= at

    def is_before(self, other: Span) -> bool:
        """Whether it was certainly done before the other."""
        return self.came < other.sent


def instant(text: str | None) -> int | None:
    """Milliseconds since the epoch of an instant as it travels."""
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)
