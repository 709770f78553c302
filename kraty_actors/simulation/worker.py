"""A simulation in a process of its own, which runs `main`: a job on standard input, what came of it on standard output,
both JSON. Whoever started it ends it when it takes too long."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from kraty_actors.definitions import BlockParams, EventDefinition, GameFile, stored
from kraty_actors.definitions.anti_cheat import VALIDATORS
from kraty_actors.definitions.blocks import PARAMS
from kraty_actors.definitions.stored import UnreadableDefinition
from kraty_actors.domain.bots import register_block
from kraty_actors.domain.bots.registry import BLOCKS
from kraty_actors.domain.validators import register_validator
from kraty_actors.domain.validators.registry import FUNCTIONS
from kraty_actors.simulation.figures import simulate
from kraty_actors.simulation.plain import plain_simulation
from kraty_actors.simulation.scenario import NeverOccurs, Population, Scenario
from kraty_actors.simulation.strategies import STRATEGIES, StrategyFault, register_strategy

OUR_OWN = "kraty_actors."
KINDNESS = 10
"""How far the process steps back behind the server (nice)."""

Plain = dict[str, Any]


def job_of(scenario: Scenario) -> Plain:
    """What the process needs to know. Secrets of the game are not among it."""
    game = scenario.game
    settings = game.settings.model_copy(update={"seed": None})
    population = scenario.population
    return {
        "path": sys.path,
        "registered": list(_registered()),
        "game": game.model_copy(update={"webhooks": (), "events": (), "settings": settings}).as_defined(),
        "event": scenario.event.as_defined(),
        "players": population.players,
        "behaviour": population.behaviour,
        "attributes": {name: list(values) for name, values in population.attributes.items()},
        "afford": population.afford,
        "runs": scenario.runs,
        "seed": scenario.seed,
    }


def scenario_of(job: Mapping[str, Any]) -> Scenario:
    """What `job_of` was given.

    Raises:
        UnreadableDefinition: Something that the game has registered cannot be found by its name.
    """
    population = Population(job["players"], job["behaviour"], job["attributes"], job["afford"])
    game, event = stored(GameFile, job["game"]), stored(EventDefinition, job["event"])
    return Scenario(game, event, population, job["runs"], job["seed"])


def _registered() -> Iterator[Plain]:
    """What the game has registered, by where it is."""
    for name, block in BLOCKS.items():
        yield from _named("block", name, block, PARAMS[name])
    for name, function in FUNCTIONS.items():
        yield from _named("validator", name, function, VALIDATORS[name].model_fields["params"].annotation)
    for name, strategy in STRATEGIES.items():
        yield from _named("strategy", name, strategy)


def _named(kind: str, name: str, thing: object, params: object = None) -> Iterator[Plain]:
    if not getattr(thing, "__module__", "").startswith(OUR_OWN):
        yield {"kind": kind, "name": name, "thing": _place(thing), "params": params and _place(params)}


def _place(thing: object) -> list[str]:
    return [getattr(thing, "__module__", ""), getattr(thing, "__qualname__", "")]


def _register(entry: Mapping[str, Any]) -> None:
    """Register what can be found; what cannot is missed by whoever names it."""
    with contextlib.suppress(ImportError, AttributeError, ValueError):
        thing: Any = _found(entry["thing"])
        params: Any = _found(entry["params"]) if entry["params"] else None
        match entry["kind"]:
            case "block":
                register_block(entry["name"], thing, params or BlockParams)
            case "validator":
                register_validator(entry["name"], thing, params)
            case "strategy":
                register_strategy(entry["name"], thing)


def _found(place: list[str]) -> object:
    module, name = place
    found: object = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _answer(job: Mapping[str, Any]) -> Plain:
    sys.path[:] = job["path"]
    for entry in job["registered"]:
        _register(entry)
    try:
        return {"ok": plain_simulation(simulate(scenario_of(job)))}
    except (StrategyFault, NeverOccurs, UnreadableDefinition) as error:
        return {"fault": str(error)}


def main() -> None:
    """Do one job."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(KINDNESS)
    job = json.load(sys.stdin)
    output = sys.stdout
    sys.stdout = sys.stderr  # whatever a game's own code prints is not the answer
    json.dump(_answer(job), output)
