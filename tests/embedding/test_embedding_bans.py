"""R-51 for a program that embeds the game: who is banned does nothing, and nobody does it for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from kraty_actors import Game, Refused, open_game

pytestmark = pytest.mark.anyio

GAME = {
    "gameId": "arena",
    "currencies": [{"key": "cash"}],
    "events": [
        {"key": "race", "metrics": [{"key": "laps"}], "attempt": {"replayableDuringWindow": True}},
        {
            "key": "duel",
            "metrics": [{"key": "hits"}],
            "leaderboard": {"mode": "lobby_matched", "capacity": 2, "matchmaking": "external"},
        },
    ],
}
GIFT = [{"type": "currency", "currencyKey": "cash", "amount": 5}]


async def refused(asked: Awaitable[object]) -> str:
    with pytest.raises(Refused) as refusal:
        await asked
    return refusal.value.code


async def test_r51_who_is_banned_does_nothing_until_that_is_lifted() -> None:
    async with open_game(GAME, store="memory:") as game:
        attempt = (await game.start("cat", "race"))["attemptId"]
        await game.progress_attempt("cat", attempt, {"laps": 3})
        await game.progress("ann", "race", {"laps": 1})
        grant = (await game.server.create_grant("cat", GIFT, idempotency_key="gift"))["grant"]["id"]
        await game.server.ban("cat", reason="a cheat")
        deeds: list[Callable[[Game], Awaitable[object]]] = [
            lambda game: game.start("cat", "race"),
            lambda game: game.progress_attempt("cat", attempt, {"laps": 1}),
            lambda game: game.finish("cat", attempt),
            lambda game: game.claim("cat", grant),
            lambda game: game.server.push_lobby("duel", "one", ["ann", "cat"]),
        ]
        assert [await refused(deed(game)) for deed in deeds] == ["player_banned"] * len(deeds)
        board = (await game.attempt("cat", attempt))["leaderboardId"]
        assert board is not None
        assert [row["score"] for row in (await game.board(board))["entries"]] == [1]
        await game.server.unban("cat")
        assert [row["score"] for row in (await game.board(board))["entries"]] == [3, 1]
        assert (await game.progress_attempt("cat", attempt, {"laps": 1}))["rank"] == 1
        assert (await game.claim("cat", grant))["status"] == "claimed"
