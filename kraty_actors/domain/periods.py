"""When the periods of a shared board begin and end (R-32)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from kraty_actors.definitions import SharedBoard
from kraty_actors.domain.outcome import Plain

Cadence = Literal["never", "daily", "weekly", "monthly", "season"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@dataclass(slots=True, frozen=True)
class BoardRules:
    """One revision of a shared board. `since` is the instant from which this revision's periods are counted: when the
    board was made, or when an edit began a new period."""

    key: str
    revision: int
    sort: Literal["desc", "asc"]
    aggregation: Literal["best", "sum", "latest"]
    cadence: Cadence
    timezone: str
    season_ends_at: int | None
    since: int

    @classmethod
    def of(cls, board: SharedBoard, revision: int, since: int) -> BoardRules:
        return cls(
            board.key,
            revision,
            board.sort,
            board.score_aggregation,
            board.reset_cadence,
            board.timezone,
            board.season_ends_at,
            since,
        )

    def dump(self) -> Plain:
        return asdict(self)

    @classmethod
    def restored(cls, plain: Mapping[str, Plain]) -> BoardRules:
        return cls(**plain)


@dataclass(slots=True, frozen=True)
class Period:
    """`[starts_at, ends_at)` in ms; None is no end."""

    starts_at: int
    ends_at: int | None

    def is_over(self, now: int) -> bool:
        return self.ends_at is not None and self.ends_at <= now


def period_at(rules: BoardRules, at: int) -> Period:
    """The one period that holds the instant `at`; an instant before `since` belongs to the first.

    Neighbouring periods join: the end of one is the start of the next. A caller may keep the answer until its end.
    """
    at = max(at, rules.since)
    if rules.cadence == "never":
        return Period(rules.since, None)
    if rules.cadence == "season":
        return _season(rules, at)
    marks = list(_marks(rules.cadence, ZoneInfo(rules.timezone), at))
    return Period(
        max(rules.since, max(mark for mark in marks if mark <= at)),
        min(mark for mark in marks if mark > at),
    )


def _season(rules: BoardRules, at: int) -> Period:
    """A season runs to its end; what comes then is open until a later end is put."""
    end = rules.season_ends_at
    if end is None or end <= rules.since:
        return Period(rules.since, None)
    return Period(rules.since, end) if at < end else Period(end, None)


def _marks(cadence: Cadence, zone: ZoneInfo, at: int) -> Iterator[int]:
    """The midnights at which periods begin, from well before `at` until after it.

    They are compared as instants, never as dates: where the clock goes back over midnight, a date may begin before
    the one that it follows is over. A midnight that is repeated is its first, one that is skipped comes when the
    clock has jumped (R-23); a day that a zone skipped begins and ends at once.
    """
    day = (EPOCH + at * MILLISECOND).astimezone(zone).date() - timedelta(days=1)
    day = _first_day(cadence, day)
    while True:
        mark = (datetime.combine(day, time(), zone) - EPOCH) // MILLISECOND
        yield mark
        if mark > at:
            return
        day = _next_first_day(cadence, day)


def _first_day(cadence: Cadence, day: date) -> date:
    """The day on which the day, week or month of `day` begins."""
    if cadence == "weekly":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if cadence == "monthly" else day


def _next_first_day(cadence: Cadence, first: date) -> date:
    if cadence == "monthly":
        return _first_day(cadence, first + timedelta(days=31))
    return first + timedelta(days=7 if cadence == "weekly" else 1)
