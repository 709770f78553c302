"""A client that plays and watches its board, against the server it is told, or one that it starts in process.

    python examples/play_and_watch.py [ws://127.0.0.1:8765/v1/socket]

The server must run with --insecure-dev; with tokens, pass `token=` to `connect` instead of `player_id`.
"""

from __future__ import annotations

import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from kraty_actors import open_game
from kraty_actors.client import Client, connect

GAME_FILE = Path(__file__).with_name("trail_of_triumph.json")


@asynccontextmanager
async def some_server() -> AsyncIterator[str]:
    """The URL from the command line, or of a server of our own for as long as the block lasts."""
    if len(sys.argv) > 1:
        yield sys.argv[1]
        return
    async with open_game(GAME_FILE, insecure_dev=True) as game:
        yield f"ws://127.0.0.1:{await game.serve(port=0)}/v1/socket"


async def watch(client: Client, leaderboard_id: str) -> None:
    """The client keeps its copy of the board up to date from what the server pushes."""
    async for board in client.watch(leaderboard_id, limit=3, around="self", spread=2):
        if board.own:
            ahead = ", ".join(f"{row['name']} {row['score']}" for row in board.entries[:3])
            print(f"  version {board.version}: {board.own['rank']}. of {board.total}, behind {ahead}")


async def main() -> None:
    """Play until five wins in a row, or for 30 matches."""
    name = f"guest-{random.randrange(10**6)}"
    async with some_server() as url, connect(url, player_id=name) as client, anyio.create_task_group() as tasks:
        attempt = await client.start("trail_of_triumph")
        tasks.start_soon(watch, client, str(attempt["leaderboardId"]))
        for match in range(1, 31):
            won = random.random() < 0.7
            ack = await client.progress(attempt["attemptId"], {"streak" if won else "losses": 1})
            print(f"match {match}: {'won' if won else 'lost'}, streak {ack['metrics']['streak']}")
            if ack["status"] == "completed":
                print("done: a share of the pool when the window closes")
                break
            await anyio.sleep(0.05)
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main, backend="trio")
