"""Events that wait for each other (R-19): nobody can complete any of them first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from kraty_actors.definitions.conditions import (
    Condition,
    ConditionAll,
    ConditionAny,
    ConditionCompletedEvent,
)
from kraty_actors.definitions.events import EventDefinition
from kraty_actors.definitions.findings import Place
from kraty_actors.definitions.references import Names

Asks = Mapping[str, frozenset[str]]
"""The events, by key, that must have been completed before each event, by key, lets anybody in."""

NOTHING: frozenset[str] = frozenset()


def asks_of(events: Iterable[EventDefinition], names: Names) -> Asks:
    """What each of these events asks for; of two with one key the last counts."""
    return {
        event.key: _asked(event.unlock_condition, names) | _asked(event.entry_requirement, names) for event in events
    }


def warn_of_circles(event: EventDefinition, place: Place, asks: Asks, names: Names) -> None:
    """A gate that asks for what only those can have who are through it already."""
    for name, gate in (("unlockCondition", event.unlock_condition), ("entryRequirement", event.entry_requirement)):
        for asked in sorted(_asked(gate, names)):
            way = _way(asked, event.key, asks)
            if way is not None:
                circle = " asks for ".join(f"'{key}'" for key in (event.key, *way))
                (place / name).warn(f"nobody can ever pass: {circle}")
                break


def _asked(condition: Condition | None, names: Names) -> frozenset[str]:
    match condition:
        case ConditionCompletedEvent():
            return frozenset([names.keys.get(condition.event_key, condition.event_key)])
        case ConditionAll():
            return NOTHING.union(*(_asked(part, names) for part in condition.conditions))
        case ConditionAny(conditions=parts) if parts:
            return reduce(frozenset.intersection, (_asked(part, names) for part in parts))
    return NOTHING


def _way(start: str, goal: str, asks: Asks) -> list[str] | None:
    """The shortest way from what is asked for to what asks for it, both included."""
    ways, seen = [[start]], {start}
    for way in ways:
        if way[-1] == goal:
            return way
        further = sorted(asks.get(way[-1], NOTHING) - seen)
        seen.update(further)
        ways += [[*way, key] for key in further]
    return None
