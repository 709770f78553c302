"""What leads back to itself: events that wait for each other (R-19), so that nobody can complete any of them first,
and crates that always hold another (R-41), so that they never end."""

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
from kraty_actors.definitions.game import GameFile
from kraty_actors.definitions.references import Names, Scope
from kraty_actors.definitions.rewards import Entry, EntryCrate, Range

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


def warn_of_endless_crates(game: GameFile, place: Place, scope: Scope) -> None:
    """Each crate in which there is always one that leads back to it."""
    bundles = {bundle.key: _sure_crates(bundle.entries, scope["items"]) for bundle in game.bundles}
    named = scope["bundles"].keys
    holds = {item.key: bundles.get(named.get(item.crate_bundle_id or "", ""), NOTHING) for item in game.items}
    for i, item in enumerate(game.items):
        way = next((way for held in sorted(holds[item.key]) if (way := _way(held, item.key, holds))), None)
        if way is not None:
            circle = " always holds ".join(f"'{key}'" for key in (item.key, *way))
            (place / "items" / i / "crateBundleId").warn(f"never ends: {circle}", [place / "bundles"])


def _sure_crates(entries: Iterable[Entry], names: Names) -> frozenset[str]:
    return frozenset(
        names.keys.get(entry.crate_item_key, entry.crate_item_key)
        for entry in entries
        if isinstance(entry, EntryCrate) and entry.chance == 1 and _least(entry.quantity) > 0
    )


def _least(amount: int | Range) -> int:
    return amount.min if isinstance(amount, Range) else amount


def _asked(condition: Condition | None, names: Names) -> frozenset[str]:
    match condition:
        case ConditionCompletedEvent():
            return frozenset([names.keys.get(condition.event_key, condition.event_key)])
        case ConditionAll():
            return NOTHING.union(*(_asked(part, names) for part in condition.conditions))
        case ConditionAny(conditions=parts) if parts:
            return reduce(frozenset.intersection, (_asked(part, names) for part in parts))
    return NOTHING


def _way(start: str, goal: str, asks: Mapping[str, frozenset[str]]) -> list[str] | None:
    """The shortest way from what is asked for to what asks for it, both included."""
    ways, seen = [[start]], {start}
    for way in ways:
        if way[-1] == goal:
            return way
        further = sorted(asks.get(way[-1], NOTHING) - seen)
        seen.update(further)
        ways += [[*way, key] for key in further]
    return None
