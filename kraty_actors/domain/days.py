"""Days as a player lives them: midnight to midnight on the wall clock of a time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_start(now: int, timezone: str) -> int:
    """The midnight (ms, UTC) that began the day of `now` in `timezone`."""
    return _midnight(_local_date(now, timezone), timezone)


def next_day_start(now: int, timezone: str) -> int:
    """The midnight (ms, UTC) that ends the day of `now` in `timezone`."""
    return _midnight(_local_date(now, timezone) + timedelta(days=1), timezone)


def _local_date(now: int, timezone: str) -> date:
    return datetime.fromtimestamp(now / 1000, ZoneInfo(timezone)).date()


def _midnight(day: date, timezone: str) -> int:
    local = datetime.combine(day, time(), ZoneInfo(timezone))
    return round(local.astimezone(UTC).timestamp() * 1000)
