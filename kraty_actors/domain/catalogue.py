"""What the calendar shows to the rest of the server: events and windows as they stand, never changed once made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kraty_actors.definitions import EventDefinition, GameFile
from kraty_actors.domain import schedule
from kraty_actors.domain.ids import window_id
from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.rules import Rules

EventState = Literal["draft", "scheduled", "live", "finalized"]
WindowState = Literal["upcoming", "open", "closing", "finalized"]

CLOSED_LISTED = 10
"""Finalized windows that `windows.list` shows for an event."""


@dataclass(slots=True, frozen=True)
class WindowView:
    """One occurrence. `state` is as the calendar knows it; an open one past its end is closing."""

    window_id: str
    event_key: str
    starts_at: int
    ends_at: int | None
    state: WindowState
    revision: int

    def is_open(self, now: int) -> bool:
        return self.state == "open" and self.starts_at <= now and (self.ends_at is None or now < self.ends_at)

    def state_at(self, now: int) -> WindowState:
        return "closing" if self.state == "open" and not self.is_open(now) and now >= self.starts_at else self.state


@dataclass(slots=True, frozen=True)
class EventView:
    """An event as it stands, with its windows in order of start."""

    rules: Rules
    state: EventState
    timezone: str
    ahead_days: int
    is_active: bool
    windows: tuple[WindowView, ...]

    @property
    def event(self) -> EventDefinition:
        return self.rules.event

    def current(self, now: int) -> WindowView | None:
        """The open window that started last (R-23)."""
        return next((window for window in reversed(self.windows) if window.is_open(now)), None)

    def upcoming(self, now: int) -> list[WindowView]:
        """R-24: every window to come within the horizon, and at least the next one."""
        if self.state not in ("scheduled", "live") or not self.is_active:
            return []
        found = schedule.upcoming(self.event.availability, now, self.ahead_days, timezone=self.timezone)
        return [self._planned(one) for one in found]

    def listed(self, now: int) -> list[WindowView]:
        """Open and upcoming windows in order, then the last ones that closed."""
        going_on = [window for window in self.windows if window.state == "open"]
        closed = [window for window in self.windows if window.state == "finalized"][-CLOSED_LISTED:]
        return [*going_on, *self.upcoming(now), *reversed(closed)]

    def _planned(self, one: schedule.Occurrence) -> WindowView:
        key = self.event.key
        name = window_id(key, one.starts_at)
        return WindowView(name, key, one.starts_at, one.ends_at, "upcoming", self.rules.revision)


@dataclass(slots=True, frozen=True)
class Catalogue:
    """What the calendar shows to the rest of the server: one immutable picture, replaced at each change."""

    game: GameFile | None
    file: Mapping[str, Plain]
    seed: int
    events: Mapping[str, EventView]
    windows: Mapping[str, WindowView]
    due_at: int | None = None
    """When the next window is to open: from then on this picture is out of date."""


class Library:
    """Every revision that anything was ever played by. Filled by the calendar, read by windows and contests."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, int], Rules] = {}

    def rules(self, event_key: str, revision: int) -> Rules:
        return self._rules[event_key, revision]

    def add(self, rules: Rules) -> None:
        self._rules[rules.event.key, rules.revision] = rules
