"""Small games to simulate, and strategies whose outcome is known by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kraty_actors import Dice, Move, Seen, register_strategy
from kraty_actors.definitions import load_game
from kraty_actors.simulation.scenario import Population, Scenario
from kraty_actors.simulation.strategies import Strategy, forget_strategy

OPENS, ENDS = "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z"
DAY = {"mode": "fixed", "startsAt": OPENS, "endsAt": ENDS}
POOL = {"type": "shared_pool", "parameters": {"pool": 1000, "currencyKey": "cash"}}
CLIMBER = {"key": "climber", "names": ["Rex", "Kit"], "behaviour": {"block": "random_step_with_fall"}}
PACER = {
    "key": "pacer",
    "behaviour": {"block": "progress_linear", "params": {"targetScore": 30, "durationSeconds": 40_000, "jitter": 0.5}},
}
HUNTER = {"key": "hunter", "behaviour": {"block": "match_player_pace", "params": {"ratio": 0.9, "jitter": 0.2}}}
CASH = {"type": "currency", "currencyKey": "cash"}


def game(**fields: Any) -> dict[str, Any]:
    """A game with one event, `race`, of one day, in which 3 laps complete an attempt."""
    return {
        "gameId": "arena",
        "settings": {"seed": 5},
        "currencies": [{"key": "cash"}, {"key": "gems"}],
        "items": [{"key": "bullet"}, {"key": "chest", "crateBundleId": "in_chest"}],
        "bundles": [
            {"key": "prize", "entries": [{**CASH, "amount": 50}, {"type": "crate", "crateItemKey": "chest"}]},
            {
                "key": "lucky",
                "entries": [
                    {**CASH, "amount": {"min": 1, "max": 1000}},
                    {"type": "item", "itemKey": "bullet", "quantity": 3, "chance": 0.5},
                ],
            },
            {"key": "in_chest", "entries": [{"type": "item", "itemKey": "bullet", "quantity": 2}]},
        ],
        "bots": [CLIMBER, PACER, HUNTER],
        "events": [{"key": "race", "availability": DAY, "metrics": [{"key": "laps", "target": 3}], **fields}],
    }


def scenario(players: int, behaviour: str = "mixed", **options: Any) -> Scenario:
    """Options of a `Scenario` and of its `Population`; everything else are fields of the event."""
    own = {name: options.pop(name) for name in ("runs", "seed", "not_before", "seconds") if name in options}
    crowd = {name: options.pop(name) for name in ("attributes", "afford") if name in options}
    loaded = load_game(game(**options)).game
    return Scenario(loaded, loaded.events[0], Population(players, behaviour, **crowd), **own)


@contextmanager
def behaving(**strategies: Strategy) -> Iterator[None]:
    """Strategies that are registered for a while."""
    for name, strategy in strategies.items():
        register_strategy(name, strategy)
    try:
        yield
    finally:
        for name in strategies:
            forget_strategy(name)


def runner(seen: Seen, dice: Dice) -> Move | None:
    """Comes after as many seconds as its number, and runs one lap a minute until it is through."""
    if not seen.playing:
        return None if seen.attempts else Move.start(seen.player)
    return Move.write(60, {"laps": 1})


def half_of_them(seen: Seen, dice: Dice) -> Move | None:
    """Players of even numbers run one lap and stop."""
    if seen.player % 2 == 0 and seen.writes == 1:
        return None
    return runner(seen, dice)


def idler(seen: Seen, dice: Dice) -> Move | None:
    """Starts and does nothing."""
    return None if seen.attempts else Move.start(1)
