"""Days as a player lives them: midnight to midnight on the wall clock of a time zone.

Midnights are compared as instants, never as dates: where the clock goes back over midnight, a date may begin before
the one that it follows is over.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_start(now: int, timezone: str) -> int:
    """The midnight (ms, UTC) that began the day of `now` in `timezone`."""
    return _day(now, timezone)[0]


def next_day_start(now: int, timezone: str) -> int:
    """The midnight (ms, UTC) that ends the day of `now` in `timezone`."""
    return _day(now, timezone)[1]


_newest: dict[str, tuple[int, int]] = {}
"""The day that was asked for last in each zone: mostly it is the same one."""


def _day(now: int, timezone: str) -> tuple[int, int]:
    start, end = _newest.get(timezone, (0, 0))
    if not start <= now < end:
        marks = _midnights(now, timezone)
        start, end = _newest[timezone] = max(at for at in marks if at <= now), min(at for at in marks if at > now)
    return start, end


def _midnights(now: int, timezone: str) -> list[int]:
    """Those around `now`; a midnight that is repeated is its first (R-23)."""
    zone = ZoneInfo(timezone)
    today = datetime.fromtimestamp(now / 1000, zone).date()
    days = (today + timedelta(days=offset) for offset in (-2, -1, 0, 1, 2))
    return [round(datetime.combine(day, time(), zone).astimezone(UTC).timestamp() * 1000) for day in days]
