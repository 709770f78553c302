"""A calendar to play with by hand: hours instead of instants, and answers in a few words."""

from __future__ import annotations

from typing import Any

from playing import HOUR, SEED, START

from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.calendar_messages import GetCatalogue, PutGame, SetEventState
from kraty_actors.domain.catalogue import Catalogue, EventView, Library, WindowView
from kraty_actors.domain.ids import window_id
from kraty_actors.domain.outcome import Command, Outcome, Refusal, Tick
from kraty_actors.domain.window_messages import OpenWindow, WindowFinalized

ALWAYS = {"mode": "always"}


def fixed(start: float, end: float) -> dict[str, Any]:
    """Hours from `START`."""
    first, last = (iso_instant(START + round(hours * HOUR)) for hours in (start, end))
    return {"mode": "fixed", "startsAt": first, "endsAt": last}


def hourly(*clocks: str, minutes: int = 30) -> dict[str, Any]:
    """START is 08:00Z."""
    windows = [{"startTime": clock, "durationSeconds": minutes * 60} for clock in clocks]
    return {"mode": "recurring_windows", "windows": windows}


class Play:
    """A calendar, and what it has been told so far."""

    def __init__(self) -> None:
        self.library = Library()
        self.calendar = Calendar(self.library)
        self.now = START
        self.game: dict[str, Any] = {}
        self.last = Outcome()

    def putting(self, **availabilities: dict[str, Any]) -> PutGame:
        """Each event by its key: its availability, or more of its fields."""
        events = [
            {"key": key, "metrics": [{"key": "points"}], **({"availability": said} if "mode" in said else said)}
            for key, said in availabilities.items()
        ]
        changed = [["events", key] for key in availabilities]
        game = {"gameId": "arena", "events": events, **self.game}
        return PutGame(game, SEED, changed, None, "ann")

    def put(self, **events: dict[str, Any]) -> list[tuple[str, float]]:
        return self.opened(self.apply(self.putting(**events)))

    def put_told(self, **events: dict[str, Any]) -> list[tuple[str, Command]]:
        return self.told(self.putting(**events))

    def say(self, command: Command) -> Outcome:
        """As the loop does it: what is due comes first."""
        if self.calendar.wake_at is not None and self.calendar.wake_at <= self.now:
            self.calendar.apply(Tick(), self.now)
        return self.apply(command)

    def apply(self, command: Command) -> Outcome:
        self.last = self.calendar.apply(command, self.now)
        return self.last

    @property
    def last_told(self) -> list[tuple[str, Command]]:
        return [(message.to, message.command) for message in self.last.messages]

    @property
    def opened_last(self) -> list[tuple[str, float]]:
        return self.opened(self.last)

    def told(self, command: Command) -> list[tuple[str, Command]]:
        """What a command has windows hear."""
        self.say(command)
        return self.last_told

    def refused(self, command: Command) -> tuple[str, dict[str, Any]]:
        outcome = self.say(command)
        assert isinstance(outcome.reply, Refusal)
        assert outcome == Outcome(reply=outcome.reply)
        return outcome.reply.code, outcome.reply.details

    def set(self, key: str, action: Any) -> Outcome:
        return self.say(SetEventState(key, action, "ann"))

    def at(self, hours: float) -> list[tuple[str, float]]:
        """Time comes; the windows that this opens, each as its event and the hour of its start."""
        self.now = START + round(hours * HOUR)
        wake_at = self.calendar.wake_at
        return self.opened(self.apply(Tick())) if wake_at and wake_at <= self.now else []

    def ends(self, key: str, hours: float) -> list[tuple[str, float]]:
        name = window_id(key, START + round(hours * HOUR))
        return self.opened(self.apply(WindowFinalized(name)))

    def opened(self, outcome: Outcome) -> list[tuple[str, float]]:
        opening = [message.command for message in outcome.messages if isinstance(message.command, OpenWindow)]
        return [(command.event_key, (command.starts_at - START) / HOUR) for command in opening]

    @property
    def catalogue(self) -> Catalogue:
        catalogue = self.calendar.apply(GetCatalogue(), self.now).reply
        assert isinstance(catalogue, Catalogue)
        return catalogue

    def view(self, key: str) -> EventView:
        return self.catalogue.events[key]

    def window(self, key: str, hours: float) -> WindowView:
        """A window by its start, opened or to come."""
        name = window_id(key, START + round(hours * HOUR))
        return next(window for window in self.view(key).listed(self.now) if window.window_id == name)
