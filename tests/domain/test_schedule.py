"""Occurrences worked out by hand (R-22 to R-24)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from zoneinfo import available_timezones

import pytest

from kraty_actors.definitions import (
    AvailabilityAlways,
    AvailabilityFixed,
    AvailabilityLocalCalendar,
    AvailabilityPersonal,
    AvailabilityRecurring,
    WindowRule,
)
from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain.schedule import (
    DAY_MS,
    Occurrence,
    next_occurrence,
    occurrences,
    under_way,
    upcoming,
)
from kraty_actors.domain.unrolled import Unrolled

MINUTE = timedelta(minutes=1)
MINUTE_MS = 60_000
HOUR = 3600
DAY = 24 * HOUR
ZONES = sorted({*available_timezones(), *(files("tzdata") / "zones").read_text().split()})


def ms(text: str) -> int:
    """`2026-03-09T00:00Z` or `2026-03-09` in milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def starts(found: list[Occurrence]) -> list[str]:
    return [iso_instant(one.starts_at).replace(":00.000Z", "Z") for one in found]


def daily(start_time: str, duration_seconds: int = HOUR, **days: list[int]) -> WindowRule:
    """One recurring window; `daysOfWeek=[...]` or `daysOfMonth=[...]` for fewer days than all."""
    given = {"startTime": start_time, "durationSeconds": duration_seconds, **days}
    return WindowRule.model_validate(given)


def on(zone: str | None, *rules: WindowRule, **bounds_ms: int | None) -> AvailabilityRecurring:
    """A schedule in one zone; `startsAt=` and `endsAt=` bound it."""
    bounds = {name: iso_instant(at_ms) for name, at_ms in bounds_ms.items() if at_ms is not None}
    given = {"mode": "recurring_windows", "timezone": zone, "windows": list(rules), **bounds}
    return AvailabilityRecurring.model_validate(given)


NEW_YORK_EVENING = on("America/New_York", daily("20:00", DAY))


class TestNewYorkEvening:
    """R-23: 20:00 New York, 24 hours, over both changes of the clock in 2026."""

    @pytest.mark.parametrize(
        ("after", "start", "end"),
        [
            ("2026-03-07T12:00Z", "2026-03-08T01:00Z", "2026-03-09T01:00Z"),
            ("2026-03-08T12:00Z", "2026-03-09T00:00Z", "2026-03-10T00:00Z"),
            ("2026-10-31T12:00Z", "2026-11-01T00:00Z", "2026-11-02T00:00Z"),
            ("2026-11-01T12:00Z", "2026-11-02T01:00Z", "2026-11-03T01:00Z"),
        ],
    )
    def test_r23_wall_clock_start_and_exact_duration(self, after, start, end):
        assert next_occurrence(NEW_YORK_EVENING, ms(after)) == Occurrence(ms(start), ms(end))

    def test_r23_in_march_two_are_open_for_an_hour_and_the_later_is_current(self):
        both = under_way(NEW_YORK_EVENING, ms("2026-03-09T00:30Z"))
        assert starts(both) == ["2026-03-08T01:00Z", "2026-03-09T00:00Z"]
        assert starts(under_way(NEW_YORK_EVENING, ms("2026-03-08T23:59Z"))) == ["2026-03-08T01:00Z"]
        assert starts(under_way(NEW_YORK_EVENING, ms("2026-03-09T01:00Z"))) == ["2026-03-09T00:00Z"]

    def test_r23_in_november_none_is_open_for_an_hour(self):
        assert starts(under_way(NEW_YORK_EVENING, ms("2026-11-02T00:00Z") - 1)) == ["2026-11-01T00:00Z"]
        assert under_way(NEW_YORK_EVENING, ms("2026-11-02T00:00Z")) == []
        assert under_way(NEW_YORK_EVENING, ms("2026-11-02T01:00Z") - 1) == []
        assert starts(under_way(NEW_YORK_EVENING, ms("2026-11-02T01:00Z"))) == ["2026-11-02T01:00Z"]


# Each: zone, startTime, after, the starts of the next three.
SHIFTED_CLOCKS = [
    # 02:00 to 03:00 does not exist on 8 March: 02:30 is half past three that day.
    ("America/New_York", "02:30", "2026-03-07", "2026-03-07T07:30Z 2026-03-08T07:30Z 2026-03-09T06:30Z"),
    # 01:00 to 02:00 comes twice on 1 November: the first is in daylight time.
    ("America/New_York", "01:30", "2026-10-31", "2026-10-31T05:30Z 2026-11-01T05:30Z 2026-11-02T06:30Z"),
    # Midnight to one is skipped: the day begins at 01:00.
    ("America/Sao_Paulo", "00:00", "2018-11-03", "2018-11-03T03:00Z 2018-11-04T03:00Z 2018-11-05T02:00Z"),
    ("Africa/Cairo", "00:30", "2024-04-24T12:00Z", "2024-04-24T22:30Z 2024-04-25T22:30Z 2024-04-26T21:30Z"),
    # Midnight comes twice: 31 October 2024 ends at 24:00 and goes back to 23:00.
    ("Africa/Cairo", "23:30", "2024-10-30", "2024-10-30T20:30Z 2024-10-31T20:30Z 2024-11-01T21:30Z"),
    # Half an hour: 02:00 to 02:30 is skipped in October, 01:30 to 02:00 comes twice in April.
    (
        "Australia/Lord_Howe",
        "02:15",
        "2026-10-02T12:00Z",
        "2026-10-02T15:45Z 2026-10-03T15:45Z 2026-10-04T15:15Z",
    ),
    (
        "Australia/Lord_Howe",
        "01:45",
        "2026-04-03T12:00Z",
        "2026-04-03T14:45Z 2026-04-04T14:45Z 2026-04-05T15:15Z",
    ),
    # Samoa left out 30 December 2011: that day's window moves into the next day's.
    ("Pacific/Apia", "10:00", "2011-12-28", "2011-12-28T20:00Z 2011-12-29T20:00Z 2011-12-30T20:00Z"),
    ("Asia/Kathmandu", "00:00", "2026-01-01", "2026-01-01T18:15Z 2026-01-02T18:15Z 2026-01-03T18:15Z"),
    ("Pacific/Kiritimati", "00:00", "2026-01-01", "2026-01-01T10:00Z 2026-01-02T10:00Z 2026-01-03T10:00Z"),
]


@pytest.mark.parametrize(("zone", "start_time", "after", "expected"), SHIFTED_CLOCKS)
def test_r23_skipped_times_move_forward_and_repeated_ones_are_the_first(zone, start_time, after, expected):
    found = occurrences(on(zone, daily(start_time)), ms(after), ms(after) + 3 * DAY_MS)
    assert starts(found) == expected.split()


def test_r23_two_rules_that_the_clock_brings_to_one_start_occur_once_as_the_longer():
    both = on("America/New_York", daily("02:30", 2 * HOUR), daily("03:30", HOUR))
    found = occurrences(both, ms("2026-03-08"), ms("2026-03-09"))
    assert found == [Occurrence(ms("2026-03-08T07:30Z"), ms("2026-03-08T09:30Z"))]


class TestHorizon:
    """R-24, by hand: from Wednesday 4 February 2026, 12:00 UTC."""

    now = ms("2026-02-04T12:00Z")

    @pytest.mark.parametrize(
        ("rule", "days", "expected"),
        [
            (
                daily("18:00"),
                3,
                "2026-02-04T18:00Z 2026-02-05T18:00Z 2026-02-06T18:00Z",
            ),
            (daily("12:00"), 2, "2026-02-05T12:00Z 2026-02-06T12:00Z"),  # not the one that starts now
            (daily("18:00", HOUR, daysOfWeek=[0, 6]), 7, "2026-02-07T18:00Z 2026-02-08T18:00Z"),
            (daily("18:00", HOUR, daysOfWeek=[2]), 1, "2026-02-10T18:00Z"),  # beyond the day: the next
            (
                daily("18:00", HOUR, daysOfWeek=[5]),
                60,
                "2026-02-06T18:00Z 2026-02-13T18:00Z 2026-02-20T18:00Z 2026-02-27T18:00Z "
                "2026-03-06T18:00Z 2026-03-13T18:00Z 2026-03-20T18:00Z 2026-03-27T18:00Z 2026-04-03T18:00Z",
            ),
            (
                daily("00:00", HOUR, daysOfMonth=[1]),
                90,
                "2026-03-01T00:00Z 2026-04-01T00:00Z 2026-05-01T00:00Z",
            ),
            (
                daily("06:00", HOUR, daysOfMonth=[-1]),
                90,
                "2026-02-28T06:00Z 2026-03-31T06:00Z 2026-04-30T06:00Z",
            ),
            (daily("06:00", HOUR, daysOfMonth=[31]), 120, "2026-03-31T06:00Z 2026-05-31T06:00Z"),
            (daily("06:00", HOUR, daysOfMonth=[-1, 28, 31]), 30, "2026-02-28T06:00Z"),
            (daily("06:00", HOUR, daysOfMonth=[30]), 7, "2026-03-30T06:00Z"),
        ],
    )
    def test_r24_upcoming_in_utc(self, rule, days, expected):
        assert starts(upcoming(on("UTC", rule), self.now, days)) == expected.split()
        unrolled = Unrolled(on("UTC", rule), "UTC", lambda one: one)
        assert starts(unrolled.upcoming(self.now, days)) == expected.split()

    def test_r24_a_local_day_is_not_a_utc_day(self):
        sundays = on("Asia/Tokyo", daily("08:00", HOUR, daysOfWeek=[0]))
        assert starts(upcoming(sundays, self.now, 7)) == ["2026-02-07T23:00Z"]
        month_ends = on("America/Los_Angeles", daily("20:00", HOUR, daysOfMonth=[-1]))
        assert starts(upcoming(month_ends, self.now, 60)) == ["2026-03-01T04:00Z", "2026-04-01T03:00Z"]

    def test_r22_several_rules_come_in_order_of_start(self):
        rules = daily("20:00", 4 * HOUR), daily("08:00", HOUR), daily("14:00", HOUR, daysOfWeek=[4])
        expected = "2026-02-04T20:00Z 2026-02-05T08:00Z 2026-02-05T14:00Z 2026-02-05T20:00Z 2026-02-06T08:00Z"
        assert starts(upcoming(on("UTC", *rules), self.now, 2)) == expected.split()

    def test_r22_only_starts_within_the_bounds_occur_and_the_last_runs_on(self):
        first, last = ms("2026-02-06T18:00Z"), ms("2026-02-08T18:00Z")
        bounded = on("UTC", daily("18:00", DAY), startsAt=first, endsAt=last)
        assert starts(upcoming(bounded, self.now, 30)) == ["2026-02-06T18:00Z", "2026-02-07T18:00Z"]
        assert starts(under_way(bounded, ms("2026-02-08T18:00Z") - 1)) == ["2026-02-07T18:00Z"]
        assert upcoming(bounded, ms("2026-02-07T18:00Z"), 365) == []

    def test_r24_the_next_is_found_however_far_off_the_schedule_begins(self):
        far = on("UTC", daily("18:00", HOUR, daysOfMonth=[31]), startsAt=ms("2031-05-31T18:01Z"))
        assert starts(upcoming(far, self.now, 7)) == ["2031-07-31T18:00Z"]

    def test_r22_a_zone_for_those_that_name_none(self):
        unnamed = on(None, daily("20:00"))
        assert starts(upcoming(unnamed, self.now, 1)) == ["2026-02-04T20:00Z"]
        assert starts(upcoming(unnamed, self.now, 1, timezone="America/New_York")) == ["2026-02-05T01:00Z"]
        assert starts(under_way(unnamed, ms("2026-02-05T01:00Z"), timezone="America/New_York")) == ["2026-02-05T01:00Z"]


class TestOtherModes:
    fixed = AvailabilityFixed.model_validate(
        {"mode": "fixed", "startsAt": "2026-02-06T00:00:00Z", "endsAt": "2026-02-08T00:00:00Z"}
    )
    always = AvailabilityAlways(mode="always")
    personal = AvailabilityPersonal.model_validate({"mode": "personal", "durationSeconds": HOUR})
    local = AvailabilityLocalCalendar.model_validate({"mode": "local_calendar", "windows": [daily("20:00")]})

    def test_r22_fixed_occurs_once(self):
        only = Occurrence(self.fixed.starts_at, self.fixed.ends_at)
        assert next_occurrence(self.fixed, 0) == only
        assert upcoming(self.fixed, self.fixed.starts_at - 1000 * DAY_MS, 7) == [only]
        assert occurrences(self.fixed, self.fixed.starts_at, self.fixed.ends_at) == []
        assert next_occurrence(self.fixed, self.fixed.starts_at) is None

    @pytest.mark.parametrize(
        ("offset", "inside"), [(-1, False), (0, True), (2 * DAY_MS - 1, True), (2 * DAY_MS, False)]
    )
    def test_r22_fixed_is_half_open(self, offset, inside):
        assert bool(under_way(self.fixed, self.fixed.starts_at + offset)) is inside

    def test_r24_always_is_one_window_from_publication_on(self):
        assert under_way(self.always, 1234) == [Occurrence(1234, None)]
        assert occurrences(self.always, 0, DAY_MS) == []
        assert upcoming(self.always, 0, 7) == []

    @pytest.mark.parametrize("availability", [personal, local], ids=lambda one: one.mode)
    def test_r22_per_player_modes_have_no_shared_window(self, availability):
        assert under_way(availability, 1234) == []
        assert upcoming(availability, 1234, 365) == []


@pytest.mark.parametrize("availability", [TestOtherModes.always, TestOtherModes.personal, TestOtherModes.local])
def test_r22_what_has_no_occurrences_has_none_to_remember(availability):
    unrolled = Unrolled(availability, "UTC", lambda one: one)
    assert unrolled.between(0, 9 * DAY_MS) == unrolled.upcoming(0, 9) == unrolled.under_way(0) == []


def test_r22_a_fixed_occurrence_is_remembered_too():
    fixed = TestOtherModes.fixed
    only = Occurrence(fixed.starts_at, fixed.ends_at)
    unrolled = Unrolled(fixed, "UTC", lambda one: one)
    assert unrolled.upcoming(0, 7) == unrolled.under_way(fixed.starts_at) == [only]
    assert unrolled.following(fixed.starts_at) is None
    assert unrolled.under_way(fixed.ends_at) == []
