"""A server that dies, the game that it serves, and the interpreter as it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kraty_actors import Game, open_game
from kraty_actors.domain.ids import contest_id

SEATS = 50
EVENT = {"metrics": [{"key": "points"}]}
LOBBY = {"mode": "lobby_matched", "capacity": SEATS, "matchmaking": "external"}
GAME: dict[str, Any] = {
    "gameId": "figures",
    "events": [{**EVENT, "key": "big"}, {**EVENT, "key": "other"}, {**EVENT, "key": "many", "leaderboard": LOBBY}],
}


class Killed(Exception):
    """Ends a server without its last checkpoints."""


@asynccontextmanager
async def killed(store: str) -> AsyncIterator[Game]:
    """A server that is killed at the end of the block."""
    try:
        async with open_game(GAME, store=store) as game:
            yield game
            raise Killed
    except* Killed:
        pass


async def big_board(game: Game) -> str:
    [window] = [one for one in await game.operator.windows("big") if one["state"] == "open"]
    return contest_id(window["windowId"], 1)
