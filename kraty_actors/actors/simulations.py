"""Simulations that operators ask for: each in a process of its own, one at a time, and not for ever (R-47)."""

from __future__ import annotations

import json
import sys
from typing import Any

import anyio

from kraty_actors.actors.world import World
from kraty_actors.definitions import EventDefinition, GameFile, load_event
from kraty_actors.domain.outcome import Refusal
from kraty_actors.simulation.scenario import Population, Scenario
from kraty_actors.simulation.strategies import STRATEGIES
from kraty_actors.simulation.worker import job_of

LONGEST_SECONDS = 60
RETRY_SECONDS = 5
COMMAND = (sys.executable, "-c", "from kraty_actors.simulation.worker import main; main()")


class Simulations:
    """See the module. It reads the calendar's latest picture; nothing is written."""

    def __init__(self, world: World, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._world = world
        self.longest_seconds = longest_seconds
        self.is_busy = False

    async def of_event(self, event_key: str, population: Population, runs: int, seed: int) -> dict[str, Any] | Refusal:
        """Simulate the newest revision of an event, in whatever state it is."""
        event = self._world.event(event_key)
        if isinstance(event, Refusal):
            return event
        return await self._simulated(self._game(), event.event, population, runs, seed)

    async def of_definition(
        self, data: object, population: Population, runs: int, seed: int
    ) -> dict[str, Any] | Refusal:
        """Simulate an event's JSON, judged as if it were to be put into the game as it stands.

        Raises:
            DefinitionFaults: Something in it is wrong.
        """
        game = self._game()
        return await self._simulated(game, load_event(data, game).event, population, runs, seed)

    def _game(self) -> GameFile:
        game = self._world.catalogue.game
        if game is None:
            raise LookupError("no game has been put yet")
        return game

    async def _simulated(
        self, game: GameFile, event: EventDefinition, population: Population, runs: int, seed: int
    ) -> dict[str, Any] | Refusal:
        if population.behaviour not in STRATEGIES:
            known = ", ".join(STRATEGIES)
            return Refusal(
                "validation_failed", f"no behaviour '{population.behaviour}'; known: {known}", {"path": "behaviour"}
            )
        if self.is_busy:
            return Refusal("overloaded", "another simulation runs", {"retryAfter": RETRY_SECONDS})
        self.is_busy = True
        try:
            return await self._in_a_process(Scenario(game, event, population, runs, seed))
        finally:
            self.is_busy = False

    async def _in_a_process(self, scenario: Scenario) -> dict[str, Any] | Refusal:
        job = json.dumps(job_of(scenario)).encode()
        with anyio.move_on_after(self.longest_seconds):
            ended = await anyio.run_process(COMMAND, input=job, check=False, stderr=None)
            if ended.returncode:
                raise RuntimeError(f"the process of a simulation ended with {ended.returncode}")
            answer = json.loads(ended.stdout)
            if "fault" in answer:
                return Refusal("conflict", f"it cannot be simulated: {answer['fault']}")
            made: dict[str, Any] = answer["ok"]
            return made
        limit = {"name": "simulationSeconds", "limit": self.longest_seconds}
        return Refusal("limit_reached", f"the simulation took more than {self.longest_seconds:g} seconds", limit)
