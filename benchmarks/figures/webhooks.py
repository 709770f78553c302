"""How many deliveries a second reach a local receiver, and what writes feel of it meanwhile."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from benchmarks.figures.others import write_while
from kraty_actors import open_game
from kraty_actors.actors.loop import answer_to
from kraty_actors.actors.records import pack
from kraty_actors.cli.serve import tune_the_interpreter
from kraty_persistence import Delivery, Store, Unit
from kraty_persistence.sql import open_sql_store

CALM_SECONDS = 3
PUT_AT_ONCE = 1_000
PUT_A_SECOND = 5_000
LOOK_SECONDS = 0.05


@dataclass(slots=True)
class Deliveries:
    """What was measured."""

    deliveries: int
    a_second: float = 0
    others_ms: list[float] = field(default_factory=list)
    others_before_ms: list[float] = field(default_factory=list)


async def measure_webhooks(deliveries: int, folder: Path) -> Deliveries:
    """Have so many deliveries become due at once, and wait until they have all arrived, with the interpreter tuned as
    `serve` tunes it."""
    tune_the_interpreter()
    found = Deliveries(deliveries)
    with _receiver() as port, tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as name:
        async with (
            open_sql_store(f"sqlite:///{name}/figures.db") as store,
            open_game(_game(port), store=store, allow_private_webhooks=True) as game,
        ):
            await game.start("other", "other")
            await write_while(game, found.others_before_ms, partial(anyio.sleep, CALM_SECONDS))
            due_at = time.time() + 2 + deliveries / PUT_A_SECOND
            await _put(store, deliveries, round(due_at * 1000))
            await anyio.sleep(due_at - time.time())
            begun = time.perf_counter()
            await write_while(game, found.others_ms, partial(_all_arrived, store))
            found.a_second = deliveries / (time.perf_counter() - begun)
    return found


@contextmanager
def _receiver() -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.figures.receiver"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else 0)
        finally:
            process.kill()


async def _put(store: Store, deliveries: int, due_at: int) -> None:
    data = {"key": "cash", "delta": 5, "balance": 105, "reason": "event_window", "sourceRefId": "w" * 17}
    body = pack([data, None])
    for number, first in enumerate(range(0, deliveries, PUT_AT_ONCE), 1):
        names = (f"d{one}" for one in range(first, min(first + PUT_AT_ONCE, deliveries)))
        rows = tuple(Delivery(name, "backend", "wallet.changed", due_at, body) for name in names)
        await answer_to(partial(store.submit, Unit("figures", number, b"", rows)))


async def _all_arrived(store: Store) -> None:
    while await store.endpoints_due():  # noqa: ASYNC110 -- it is the database that is looked at
        await anyio.sleep(LOOK_SECONDS)


def _game(port: int) -> dict[str, Any]:
    return {
        "gameId": "figures",
        "currencies": [{"key": "cash"}],
        "webhooks": [
            {"key": "backend", "url": f"http://127.0.0.1:{port}/", "secret": "s", "events": ["wallet.changed"]}
        ],
        "events": [{"key": "other", "metrics": [{"key": "points"}]}],
    }
