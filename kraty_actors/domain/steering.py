"""What operators do to events and windows while they run (R-5, R-25, R-26). Each answers with what it changed, and
leaves behind who did it, with before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from kraty_actors.domain.calendar_messages import (
    CancelWindow,
    CopyPrevious,
    ExtendWindow,
    FinalizeEvent,
    OverrideWindow,
    SetEventState,
)
from kraty_actors.domain.catalogue import Bag, EventState, WindowView
from kraty_actors.domain.contest_messages import Extend
from kraty_actors.domain.outcome import Audited, Message, Outcome, Refusal
from kraty_actors.domain.planned import Planned
from kraty_actors.domain.window_messages import Cancel, Finalize

ALLOWED_IN: Mapping[str, EventState] = {
    "publish": "draft",
    "unpublish": "scheduled",
    "pause": "live",
    "resume": "paused",
}


class Keeper(Protocol):
    """Who knows the windows: their event, or for per-player windows whoever opens them."""

    def keep(self, window: WindowView) -> None:
        """One of the windows as it is from now on."""


def set_state(planned: Planned, command: SetEventState, now: int) -> Outcome:
    """Publish, unpublish, pause or resume; the `EventView` as it is then."""
    before, action = planned.state, command.action
    if before != ALLOWED_IN[action]:
        return _conflict(f"{planned.key} is {before}: only what is {ALLOWED_IN[action]} takes {action}", before)
    take: Mapping[str, Callable[[], list[Message]]] = {
        "publish": lambda: planned.publish(now),
        "unpublish": planned.unpublish,
        "pause": planned.pause,
        "resume": planned.resume,
    }
    messages = take[action]()
    planned.changed()
    audited = Audited(command.who, f"events.{action}", planned.key, before, planned.state, now)
    return Outcome(reply=planned.view(), traced=True, messages=messages, effects=[audited])


def finalize_event(planned: Planned, command: FinalizeEvent, now: int) -> Outcome:
    """End the event with all its windows; the ids of those that end."""
    before = planned.state
    if before not in ("live", "paused"):
        return _conflict(f"{planned.key} is {before}: only a live or paused event is finalized", before)
    ending = [window.window_id for window in planned.open_windows]
    messages = planned.finalize(now)
    audited = Audited(command.who, "events.finalize", planned.key, before, planned.state, now)
    return Outcome(reply=ending, traced=True, messages=messages, effects=[audited])


def finalize_window(keeper: Keeper, window: WindowView, command: FinalizeEvent, now: int) -> Outcome:
    """End one window; its id in a list."""
    refusal = unless_begun(window, now)
    if refusal is not None:
        return Outcome(reply=refusal)
    keeper.keep(window.ended(now))
    audited = Audited(command.who, "events.finalize", window.window_id, window.state_at(now), "finalized", now)
    messages = [Message(window.window_id, Finalize())]
    return Outcome(reply=[window.window_id], traced=True, messages=messages, effects=[audited])


def cancel(keeper: Keeper, window: WindowView, command: CancelWindow, now: int) -> Outcome:
    """End one window without rewards; the window, which is cancelled once all its attempts have ended."""
    refusal = unless_begun(window, now)
    if refusal is not None:
        return Outcome(reply=refusal)
    ended = window.ended(now)
    keeper.keep(ended)
    audited = Audited(command.who, "windows.cancel", window.window_id, window.state_at(now), "cancelled", now)
    messages = [Message(window.window_id, Cancel())]
    return Outcome(reply=ended, traced=True, messages=messages, effects=[audited])


def extend(keeper: Keeper, window: WindowView, command: ExtendWindow, now: int) -> Outcome:
    """Move the end of one window; the window."""
    refusal = unless_extensible(window, command.ends_at, now)
    if refusal is not None:
        return Outcome(reply=refusal)
    extended = replace(window, ends_at=command.ends_at)
    keeper.keep(extended)
    audited = Audited(command.who, "windows.extend", window.window_id, window.ends_at, command.ends_at, now)
    messages = [Message(window.window_id, Extend(command.ends_at))]
    return Outcome(reply=extended, traced=True, messages=messages, effects=[audited])


def override(keeper: Keeper, window: WindowView, command: OverrideWindow, now: int) -> Outcome:
    """Give one window a metadata bag of its own, or none; the window."""
    return _dressed(keeper, window, command.metadata, (command.who, "windows.override"), now)


def copy_previous(planned: Planned, window: WindowView, command: CopyPrevious, now: int) -> Outcome:
    """Give one window the bag of the occurrence that starts before it, if there is one and it has one; the window."""
    view = planned.view()
    earlier = [one for one in [*view.windows, *view.upcoming(now)] if one.starts_at < window.starts_at]
    previous = max(earlier, key=lambda one: one.starts_at, default=None)
    bag = None if previous is None else previous.override
    return _dressed(planned, window, bag, (command.who, "windows.copyPrevious"), now)


def _dressed(keeper: Keeper, window: WindowView, bag: Bag | None, doing: tuple[str, str], now: int) -> Outcome:
    if window.is_closed:
        return _conflict(f"the window is {window.state} already", window.state)
    dressed = replace(window, override=bag)
    keeper.keep(dressed)
    audited = Audited(*doing, window.window_id, window.override, bag, now)
    return Outcome(reply=dressed, traced=True, effects=[audited])


def unless_begun(window: WindowView, now: int) -> Refusal | None:
    """Only a window that is open, or closing, can be ended."""
    if window.state == "open":
        return None
    state = window.state_at(now)
    message = "the window is not open yet" if state == "upcoming" else f"the window is {state} already"
    return Refusal("conflict", message, {"state": state})


def unless_extensible(window: WindowView, ends_at: int, now: int) -> Refusal | None:
    """Only an open window that has an end can end later (R-5)."""
    state = window.state_at(now)
    if state != "open" or window.ends_at is None:
        message = f"the window is {state}" if state != "open" else "the window has no end"
        return Refusal("conflict", message, {"state": state})
    if ends_at <= max(window.ends_at, now):
        return Refusal("validation_failed", "must be later than the window's end", {"path": "endsAt"})
    return None


def _conflict(message: str, state: str) -> Outcome:
    return Outcome(reply=Refusal("conflict", message, {"state": state}))
