"""What a shared board is told by the calendar and by contests. `GetBoard` asks it, as it asks a contest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kraty_actors.domain.outcome import Command, Plain


@dataclass(slots=True, frozen=True)
class OpenPeriod(Command):
    """From the calendar: a period of the board begins at `starts_at`, and goes by this revision of its rules."""

    tag: ClassVar[str] = "open_period"
    key: str
    revision: int
    starts_at: int


@dataclass(slots=True, frozen=True)
class EndPeriod(Command):
    """From the calendar: the period ends at `ends_at`, which may be now, and not when it was going to; None is no end
    (R-32)."""

    tag: ClassVar[str] = "end_period"
    ends_at: int | None


@dataclass(slots=True, frozen=True)
class Retract(Command):
    """From a contest: an attempt was taken out, and what it gave to the board leaves it (R-51)."""

    tag: ClassVar[str] = "retract"
    contest: str
    serial: int
    player: int


@dataclass(slots=True, frozen=True)
class Contribute(Command):
    """From a contest: scores that were written there, in the order of its writes (R-13, R-32).

    Each of `entries` is [player, serial, started_at, prior_order, prior, score, at, is_completed]: the attempt's score
    after a write and `prior` to it, and the contest's number of the input that wrote the prior one, 0 if none did.
    What was written before the input `bound_at`, when the contest was first told of this board, was never
    contributed.
    """

    tag: ClassVar[str] = "contribute"
    contest: str
    key: str
    revision: int
    starts_at: int
    bound_at: int
    entries: list[list[Plain]]


@dataclass(slots=True, frozen=True)
class PeriodClosed:
    """A period of a board is over (R-54)."""

    board_key: str
    board_id: str
    starts_at: int
    ends_at: int | None
