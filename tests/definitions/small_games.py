"""Small games to put the event in question into."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kraty_actors.definitions import DefinitionFaults, EventDefinition, Fault, Loaded, load_game

EXAMPLES = Path(__file__).parent / "examples"

SURROUNDINGS = {
    "gameId": "arena",
    "currencies": [{"key": "cash", "id": "currency-1"}],
    "items": [{"key": "bullet"}, {"key": "crate", "crateBundleId": "payout"}],
    "bundles": [{"key": "payout", "entries": [{"type": "currency", "currencyKey": "cash", "amount": 5}]}],
    "bots": [{"key": "climber", "id": "bot-1", "behaviour": {"block": "random_step_with_fall"}}],
    "leaderboards": [{"key": "weekly"}, {"key": "old", "archived": True}],
}
RACE: dict[str, Any] = {
    "key": "race",
    "availability": {"mode": "fixed", "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-02T00:00:00Z"},
    "metrics": [{"key": "score", "target": 10}],
}


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text())


def race(**changes: Any) -> dict[str, Any]:
    """A small event without fault or warning, with some fields replaced."""
    return {**copy.deepcopy(RACE), **changes}


def game(*events: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A game around these events, with some fields replaced."""
    return {**copy.deepcopy(SURROUNDINGS), "events": list(events), **changes}


def load(*events: Mapping[str, Any], **changes: Any) -> Loaded:
    return load_game(game(*events, **changes))


def only_event(**changes: Any) -> EventDefinition:
    return load(race(**changes)).game.events[0]


def faults_of(data: object) -> dict[str, str]:
    """The messages of a game's faults by path."""
    with pytest.raises(DefinitionFaults) as raised:
        load_game(data)
    return by_path(raised.value.faults)


def warnings_of(data: object) -> dict[str, str]:
    """The messages of a game's warnings by path, without those of parts that do not run yet."""
    return by_path(w for w in load_game(data).warnings if "does not run yet" not in w.message)


def by_path(faults: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for fault in faults:
        assert isinstance(fault, Fault)
        assert fault.path not in found, f"two faults at {fault.path}: {found[fault.path]}; {fault.message}"
        found[fault.path] = fault.message
    return found


def cash(amount: Any, key: str = "cash") -> dict[str, Any]:
    """An entry of a bundle, as the next ones."""
    return {"type": "currency", "currencyKey": key, "amount": amount}


def bullets(quantity: Any) -> dict[str, Any]:
    return {"type": "item", "itemKey": "bullet", "quantity": quantity}


def crates(quantity: Any) -> dict[str, Any]:
    return {"type": "crate", "crateItemKey": "crate", "quantity": quantity}


def drawn(rolls: Any, *lines: dict[str, Any]) -> dict[str, Any]:
    return {"type": "table", "rolls": rolls, "weightedEntries": [{"weight": 1, "entry": line} for line in lines]}
