"""An embedded game whose task group is cancelled in the middle of writes leaves a database that recovers (R-56)."""

from __future__ import annotations

import random
from pathlib import Path

import anyio
import pytest
from crash_game import lobby_event

from kraty_actors import Game, Refused, open_game

pytestmark = pytest.mark.anyio

PLAYERS = [f"player-{n}" for n in range(6)]
ROUNDS = 6
GAME = {
    "gameId": "cancel",
    "settings": {"seed": 3},
    "currencies": [{"key": "cash"}],
    "bots": [{"key": "climber", "behaviour": {"type": "single", "block": "random_step_with_fall"}}],
    "events": [
        lobby_event("trail", 2, attempt={"replayableDuringWindow": True}),
        {"key": "attack", "attempt": {"replayableDuringWindow": True}, "metrics": [{"key": "points"}]},
    ],
}


class Ledger:
    """By attempt: its player, the last seq that was sent, and the last one that was acknowledged."""

    def __init__(self) -> None:
        self.player: dict[str, str] = {}
        self.sent: dict[str, int] = {}
        self.acknowledged: dict[str, int] = {}

    async def write_for_ever(self, game: Game, player: str, event: str) -> None:
        while True:
            try:
                attempt = await game.start(player, event)
                await self._write(game, player, attempt["attemptId"], attempt["lastSeq"] + 1)
            except Refused as refused:
                if not refused.is_lobby_forming:
                    raise
                await anyio.sleep(0.001)

    async def _write(self, game: Game, player: str, attempt_id: str, seq: int) -> None:
        self.player[attempt_id] = player
        self.sent[attempt_id] = seq
        await game.progress_attempt(player, attempt_id, 1, seq=seq)
        self.acknowledged[attempt_id] = seq

    async def check(self, game: Game) -> None:
        """What was acknowledged is there; what was under way is there as a whole or not at all; nothing else is."""
        for attempt_id, player in self.player.items():
            attempt = await game.attempt(player, attempt_id)
            last_seq = attempt["lastSeq"]
            assert self.acknowledged.get(attempt_id, 0) <= last_seq <= self.sent[attempt_id]
            assert next(iter(attempt["metricsRaw"].values())) == last_seq


async def test_cancelling_in_the_middle_of_writes(tmp_path: Path) -> None:
    ledger, chance = Ledger(), random.Random(1)
    url = f"sqlite:///{tmp_path}/game.db"
    for _ in range(ROUNDS):
        with anyio.CancelScope() as scope:
            async with open_game(GAME, store=url) as game, anyio.create_task_group() as tasks:
                await ledger.check(game)
                for player in PLAYERS:
                    for event in ("trail", "attack"):
                        tasks.start_soon(ledger.write_for_ever, game, player, event)
                await anyio.sleep(chance.uniform(0, 0.1))
                scope.cancel()
        assert scope.cancelled_caught
    async with open_game(GAME, store=url) as game:
        await ledger.check(game)
        for event in ("trail", "attack"):
            assert [window["state"] for window in await game.operator.finalize(event)] == ["finalized"]
    assert sum(ledger.acknowledged.values()) > 100
