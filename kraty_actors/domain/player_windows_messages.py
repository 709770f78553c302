"""What the windows of single players are told and asked, what they tell the calendar, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kraty_actors.domain.catalogue import EventState, WindowView
from kraty_actors.domain.outcome import Command, Plain


@dataclass(slots=True, frozen=True)
class PlanPlayerWindows(Command):
    """From the calendar: the event as it stands. Windows open only while it is `live` and its revision is of a
    per-player mode; `timezone` is for players who have none, and for days (R-17)."""

    tag: ClassVar[str] = "plan"
    event_key: str
    revision: int
    state: EventState
    seed: int
    timezone: str
    bot_tick_seconds: int
    boards: list[list[Plain]]


@dataclass(slots=True, frozen=True)
class PlayerWindowsIdle(Command):
    """To the calendar: by the plan of this revision no window is open and none can follow (R-26)."""

    tag: ClassVar[str] = "idle"
    event_key: str
    revision: int


@dataclass(slots=True, frozen=True)
class Locate(Command):
    """Read which window the player has, or may open now: `Located`. `timezone` is their own, if they have one."""

    tag: ClassVar[str] = "locate"
    is_read: ClassVar[bool] = True
    player: int
    timezone: str | None


@dataclass(slots=True, frozen=True)
class Visit(Command):
    """The player starts: open the window that they may open, unless it is open already. `Visited`."""

    tag: ClassVar[str] = "visit"
    player: int
    timezone: str | None


@dataclass(slots=True, frozen=True)
class Located:
    """Where a player stands. Without a `window`, `may_open` says whether a start would open one, and `to_open` is that
    one where it is known beforehand (`local_calendar`). Today's starts of the player in other windows are those
    `started_elsewhere`, and what the windows in `unfinished` know (R-17)."""

    window: WindowView | None
    may_open: bool
    to_open: WindowView | None
    opens_at: int | None
    started_elsewhere: int
    unfinished: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Visited:
    """The window to start in; the rest as in `Located`."""

    window: WindowView
    started_elsewhere: int
    unfinished: tuple[str, ...]
