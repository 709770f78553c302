"""What an explanation is made of: a board as it stood, and what one player did there."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from kraty_actors.domain.arena import Arena
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.bots import BotIdentity
from kraty_actors.domain.ids import bot_seat
from kraty_actors.domain.outcome import Cost, Pay
from kraty_actors.domain.ranking import Row
from kraty_actors.domain.window_messages import WindowStage

Number = int | float

Rule = Literal["score", "players_first", "earlier", "order"]
"""What decided between two neighbours: their scores; or of equal ones that players stand before bots, that one reached
it at an earlier instant, or in the same instant earlier in order."""

Deed = Literal["charged", "refunded", "started", "write", "rejected", "ended", "voided", "banned", "unbanned", "paid"]


@dataclass(slots=True)
class Moment:
    """Something that happened to the player: at `at` (ms), and how they stood after it.

    Of a write: the `given` values and the `mode`; which metrics were pulled to 0 (`resets`), and which count less than
    their raw value (`capped`); what validators found, as [key, verdict, reason].
    """

    at: int
    what: Deed
    attempt_id: str | None = None
    score: Number | None = None
    rank: int | None = None
    status: str | None = None
    mode: str | None = None
    given: dict[str, Number] | None = None
    metrics: dict[str, Number] | None = None
    metrics_raw: dict[str, Number] | None = None
    resets: list[str] = field(default_factory=list)
    capped: list[str] = field(default_factory=list)
    findings: list[list[str]] = field(default_factory=list)
    milestones: list[str] = field(default_factory=list)
    costs: Sequence[Cost] = ()
    pays: list[Pay] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class Place:
    """One row of the board; `since` is the instant (ms) at which it came to its score. `bot` is None for a player."""

    rank: int
    participant: int
    score: Number
    since: int
    bot: BotIdentity | None


@dataclass(slots=True, frozen=True)
class Decision:
    """Why a neighbour stands where they stand. `by` is the difference of the scores, or of the instants in ms."""

    place: Place
    rule: Rule
    by: Number | None


@dataclass(slots=True, frozen=True)
class Sample:
    """Where the player stood at an instant."""

    at: int
    score: Number
    rank: int | None


@dataclass(slots=True)
class Explanation:
    """See the module. `moments` are the last ones of `moment_count`. Without a board, or where the player's row is
    hidden, there is no `own` place."""

    window_id: str
    event_key: str
    stage: WindowStage
    player: int
    at: int
    contest_id: str | None = None
    has_board: bool = False
    is_hidden: bool = False
    total: int = 0
    own: Place | None = None
    places: list[Place] = field(default_factory=list)
    above: Decision | None = None
    below: Decision | None = None
    attempts: list[AttemptView] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    moment_count: int = 0
    curve: list[Sample] = field(default_factory=list)

    @property
    def pays(self) -> list[Pay]:
        """What the player was granted here by then."""
        return [pay for moment in self.moments for pay in moment.pays]


@dataclass(slots=True)
class Timeline:
    """When a board's moments were: after each record, how many inputs and ticks there had been; 24 bytes each."""

    inputs: array[int] = field(default_factory=lambda: array("q"))
    moments: array[int] = field(default_factory=lambda: array("q"))
    times: array[int] = field(default_factory=lambda: array("q"))

    def add(self, inputs: int, ticks: int, now: int) -> None:
        self.inputs.append(inputs)
        self.moments.append(inputs + ticks)
        self.times.append(now)

    def instant(self, order: int, arena: Arena) -> int:
        """When a row that was placed at this moment of the board was placed. Ticks come before the inputs of the record
        that they came with."""
        at = bisect_left(self.moments, order)
        inputs = self.inputs[at - 1] if at else 0
        if at < len(self.moments) and order > inputs + self.moments[at] - self.inputs[at]:
            return self.times[at]
        return arena.grid.instant_of(order - inputs)


def place_of(row: Row, rank: int, arena: Arena, timeline: Timeline) -> Place:
    bot = arena.bots.identity(bot_seat(row.participant)) if row.is_bot else None
    return Place(rank, row.participant, arena.board.shown(row), timeline.instant(row.order, arena), bot)


def decided(better: Row, worse: Row, places: tuple[Place, Place], neighbour: Place) -> Decision:
    """Why the one stands before the other (R-28)."""
    first, second = places
    if better.sort_score != worse.sort_score:
        return Decision(neighbour, "score", abs(first.score - second.score))
    if better.is_bot != worse.is_bot:
        return Decision(neighbour, "players_first", None)
    if first.since != second.since:
        return Decision(neighbour, "earlier", second.since - first.since)
    return Decision(neighbour, "order", None)
