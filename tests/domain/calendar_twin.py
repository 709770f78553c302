"""The events of a game as a naive twin knows them: every rule said again in the plainest way, over plain lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playing import HOUR, START

from kraty_actors.definitions import EventDefinition
from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain import schedule
from kraty_actors.domain.ids import window_id

KEYS = ["a", "b"]
DAY = 24 * HOUR
ALLOWED_IN = {"publish": "draft", "unpublish": "scheduled", "pause": "live", "resume": "paused"}


def fixed(start: int, end: int) -> dict[str, Any]:
    return {"mode": "fixed", "startsAt": iso_instant(START + start * HOUR), "endsAt": iso_instant(START + end * HOUR)}


def daily(clock: str, hours: int, zone: str = "UTC", **bounds: str) -> dict[str, Any]:
    windows = [{"startTime": clock, "durationSeconds": hours * 3600}]
    return {"mode": "recurring_windows", "timezone": zone, "windows": windows, **bounds}


SCHEDULES = [
    {"mode": "always"},
    fixed(-4, -2),
    fixed(-1, 2),
    fixed(3, 30),
    daily("10:00", 2),
    daily("20:00", 24, "America/New_York"),
    daily("09:00", 30),
    daily("11:00", 5, endsAt=iso_instant(START + 3 * DAY)),
]


@dataclass
class Opened:
    """A window that has opened, or one to come."""

    key: str
    starts_at: int
    ends_at: int | None
    revision: int
    override: Any = None
    state: str = "open"
    is_cancelled: bool = False

    @property
    def name(self) -> str:
        return window_id(self.key, self.starts_at)

    def is_over(self, now: int) -> bool:
        return self.state == "open" and self.ends_at is not None and self.ends_at <= now

    def end(self, now: int) -> None:
        self.ends_at = now if self.ends_at is None else min(self.ends_at, now)


@dataclass
class Event:
    """`until`: every occurrence that started up to then is settled."""

    key: str
    raw: dict[str, Any]
    revision: int = 0
    state: str = "draft"
    is_published: bool = False
    is_ended: bool = False
    until: int = 0
    windows: list[Opened] = field(default_factory=list)
    bags: dict[int, Any] = field(default_factory=dict)
    defined: EventDefinition = field(init=False)

    def define(self, raw: dict[str, Any]) -> None:
        self.raw, self.defined = raw, EventDefinition.model_validate(raw)

    @property
    def is_always(self) -> bool:
        return self.defined.availability.mode == "always"

    @property
    def open_ones(self) -> list[Opened]:
        return [window for window in self.windows if window.state == "open"]

    @property
    def occurs(self) -> bool:
        return self.state in ("scheduled", "live", "paused")

    @property
    def next_start(self) -> int | None:
        following = schedule.next_occurrence(self.defined.availability, self.until) if self.occurs else None
        return following.starts_at if following else None

    def may(self, action: str) -> bool:
        return self.state == ALLOWED_IN[action]

    def upcoming(self, now: int) -> list[Opened]:
        found = schedule.upcoming(self.defined.availability, now, 7) if self.occurs else []
        return [Opened(self.key, one.starts_at, one.ends_at, self.revision, self.bag(one.starts_at)) for one in found]

    def open(self, one: schedule.Occurrence) -> Opened:
        self.state = "live" if self.state == "scheduled" else self.state
        bag = self.bags.pop(one.starts_at, None)
        self.windows.append(Opened(self.key, one.starts_at, one.ends_at, self.revision, bag))
        return self.windows[-1]

    def begin(self, now: int) -> list[Opened]:
        """Published, or put anew."""
        if not self.occurs:
            return []
        self.until = now
        if self.is_always:
            return self.open_always(now)
        begun = schedule.under_way(self.defined.availability, now) if self.state == "scheduled" else []
        last = max((window.starts_at for window in self.windows), default=-1)
        return [self.open(one) for one in begun if one.starts_at > last]

    def open_always(self, now: int) -> list[Opened]:
        if self.open_ones:
            return []
        last = max((window.starts_at for window in self.windows), default=-1)
        return [self.open(schedule.Occurrence(max(now, last + 1), None))]

    def forget_bags(self, now: int) -> None:
        """Of windows that no longer occur."""
        for start in list(self.bags):
            if start <= now or not schedule.occurrences(self.defined.availability, start - 1, start):
                del self.bags[start]

    # -- overrides

    def bag(self, starts_at: int) -> Any:
        opened = [window.override for window in self.windows if window.starts_at == starts_at]
        return opened[0] if opened else self.bags.get(starts_at)

    def dress(self, starts_at: int, bag: Any) -> None:
        opened = [window for window in self.windows if window.starts_at == starts_at]
        for window in opened:
            window.override = bag
        if not opened:
            self.bags[starts_at] = bag

    def bag_before(self, starts_at: int, now: int) -> Any:
        everything = self.windows + self.upcoming(now)
        earlier = [window.starts_at for window in everything if window.starts_at < starts_at]
        return self.bag(max(earlier)) if earlier else None


class Twin:
    """All events together."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}

    @property
    def windows(self) -> list[Opened]:
        return [window for event in self.events.values() for window in event.windows]

    def due(self, now: int) -> list[Opened]:
        """Everything of every event that started since, in order of start."""
        found = []
        for event in self.events.values():
            if event.occurs:
                starts = schedule.occurrences(event.defined.availability, event.until, now)
                found += [(one.starts_at, event.key, one) for one in starts]
                event.until = now
        return [self.events[key].open(one) for _, key, one in sorted(found, key=lambda each: each[:2])]

    def settle(self) -> None:
        """R-26: an event ends by itself with its last window."""
        for event in self.events.values():
            if event.occurs and not event.open_ones and not event.is_always and event.next_start is None:
                event.state = "finalized"

    def put(self, key: str, raw: dict[str, Any], now: int) -> list[Opened]:
        is_new = key not in self.events
        event = self.events.setdefault(key, Event(key, raw, is_published="state" not in raw))
        is_revised = is_new or raw != event.raw
        event.define(raw)
        event.revision += is_revised
        revives = is_revised and event.state == "finalized" and not event.is_ended
        if revives or (event.state == "draft" and event.is_published):
            event.state = "scheduled"
        begun = event.begin(now) if is_revised else []
        event.forget_bags(now)
        self.settle()
        return begun

    def set_state(self, event: Event, action: str, now: int) -> list[Opened]:
        follows = {"publish": "scheduled", "unpublish": "draft", "pause": "paused", "resume": "live"}
        event.state = follows[action]
        event.is_published = action != "unpublish"
        begun = event.begin(now) if action == "publish" else []
        if action == "publish":
            event.forget_bags(now)
        self.settle()
        return begun

    def closed(self, window: Opened, now: int) -> list[Opened]:
        """The window says that it is final."""
        window.state = "cancelled" if window.is_cancelled else "finalized"
        event = self.events[window.key]
        reopened = event.open_always(now) if event.occurs and event.is_always else []
        self.settle()
        return reopened
