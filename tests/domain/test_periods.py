"""Periods of shared boards (R-32): worked out by hand, and against a twin that walks the clock minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kraty_actors.definitions import SharedBoard
from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain.periods import BoardRules, Period, period_at

ZONES = (files("tzdata") / "zones").read_text().split()
LOCAL = ("daily", "weekly", "monthly")
MINUTE = timedelta(minutes=1)
HOUR = 3_600_000
DAY = 24 * HOUR
instants = st.integers(631_152_000_000, 2_524_608_000_000)  # 1990 to 2050


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def board(cadence: str, zone: str = "UTC", since: int = 0, **fields: Any) -> BoardRules:
    given = {"key": "ladder", "resetCadence": cadence, "timezone": zone, **fields}
    return BoardRules.of(SharedBoard.model_validate(given), 1, since)


def period(cadence: str, zone: str, at: str) -> list[str | None]:
    found = period_at(board(cadence, zone), ms(at))
    return [at_ms and iso_instant(at_ms)[:16] for at_ms in (found.starts_at, found.ends_at)]


class TestByHand:
    @pytest.mark.parametrize(
        ("cadence", "at", "starts", "ends"),
        [
            ("daily", "2026-11-22T15:00", "2026-11-22T00:00", "2026-11-23T00:00"),
            ("weekly", "2026-11-22T23:59", "2026-11-16T00:00", "2026-11-23T00:00"),  # a Sunday
            ("weekly", "2026-11-23T00:00", "2026-11-23T00:00", "2026-11-30T00:00"),
            ("monthly", "2026-11-30T23:59", "2026-11-01T00:00", "2026-12-01T00:00"),
            ("monthly", "2026-12-31T12:00", "2026-12-01T00:00", "2027-01-01T00:00"),
            ("monthly", "2028-02-29T12:00", "2028-02-01T00:00", "2028-03-01T00:00"),
        ],
    )
    def test_r32_days_weeks_and_months(self, cadence: str, at: str, starts: str, ends: str):
        assert period(cadence, "UTC", at) == [starts, ends]

    @pytest.mark.parametrize(
        ("zone", "at", "starts", "ends"),
        [
            ("America/New_York", "2026-03-08T12:00", "2026-03-08T05:00", "2026-03-09T04:00"),  # 23 hours
            ("America/New_York", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00"),  # 25 hours
            ("Africa/Cairo", "2024-04-25T21:59", "2024-04-24T22:00", "2024-04-25T22:00"),
            ("Africa/Cairo", "2024-04-25T22:00", "2024-04-25T22:00", "2024-04-26T21:00"),  # began at 01:00
            ("America/Havana", "2026-11-01T05:30", "2026-11-01T04:00", "2026-11-02T05:00"),  # two midnights: the first
            ("America/St_Johns", "2009-11-01T02:45", "2009-11-01T02:30", "2009-11-02T03:30"),  # 23:15 again, yesterday
            ("Pacific/Apia", "2011-12-30T09:59", "2011-12-29T10:00", "2011-12-30T10:00"),
            ("Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00", "2011-12-31T10:00"),  # the 30th never was
        ],
    )
    def test_r32_days_on_which_the_clock_changes(self, zone: str, at: str, starts: str, ends: str):
        assert period("daily", zone, at) == [starts, ends]

    def test_r32_a_month_goes_on_while_the_clock_shows_the_last_hour_of_the_one_before_again(self):
        assert period("monthly", "America/St_Johns", "2009-11-01T02:45")[0] == "2009-11-01T02:30"

    def test_r32_a_board_that_never_resets_has_one_period(self):
        assert period_at(board("never", since=5), 10**12) == Period(5, None)

    @pytest.mark.parametrize(
        ("since", "at", "expected"),
        [
            (0, DAY - 1, Period(0, DAY)),
            (0, DAY, Period(DAY, None)),
            (0, 9 * DAY, Period(DAY, None)),
            (DAY, DAY, Period(DAY, None)),  # made, or edited, when the season was over
            (2 * DAY, 9 * DAY, Period(2 * DAY, None)),
        ],
    )
    def test_r32_a_season_runs_to_its_end_and_then_a_period_is_open(self, since: int, at: int, expected: Period):
        assert period_at(board("season", since=since, seasonEndsAt=iso_instant(DAY)), at) == expected


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """R-23 told by the clock alone: the first minute that shows 00:00; if none does, the one that shows it plus the
    time that was skipped."""
    target = datetime.combine(day, datetime.min.time())
    clock = target.replace(tzinfo=UTC) - timedelta(hours=15)
    shown = local(clock, zone)
    while shown < target:
        clock += MINUTE
        before, shown = shown, local(clock, zone)
    if shown > target:
        target += shown - before - MINUTE
        while shown < target:
            clock += MINUTE
            shown = local(clock, zone)
    return clock


def local(clock: datetime, zone: ZoneInfo) -> datetime:
    return clock.astimezone(zone).replace(tzinfo=None)


def begins(cadence: str, day: date) -> bool:
    return {"daily": True, "weekly": day.isoweekday() == 1, "monthly": day.day == 1}[cadence]


class TestAgainstTheTwin:
    @settings(max_examples=40, deadline=None)
    @given(st.sampled_from(ZONES), st.sampled_from(LOCAL), instants)
    @example("Pacific/Apia", "daily", ms("2011-12-30T10:00"))
    @example("America/St_Johns", "daily", ms("2009-11-01T02:45"))
    @example("Africa/Cairo", "daily", ms("2024-04-25T22:00"))
    def test_r32_periods_begin_at_midnights_and_at_no_other_instant(self, zone: str, cadence: str, at: int):
        found = period_at(board(cadence, zone), at)
        assert found.ends_at is not None
        first = datetime.fromtimestamp(found.starts_at / 1000, UTC).date() - timedelta(days=2)
        last = datetime.fromtimestamp(found.ends_at / 1000, UTC).date() + timedelta(days=2)
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        marks = {round(midnight(day, ZoneInfo(zone)).timestamp() * 1000) for day in days if begins(cadence, day)}
        assert {found.starts_at, found.ends_at} <= marks
        assert not [mark for mark in marks if found.starts_at < mark < found.ends_at]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from([*LOCAL, "never", "season"]),
    instants,
    st.one_of(st.just(0), st.integers(0, 90 * DAY)),
    st.integers(-5 * DAY, 5 * DAY),
)
def test_r32_every_instant_is_in_one_period_and_neighbours_join(zone: str, cadence: str, at: int, age: int, end: int):
    rules = board(cadence, zone, since=at - age, seasonEndsAt=iso_instant(at + end))
    found = period_at(rules, at)
    assert rules.since <= found.starts_at <= at
    assert period_at(rules, found.starts_at) == found
    if found.starts_at > rules.since:
        assert period_at(rules, found.starts_at - 1).ends_at == found.starts_at
    else:
        assert period_at(rules, rules.since - DAY) == found  # an instant before the board belongs to its first period
    if found.ends_at is not None:
        assert at < found.ends_at
        assert period_at(rules, found.ends_at - 1) == found
        assert period_at(rules, found.ends_at).starts_at == found.ends_at
