"""What is measured: two bare echoes and the real server with three games, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.games import (
    ENDLESS_TARGET,
    FREEZING_TARGET,
    POINTS,
    contributing_game,
    expression_game,
    global_game,
    guarded_game,
    lobby_game,
)

START_SECONDS = 20.0
STOP_SECONDS = 20.0
LISTENING = "listening on "


class ServerFailed(Exception):
    """A server ended, or said nothing, instead of listening; the text is the end of its log."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A server to measure; `command` gives its arguments, and may put files into the folder it is given.

    `points` is what each write adds to a player's score there.
    """

    name: str
    title: str
    group: str
    command: Callable[[Path, str], list[str]]
    points: int = 1


def _echo(kind: str) -> Callable[[Path, str], list[str]]:
    return lambda _folder, _backend: ["-m", "benchmarks.echo", kind]


def _real(game: dict[str, Any]) -> Callable[[Path, str], list[str]]:
    def command(folder: Path, backend: str) -> list[str]:
        file = folder / "game.json"
        file.write_text(json.dumps(game))
        serve = [
            "-m",
            "kraty_actors",
            "serve",
            "--game",
            str(file),
            "--db",
            f"sqlite:///{folder / 'bench.db'}",
        ]
        return [*serve, "--port", "0", "--insecure-dev", "--backend", backend]

    return command


ECHO_TRIO = Contender("echo-trio", "echo, websockets.trio", "echo", _echo("websockets-trio"))
ECHO_SANS_IO = Contender("echo-sans-io", "echo, sans-I/O on anyio", "echo", _echo("sans-io"))
CONTENDERS = [
    ECHO_TRIO,
    ECHO_SANS_IO,
    Contender("global", "kraty, one board for all", "real", _real(global_game())),
    Contender("expression", "kraty, score by expression", "real", _real(expression_game()), POINTS),
    Contender("guarded", "kraty, three validators", "real", _real(guarded_game())),
    Contender("contributing", "kraty, five shared boards", "real", _real(contributing_game())),
    Contender("lobby", "kraty, lobbies with 49 bots", "real", _real(lobby_game(FREEZING_TARGET))),
    Contender("lobby-endless", "kraty, lobbies with 49 endless bots", "real", _real(lobby_game(ENDLESS_TARGET))),
]


@contextmanager
def serving(contender: Contender, parent: Path, backend: str) -> Iterator[str]:
    """Serve it from a fresh folder below `parent` and yield its address; the folder goes afterwards.

    Raises:
        ServerFailed: if it does not listen within 20 seconds.
    """
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=parent) as name:
        folder = Path(name)
        with (folder / "log").open("w+") as log:
            arguments = [sys.executable, *contender.command(folder, backend)]
            server = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=log, text=True)
            try:
                yield _address(server, folder / "log")
            finally:
                _stop(server)


def _address(server: subprocess.Popen[str], log: Path) -> str:
    overdue = threading.Timer(START_SECONDS, server.kill)
    overdue.start()
    line = server.stdout.readline() if server.stdout else ""
    overdue.cancel()
    if not line.startswith(LISTENING):
        server.wait(STOP_SECONDS)
        raise ServerFailed(next(reversed(log.read_text().splitlines()), f"nothing within {START_SECONDS:g} s"))
    return line.removeprefix(LISTENING).strip()


def _stop(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    if server.stdout:
        server.stdout.close()
