"""Per-player windows to play with by hand: hours instead of instants."""

from __future__ import annotations

from typing import Any

from playing import HOUR, SEED, START, rules

from kraty_actors.definitions import EventDefinition
from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain.catalogue import EventState, Library
from kraty_actors.domain.ids import player_window_id, player_windows_id
from kraty_actors.domain.outcome import Command, Outcome, Refusal, Tick
from kraty_actors.domain.player_windows import PlayerWindows
from kraty_actors.domain.player_windows_messages import Locate, Located, PlanPlayerWindows, Visit, Visited
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window_messages import WindowFinalized

OWNER = player_windows_id("race")
ANN, BEN = 1, 2


def instant(hours: float) -> str:
    return iso_instant(START + round(hours * HOUR))


def name(hours: float, player: int = ANN) -> str:
    return player_window_id("race", player, START + round(hours * HOUR))


def personal(hours: float = 1, **fields: Any) -> dict[str, Any]:
    return {"mode": "personal", "durationSeconds": round(hours * 3600), **fields}


def local(*clocks: str, hours: float = 1, **bounds: str) -> dict[str, Any]:
    """START is 08:00Z."""
    windows = [{"startTime": clock, "durationSeconds": round(hours * 3600)} for clock in clocks]
    return {"mode": "local_calendar", "windows": windows, **bounds}


class PlayerPlay:
    """One per-player event, planned by hand."""

    def __init__(self, availability: dict[str, Any], **fields: Any) -> None:
        self.library = Library()
        self.state = PlayerWindows(OWNER, self.library)
        self.now = START
        self.revision = 0
        self.last_told: list[tuple[str, Command]] = []
        self.said: list[tuple[int, Command]] = []
        self.put(availability, **fields)

    def put(
        self,
        availability: dict[str, Any],
        state: EventState = "live",
        boards: list[list[Any]] | None = None,
        **fields: Any,
    ) -> None:
        self.revision += 1
        raw = {"key": "race", "metrics": [{"key": "points"}], "availability": availability, **fields}
        first = rules(EventDefinition.model_validate(raw), bots=())
        self.library.add(Rules(self.revision, first.event, (), (), None))
        self.plan_quietly(state, boards)

    def plan(self, state: EventState, boards: list[list[Any]] | None = None) -> list[tuple[str, Command]]:
        """The event as the calendar has it; and what windows hear of that."""
        self.plan_quietly(state, boards)
        return self.last_told + self.later()

    def plan_quietly(self, state: EventState, boards: list[list[Any]] | None = None) -> None:
        self.say(PlanPlayerWindows("race", self.revision, state, SEED, "UTC", 5, boards or []))

    def later(self) -> list[tuple[str, Command]]:
        told = []
        while self.state.wake_at is not None and self.state.wake_at <= self.now:
            told += self.step()
        return told

    def step(self) -> list[tuple[str, Command]]:
        self.say(Tick())
        return self.last_told

    def say(self, command: Command) -> Outcome:
        outcome = self.state.apply(command, self.now)
        assert outcome.traced or not outcome.messages
        if outcome.traced:
            self.said.append((self.now, command))
        self.last_told = [(message.to, message.command) for message in outcome.messages]
        return outcome

    def at(self, hours: float) -> PlayerPlay:
        self.now = START + round(hours * HOUR)
        return self

    def visit(self, player: int = ANN, zone: str | None = None) -> str | None:
        """The id of the window in which the player starts, or None."""
        reply = self.say(Visit(player, zone)).reply
        assert isinstance(reply, Visited | Refusal)
        return reply.window.window_id if isinstance(reply, Visited) else None

    def refused(self, command: Command) -> tuple[str, dict[str, Any]]:
        outcome = self.say(command)
        assert isinstance(outcome.reply, Refusal)
        assert outcome == Outcome(reply=outcome.reply)
        return outcome.reply.code, outcome.reply.details

    def locate(self, player: int = ANN, zone: str | None = None) -> Located:
        outcome = self.say(Locate(player, zone))
        assert isinstance(outcome.reply, Located)
        assert outcome == Outcome(reply=outcome.reply)
        return outcome.reply

    def final(self, window: str, day: int = 0, started: int = 0, *, is_cancelled: bool = False) -> Outcome:
        return self.say(WindowFinalized(window, is_cancelled, day, started))
