"""The server is killed in the middle of play and started again: every write that it acknowledged is there.

python examples/crash_and_recover.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio

from kraty_actors.client import ConnectionLost, connect

GAME_FILE = Path(__file__).with_name("trail_of_triumph.json")
WRITES_BEFORE_THE_CRASH = 200


@contextmanager
def server(folder: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`kraty-actors serve` as a process of its own, and its URL."""
    options = ["--game", str(GAME_FILE), "--db", f"sqlite:///{folder}/game.db", "--port", "0", "--insecure-dev"]
    command = [sys.executable, "-m", "kraty_actors", "serve", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            first_line = next(iter(process.stdout or ()))
            yield process, first_line.split()[-1]
        finally:
            process.kill()


async def play_until_killed(process: subprocess.Popen[str], url: str) -> tuple[str, int]:
    """Lose match after match, and kill the server with a write under way. The attempt, and the writes acknowledged."""
    acknowledged = 0
    async with connect(url, player_id="ada", reconnect=False) as client, anyio.create_task_group() as tasks:
        attempt_id = (await client.start("trail_of_triumph"))["attemptId"]
        with suppress(ConnectionLost):
            while True:
                if acknowledged == WRITES_BEFORE_THE_CRASH:
                    tasks.start_soon(anyio.to_thread.run_sync, process.kill)
                await client.progress(attempt_id, {"losses": 1})
                acknowledged += 1
    return attempt_id, acknowledged


async def recovered(url: str, attempt_id: str) -> float:
    """How many losses the server remembers."""
    async with connect(url, player_id="ada") as client:
        return (await client.attempt(attempt_id))["attempt"]["metricsRaw"]["losses"]


def main() -> None:
    """Play, kill, start again, compare."""
    with tempfile.TemporaryDirectory() as folder:
        with server(folder) as (process, url):
            attempt_id, acknowledged = anyio.run(play_until_killed, process, url)
        print(f"killed after {acknowledged} acknowledged writes")
        with server(folder) as (_, url):
            found = anyio.run(recovered, url, attempt_id)
        print(f"after the restart there are {found}; one more may have been written, but not answered any more")
        if not acknowledged <= found <= acknowledged + 1:
            sys.exit("an acknowledged write is missing, or there is one too many")


if __name__ == "__main__":
    main()
