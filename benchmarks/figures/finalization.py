"""One window of a million players ends: how long it takes, what it costs, and what others feel of it."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from benchmarks.figures.crowd import add_players, all_play
from benchmarks.figures.others import resident, write_while
from kraty_actors import Game, open_game
from kraty_actors.cli.serve import tune_the_interpreter

CALM_SECONDS = 3


@dataclass(slots=True)
class Finalization:
    """What was measured."""

    players: int
    seconds: float = 0
    kib_each: float = 0
    grants: int = 0
    others_ms: list[float] = field(default_factory=list)
    others_before_ms: list[float] = field(default_factory=list)


async def measure_finalization(players: int, folder: Path, say: Callable[[str], None]) -> Finalization:
    """Have so many players start and write once, then end the window, which pays by rank, with the interpreter tuned
    as `serve` tunes it."""
    tune_the_interpreter()
    found = Finalization(players)
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as name:
        file = Path(name) / "figures.db"
        async with open_game(_game(), store=f"sqlite:///{file}"):
            pass
        add_players(file, players)
        async with open_game(_game(), store=f"sqlite:///{file}") as game:
            await game.start("other", "other")
            say(f"finalization: {players:,} players start and write")
            await all_play(game, players)
            await write_while(game, found.others_before_ms, partial(anyio.sleep, CALM_SECONDS))
            gc.collect()
            before = resident()
            say("finalization: the window ends")
            begun = time.perf_counter()
            await write_while(game, found.others_ms, partial(_end, game, found, before))
            found.seconds = time.perf_counter() - begun
            [window] = [one for one in await game.operator.windows("big") if one["state"] == "finalized"]
            report = await game.report(window["windowId"])
            found.grants = report.grants if report is not None else 0
    return found


def _game() -> dict[str, Any]:
    entries = [{"type": "currency", "currencyKey": "cash", "amount": {"min": 1, "max": 100}}]
    return {
        "gameId": "figures",
        "currencies": [{"key": "cash"}],
        "bundles": [{"key": "prize", "entries": entries}],
        "leaderboards": [{"key": "weekly"}, {"key": "total", "scoreAggregation": "sum"}],
        "events": [
            {
                "key": "big",
                "metrics": [{"key": "points"}],
                "contributesTo": ["weekly", "total"],
                "rewardPolicy": {
                    "type": "rank_scaled",
                    "parameters": {"tiers": [{"fromRank": 1, "rewardBundleId": "prize"}]},
                },
            },
            {"key": "other", "metrics": [{"key": "points"}]},
        ],
    }


async def _end(game: Game, found: Finalization, before: int) -> None:
    await game.operator.finalize("big")
    while any(window["state"] != "finalized" for window in await game.operator.windows("big")):
        found.kib_each = max(found.kib_each, (resident() - before) / found.players / 1024)
        await anyio.sleep(0.05)
