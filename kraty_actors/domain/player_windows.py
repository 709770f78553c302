"""The windows that single players have of one event: `personal` and `local_calendar` (R-22).

A window opens at its player's start. What is kept of a player is when their last window was and what a day's limit
needs; the windows themselves are actors like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from kraty_actors.domain import steering
from kraty_actors.domain.broadcasts import Broadcasts
from kraty_actors.domain.calendar_messages import (
    CancelWindow,
    CopyPrevious,
    ExtendWindow,
    FinalizeEvent,
    OverrideWindow,
)
from kraty_actors.domain.catalogue import RUNNING, WindowState, WindowView
from kraty_actors.domain.contest_messages import Amend, Pause, Resume, SetBan
from kraty_actors.domain.days import day_start
from kraty_actors.domain.frozen import Arrivals, Frozen, in_parts
from kraty_actors.domain.ids import CALENDAR, player_window_id
from kraty_actors.domain.outcome import Command, Message, Outcome, Plain, Refusal, Tick
from kraty_actors.domain.own_schedules import OwnSchedule, own_schedule
from kraty_actors.domain.player_windows_messages import (
    Locate,
    Located,
    PlanPlayerWindows,
    PlayerWindowsIdle,
    Visit,
    Visited,
)
from kraty_actors.domain.rules import Rulebook
from kraty_actors.domain.schedule import Occurrence
from kraty_actors.domain.unrolled import Spanned
from kraty_actors.domain.window_messages import Finalize, OpenWindow, WindowFinalized

ROWS_PER_PART = 500
"""Players, or open windows, in one part of a checkpoint: less than a millisecond of packing."""

AT_ONCE = 0

OfWindow = FinalizeEvent | CancelWindow | ExtendWindow | OverrideWindow | CopyPrevious


@dataclass(slots=True)
class Visitor:
    """What is kept of one player: their last window `[starts_at, ends_at)`, the windows that are not final yet, and
    how many attempts they `started` in final ones on the last `day` that had any."""

    starts_at: int
    ends_at: int
    day: int = 0
    started: int = 0
    unfinished: tuple[str, ...] = ()

    def started_today(self, now: int, timezone: str) -> int:
        return self.started if self.started and self.day >= day_start(now, timezone) else 0

    def count(self, day: int, started: int) -> None:
        if day > self.day:
            self.day, self.started = day, 0
        if day == self.day:
            self.started += started


class PlayerWindows:
    """See the module. A window belongs to the player it was opened for, and takes their zone as it was then."""

    def __init__(self, actor_id: str, rulebook: Rulebook) -> None:
        self.id = actor_id
        self._rulebook = rulebook
        self._plan: PlanPlayerWindows | None = None
        self._visitors: dict[int, Visitor] = {}
        self._open: dict[str, tuple[int, WindowView]] = {}
        self._order: tuple[Arrivals[int], Arrivals[str]] = (Arrivals(), Arrivals())
        self._frozen: tuple[Frozen[int], Frozen[str]] | None = None
        self._broadcasts = Broadcasts()
        self._is_paused = False
        self._has_told_idle = False
        self._schedule: OwnSchedule | None = None

    @property
    def wake_at(self) -> int | None:
        if self._broadcasts:
            return AT_ONCE
        return None if self._open or self._has_told_idle else self._over_at

    may_sleep = True

    # -- commands

    def apply(self, command: Command, now: int) -> Outcome:
        match command:
            case Locate():
                return Outcome(reply=self.located(command.player, command.timezone, now))
            case Visit():
                return self._visit(command, now)
            case WindowFinalized():
                return self._window_finalized(command, now)
            case Tick():
                messages = self._broadcasts.step(self._open) if self._broadcasts else []
                return self._unless_idle(Outcome(traced=True, messages=messages), now)
            case PlanPlayerWindows():
                return self._take_plan(command, now)
            case SetBan():
                return self._set_ban(command)
            case FinalizeEvent() | CancelWindow() | ExtendWindow() | OverrideWindow() | CopyPrevious():
                return self._steer(command, now)
        raise TypeError(f"per-player windows know no {type(command).__name__}")

    def _take_plan(self, plan: PlanPlayerWindows, now: int) -> Outcome:
        previous, was_paused = self._plan, self._is_paused
        self._begin(plan)
        self._has_told_idle = False
        if previous is not None and self._at_once(previous) != self._at_once(plan):
            self._broadcasts.add(Amend(plan.revision, plan.boards), self._open)
        if plan.state == "paused" and not was_paused:
            self._is_paused = True
            self._broadcasts.add(Pause(), self._open)
        elif plan.state == "live" and was_paused:
            self._is_paused = False
            self._broadcasts.add(Resume(), self._open)
        elif plan.state == "finalized" and (previous is None or previous.state != "finalized"):
            self._broadcasts.add(Finalize(), self._open)
        return self._unless_idle(Outcome(traced=True), now)

    def _begin(self, plan: PlanPlayerWindows) -> None:
        self._plan = plan
        event = self._rulebook.rules(plan.event_key, plan.revision).event
        self._schedule = own_schedule(event.availability, plan.timezone)

    def _at_once(self, plan: PlanPlayerWindows) -> object:
        """What of a plan takes effect in windows that are open (R-5)."""
        return plan.boards, self._rulebook.rules(plan.event_key, plan.revision).event.anti_cheat

    def _visit(self, command: Visit, now: int) -> Outcome:
        if self._plan is None or self._plan.state in ("draft", "paused"):
            state = "draft" if self._plan is None else self._plan.state
            return Outcome(reply=Refusal("event_disabled", f"the event is {state}", {"state": state}))
        located = self.located(command.player, command.timezone, now)
        if isinstance(located, Refusal):
            return Outcome(reply=located)
        if located.window is not None:
            return Outcome(reply=Visited(located.window, located.started_elsewhere, located.unfinished))
        one = self._possible(self._visitors.get(command.player), command.timezone, now)
        if one is None:
            return Outcome(reply=Refusal("no_active_window", "no window opens now", {"opensAt": located.opens_at}))
        window = self._seen(command.player, one, "open")
        self._remember(command.player, window)
        reply = Visited(window, located.started_elsewhere, located.unfinished)
        return Outcome(reply=reply, traced=True, messages=[self._opening(command.player, window)])

    def _remember(self, player: int, window: WindowView) -> None:
        visitors, windows = self._order
        self._changing(player, window.window_id)
        self._open[window.window_id] = player, window
        windows.came(window.window_id)
        ends_at = _end(window)
        if player not in self._visitors:
            self._visitors[player] = Visitor(window.starts_at, ends_at)
            visitors.came(player)
        visitor = self._visitors[player]
        visitor.starts_at, visitor.ends_at = window.starts_at, ends_at
        visitor.unfinished = (*visitor.unfinished, window.window_id)

    def _opening(self, player: int, window: WindowView) -> Message:
        """A window of one player has no lobbies: nothing there waits to be filled."""
        plan = self._standing_plan()
        opening = OpenWindow(
            plan.event_key,
            plan.revision,
            plan.seed,
            plan.timezone,
            window.starts_at,
            window.ends_at,
            fill_timeout_seconds=0,
            fill_strategy="start_short",
            bot_tick_seconds=plan.bot_tick_seconds,
            boards=plan.boards,
            owner=self.id,
            player=player,
        )
        return Message(window.window_id, opening)

    def _window_finalized(self, command: WindowFinalized, now: int) -> Outcome:
        if command.window_id in self._open:
            player, window = self._open[command.window_id]
            self.keep(window.ended(now))
            del self._open[command.window_id]
            self._order[1].left(command.window_id)
            visitor = self._visitors[player]
            visitor.unfinished = tuple(name for name in visitor.unfinished if name != command.window_id)
            visitor.count(command.day, command.started_that_day)
        return self._unless_idle(Outcome(traced=True), now)

    def _set_ban(self, command: SetBan) -> Outcome:
        visitor = self._visitors.get(command.player)
        unfinished = visitor.unfinished if visitor is not None else ()
        return Outcome(traced=True, messages=[Message(name, command) for name in unfinished])

    def _steer(self, command: OfWindow, now: int) -> Outcome:
        """What operators do to one of these windows. No bag is kept of one that is over, so there is none to copy."""
        _, window = self._open.get(command.window_id or "", (0, None))
        if window is None:
            return Outcome(reply=Refusal("not_found", f"no window '{command.window_id}' is open"))
        match command:
            case FinalizeEvent():
                return steering.finalize_window(self, window, command, now)
            case CancelWindow():
                return steering.cancel(self, window, command, now)
            case ExtendWindow():
                return steering.extend(self, window, command, now)
            case OverrideWindow():
                return steering.override(self, window, command, now)
            case CopyPrevious():
                message = "a window of a single player has no occurrence before it to copy from"
                return Outcome(reply=Refusal("conflict", message, {"state": window.state_at(now)}))

    def keep(self, window: WindowView) -> None:
        """An open window as it is from now on."""
        player, _ = self._open[window.window_id]
        self._changing(player, window.window_id)
        self._open[window.window_id] = player, window
        visitor = self._visitors[player]
        if visitor.starts_at == window.starts_at:
            visitor.ends_at = _end(window)

    # -- the end

    @property
    def _over_at(self) -> int | None:
        """From when on no window can open, if the event goes on that long."""
        is_going_on = self._plan is not None and self._plan.state in ("live", "paused")
        return self._schedule.over_at if self._schedule is not None and is_going_on else None

    def _unless_idle(self, outcome: Outcome, now: int) -> Outcome:
        """Say it once when nothing is open and nothing can follow (R-26)."""
        over_at = self._over_at
        if over_at is not None and now >= over_at and not self._open and not self._has_told_idle:
            self._has_told_idle = True
            plan = self._standing_plan()
            idle = Message(CALENDAR, PlayerWindowsIdle(plan.event_key, plan.revision))
            outcome.messages = [*outcome.messages, idle]
        return outcome

    # -- who may be where

    def located(self, player: int, timezone: str | None, now: int) -> Located | Refusal:
        """What `Locate` answers."""
        plan, schedule = self._plan, self._schedule
        if plan is None:
            return Refusal("not_found", "no such event")
        visitor = self._visitors.get(player)
        window = self._current(visitor, now)
        one = self._possible(visitor, timezone, now) if window is None else None
        is_known = schedule is not None and schedule.is_known_ahead
        own = window.window_id if window is not None else None
        return Located(
            window,
            may_open=one is not None,
            to_open=self._seen(player, one, "upcoming") if one is not None and is_known else None,
            opens_at=self._opens_at(window or one or visitor, timezone, now),
            started_elsewhere=0 if visitor is None else visitor.started_today(now, plan.timezone),
            unfinished=() if visitor is None else tuple(name for name in visitor.unfinished if name != own),
        )

    def _current(self, visitor: Visitor | None, now: int) -> WindowView | None:
        if visitor is None or now >= visitor.ends_at or not visitor.unfinished:
            return None
        return self._open[visitor.unfinished[-1]][1]

    def _possible(self, visitor: Visitor | None, timezone: str | None, now: int) -> Occurrence | None:
        """The window that a start of somebody who is in none would open now."""
        is_live = self._schedule is not None and self._standing_plan().state == "live"
        return self._schedule.possible(visitor, timezone, now) if self._schedule and is_live else None

    def _opens_at(self, before: Spanned | None, timezone: str | None, now: int) -> int | None:
        """When the next window may be opened, as far as that is known; it does not overlap the one before."""
        if self._schedule is None or self._standing_plan().state not in RUNNING:
            return None
        free_at = 0 if before is None else before.ends_at or 0
        return self._schedule.opens_at(free_at, timezone, now)

    def _seen(self, player: int, one: Occurrence, state: WindowState) -> WindowView:
        plan = self._standing_plan()
        name = player_window_id(plan.event_key, player, one.starts_at)
        return WindowView(name, plan.event_key, one.starts_at, one.ends_at, state, plan.revision)

    def _standing_plan(self) -> PlanPlayerWindows:
        if self._plan is None:
            raise RuntimeError("per-player windows begin with a plan")
        return self._plan

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        self._frozen = frozen = Frozen(self._dumped_visitor), Frozen(self._dumped_window)
        head = {
            "plan": None if self._plan is None else self._plan.record()[1:],
            "isPaused": self._is_paused,
            "hasToldIdle": self._has_told_idle,
        }
        visitors = in_parts(self._order[0].order, ROWS_PER_PART)
        windows = in_parts(self._order[1].order, ROWS_PER_PART)
        broadcasts = ({"broadcast": part} for part in self._broadcasts.dump())
        return chain([head], self._rest(frozen, visitors, windows), broadcasts)

    def _rest(
        self,
        frozen: tuple[Frozen[int], Frozen[str]],
        visitors: Iterator[Sequence[int]],
        windows: Iterator[Sequence[str]],
    ) -> Iterator[Plain]:
        try:
            yield from ({"visitors": frozen[0].entries(some)} for some in visitors)
            yield from ({"open": rows} for some in windows if (rows := frozen[1].entries(some)))
        finally:
            if self._frozen is frozen:
                self._frozen = None

    def _changing(self, player: int, window: str) -> None:
        """To be said before anything is done to a player's windows, for a checkpoint that is being written."""
        if self._frozen is not None:
            self._frozen[0].keep(player)
            self._frozen[1].keep(window)

    def _dumped_visitor(self, player: int) -> Plain:
        v = self._visitors.get(player)
        return None if v is None else [player, v.starts_at, v.ends_at, v.day, v.started]

    def _dumped_window(self, window: str) -> Plain:
        if window not in self._open:
            return None
        player, w = self._open[window]
        return [player, w.window_id, w.event_key, w.starts_at, w.ends_at, w.state, w.revision, w.override]

    def restore(self, parts: Sequence[Plain]) -> None:
        head = parts[0]
        if head["plan"] is not None:
            self._begin(PlanPlayerWindows(*head["plan"]))
        self._is_paused = head["isPaused"]
        self._has_told_idle = head["hasToldIdle"]
        for part in parts[1:]:
            self._visitors.update((player, Visitor(*plain)) for player, *plain in part.get("visitors", ()))
            for player, *plain in part.get("open", ()):
                window = WindowView(*plain)
                self._open[window.window_id] = player, window
                self._visitors[player].unfinished += (window.window_id,)
        self._order = Arrivals(self._visitors), Arrivals(self._open)
        self._broadcasts.restore(part["broadcast"] for part in parts[1:] if "broadcast" in part)


def _end(window: WindowView) -> int:
    if window.ends_at is None:
        raise RuntimeError("a per-player window has an end")
    return window.ends_at
