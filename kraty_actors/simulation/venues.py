"""Which window a player enters: the one that all share, or one of their own (R-22)."""

from __future__ import annotations

from typing import Protocol

from kraty_actors.domain.ids import CALENDAR, player_windows_id
from kraty_actors.domain.own_schedules import OwnSchedule, own_schedule
from kraty_actors.domain.rules import Span
from kraty_actors.domain.window_messages import Finalize
from kraty_actors.simulation.scenario import Scenario
from kraty_actors.simulation.stage import Stage


class Venue(Protocol):
    """See the module."""

    def enter(self, player: int) -> str | None:
        """The id of the window that the player would start in now; None if none is open for them."""

    def ends_at(self, player: int) -> int:
        """When that window ends, or ended, in ms; before the first start, when the span does."""


class SharedVenue:
    """One window, from the beginning of the span to its end."""

    def __init__(self, scenario: Scenario, stage: Stage, seed: int, window_id: str) -> None:
        self._stage = stage
        self._window_id = window_id
        self._ends_at = scenario.ends_at
        has_end = scenario.event.availability.mode != "always"
        starts_at = scenario.span.starts_at
        opening = scenario.opening(seed, starts_at, scenario.ends_at if has_end else None, owner=CALENDAR)
        stage.call(window_id, opening)
        if not has_end:
            stage.at(scenario.ends_at, self._finalize)

    def _finalize(self) -> None:
        self._stage.call(self._window_id, Finalize())

    def enter(self, player: int) -> str | None:
        return self._window_id if self._stage.now < self._ends_at else None

    def ends_at(self, player: int) -> int:
        return self._ends_at


class OwnVenues:
    """A window for each player from their start on, and further ones where the event repeats; no first start comes
    after the span."""

    def __init__(self, scenario: Scenario, stage: Stage, seed: int, run: int) -> None:
        schedule = own_schedule(scenario.event.availability, scenario.timezone)
        if schedule is None:
            raise TypeError("the event has one window for all")
        self._schedule: OwnSchedule = schedule
        self._scenario = scenario
        self._stage = stage
        self._seed = seed
        self._run = run
        self._last: dict[int, tuple[Span, str]] = {}

    def enter(self, player: int) -> str | None:
        now = self._stage.now
        last = self._last.get(player)
        if last is not None and now < (last[0].ends_at or 0):
            return last[1]
        possible = self._schedule.possible(None if last is None else last[0], None, now)
        if possible is None or now >= self._scenario.ends_at:
            return None
        span = Span(possible.starts_at, possible.ends_at)
        window_id = self._scenario.window_id(self._run, player, span.starts_at)
        self._last[player] = span, window_id
        owner = player_windows_id(self._scenario.event.key)
        opening = self._scenario.opening(self._seed, span.starts_at, span.ends_at, owner=owner, player=player)
        self._stage.call(window_id, opening)
        return window_id

    def ends_at(self, player: int) -> int:
        last = self._last.get(player)
        return self._scenario.ends_at if last is None else last[0].ends_at or self._scenario.ends_at


def venue_of(scenario: Scenario, stage: Stage, run: int, seed: int, window_id: str) -> Venue:
    """Open the window of a run, or prepare for those of its players."""
    if scenario.is_per_player:
        return OwnVenues(scenario, stage, seed, run)
    return SharedVenue(scenario, stage, seed, window_id)
