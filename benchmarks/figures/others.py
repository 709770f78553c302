"""What others feel while something large goes on, and what it takes of memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import anyio

from kraty_actors import Game

PAGE = os.sysconf("SC_PAGE_SIZE")

WRITES_A_SECOND = 500
"""To another window; each begins when it is due, whether or not those before it were answered."""


async def write_while(game: Game, latencies_ms: list[float], doing: Callable[[], Any]) -> None:
    """Write to another window for as long as something else is being done; how long each took, from when it was due."""
    player = await game.engine.players.resolve("other")
    attempt = (await game.start("other", "other"))["attemptId"]
    begun = time.perf_counter()

    def answered(due: float, _: object) -> None:
        latencies_ms.append((time.perf_counter() - due) * 1000)

    async def write() -> None:
        for n in count():
            due = begun + n / WRITES_A_SECOND
            await anyio.sleep(max(0, due - time.perf_counter()))
            game.engine.write(player.number, attempt, 1, "increment", None, partial(answered, due))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        await doing()
        tasks.cancel_scope.cancel()


def resident() -> int:
    """Bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
