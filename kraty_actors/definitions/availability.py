"""When an event runs (R-22)."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from kraty_actors.definitions.base import Model, OneOf
from kraty_actors.definitions.scalars import Flag, Instant, Scalar, Seconds, Text, Whole, Zone, refuse

MAX_WINDOW_RULES = 100
DAYS_OF_MONTH = (-1, *range(1, 32))

TimeOfDay = Annotated[str, Text(5, r"([01]\d|2[0-3]):[0-5]\d", "a time of day from 00:00 to 23:59")]


@dataclass(frozen=True)
class _DayOfMonth(Scalar):
    def check(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value not in DAYS_OF_MONTH:
            raise refuse("must be a day from 1 to 31, or -1 for the last")
        return int(value)

    def json_schema(self) -> dict[str, Any]:
        return {"enum": list(DAYS_OF_MONTH)}


class WindowRule(Model):
    """One recurring window: when it starts and how long it lasts. With neither kind of days: every day."""

    start_time: TimeOfDay = Field(examples=["20:00"])
    """Wall clock in the event's time zone, "HH:MM" (R-23)."""
    duration_seconds: Seconds = Field(examples=[86_400])
    """Exact elapsed time, whatever the clocks do meanwhile."""
    days_of_week: Annotated[tuple[Annotated[int, Whole(0, 6)], ...], Field(min_length=1)] | None = None
    """0 = Sunday to 6 = Saturday; not together with daysOfMonth."""
    days_of_month: Annotated[tuple[Annotated[int, _DayOfMonth()], ...], Field(min_length=1)] | None = None
    """1 to 31, or -1 for the last; a day that the month lacks is skipped."""


class _Period(Model):
    starts_at: Instant | None = None
    """Only windows that start at or after this instant occur."""
    ends_at: Instant | None = None
    """Only windows that start before this instant occur."""


class AvailabilityAlways(Model):
    """One window from publication on, with no end."""

    mode: Literal["always"]


class AvailabilityFixed(Model):
    """One window."""

    mode: Literal["fixed"]
    starts_at: Instant = Field(examples=["2026-11-22T20:00:00Z"])
    """When it opens."""
    ends_at: Instant = Field(examples=["2026-11-23T20:00:00Z"])
    """When it closes; after startsAt."""


class _Recurring(_Period):
    windows: tuple[WindowRule, ...] = Field(
        min_length=1, max_length=MAX_WINDOW_RULES, examples=[[{"startTime": "20:00", "durationSeconds": 86_400}]]
    )
    """The windows that recur."""


class AvailabilityRecurring(_Recurring):
    """Shared windows on a calendar."""

    mode: Literal["recurring_windows"]
    timezone: Zone | None = None
    """IANA name; default `settings.timezone`."""


class AvailabilityPersonal(_Period):
    """A window of each player's own, opened by their first start."""

    mode: Literal["personal"]
    duration_seconds: Seconds = Field(examples=[3_600])
    """How long it lasts."""
    repeat: Flag = False
    """Whether another opens at the first start after the last ended."""


class AvailabilityLocalCalendar(_Recurring):
    """Windows on a calendar in each player's own time zone (their attribute `timezone`)."""

    mode: Literal["local_calendar"]


Availability: TypeAlias = Annotated[
    AvailabilityAlways | AvailabilityFixed | AvailabilityRecurring | AvailabilityPersonal | AvailabilityLocalCalendar,
    OneOf("mode"),
]
