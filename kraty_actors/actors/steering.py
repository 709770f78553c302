"""What operators do to events and windows while they are live (R-25, R-26)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import anyio

from kraty_actors.actors.world import World
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.calendar_messages import (
    CancelWindow,
    CopyPrevious,
    ExtendWindow,
    FinalizeEvent,
    OverrideWindow,
    SetEventState,
)
from kraty_actors.domain.catalogue import EventView, WindowView
from kraty_actors.domain.contest_messages import ForceComplete, Void
from kraty_actors.domain.ids import CALENDAR, split_attempt
from kraty_actors.domain.outcome import Command, Plain, Refusal
from kraty_actors.domain.window_messages import GetReport, GetWindow, Report, WindowInfo

FINALIZE_PATIENCE_SECONDS = 10
"""How long an operator's `events.finalize` waits for the grants to be written."""

LOOK_AGAIN_SECONDS = 0.01
"""How often a window of one player is asked whether it is over: nobody else hears of that."""

Number = int | float
Action = Literal["publish", "unpublish", "pause", "resume"]


@dataclass(slots=True, frozen=True)
class Steered:
    """A window as it is now, and its event."""

    window: WindowView
    event: EventView


class Steering:
    """The calendar decides on shared windows, an event's `PlayerWindows` on those of single players."""

    def __init__(self, world: World) -> None:
        self._world = world

    # -- events

    async def event(self, event_key: str) -> EventView | Refusal:
        """An event as it stands."""
        await self._world.catalogue_at(self._world.now_ms())
        return self._world.event(event_key)

    async def set_state(self, event_key: str, action: Action, *, who: str) -> EventView | Refusal:
        """Publish, unpublish, pause or resume an event; whatever is asked of its shared windows and their boards behind
        the answer finds it so."""
        reply = await self._world.loop.call(CALENDAR, SetEventState(event_key, action, who))
        await self._world.read_catalogue()
        if isinstance(reply, Refusal):
            return reply
        event = self._world.catalogue.events[event_key]
        for window in event.windows:
            if not window.is_closed:
                await self._heard(window.window_id)
        return event

    async def _heard(self, window_id: str) -> None:
        """Wait until a window has committed what the calendar told it: then its boards have been told as well, before
        anything that is still to come."""
        await self._world.loop.call(window_id, GetWindow())

    async def finalize(self, event_key: str, window_id: str | None, *, who: str) -> list[Steered] | Refusal:
        """End windows by command; waits until their grants are written, or for ten seconds."""
        event = await self.event(event_key)
        if isinstance(event, Refusal):
            return event
        owner = CALENDAR if window_id is None else await self._owner(window_id)
        if isinstance(owner, Refusal):
            return owner
        if owner not in (CALENDAR, event.player_windows):
            return Refusal("not_found", f"{event_key} has no window '{window_id}'")
        named = await self._world.loop.call(owner, FinalizeEvent(event_key, window_id, who))
        if isinstance(named, Refusal):
            return named
        windows = cast("list[str]", named)
        with anyio.move_on_after(FINALIZE_PATIENCE_SECONDS):
            for name in windows:
                await self._until_closed(name)
        found = [await self.window(name) for name in windows]
        return [one for one in found if isinstance(one, Steered)]

    async def _until_closed(self, window_id: str) -> None:
        while True:
            steered = await self.window(window_id)
            if isinstance(steered, Refusal) or steered.window.is_closed:
                return
            if window_id in self._world.catalogue.windows:
                await self._world.catalogue_change()
            else:
                await anyio.sleep(LOOK_AGAIN_SECONDS)

    # -- windows

    async def windows(self, event_key: str) -> list[Steered] | Refusal:
        """Those of an event that are open or to come, then the last that closed (R-24)."""
        event = await self.event(event_key)
        if isinstance(event, Refusal):
            return event
        return [Steered(window, event) for window in event.listed(self._world.now_ms())]

    async def cancel(self, window_id: str, *, who: str) -> Steered | Refusal:
        """End a window without rewards."""
        return await self._steer(window_id, CancelWindow(window_id, who))

    async def extend(self, window_id: str, ends_at: int, *, who: str) -> Steered | Refusal:
        """Move the end of an open window to a later instant."""
        return await self._steer(window_id, ExtendWindow(window_id, ends_at, who))

    async def override(self, window_id: str, metadata: dict[str, Plain] | None, *, who: str) -> Steered | Refusal:
        """Set the window's own metadata, or clear it."""
        return await self._steer(window_id, OverrideWindow(window_id, metadata, who))

    async def copy_previous(self, window_id: str, *, who: str) -> Steered | Refusal:
        """Give the window the metadata that the occurrence before it has of its own."""
        return await self._steer(window_id, CopyPrevious(window_id, who))

    async def window(self, window_id: str) -> Steered | Refusal:
        """A window as it stands."""
        view = self._world.catalogue.window(window_id, self._world.now_ms())
        if view is None:
            info = await self._info(window_id)
            if info is None:
                return _no_window()
            view = WindowView(info.window_id, info.event_key, info.starts_at, info.ends_at, info.state, info.revision)
        return Steered(view, self._world.catalogue.events[view.event_key])

    async def report(self, window_id: str) -> Report | Refusal:
        """How a finalized window was settled."""
        steered = await self.window(window_id)
        if isinstance(steered, Refusal):
            return steered
        state = steered.window.state_at(self._world.now_ms())
        reply = None if state == "upcoming" else await self._world.loop.call(window_id, GetReport())
        if isinstance(reply, Report | Refusal):
            return reply
        return Refusal("conflict", f"the window is {state}: it is not finalized yet", {"state": state})

    async def _steer(self, window_id: str, command: Command) -> Steered | Refusal:
        await self._world.catalogue_at(self._world.now_ms())
        owner = await self._owner(window_id)
        if isinstance(owner, Refusal):
            return owner
        reply = await self._world.loop.call(owner, command)
        if not isinstance(reply, WindowView):
            return cast("Refusal", reply)
        await self._world.read_catalogue()
        return Steered(reply, self._world.catalogue.events[reply.event_key])

    async def _owner(self, window_id: str) -> str | Refusal:
        """Who decides on a window. One that has been over for long, or that was a single player's, nobody keeps."""
        if self._world.catalogue.windows.get(window_id) is not None:
            return CALENDAR
        info = await self._info(window_id)
        if info is not None and info.state in ("finalized", "cancelled"):
            return Refusal("conflict", f"the window is {info.state} already", {"state": info.state})
        return CALENDAR if info is None else info.owner

    async def _info(self, window_id: str) -> WindowInfo | None:
        if "." in window_id or not window_id.startswith("w"):
            return None
        reply = await self._world.loop.call(window_id, GetWindow())
        return reply if isinstance(reply, WindowInfo) else None

    # -- attempts

    async def force_complete(self, attempt_id: str, score: Number | None, *, who: str) -> AttemptView | Refusal:
        """Count an attempt as completed, with this score or its own (R-12)."""
        where = split_attempt(attempt_id)
        if where is None:
            return Refusal("not_found", "no such attempt")
        reply = await self._world.loop.call(where[0], ForceComplete(where[1], score, who))
        return cast("AttemptView | Refusal", reply)

    async def void(self, attempt_id: str, reason: str, *, who: str) -> AttemptView | Refusal:
        """Take an attempt out until its window is final: it counts nowhere, and what was paid for it is taken back as
        far as it is there (R-51)."""
        where = split_attempt(attempt_id)
        if where is None:
            return Refusal("not_found", "no such attempt")
        reply = await self._world.loop.call(where[0], Void(where[1], reason, who))
        if isinstance(reply, AttemptView):
            await self._take_back(attempt_id, reason, who)
        return cast("AttemptView | Refusal", reply)

    async def _take_back(self, attempt_id: str, reason: str, who: str) -> None:
        store = self._world.store
        grants = await store.window_grants(attempt_id)
        if not grants:
            return
        names, player = [grant.id for grant in grants], grants[0].player
        try:
            async with self._world.purses.opened(player):
                await store.withdraw(names, key="void", reason=reason, source=who, now=self._world.now_ms())
        finally:
            self._world.dossiers.forget(player)


def _no_window() -> Refusal:
    return Refusal("not_found", "no such window")
