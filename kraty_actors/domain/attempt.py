"""One player's run inside one window (R-12)."""

from __future__ import annotations

from dataclasses import dataclass

from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.write_memory import WriteMemory

Number = int | float

IN_PROGRESS = "in_progress"
COMPLETED = "completed"
EXPIRED = "expired"
FORCE_COMPLETED = "force_completed"


@dataclass(slots=True)
class Attempt:
    """`score` is the attempt's own at its last write, `last_order` the contest's number of that input; `ended_at` is
    set once it has ended."""

    serial: int
    player: int
    started_at: int
    ends_at: int | None
    raw: list[Number]
    score: Number
    memory: WriteMemory
    status: str = IN_PROGRESS
    writes: int = 0
    last_order: int = 0
    rank_then: int | None = None
    ended_at: int | None = None

    @property
    def counts_as_completed(self) -> bool:
        return self.status in (COMPLETED, FORCE_COMPLETED)

    def dump(self) -> list[Plain]:
        return [
            self.serial,
            self.player,
            self.started_at,
            self.ends_at,
            self.raw,
            self.score,
            self.memory.dump(),
            self.status,
            self.writes,
            self.last_order,
            self.rank_then,
            self.ended_at,
        ]

    @classmethod
    def restored(cls, plain: list[Plain]) -> Attempt:
        attempt = cls(*plain)
        attempt.memory = WriteMemory.restored(plain[6])
        return attempt


@dataclass(slots=True, frozen=True)
class AttemptView:
    """An attempt as it stood when it was read."""

    attempt_id: str
    contest_id: str
    event_key: str
    has_board: bool
    in_lobby: bool
    player: int
    status: str
    metrics: dict[str, Number]
    metrics_raw: dict[str, Number]
    score: Number
    rank: int | None
    started_at: int
    ends_at: int | None
    window_ends_at: int | None
    completed_at: int | None
    last_seq: int


@dataclass(slots=True)
class Written:
    """The answer to an applied write, or to its repetition. Not frozen: a frozen one takes three times as long."""

    attempt_id: str
    seq: int | None
    status: str
    metrics: dict[str, Number]
    metrics_raw: dict[str, Number]
    score: Number
    rank: int | None
    repeated: bool
