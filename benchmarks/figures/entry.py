"""What it costs a server that a start costs the player: paid starts against free ones, in one run."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from kraty_actors import Game, open_game
from kraty_actors.cli.serve import tune_the_interpreter
from kraty_persistence import PlayerRow

AT_ONCE = 256
ROUNDS = 5


async def measure_entry(starts: int, folder: Path) -> dict[str, float]:
    """Starts a second, free and paid, each by players who see it listed and have not been there yet: medians over the
    rounds, with the interpreter tuned as `serve` tunes it."""
    tune_the_interpreter()
    free, paid = [], []
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as name:
        async with open_game(_game(), store=f"sqlite:///{name}/figures.db") as game:
            for number in range(ROUNDS):
                players = [await game.engine.players.resolve(f"p{number}-{n}") for n in range(starts)]
                for player in players:
                    await game.server.credit(player.player_id, "cash", 100, reason="figures", idempotency_key="100")
                    await game.events(player.player_id)
                free.append(await _starts(game, "free", players))
                paid.append(await _starts(game, "paid", players))
    return {"free": statistics.median(free), "paid": statistics.median(paid)}


def _game() -> dict[str, Any]:
    event = {"metrics": [{"key": "points"}]}
    return {
        "gameId": "figures",
        "currencies": [{"key": "cash"}],
        "events": [
            {**event, "key": "free"},
            {**event, "key": "paid", "entryCost": {"currencies": [{"key": "cash", "amount": 50}]}},
        ],
    }


async def _starts(game: Game, event: str, players: Sequence[PlayerRow]) -> float:
    waiting = iter(players)

    async def start_some() -> None:
        for player in waiting:
            await game.engine.entrance.start(player, event, {})

    begun = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(start_some)
    return len(players) / (time.perf_counter() - begun)
