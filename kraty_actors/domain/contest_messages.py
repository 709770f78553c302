"""What a contest is told and asked, what it tells its window, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from kraty_actors.domain.bots import BotIdentity
from kraty_actors.domain.outcome import Command, Plain

Number = int | float


@dataclass(slots=True, frozen=True)
class Open(Command):
    """From the window: the board begins. `extra_bots` fill empty human seats (R-31)."""

    tag: ClassVar[str] = "open"
    event_key: str
    revision: int
    seed: int
    starts_at: int
    ends_at: int | None
    extra_bots: int = 0


@dataclass(slots=True, frozen=True)
class Seat(Command):
    """From the window: the player is admitted to a new attempt. `announce` tells them by a push."""

    tag: ClassVar[str] = "seat"
    player: int
    announce: bool = False


@dataclass(slots=True)
class Write(Command):
    """One progress message (R-8). A bare number is the first metric's. `identity` is its seq (int), its
    idempotency key (str), or None."""

    tag: ClassVar[str] = "w"
    serial: int
    metrics: dict[str, Number] | Number
    mode: str
    identity: int | str | None
    player: int

    def record(self) -> list[Plain]:
        """The owner was checked before, so a journal need not say who wrote."""
        return ["w", self.serial, self.metrics, self.mode == "set", self.identity]

    @classmethod
    def restored(cls, serial: int, metrics: dict[str, Number], replace: bool, identity: int | str | None) -> Write:
        return cls(serial, metrics, "set" if replace else "increment", identity, ANYONE)


ANYONE = -1
"""The player of a command that was let in before: an input read back from the journal, or a read by the server."""


@dataclass(slots=True, frozen=True)
class Finish(Command):
    """The player ends the attempt (R-12)."""

    tag: ClassVar[str] = "finish"
    serial: int
    player: int


@dataclass(slots=True, frozen=True)
class Close(Command):
    """From the window: it ended at `at`; nothing is accepted from then on."""

    tag: ClassVar[str] = "close"
    at: int


@dataclass(slots=True, frozen=True)
class Settled(Command):
    """From the window: every grant is written; these standings are final."""

    tag: ClassVar[str] = "settled"


@dataclass(slots=True, frozen=True)
class GetAttempt(Command):
    """Read one attempt, or with no serial the player's newest one."""

    tag: ClassVar[str] = "get_attempt"
    is_read: ClassVar[bool] = True
    player: int
    serial: int | None = None


@dataclass(slots=True, frozen=True)
class GetBoard(Command):
    """Read the union of a page, of `spread` rows on each side `around` a participant, and of `picked` ones."""

    tag: ClassVar[str] = "get_board"
    is_read: ClassVar[bool] = True
    offset: int = 0
    limit: int = 0
    around: int | None = None
    spread: int = 0
    picked: tuple[int, ...] = ()
    viewer: int | None = None


@dataclass(slots=True, frozen=True)
class AttemptEnded(Command):
    """To the window: the player may start again, if the event lets them."""

    tag: ClassVar[str] = "ended"
    player: int
    completed: bool


@dataclass(slots=True, frozen=True)
class Closed(Command):
    """To the window: what it needs to share out prizes."""

    tag: ClassVar[str] = "closed"
    contest: str
    winners: list[int]


@dataclass(slots=True, frozen=True)
class Standing:
    """One row as people see it; `bot` is None for a player."""

    participant: int
    score: Number
    rank: int
    bot: BotIdentity | None


@dataclass(slots=True, frozen=True)
class BoardView:
    """Part of a board at one version."""

    contest_id: str
    mode: str
    version: int
    finalized: bool
    total: int
    standings: Sequence[Standing]
    viewer_rank: int | None
    viewer_score: Number | None
