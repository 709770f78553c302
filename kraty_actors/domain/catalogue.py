"""What the calendar shows to the rest of the server: events and windows as they stand, never changed once made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from kraty_actors.definitions import EventDefinition, GameFile, LimitSettings
from kraty_actors.domain.board_shelf import SharedBoardView
from kraty_actors.domain.ids import player_windows_id
from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.periods import BoardRules
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.unrolled import Unrolled

EventState = Literal["draft", "scheduled", "live", "paused", "finalized"]
WindowState = Literal["upcoming", "open", "closing", "finalized", "cancelled"]
Bag = Mapping[str, Plain]

NO_GAME_LIMITS = LimitSettings()

CLOSED_LISTED = 10
"""Closed windows that `windows.list` shows for an event."""

RUNNING = ("scheduled", "live", "paused")
"""States in which windows open when their time comes."""

PER_PLAYER = ("personal", "local_calendar")
"""Modes in which every player has windows of their own (R-22)."""


@dataclass(slots=True, frozen=True)
class WindowView:
    """One occurrence. `state` is as the calendar knows it; an open one past its end is closing. `override` is the
    window's own metadata (R-25)."""

    window_id: str
    event_key: str
    starts_at: int
    ends_at: int | None
    state: WindowState
    revision: int
    override: Bag | None = None

    @property
    def is_closed(self) -> bool:
        """Whether nothing can change any more."""
        return self.state in ("finalized", "cancelled")

    def is_open(self, now: int) -> bool:
        return self.state == "open" and self.starts_at <= now and (self.ends_at is None or now < self.ends_at)

    def ended(self, now: int) -> WindowView:
        """The window, if it is to end now at the latest: it takes no more starts, and shows when it ended."""
        return replace(self, ends_at=now if self.ends_at is None else min(self.ends_at, now))

    def state_at(self, now: int) -> WindowState:
        return "closing" if self.state == "open" and not self.is_open(now) and now >= self.starts_at else self.state


@dataclass(slots=True, frozen=True)
class EventView:
    """An event as it stands, with its windows in order of start. `ahead` gives its occurrences to come, and
    `overrides` their own metadata by start."""

    rules: Rules
    state: EventState
    timezone: str
    ahead_days: int
    windows: tuple[WindowView, ...]
    ahead: Unrolled[WindowView]
    overrides: Mapping[int, Bag]

    @property
    def event(self) -> EventDefinition:
        return self.rules.event

    @property
    def is_per_player(self) -> bool:
        """Whether `player_windows` says who has which window, instead of `windows` (R-22)."""
        return self.event.availability.mode in PER_PLAYER

    @property
    def player_windows(self) -> str:
        """The actor that opens its per-player windows."""
        return player_windows_id(self.event.key)

    def window(self, window_id: str) -> WindowView | None:
        """The window of that id, if it has opened."""
        return next((window for window in self.windows if window.window_id == window_id), None)

    def current(self, now: int) -> WindowView | None:
        """The open window that started last (R-23)."""
        return next((window for window in reversed(self.windows) if window.is_open(now)), None)

    def upcoming(self, now: int) -> list[WindowView]:
        """R-24: every window to come within the horizon, and at least the next one."""
        if not self._occurs:
            return []
        return [overridden(one, self.overrides) for one in self.ahead.upcoming(now, self.ahead_days)]

    def next_start(self, now: int) -> int | None:
        """When the next shared window opens."""
        following = self.ahead.following(now) if self._occurs else None
        return None if following is None else following.starts_at

    def listed(self, now: int) -> list[WindowView]:
        """Open and upcoming windows in order, then the last ones that closed, newest first."""
        going_on = [window for window in self.windows if not window.is_closed]
        closed = [window for window in self.windows if window.is_closed][-CLOSED_LISTED:]
        return [*going_on, *self.upcoming(now), *reversed(closed)]

    def metadata(self, window: WindowView | None = None) -> Bag:
        """What a client sees (R-25): the event's own metadata, with the window's over it."""
        override = window.override if window is not None else None
        return {**self.event.metadata, **(override or {})}

    @property
    def _occurs(self) -> bool:
        return self.state in RUNNING


def overridden(window: WindowView, overrides: Mapping[int, Bag]) -> WindowView:
    """A window to come with the metadata that operators gave it, if they did."""
    override = overrides.get(window.starts_at)
    return window if override is None else replace(window, override=override)


class Windows(Mapping[str, WindowView]):
    """Every window that has opened, by id, found through its event: the events change, and this need not.

    `keys` says to which event a window belongs. It may know more windows than these events, never less.
    """

    def __init__(self, events: Mapping[str, EventView], keys: Mapping[str, str]) -> None:
        self._events = events
        self._keys = keys

    def __getitem__(self, window_id: str) -> WindowView:
        event = self._events.get(self._keys[window_id])
        window = event.window(window_id) if event is not None else None
        if window is None:
            raise KeyError(window_id)
        return window

    def __iter__(self) -> Iterator[str]:
        return (window.window_id for event in self._events.values() for window in event.windows)

    def __len__(self) -> int:
        return sum(len(event.windows) for event in self._events.values())


@dataclass(slots=True, frozen=True)
class Catalogue:
    """What the calendar shows to the rest of the server: one immutable picture, replaced at each change."""

    game: GameFile | None
    file: Mapping[str, Plain]
    seed: int
    events: Mapping[str, EventView]
    windows: Mapping[str, WindowView]
    boards: Mapping[str, SharedBoardView]
    due_at: int | None = None
    """When the next window or period is to open: from then on this picture is out of date."""

    @property
    def limits(self) -> LimitSettings:
        """What connections may ask."""
        return self.game.settings.limits if self.game is not None else NO_GAME_LIMITS

    def window(self, window_id: str, now: int) -> WindowView | None:
        """The window of that id, if it has opened or is to come."""
        known = self.windows.get(window_id)
        if known is not None:
            return known
        to_come = (window for event in self.events.values() for window in event.upcoming(now))
        return next((window for window in to_come if window.window_id == window_id), None)

    @classmethod
    def empty(cls) -> Catalogue:
        """What there is before any game was put."""
        return cls(None, {}, 0, {}, {}, {})


class Library:
    """Every revision that anything was ever played by. Filled by the calendar, read by windows and contests."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, int], Rules] = {}
        self._boards: dict[tuple[str, int], BoardRules] = {}

    def rules(self, event_key: str, revision: int) -> Rules:
        return self._rules[event_key, revision]

    def revisions(self, event_key: str) -> Iterator[Rules]:
        """All that is known of an event."""
        return (rules for (key, _), rules in self._rules.items() if key == event_key)

    def add(self, rules: Rules) -> None:
        self._rules[rules.event.key, rules.revision] = rules

    def board(self, key: str, revision: int) -> BoardRules:
        return self._boards[key, revision]

    def add_board(self, rules: BoardRules) -> None:
        self._boards[rules.key, rules.revision] = rules
