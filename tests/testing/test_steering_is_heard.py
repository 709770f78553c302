"""An acknowledged pause holds for all that is asked behind its answer, however slow the commits are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kraty_actors import Refused
from kraty_actors.testing import CALM, Universe, simulate

GAME = {"gameId": "arena", "events": [{"key": "race", "metrics": [{"key": "points"}]}]}
SLOW = replace(CALM, slow=1, slow_seconds=2)


@pytest.mark.parametrize("seed", range(4))
def test_r26_a_write_behind_the_answer_to_a_pause_finds_the_event_paused(seed: int) -> None:
    async def script(universe: Universe) -> None:
        async with universe.client("ann") as ann, universe.client(role="operator") as boss:
            attempt = await ann.start("race")
            for _ in range(3):
                await boss.operator.pause("race")
                with pytest.raises(Refused, match="paused"):
                    await ann.progress(attempt["attemptId"], {"points": 1})
                await boss.operator.resume("race")
                await ann.progress(attempt["attemptId"], {"points": 1})
            board = await ann.read_board(attempt["leaderboardId"])
            assert board["self"] == {"rank": 1, "score": 3}

    simulate(GAME, script, seed=seed, faults=SLOW)
