"""Occurrences against a twin that walks the clock minute by minute (R-22 to R-24)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from test_schedule import DAY, HOUR, MINUTE, MINUTE_MS, ZONES, daily, ms, on

from kraty_actors.definitions import (
    AvailabilityLocalCalendar,
    AvailabilityRecurring,
    WindowRule,
)
from kraty_actors.domain.schedule import (
    DAY_MS,
    in_zone,
    is_zone,
    next_occurrence,
    occurrences,
    under_way,
    upcoming,
)
from kraty_actors.domain.unrolled import Unrolled


def wall(at_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, zone).replace(tzinfo=None, fold=0)


def twin(schedule: AvailabilityRecurring, after_ms: int, until_ms: int) -> dict[int, int]:
    """Watch a clock on a wall in that zone, minute by minute, and note each start with its end.

    When the hands leap, the minutes they leap over are due in their order from that moment on; a minute
    that they have shown before is not due again.
    """
    zone = ZoneInfo(schedule.timezone)
    found: dict[int, int] = {}
    seen: set[datetime] = set()
    first = after_ms // MINUTE_MS * MINUTE_MS - 2 * DAY_MS
    awaited = wall(first, zone)
    for at in range(first, until_ms + 1, MINUTE_MS):
        shown = wall(at, zone)
        leapt = max(0, (shown - awaited) // MINUTE)
        due = [(awaited + i * MINUTE, at + i * MINUTE_MS) for i in range(leapt)] + [(shown, at)]
        for minute, start in due:
            if minute not in seen and after_ms < start <= until_ms:
                for end in ends(schedule, minute, start):
                    found[start] = max(found.get(start, 0), end)
            seen.add(minute)
        awaited = shown + MINUTE
    return found


def ends(schedule: AvailabilityRecurring, minute: datetime, start: int) -> list[int]:
    if not (schedule.starts_at or 0) <= start < (schedule.ends_at or start + 1):
        return []
    return [start + rule.duration_seconds * 1000 for rule in schedule.windows if is_due(rule, minute)]


def is_due(rule: WindowRule, minute: datetime) -> bool:
    if minute.strftime("%H:%M") != rule.start_time:
        return False
    month_ends = (minute + timedelta(days=1)).month != minute.month
    return (rule.days_of_week is None or int(minute.strftime("%w")) in rule.days_of_week) and (
        rule.days_of_month is None or minute.day in rule.days_of_month or (month_ends and -1 in rule.days_of_month)
    )


@cache
def clock_changes(zone: str, year: int) -> list[int]:
    """The days of a year, as instants, within which the zone's clock is moved."""
    days = range(ms(f"{year}-01-01"), ms(f"{year + 1}-01-01"), DAY_MS)
    offsets = [wall(day, ZoneInfo(zone)) - wall(day, ZoneInfo("UTC")) for day in days]
    return [day for day, before, after in zip(days, offsets, offsets[1:], strict=False) if before != after]


@st.composite
def rules(draw: st.DrawFn) -> WindowRule:
    hour = draw(st.integers(0, 3) | st.integers(0, 23))  # most clocks are moved in the small hours
    start_time = f"{hour:02}:{draw(st.sampled_from([0, 15, 30, 59])):02}"
    days = {
        "daysOfWeek": st.sets(st.integers(0, 6), min_size=1),
        "daysOfMonth": st.sets(st.just(-1) | st.integers(1, 31), min_size=1),
    }
    kind = draw(st.sampled_from([None, *days]))
    some = {kind: sorted(draw(days[kind]))} if kind else {}
    return daily(start_time, draw(st.sampled_from([1, 60, HOUR, 5 * HOUR, DAY, 3 * DAY])), **some)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[AvailabilityRecurring, int]:
    """A schedule in any zone, and an instant near it, often one at which the clock is moved."""
    zone, year = draw(st.sampled_from(ZONES)), draw(st.integers(1980, 2037))
    changes = clock_changes(zone, year)
    day = draw(st.sampled_from(changes)) if changes and draw(st.booleans()) else ms(f"{year}-01-01")
    around = day + draw(st.integers(-DAY_MS, DAY_MS))
    bounds = st.none() | st.integers(around - 2 * DAY_MS, around + 3 * DAY_MS)
    some = draw(st.lists(rules(), min_size=1, max_size=4))
    return on(zone, *some, startsAt=draw(bounds), endsAt=draw(bounds)), around


@given(schedules(), st.integers(0, 3 * DAY_MS))
@settings(max_examples=60, deadline=None)
def test_r23_agrees_with_a_clock_on_the_wall(drawn, span):
    schedule, after = drawn
    found = occurrences(schedule, after, after + span)
    assert [(one.starts_at, one.ends_at) for one in found] == sorted(twin(schedule, after, after + span).items())


@given(schedules(), st.integers(0, 90 * DAY_MS), st.integers(0, 90 * DAY_MS))
@settings(deadline=None)
def test_r24_neighbouring_queries_join_and_nothing_occurs_twice(drawn, left, right):
    schedule, start = drawn
    whole = occurrences(schedule, start, start + left + right)
    parts = (
        occurrences(schedule, start, start + left),
        occurrences(schedule, start + left, start + left + right),
    )
    assert whole == parts[0] + parts[1]
    assert [one.starts_at for one in whole] == sorted({one.starts_at for one in whole})


@given(schedules())
@settings(deadline=None)
def test_r24_the_next_is_the_first_of_the_following_year(drawn):
    schedule, after = drawn
    year = occurrences(schedule, after, after + 366 * DAY_MS)
    assert next_occurrence(schedule, after) == (year[0] if year else None)
    assert upcoming(schedule, after, 1)[:1] == year[:1]


@given(schedules())
@settings(deadline=None)
def test_r23_under_way_are_those_begun_and_not_over(drawn):
    schedule, at = drawn
    begun = occurrences(schedule, at - 30 * DAY_MS, at)
    assert under_way(schedule, at) == [one for one in begun if at < one.ends_at]


@given(rules(), st.integers(ms("0002-01-01"), ms("9998-01-01")))
def test_r24_the_search_for_the_next_ends_with_one_at_any_time(rule, after):
    assert next_occurrence(on("UTC", rule), after).starts_at - after <= 62 * DAY_MS


def test_every_zone_of_the_database_is_one_and_nothing_else_is():
    assert all(map(is_zone, ZONES))
    assert not any(map(is_zone, ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "UTC\0"]))


@given(schedules(), st.sampled_from(ZONES), st.integers(0, 30 * DAY_MS))
@settings(deadline=None)
def test_r22_a_local_calendar_is_a_schedule_in_the_players_zone(drawn, zone, span):
    schedule, after = drawn
    own = AvailabilityLocalCalendar.model_validate({"mode": "local_calendar", **without_zone(schedule)})
    theirs = schedule.model_copy(update={"timezone": zone})
    assert occurrences(in_zone(own, zone), after, after + span) == occurrences(theirs, after, after + span)


def without_zone(schedule):
    said = schedule.as_defined()
    return {name: said[name] for name in said.keys() - {"timezone", "mode"}}


@given(schedules(), st.lists(st.tuples(st.sampled_from("bfuw"), st.integers(-5 * DAY_MS, 40 * DAY_MS)), max_size=12))
@settings(deadline=None)
def test_r24_what_is_remembered_of_a_schedule_is_the_schedule(drawn, asked):
    """Whatever is asked, and in whatever order: time may even go back."""
    schedule, start = drawn
    unrolled = Unrolled(schedule, "UTC", lambda one: one)
    for what, offset in asked:
        at = start + offset
        match what:
            case "b":
                assert unrolled.between(at, at + 3 * DAY_MS) == occurrences(schedule, at, at + 3 * DAY_MS)
            case "f":
                assert unrolled.following(at) == next_occurrence(schedule, at)
            case "u":
                assert unrolled.upcoming(at, 9) == upcoming(schedule, at, 9)
            case "w":
                assert unrolled.under_way(at) == under_way(schedule, at)


def test_what_is_long_over_is_let_go():
    unrolled = Unrolled(on("UTC", daily("12:00")), "UTC", lambda one: one)
    for day in range(3000):
        assert len(unrolled.upcoming(day * DAY_MS, 7)) == 7
    assert len(unrolled._found) < 40
