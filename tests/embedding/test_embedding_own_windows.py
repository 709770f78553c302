"""R-18, R-22: a start that is refused opens no window of the player's own."""

from __future__ import annotations

import pytest

from kraty_actors import Refused, open_game

pytestmark = pytest.mark.anyio

GAME = {
    "gameId": "arena",
    "currencies": [{"key": "cash"}],
    "events": [
        {
            "key": "quest",
            "metrics": [{"key": "steps"}],
            "availability": {"mode": "personal", "durationSeconds": 3600},
            "entryCost": {"currencies": [{"key": "cash", "amount": 50}]},
        }
    ],
}


async def test_who_cannot_pay_has_a_whole_window_once_they_can() -> None:
    async with open_game(GAME, store="memory:") as game:
        with pytest.raises(Refused) as refused:
            await game.start("ann", "quest")
        assert (refused.value.status, refused.value.details["have"]) == (402, 0)
        [listed] = await game.events("ann")
        assert (listed["windowId"], listed["affordable"]) == (None, False)
        await game.server.credit("ann", "cash", 60, reason="gift", idempotency_key="gift")
        [listed] = await game.events("ann")
        assert (listed["windowId"], listed["affordable"]) == (None, True)
        attempt = await game.start("ann", "quest")
        assert attempt["status"] == "in_progress"
        assert await game.wallet("ann") == {"cash": 10}
        [listed] = await game.events("ann")
        assert (listed["currentAttemptId"], listed["missing"]) == (attempt["attemptId"], [])
