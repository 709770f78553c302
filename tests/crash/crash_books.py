"""What each player knows for certain: which writes were acknowledged, and what they must add up to.

The rules are worked out here a second time and on their own, from the texts: a server that agrees is right twice.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from crash_game import TARGET

Map = dict[str, Any]
Number = int | float


@dataclass(frozen=True)
class Sent:
    """One write as it was sent. `identity` is a seq or an idempotency key."""

    identity: int | str
    metrics: dict[str, Number]
    mode: str = "increment"

    def fields(self) -> Map:
        name = "seq" if isinstance(self.identity, int) else "idempotencyKey"
        return {"metrics": self.metrics, "mode": self.mode, name: self.identity}


@dataclass
class Book:
    """One attempt, as its player has it. `pending` was sent, and nobody has said yet whether it counted."""

    attempt_id: str
    player: str
    event: str
    window: str
    board: str
    ends_at: int | None
    raw: dict[str, Number]
    best: Number = 0
    writes: int = 0
    last_seq: int = 0
    status: str = "in_progress"
    pending: Sent | None = None
    acknowledged: list[int | str] = field(default_factory=list)

    def after(self, sent: Sent) -> dict[str, Number]:
        """The raw values if this write counts (R-8, R-9)."""
        raw = dict(self.raw)
        for key, value in sent.metrics.items():
            raw[key] = value if sent.mode == "set" else raw[key] + value
        if raw.get("losses", 0) > self.raw.get("losses", 0):
            raw["streak"] = 0
        return raw

    def may_show(self) -> list[dict[str, Number]]:
        """What a reader may see: a write that is pending counts as a whole or not at all."""
        return [self.raw] if self.pending is None else [self.raw, self.after(self.pending)]

    def completes(self, sent: Sent) -> bool:
        return self.after(sent).get("streak", 0) >= TARGET

    def count(self, sent: Sent) -> None:
        """The write was applied (R-6, R-10, R-11)."""
        self.raw = self.after(sent)
        self.best = max(self.best, self.score) if self.writes else self.score
        self.writes += 1
        if isinstance(sent.identity, int):
            self.last_seq = sent.identity
        if self.raw.get("streak", 0) >= TARGET:
            self.status = "completed"
        self.pending = None

    @property
    def score(self) -> Number:
        """Losses only reset, so they count nothing (R-7); nothing is capped."""
        return self.raw["points"] if "points" in self.raw else self.raw["streak"]

    @property
    def wins(self) -> bool:
        return self.raw.get("streak", 0) >= TARGET

    @property
    def final_statuses(self) -> set[str]:
        """What it may be once its window is finalized (R-11, R-12)."""
        if self.status == "completed":
            return {"completed"}
        return {"completed" if "points" in self.raw and self.writes else "expired"}


@dataclass
class Library:
    """All books, and what else was acknowledged. `problems` are promises that the server broke."""

    books: dict[str, Book] = field(default_factory=dict)
    participants: dict[str, str] = field(default_factory=dict)
    claimed: Counter[str] = field(default_factory=Counter)
    finalized: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    recovered_pending: int = 0

    @property
    def acknowledged(self) -> int:
        return sum(len(book.acknowledged) for book in self.books.values())

    def expect(self, condition: bool, problem: str) -> None:
        if not condition:
            self.problems.append(problem)
