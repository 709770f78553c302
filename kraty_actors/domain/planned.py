"""One event over its life: its revisions, its state, and the windows that it has had (R-5, R-24, R-26).

Windows to come are not kept: they are a function of the schedule and the time. A window is kept from the moment it
opens; `opened_until` says up to which instant everything that starts has been opened, so a server that was down
opens what it missed, at its own times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from kraty_actors.definitions import EventDefinition
from kraty_actors.domain import schedule
from kraty_actors.domain.catalogue import CLOSED_LISTED, PER_PLAYER, RUNNING, Bag, EventState, EventView, WindowView
from kraty_actors.domain.contest_messages import Amend, Pause, Resume
from kraty_actors.domain.ids import player_windows_id, window_id
from kraty_actors.domain.lobby import FillStrategy
from kraty_actors.domain.outcome import Command, Message, Plain
from kraty_actors.domain.player_windows_messages import PlanPlayerWindows
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.schedule import Occurrence
from kraty_actors.domain.unrolled import Unrolled
from kraty_actors.domain.window_messages import Finalize, OpenWindow, WindowFinalized

CLOSED_KEPT_MS = 2 * 86_400_000
"""How long a closed window stays known beyond the last ten: long enough for a day's limits (R-17)."""


@dataclass(slots=True, frozen=True)
class Terms:
    """What the game says for one event beside its definition. `boards` are those of `Amend`."""

    seed: int
    timezone: str
    ahead_days: int
    fill_timeout_seconds: int
    fill_strategy: FillStrategy
    bot_tick_seconds: int
    boards: list[list[Plain]]


class Planned:
    """See the module. Whoever changes it calls `changed`; what it answers are messages to its windows.

    An event that ended by itself is scheduled again by a new revision that has something to come; one that was
    finalized by command stays so.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.revisions: list[Rules] = []
        self.terms: Terms
        self.state: EventState = "draft"
        self.is_published = False
        self.windows: dict[str, WindowView] = {}
        self.overrides: dict[int, Bag] = {}
        self.next_start: int | None = None
        self._opened_until = 0
        self._is_ended_by_command = False
        self._is_idle = False
        self._told: PlanPlayerWindows | None = None
        self._ahead: Unrolled[WindowView]
        self._view: EventView | None = None

    @property
    def newest(self) -> Rules:
        return self.revisions[-1]

    @property
    def event(self) -> EventDefinition:
        return self.newest.event

    @property
    def is_per_player(self) -> bool:
        return self.event.availability.mode in PER_PLAYER

    @property
    def occurs(self) -> bool:
        """Whether windows of it open when their time comes."""
        return self.state in RUNNING

    @property
    def open_windows(self) -> list[WindowView]:
        return [window for window in self.windows.values() if not window.is_closed]

    @property
    def _last_start(self) -> int:
        return max((window.starts_at for window in self.windows.values()), default=-1)

    # -- definitions

    def put(self, rules: Rules | None, terms: Terms, now: int) -> list[Message]:
        """The event as it stands from now on; `rules` are None where nothing that it plays by has changed (R-5)."""
        if not self.revisions and rules is not None:
            self.is_published = rules.event.state != "draft"
        messages = self._amend(rules, terms)
        is_replanned = rules is not None or terms.timezone != self.terms.timezone
        self.terms = terms
        if rules is not None:
            self.revisions.append(rules)
        if self.state == "draft" and self.is_published:
            self.state = "scheduled"
        if rules is not None and self.state == "finalized" and not self._is_ended_by_command:
            self.state = "scheduled"
        if is_replanned:
            self._is_idle = False
            self._ahead = self._unrolled()
            messages += self._begin(now)
        return messages + self.settle()

    def _amend(self, rules: Rules | None, terms: Terms) -> list[Message]:
        """What takes effect at once is told to the windows that are open, if it differs (R-5)."""
        if not self.revisions:
            return []
        newest = rules or self.newest
        if (terms.boards, newest.event.anti_cheat) == (self.terms.boards, self.event.anti_cheat):
            return []
        return self._to_open(Amend(newest.revision, terms.boards))

    def _begin(self, now: int) -> list[Message]:
        """The definition as it stands counts from now on: what is under way opens at once if the event has not begun
        yet, or is `always` open and is not; what is already over never opens, and nothing opens twice."""
        messages = []
        if self.occurs:
            self._opened_until = now
            messages = [self.open(one) for one in self._under_way(now)]
            self._begin_for_players(now)
        self._drop_stale_overrides(now)
        return messages

    def _under_way(self, now: int) -> list[Occurrence]:
        availability = self.event.availability
        if availability.mode == "always":
            return [] if self.open_windows else [Occurrence(max(now, self._last_start + 1), None)]
        if self.state != "scheduled":
            return []
        found = schedule.under_way(availability, now, timezone=self.terms.timezone)
        return [one for one in found if one.starts_at > self._last_start]

    def _begin_for_players(self, now: int) -> None:
        availability = self.event.availability
        if self.state == "scheduled" and (availability.mode == "personal" or availability.mode == "local_calendar"):
            self.state = "live" if (availability.starts_at or 0) <= now else "scheduled"

    def _drop_stale_overrides(self, now: int) -> None:
        """R-24: only windows to come that still occur keep theirs."""
        availability, zone = self.event.availability, self.terms.timezone
        for start in list(self.overrides):
            if start <= now or not schedule.occurrences(availability, start - 1, start, timezone=zone):
                del self.overrides[start]

    # -- time

    def take_due(self, now: int) -> list[Occurrence]:
        """What is to be opened, in order; `settle` follows once it is."""
        if self.next_start is None or self.next_start > now:
            return []
        self._begin_for_players(now)
        due = self._ahead.between(self._opened_until, now)
        self._opened_until = now
        return [Occurrence(one.starts_at, one.ends_at) for one in due]

    def settle(self) -> list[Message]:
        """Say when something begins next; end by itself if nothing can (R-26); tell the per-player windows."""
        self.next_start = self._next_start() if self.occurs else None
        if self.occurs and self._is_over:
            self.state = "finalized"
        return self._tell_player_windows()

    def _next_start(self) -> int | None:
        availability = self.event.availability
        if availability.mode == "personal" or availability.mode == "local_calendar":
            return availability.starts_at if self.state == "scheduled" else None
        following = self._ahead.following(self._opened_until)
        return None if following is None else following.starts_at

    @property
    def _is_over(self) -> bool:
        if self.open_windows or self.event.availability.mode == "always":
            return False
        return self._is_idle if self.is_per_player else self.next_start is None

    def idle(self, revision: int) -> list[Message]:
        """Its per-player windows are over, as far as they know."""
        self._is_idle = revision == self.newest.revision
        return self.settle()

    # -- windows

    def open(self, one: Occurrence) -> Message:
        terms, revision = self.terms, self.newest.revision
        name = window_id(self.key, one.starts_at)
        override = self.overrides.pop(one.starts_at, None)
        self.windows[name] = WindowView(name, self.key, one.starts_at, one.ends_at, "open", revision, override)
        if self.state == "scheduled":
            self.state = "live"
        opening = OpenWindow(
            self.key,
            revision,
            terms.seed,
            terms.timezone,
            one.starts_at,
            one.ends_at,
            terms.fill_timeout_seconds,
            terms.fill_strategy,
            terms.bot_tick_seconds,
            terms.boards,
            self.state == "paused",
        )
        return Message(name, opening)

    def keep(self, window: WindowView) -> None:
        """One of its windows, opened or to come, as it is from now on."""
        if window.state != "upcoming":
            self.windows[window.window_id] = window
        elif window.override is None:
            self.overrides.pop(window.starts_at, None)
        else:
            self.overrides[window.starts_at] = window.override

    def closed(self, command: WindowFinalized, now: int) -> list[Message]:
        """The window is final, or was cancelled; an `always` event opens again at once with the newest revision."""
        ended = self.windows[command.window_id].ended(now)
        self.keep(replace(ended, state="cancelled" if command.is_cancelled else "finalized"))
        reopens = self.occurs and self.event.availability.mode == "always"
        return [self.open(one) for one in self._under_way(now) if reopens] + self.settle()

    def forget_old(self, now: int) -> list[str]:
        """Let go of windows that closed long ago and are followed by one that has closed too (R-25 asks for the one
        before); their ids."""
        ordered = sorted(self.windows.values(), key=lambda window: window.starts_at)
        spent = [one for one, following in pairwise(ordered) if one.is_closed and following.is_closed]
        kept = {window.window_id for window in [one for one in ordered if one.is_closed][-CLOSED_LISTED:]}
        old = [one.window_id for one in spent if (one.ends_at or now) < now - CLOSED_KEPT_MS]
        gone = [name for name in old if name not in kept]
        for name in gone:
            del self.windows[name]
        return gone

    # -- by command

    def publish(self, now: int) -> list[Message]:
        self.is_published, self.state = True, "scheduled"
        return self._begin(now) + self.settle()

    def unpublish(self) -> list[Message]:
        self.is_published, self.state = False, "draft"
        return self.settle()

    def pause(self) -> list[Message]:
        self.state = "paused"
        return self._to_open(Pause()) + self.settle()

    def resume(self) -> list[Message]:
        self.state = "live"
        return self._to_open(Resume()) + self.settle()

    def finalize(self, now: int) -> list[Message]:
        """For good: its open windows end, also while it is paused, and none opens any more."""
        self.state, self._is_ended_by_command = "finalized", True
        messages = self._to_open(Finalize())
        for window in self.open_windows:
            self.keep(window.ended(now))
        return messages + self.settle()

    def tell_all(self, command: Command) -> list[Message]:
        """The same to whoever keeps its windows that are not final yet."""
        own = [Message(player_windows_id(self.key), command)] if self._told is not None else []
        return [*self._to_open(command), *own]

    def _to_open(self, command: Command) -> list[Message]:
        return [Message(window.window_id, command) for window in self.open_windows]

    # -- what others see

    def changed(self) -> None:
        self._view = None

    def view(self) -> EventView:
        """The event as it stands, made anew only after a change."""
        if self._view is None:
            ordered = sorted(self.windows.values(), key=lambda window: window.starts_at)
            self._view = EventView(
                self.newest,
                self.state,
                self.terms.timezone,
                self.terms.ahead_days,
                tuple(ordered),
                self._ahead,
                dict(self.overrides),
            )
        return self._view

    def _unrolled(self) -> Unrolled[WindowView]:
        revision = self.newest.revision

        def to_come(one: Occurrence) -> WindowView:
            name = window_id(self.key, one.starts_at)
            return WindowView(name, self.key, one.starts_at, one.ends_at, "upcoming", revision)

        return Unrolled(self.event.availability, self.terms.timezone, to_come)

    def _tell_player_windows(self) -> list[Message]:
        """What opens per-player windows hears of the event as it stands, if that is news to it."""
        if self._told is None and (not self.is_per_player or self.state == "draft"):
            return []
        terms, revision = self.terms, self.newest.revision
        plan = PlanPlayerWindows(
            self.key, revision, self.state, terms.seed, terms.timezone, terms.bot_tick_seconds, terms.boards
        )
        if plan == self._told:
            return []
        self._told = plan
        return [Message(player_windows_id(self.key), plan)]

    # -- checkpoint

    def dump(self) -> Plain:
        return {
            "key": self.key,
            "revisions": [rules.dump() for rules in self.revisions],
            "state": self.state,
            "isPublished": self.is_published,
            "isEndedByCommand": self._is_ended_by_command,
            "isIdle": self._is_idle,
            "openedUntil": self._opened_until,
            "nextStart": self.next_start,
            "told": None if self._told is None else self._told.record()[1:],
            "overrides": [[start, bag] for start, bag in self.overrides.items()],
            "windows": [
                [w.window_id, w.event_key, w.starts_at, w.ends_at, w.state, w.revision, w.override]
                for w in self.windows.values()
            ],
        }

    @classmethod
    def restored(cls, plain: Mapping[str, Plain]) -> Planned:
        """All but the terms, which `resume_terms` gives back."""
        planned = cls(plain["key"])
        planned.revisions = [Rules.restored(one) for one in plain["revisions"]]
        planned.state = plain["state"]
        planned.is_published = plain["isPublished"]
        planned._is_ended_by_command = plain["isEndedByCommand"]
        planned._is_idle = plain["isIdle"]
        planned._opened_until = plain["openedUntil"]
        planned.next_start = plain["nextStart"]
        planned._told = None if plain["told"] is None else PlanPlayerWindows(*plain["told"])
        planned.overrides = dict(plain["overrides"])
        planned.windows = {window[0]: WindowView(*window) for window in plain["windows"]}
        return planned

    def resume_terms(self, terms: Terms) -> None:
        """The terms by which it stood when it was written down."""
        self.terms = terms
        self._ahead = self._unrolled()
