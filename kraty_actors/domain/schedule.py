"""When an event occurs: its availability unrolled into occurrences (R-22, R-23, R-24).

Only shared windows are unrolled here. `personal` and `local_calendar` windows open for one player at a
time, so an availability of these modes has no occurrences of its own; `in_zone` gives a local calendar as one
player sees it. Nor has `always`: its one window opens at a command, and `under_way` gives it.

A query asks for starts in `(after, until]`, so that neighbouring queries join without a gap or a repeat.
A recurring window occurs if `startsAt <= start < endsAt`, and then runs for its whole duration.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from kraty_actors.definitions import Availability, AvailabilityLocalCalendar, AvailabilityRecurring, WindowRule

DAY_MS = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

# Two starts of one rule are at most 62 days apart (the 31st, from May to July), and a shift of the clock.
LOOK_AHEAD_DAYS = 64


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of an event, `[starts_at, ends_at)` in milliseconds; `ends_at` None is no end."""

    starts_at: int
    ends_at: int | None


def occurrences(availability: Availability, after_ms: int, until_ms: int, *, timezone: str = "UTC") -> list[Occurrence]:
    """Every occurrence with `after_ms < starts_at <= until_ms`, by start (R-22).

    Where the clock's jump brings two rules of a schedule to one start, the longer of them occurs.

    Args:
        availability: When the event occurs.
        after_ms: The instant after which they start.
        until_ms: The last instant at which they start. The cost grows with the days between the two.
        timezone: IANA zone for an availability that names none.
    """
    if availability.mode == "fixed":
        starts = after_ms < availability.starts_at <= until_ms
        return [Occurrence(availability.starts_at, availability.ends_at)] if starts else []
    if availability.mode == "recurring_windows":
        return _recurring(availability, ZoneInfo(availability.timezone or timezone), after_ms, until_ms)
    return []


def next_occurrence(availability: Availability, after_ms: int, *, timezone: str = "UTC") -> Occurrence | None:
    """The first occurrence that starts after `after_ms`, or None if none will."""
    if not (availability.mode == "fixed" or availability.mode == "recurring_windows"):
        return None
    if availability.starts_at is not None:
        after_ms = max(after_ms, availability.starts_at - 1)
    days = 1
    while days <= LOOK_AHEAD_DAYS:
        if found := occurrences(availability, after_ms, after_ms + days * DAY_MS, timezone=timezone):
            return found[0]
        days *= 2
    return None


def upcoming(availability: Availability, now_ms: int, days: int, *, timezone: str = "UTC") -> list[Occurrence]:
    """Every occurrence that starts within `days` times 24 hours, and at least the next if any (R-24)."""
    within = occurrences(availability, now_ms, now_ms + days * DAY_MS, timezone=timezone)
    if within:
        return within
    following = next_occurrence(availability, now_ms, timezone=timezone)
    return [following] if following else []


def under_way(availability: Availability, at_ms: int, *, timezone: str = "UTC") -> list[Occurrence]:
    """Every occurrence with `starts_at <= at_ms < ends_at`, by start: the last is the current one (R-23).

    For `always` that is one from `at_ms` itself on: the window to open at publication.
    """
    if availability.mode == "always":
        return [Occurrence(at_ms, None)]
    begun = occurrences(availability, at_ms - longest_ms(availability), at_ms, timezone=timezone)
    return [one for one in begun if one.ends_at is None or at_ms < one.ends_at]


def longest_ms(availability: Availability) -> int:
    """How long the longest occurrence lasts, in ms; 0 for one that has no occurrences or no end."""
    if availability.mode == "fixed":
        return availability.ends_at - availability.starts_at
    if availability.mode == "recurring_windows" or availability.mode == "local_calendar":
        return max(rule.duration_seconds for rule in availability.windows) * 1000
    return 0


def first_start(availability: Availability) -> int | None:
    """An instant before which nothing occurs, in ms; None if nothing ever occurs by itself."""
    if availability.mode == "fixed":
        return availability.starts_at
    if availability.mode == "recurring_windows":
        return availability.starts_at or 0
    return None


def in_zone(availability: AvailabilityLocalCalendar, timezone: str) -> AvailabilityRecurring:
    """A local calendar as those who live in `timezone` see it (R-22)."""
    return AvailabilityRecurring.model_construct(
        mode="recurring_windows",
        timezone=timezone,
        windows=availability.windows,
        startsAt=availability.starts_at,
        endsAt=availability.ends_at,
    )


@cache
def is_zone(name: str) -> bool:
    """Whether `name` is a time zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _recurring(schedule: AvailabilityRecurring, zone: ZoneInfo, after_ms: int, until_ms: int) -> list[Occurrence]:
    if schedule.starts_at is not None:
        after_ms = max(after_ms, schedule.starts_at - 1)
    if schedule.ends_at is not None:
        until_ms = min(until_ms, schedule.ends_at - 1)
    days = _days_around(after_ms, until_ms)
    ends: dict[int, int] = {}
    for rule in schedule.windows:
        for start in _starts(rule, zone, days):
            if after_ms < start <= until_ms:
                ends[start] = max(ends.get(start, 0), start + rule.duration_seconds * 1000)
    return [Occurrence(start, ends[start]) for start in sorted(ends)]


def _days_around(after_ms: int, until_ms: int) -> list[date]:
    """The local dates of any zone in which an instant of `(after_ms, until_ms]` can lie."""
    epoch = EPOCH.toordinal()
    first = max(date.min.toordinal(), epoch + after_ms // DAY_MS - 1)
    last = min(date.max.toordinal(), epoch + until_ms // DAY_MS + 1)
    return [date.fromordinal(day) for day in range(first, last + 1)]


def _starts(rule: WindowRule, zone: ZoneInfo, days: list[date]) -> Iterator[int]:
    """The instants at which a rule's windows start.

    A `datetime` with `fold=0` is R-23 to the letter: the first of a repeated time, and for a skipped one the
    clock before the jump, which moves it forward by the gap.
    """
    clock = time.fromisoformat(rule.start_time)
    for day in days:
        if _falls_on(rule, day):
            yield (datetime.combine(day, clock, zone) - EPOCH) // MILLISECOND


def _falls_on(rule: WindowRule, day: date) -> bool:
    if rule.days_of_week is not None:
        return day.isoweekday() % 7 in rule.days_of_week
    if rule.days_of_month is not None:
        is_last = day.day == calendar.monthrange(day.year, day.month)[1]
        return day.day in rule.days_of_month or (is_last and -1 in rule.days_of_month)
    return True
