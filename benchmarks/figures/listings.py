"""What a listing costs with two hundred live events."""

from __future__ import annotations

import time
from typing import Any

from kraty_actors import open_game
from kraty_actors.gateway.listing import ListingFrames
from kraty_persistence import MemoryStore, PlayerRow
from kraty_protocol.codec import MSGPACK

EVENTS = 200
PLAYED_IN = 20
ROUNDS, CALLS = 10, 50


async def measure_listings() -> dict[str, float]:
    """Milliseconds of CPU for one `events.list`, frame included: of a newcomer, and of one who plays in some events."""
    async with open_game(_game(), store=MemoryStore()) as game:
        newcomer, regular = [await game.engine.players.resolve(name) for name in ("newcomer", "regular")]
        for player in (newcomer, regular):
            await game.engine.players.put(
                player, {"level": 3}, None, None, None, who="benchmark", now=game.engine.now_ms()
            )
        for number in range(0, EVENTS, EVENTS // PLAYED_IN):
            await game.start("regular", f"event{number}")
        frames = ListingFrames()
        found = {}
        for name, player in (("newcomer", newcomer), (f"in {PLAYED_IN} events", regular)):
            rounds = []
            for _ in range(ROUNDS):
                begun = time.process_time()
                for _ in range(CALLS):
                    await _listed(game.engine, frames, player)
                rounds.append((time.process_time() - begun) / CALLS * 1000)
            found[name] = min(rounds)  # noise only adds
        return found


async def _listed(engine: Any, frames: ListingFrames, player: PlayerRow) -> bytes:
    return frames.reply(MSGPACK, 7, await engine.listings.of(player, upcoming=False))


def _game() -> dict[str, Any]:
    return {
        "gameId": "figures",
        "settings": {"seed": 1},
        "currencies": [{"key": "cash"}],
        "events": [_event(number) for number in range(EVENTS)],
    }


def _event(number: int) -> dict[str, Any]:
    key = f"event{number}"
    gates = [
        {
            "type": "not",
            "condition": {"type": "completed_event_at_least_once", "eventKey": key, "within": "current_window"},
        },
        {"type": "player_attribute", "key": "level", "op": "gte", "value": 2},
        {"type": "not", "condition": {"type": "has_currency", "currencyKey": "cash", "amount": 5}},
        None,
    ]
    return {
        "key": key,
        "metadata": {"tier": "standard", "banner": f"art/{key}"},
        "attempt": {"replayableDuringWindow": True, "maxAttempts": 5},
        "metrics": [
            {"key": "streak", "target": 5, "capAtTarget": True, "resetOn": {"metricKey": "losses"}},
            {"key": "losses"},
        ],
        "entryRequirement": gates[number % 4],
        "leaderboard": {"mode": ("global", "grouped", "segmented")[number % 3]},
    }
