"""Answers what final metric values would come to, for an event that is known or one that is only an idea (R-46)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kraty_actors.actors.world import World
from kraty_actors.definitions import EventDefinition, GameFile, load_event
from kraty_actors.domain.loot import Bundles
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.preview import Preview, preview
from kraty_actors.domain.rules import Rules


@dataclass(slots=True, frozen=True)
class Supposed:
    """What is supposed of a player at the end: see `preview`."""

    metrics: Mapping[str, Number] = field(default_factory=dict)
    rank: int = 1
    winner_count: int = 1
    seed: int = 0


class Previews:
    """Reads the calendar's latest picture, and nothing else: no actor is asked, and nothing is written."""

    def __init__(self, world: World) -> None:
        self._world = world

    def of_event(self, event_key: str, supposed: Supposed) -> Preview | Refusal:
        """For the newest revision of an event, in whatever state it is."""
        event = self._world.event(event_key)
        return event if isinstance(event, Refusal) else of_rules(event.rules, supposed)

    def of_definition(self, data: object, supposed: Supposed) -> Preview | Refusal:
        """For an event's JSON, judged as if it were to be put into the game as it stands.

        Raises:
            DefinitionFaults: Something in it is wrong.
        """
        game = self._world.catalogue.game
        if game is None:
            raise LookupError("no game has been put yet")
        return of_rules(rules_of(load_event(data, game).event, game), supposed)


def rules_of(event: EventDefinition, game: GameFile) -> Rules:
    """An event of a game as a revision that never was."""
    return Rules(0, event, (), (), None, Bundles.of(game))


def of_rules(rules: Rules, supposed: Supposed) -> Preview | Refusal:
    return preview(rules, supposed.metrics, supposed.rank, supposed.winner_count, supposed.seed)
