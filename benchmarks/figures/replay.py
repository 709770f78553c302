"""Replay: how many writes a second are derived again, with and without comparing everything."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from kraty_actors import Game, open_game
from kraty_actors.actors.derivation import Derivation
from kraty_actors.actors.explaining import Explaining
from kraty_actors.actors.journal_key import known_sealer
from kraty_actors.actors.proof import Prover
from kraty_actors.domain.contest_messages import Write
from kraty_actors.domain.ids import window_of
from kraty_persistence import Store
from kraty_persistence.sql import open_sql_store

PLAYERS = 64
WRITES_AT_ONCE = 16


@dataclass(slots=True)
class Replayed:
    """What was measured; rates are writes a second."""

    game: str
    writes: int
    plain: float = 0
    verified: float = 0
    explained: float = 0
    differences: int = 0


async def measure_replay(name: str, writes: int, folder: Path, say: Callable[[str], None]) -> Replayed:
    """Play so many writes of one window on SQLite, in one of the `GAMES`, then replay them."""
    found = Replayed(name, writes)
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as directory:
        url = f"sqlite:///{Path(directory) / 'figures.db'}"
        say(f"replay: {writes:,} writes, {name}")
        async with open_game(_game(GAMES[name]), store=url) as game:
            window = await _play(game, writes)
        async with open_sql_store(url, owner=False) as store:
            found.plain = await _rate(writes, partial(_derive, store, window))
            found.verified = await _rate(writes, partial(_prove, store, window, found))
            explaining = Explaining(store, now_ms=lambda: round(time.time() * 1000))
            found.explained = await _rate(writes, partial(explaining.explain, window, "p0"))
    return found


def _game(event: dict[str, Any]) -> dict[str, Any]:
    bots = [{"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 1000}}}]
    return {"gameId": "figures", "bots": bots, "events": [{"key": "e", "metrics": [{"key": "points"}], **event}]}


async def _play(game: Game, writes: int) -> str:
    attempts = [(await game.start(f"p{n}", "e"))["attemptId"] for n in range(PLAYERS)]
    window = window_of(attempts[0])
    board, serials = f"{window}.1", [int(attempt.rpartition(".")[2]) for attempt in attempts]
    left = writes
    while left > 0:
        answered = anyio.Event()
        due = [0]

        def respond(_reply: object, due: list[int] = due, answered: anyio.Event = answered) -> None:
            due[0] -= 1
            if not due[0]:
                answered.set()

        for n in range(PLAYERS * WRITES_AT_ONCE):
            due[0] += 1
            write = Write(serials[n % PLAYERS], {"points": 1 + n % 3}, "increment", writes - left + 1, n % PLAYERS + 1)
            game.engine._loop.ask(board, write, respond)
            left -= 1
        await answered.wait()
    return window


async def _derive(store: Store, window: str) -> None:
    derivation = Derivation(store)
    await derivation.calendar()
    derived = await derivation.window(window)
    if derived is None:
        raise LookupError(window)
    async for _ in derivation.boards(derived):
        pass


async def _prove(store: Store, window: str, found: Replayed) -> None:
    sealer = await known_sealer(store, None)
    prover = Prover(store, sealer, window)
    await prover.prove(Derivation(store, sealer=sealer, watcher=prover), lambda _: None)
    found.differences = prover.proof.difference_count


async def _rate(writes: int, work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    await work()
    return writes / (time.perf_counter() - begun)


GAMES: dict[str, dict[str, Any]] = {
    "one board for all": {},
    "two validators": {
        "antiCheat": {
            "validators": [
                {"key": "max_metric_jump", "params": {"metricKey": "points", "maxDelta": 99}},
                {"key": "max_metric_rate", "params": {"metricKey": "points", "maxPerSecond": 1e9}},
            ]
        }
    },
    "9 bots that move at every write": {"botBindings": [{"botId": "climber", "count": 9}]},
}
