"""A window's journal gives its standings, bots, attempts and grants again, in any process (R-36, R-57)."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from crash_game import lobby_event, shared_pool
from crash_patience import until
from replaying_process import __file__ as replaying
from replaying_process import digest

from kraty_actors import Game, Refused, open_game
from kraty_actors.testing import ManualClock
from kraty_persistence.sql import open_sql_store
from kraty_protocol.shapes import iso

pytestmark = pytest.mark.anyio

NOON = 1_780_000_000_000
MINUTE = 60_000
PLAYERS = 12
MOVES = 400

FIXED = {"mode": "fixed", "startsAt": iso(NOON), "endsAt": iso(NOON + 10 * MINUTE)}
REPLAYABLE = {"replayableDuringWindow": True}
GAME: dict[str, Any] = {
    "gameId": "replay",
    "settings": {"identityPools": [{"key": "people", "names": ["Ada", "Grace", "Joan"]}]},
    "currencies": [{"key": "cash"}],
    "bots": [
        {"key": "climber", "identityPool": "people", "behaviour": {"type": "single", "block": "random_step_with_fall"}}
    ],
    "events": [
        lobby_event("trail", 3, availability=FIXED, attempt={**REPLAYABLE, "durationSeconds": 120}),
        {
            "key": "attack",
            "availability": FIXED,
            "attempt": REPLAYABLE,
            "metrics": [{"key": "points", "cap": 50}, {"key": "kills", "scorePerUnit": 0.1}],
            "leaderboard": {"scoreAggregation": "sum"},
            "rewardPolicy": shared_pool({"type": "rank_at_most", "rank": 5}),
        },
    ],
}


async def play(game: Game, clock: ManualClock, chance: random.Random) -> set[str]:
    """Starts, ties, resets, completions, repetitions, refusals, attempts that run out of time; all attempts' ids."""
    known: set[str] = set()
    for move in range(MOVES):
        clock.move_to(NOON + move * 9 * MINUTE // MOVES)
        player, event = f"player-{chance.randrange(PLAYERS)}", chance.choice(["trail", "attack"])
        try:
            attempt = await game.start(player, event)
            known.add(attempt["attemptId"])
            seq = attempt["lastSeq"] + chance.randrange(2)
            await game.progress_attempt(player, attempt["attemptId"], metrics(event, chance), seq=seq or 1)
            if chance.random() < 0.05:
                await game.finish(player, attempt["attemptId"])
        except Refused as refused:
            if refused.code not in ("lobby_forming", "idempotency_conflict", "attempt_finished"):
                raise
    return known


def metrics(event: str, chance: random.Random) -> dict[str, float]:
    if event == "attack":
        return {"points": chance.choice([1, 5, 0.1, chance.random()]), "kills": chance.randrange(3)}
    return {"streak": 1} if chance.random() < 0.8 else {"losses": 1, "streak": 1}


async def seen(game: Game, window: str, attempts: set[str]) -> dict[str, Any]:
    """What players were shown of a window once it was final."""
    own = {name for name in attempts if name.startswith(window)}
    boards = sorted({name.rpartition(".")[0] for name in own})
    grants = [(player, grant) for player in everybody() for grant in await game.grants(player)]
    return {
        "standings": {board: (await game.board(board, limit=200))["entries"] for board in boards},
        "attempts": {name: await attempt_of(game, name) for name in own},
        "grants": {grant["id"]: [player, grant] for player, grant in grants if grant["sourceRefId"] == window},
    }


async def attempt_of(game: Game, attempt_id: str) -> Any:
    for player in everybody():
        try:
            return await game.attempt(player, attempt_id)
        except Refused:
            continue
    raise LookupError(attempt_id)


def everybody() -> list[str]:
    return [f"player-{n}" for n in range(PLAYERS)]


async def replayed(url: str, windows: list[str], hash_seed: int) -> bytes:
    command = [sys.executable, replaying, url, *windows]
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    return (await anyio.run_process(command, env=environment, stderr=None)).stdout


async def test_a_journal_gives_the_same_window_in_any_process(tmp_path: Path) -> None:
    """The game's seed is drawn by the server and kept secret; two hash seeds stand for two machines."""
    url = f"sqlite:///{tmp_path}/game.db"
    clock = ManualClock(NOON)
    async with open_game(GAME, store=url, clock=clock) as game:
        attempts = await play(game, clock, random.Random(5))
        windows = sorted({name.partition(".")[0] for name in attempts})
        clock.move_to(NOON + 11 * MINUTE)
        await until(lambda: {"finalized"} == {one.state for one in game.engine.catalogue.windows.values()})
        was = [await seen(game, window, attempts) for window in windows]
    first = await replayed(url, windows, 0)
    assert first == await replayed(url, windows, 12345)
    again = [json.loads(line) for line in first.splitlines()]
    for window, told in zip(was, again, strict=True):
        assert window["grants"]
        assert told["grants"] == window["grants"]
        assert told["attempts"] == window["attempts"] | told["attempts"]  # more were started by lobbies that filled
        for board, entries in window["standings"].items():
            assert [{**entry, "isSelf": False} for entry in entries] == told["standings"][board]
        assert told["states"] == await stored_states(url, list(told["states"]))
    statuses = {attempt["status"] for told in again for attempt in told["attempts"].values()}
    assert statuses == {"completed", "expired"}
    assert any(value for told in again for bots in told["bots"].values() for _, value in bots)


async def stored_states(url: str, boards: list[str]) -> dict[str, str]:
    """Digests of the states that the server itself left; the first part of each checkpoint is its actor's, the last
    seals it."""
    async with open_sql_store(url, owner=False) as store:
        return {board: digest((await store.load(board)).checkpoint[1:-1]) for board in boards}
