"""A game of one day for embedding: two wins end the attempt, and the winners share 100 cash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kraty_actors import Game, open_game
from kraty_actors.testing import ManualClock
from kraty_protocol.shapes import parse_iso

OPENS, CLOSES = "2026-05-28T00:00:00Z", "2026-05-29T00:00:00Z"
NOON = parse_iso("2026-05-28T12:00:00Z")
NEXT_DAY = parse_iso("2026-05-29T00:00:01Z")

GAME: dict[str, Any] = {
    "gameId": "arena",
    "currencies": [{"key": "cash"}],
    "bots": [{"key": "climber", "behaviour": {"block": "random_step_with_fall"}}],
    "events": [
        {
            "key": "sprint",
            "availability": {"mode": "fixed", "startsAt": OPENS, "endsAt": CLOSES},
            "metrics": [{"key": "wins", "target": 2}],
            "botBindings": [{"botId": "climber", "count": 3}],
            "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 100, "currencyKey": "cash"}},
        },
        {"key": "attack", "metrics": [{"key": "score"}], "attempt": {"replayableDuringWindow": True}},
        {
            "key": "duel",
            "metrics": [{"key": "wins", "target": 1}],
            "leaderboard": {"mode": "lobby_matched", "capacity": 2, "fillStrategy": "wait_full"},
        },
        {"key": "later", "state": "draft", "metrics": [{"key": "score"}]},
        {
            "key": "tomorrow",
            "availability": {"mode": "fixed", "startsAt": CLOSES, "endsAt": "2026-05-30T00:00:00Z"},
            "metrics": [{"key": "score"}],
        },
    ],
}


@asynccontextmanager
async def opened_at_noon(**options: Any) -> AsyncIterator[tuple[Game, ManualClock]]:
    """The game at noon of its day, and the clock to move."""
    clock = ManualClock(NOON)
    async with open_game(GAME, clock=clock, **options) as game:
        yield game, clock
