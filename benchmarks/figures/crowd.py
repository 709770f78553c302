"""A crowd of players, all of whom play."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import anyio

from kraty_actors import Game
from kraty_actors.actors.loop import ActorLoop
from kraty_actors.domain.contest_messages import Write
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.outcome import Command
from kraty_actors.domain.window_messages import Admit

ASKED_AT_ONCE = 4_000


def add_players(file: Path, players: int) -> None:
    """Straight into the table: a million introductions are not what is measured."""
    rows = ((n, f"p{n}", f"participant{n}", b"") for n in range(1, players + 1))
    with sqlite3.connect(file) as connection:
        connection.executemany(
            "INSERT INTO players (number, player_id, participant_id, attributes, banned) VALUES (?, ?, ?, ?, 0)", rows
        )
    connection.close()


async def all_play(game: Game, players: int) -> None:
    """All of them start in the event `big`, and write once."""
    loop = game.engine._loop
    [window] = [one for one in await game.operator.windows("big") if one["state"] == "open"]
    board = contest_id(window["windowId"], 1)
    for first in range(1, players + 1, ASKED_AT_ONCE):
        numbers = range(first, min(first + ASKED_AT_ONCE, players + 1))
        await all_answered(loop, window["windowId"], [Admit(number) for number in numbers])
        points = [(number, number * 7919 % players) for number in numbers]
        await all_answered(loop, board, [Write(number - 1, score, "increment", 1, number) for number, score in points])


async def all_answered(loop: ActorLoop, actor: str, commands: Sequence[Command]) -> None:
    """Ask all of this, and wait for the last answer."""
    left, done = len(commands), anyio.Event()

    def answered(_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    for command in commands:
        loop.ask(actor, command, answered)
    await done.wait()
