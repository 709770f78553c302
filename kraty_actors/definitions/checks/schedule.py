"""Availability: periods, recurring windows, and what windows of a player's own rule out (R-22)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise

from kraty_actors.definitions.availability import (
    AvailabilityAlways,
    AvailabilityLocalCalendar,
    AvailabilityPersonal,
    AvailabilityRecurring,
    WindowRule,
)
from kraty_actors.definitions.events import EventDefinition
from kraty_actors.definitions.findings import Place

DAY = 86_400
_CALENDAR = [date(2023, 1, 1) + timedelta(days=day) for day in range(800)]
"""Days that show every length of month and of February, on which overlaps are looked for."""


def check_schedule(event: EventDefinition, place: Place) -> None:
    """The period is one, its windows are distinct, and the rest of the event fits the mode."""
    availability, at = event.availability, place / "availability"
    if not isinstance(availability, AvailabilityAlways):
        _check_period(availability.starts_at, availability.ends_at, at)
    if isinstance(availability, AvailabilityRecurring | AvailabilityLocalCalendar):
        _check_rules(availability.windows, at / "windows")
    if isinstance(availability, AvailabilityPersonal | AvailabilityLocalCalendar):
        _check_windows_of_ones_own(event, place)


def _check_period(starts_at: int | None, ends_at: int | None, at: Place) -> None:
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        (at / "endsAt").fault("must be after startsAt", [at / "startsAt"])


def _check_windows_of_ones_own(event: EventDefinition, place: Place) -> None:
    mode, because = event.availability.mode, [place / "availability" / "mode"]
    if event.leaderboard.mode not in ("global", "none"):
        message = f"must be 'global' or 'none' with availability '{mode}', where each player has a window"
        (place / "leaderboard" / "mode").fault(message, because)
    if event.reward_policy.type == "shared_pool":
        message = f"'shared_pool' has nobody to share with under availability '{mode}'"
        (place / "rewardPolicy" / "type").fault(message, because)


def _check_rules(rules: Sequence[WindowRule], at: Place) -> None:
    for i, rule in enumerate(rules):
        _check_days(rule, at / i)
    for (i, one), (j, other) in combinations(enumerate(rules), 2):
        if one.start_time == other.start_time and _share_a_day(one, other):
            message = f"starts at {other.start_time} on a day on which windows[{(at / i).path[-1]}] does too"
            (at / j).fault(message, [at / i, at / j])
    _warn_of_overlap(rules, at)


def _check_days(rule: WindowRule, at: Place) -> None:
    if rule.days_of_week is not None and rule.days_of_month is not None:
        (at / "daysOfMonth").fault("must not stand together with daysOfWeek")
    for name, days in (("daysOfWeek", rule.days_of_week or ()), ("daysOfMonth", rule.days_of_month or ())):
        for i, day in enumerate(days):
            if day in days[:i]:
                (at / name / i).fault(f"day {day} is there twice")


def _share_a_day(one: WindowRule, other: WindowRule) -> bool:
    """Whether there is a day on which both start; any weekday falls on any day of a month some time."""
    for own, others in ((one.days_of_week, other.days_of_week), (one.days_of_month, other.days_of_month)):
        if own is not None and others is not None:
            return bool(_as_dates(own) & _as_dates(others))
    return True


def _as_dates(days: Sequence[int]) -> set[int]:
    return {*days, *(range(28, 32) if -1 in days else ())}


def _warn_of_overlap(rules: Sequence[WindowRule], at: Place) -> None:
    if max(rule.duration_seconds for rule in rules) <= _shortest_gap(rules):
        return
    last_end, last = 0, 0
    for start, i in _starts(rules):
        if start < last_end:
            place = at / i
            which = "it" if i == last else f"windows[{(at / last).path[-1]}]"
            place.warn(f"starts before {which} has ended; where two are open, the later is current", [at / last, place])
            return
        last_end, last = start + rules[i].duration_seconds, i


def _starts(rules: Sequence[WindowRule]) -> Iterator[tuple[int, int]]:
    """Starts in seconds of a clock that is never put forward or back, with the rule of each."""
    by_time = sorted(range(len(rules)), key=lambda i: rules[i].start_time)
    for number, day in enumerate(_CALENDAR):
        for i in by_time:
            if _falls_on(rules[i], day):
                yield number * DAY + _second_of_day(rules[i]), i


def _shortest_gap(rules: Sequence[WindowRule]) -> int:
    """Seconds between the nearest starts if every rule fell on every day."""
    starts = sorted({_second_of_day(rule) for rule in rules})
    return min(later - earlier for earlier, later in pairwise([*starts, starts[0] + DAY]))


def _second_of_day(rule: WindowRule) -> int:
    hours, minutes = rule.start_time.split(":")
    return int(hours) * 3_600 + int(minutes) * 60


def _falls_on(rule: WindowRule, day: date) -> bool:
    if rule.days_of_week is not None:
        return day.isoweekday() % 7 in rule.days_of_week
    if rule.days_of_month is not None:
        is_last = (day + timedelta(days=1)).day == 1
        return day.day in rule.days_of_month or (is_last and -1 in rule.days_of_month)
    return True
