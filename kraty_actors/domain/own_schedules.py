"""When a player may open a window of their own (R-22)."""

from __future__ import annotations

from typing import Protocol

from kraty_actors.definitions import Availability, AvailabilityLocalCalendar, AvailabilityPersonal
from kraty_actors.domain.schedule import Occurrence, in_zone, is_zone, longest_ms
from kraty_actors.domain.unrolled import Spanned, Unrolled


class OwnSchedule(Protocol):
    """What the modes of per-player events differ in. A `zone` is the player's own, None where they have none."""

    is_known_ahead: bool
    """Whether it is known beforehand when a window would start and end."""
    over_at: int | None
    """From when on no window can open; None for never."""

    def possible(self, last: Spanned | None, zone: str | None, now: int) -> Occurrence | None:
        """The window that a start would open now, after the player's `last` one, which is over."""

    def opens_at(self, free_at: int, zone: str | None, now: int) -> int | None:
        """When the next window can be opened that begins at `free_at` or later."""


class Personal:
    """A window at the player's first start, and again if it is to repeat."""

    is_known_ahead = False

    def __init__(self, availability: AvailabilityPersonal) -> None:
        self._availability = availability
        self.over_at = availability.ends_at

    def possible(self, last: Spanned | None, zone: str | None, now: int) -> Occurrence | None:
        availability = self._availability
        if last is not None and not availability.repeat:
            return None
        start = now if last is None else max(now, last.starts_at + 1)
        if start < (availability.starts_at or 0) or (self.over_at is not None and start >= self.over_at):
            return None
        return Occurrence(start, start + availability.duration_seconds * 1000)

    def opens_at(self, free_at: int, zone: str | None, now: int) -> int | None:
        """Only the beginning of it all is known: from then on a window opens whenever the player likes."""
        starts_at, had_one = self._availability.starts_at, free_at > 0
        if starts_at is None or starts_at <= now or (had_one and not self._availability.repeat):
            return None
        earliest = max(starts_at, free_at)
        return None if self.over_at is not None and earliest >= self.over_at else earliest


class LocalCalendar:
    """A calendar in the player's own zone; one that does not exist is as none. An occurrence that overlaps the window
    that the player had before is skipped."""

    is_known_ahead = True

    def __init__(self, availability: AvailabilityLocalCalendar, timezone: str) -> None:
        self._availability = availability
        self._timezone = timezone
        self._zones: dict[str, Unrolled[Occurrence]] = {}
        ends_at = availability.ends_at
        self.over_at = None if ends_at is None else ends_at + longest_ms(availability)

    def possible(self, last: Spanned | None, zone: str | None, now: int) -> Occurrence | None:
        begun = self._in(zone).under_way(now)
        if not begun:
            return None
        one = begun[-1]
        overlaps = last is not None and (one.starts_at < (last.ends_at or 0) or one.starts_at <= last.starts_at)
        return None if overlaps else one

    def opens_at(self, free_at: int, zone: str | None, now: int) -> int | None:
        following = self._in(zone).following(max(now, free_at - 1))
        return None if following is None else following.starts_at

    def _in(self, zone: str | None) -> Unrolled[Occurrence]:
        name = zone if zone is not None and is_zone(zone) else self._timezone
        if name not in self._zones:
            self._zones[name] = Unrolled(in_zone(self._availability, name), name, lambda one: one)
        return self._zones[name]


def own_schedule(availability: Availability, timezone: str) -> OwnSchedule | None:
    """How an event's players open windows; None for an event of shared windows. `timezone` is for players without."""
    if availability.mode == "personal":
        return Personal(availability)
    return LocalCalendar(availability, timezone) if availability.mode == "local_calendar" else None
