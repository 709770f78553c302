"""A schedule's occurrences, unrolled once and remembered: asked again, they cost a binary search."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from kraty_actors.definitions import Availability
from kraty_actors.domain import schedule
from kraty_actors.domain.schedule import DAY_MS, LOOK_AHEAD_DAYS, Occurrence

CHUNK_MS = 8 * DAY_MS
"""Unrolled beyond what is asked for, so that a query a moment later finds it there."""


class Spanned(Protocol):
    """Whatever stands for an occurrence."""

    @property
    def starts_at(self) -> int: ...
    @property
    def ends_at(self) -> int | None: ...


S = TypeVar("S", bound=Spanned)


class Unrolled(Generic[S]):
    """A memory of a pure function: the same questions get the same answers in any order, only faster. What is long
    over is let go as time goes on. An `always` or `personal` availability has no occurrences."""

    def __init__(self, availability: Availability, timezone: str, seen_as: Callable[[Occurrence], S]) -> None:
        self._availability = availability
        self._timezone = timezone
        self._seen_as = seen_as
        self._longest = schedule.longest_ms(availability)
        self._first = schedule.first_start(availability)
        self._found: list[S] = []
        self._after = self._until = 0

    def between(self, after: int, until: int) -> list[S]:
        """Every occurrence with `after < starts_at <= until`, by start."""
        if self._first is None:
            return []
        after = max(after, self._first - 1)
        if until <= after:
            return []
        self._cover(after, until)
        return self._found[bisect_right(self._found, after, key=_start) : bisect_right(self._found, until, key=_start)]

    def following(self, after: int) -> S | None:
        """The first occurrence that starts after `after`, or None if none will."""
        if self._first is None:
            return None
        after = max(after, self._first - 1)
        for days in (1, LOOK_AHEAD_DAYS):
            self._cover(after, after + days * DAY_MS)
            at = bisect_right(self._found, after, key=_start)
            if at < len(self._found):
                return self._found[at]
        return None

    def upcoming(self, now: int, days: int) -> list[S]:
        """Every occurrence that starts within `days` times 24 hours, and at least the next if any (R-24)."""
        within = self.between(now, now + days * DAY_MS)
        following = None if within else self.following(now)
        return within if following is None else [following]

    def under_way(self, at: int) -> list[S]:
        """Every occurrence with `starts_at <= at < ends_at`, by start."""
        begun = self.between(at - self._longest, at)
        return [one for one in begun if one.ends_at is None or at < one.ends_at]

    def _cover(self, after: int, until: int) -> None:
        """Have everything that starts in `(after, until]` among what was found, without a gap."""
        if not self._after <= after <= self._until:
            self._found, self._after, self._until = [], after, after
        if until <= self._until:
            return
        self._let_go(after - self._longest)
        until += CHUNK_MS
        fresh = schedule.occurrences(self._availability, self._until, until, timezone=self._timezone)
        self._found += map(self._seen_as, fresh)
        self._until = until

    def _let_go(self, before: int) -> None:
        if before > self._after:
            del self._found[: bisect_right(self._found, before, key=_start)]
            self._after = before


def _start(one: Spanned) -> int:
    return one.starts_at
