"""A listing computes the player's own part; the rest is made once, and anew only where something changed (R-55)."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from kraty_actors import Game, open_game
from kraty_actors.actors.listing import Listed
from kraty_actors.testing import ManualClock

pytestmark = pytest.mark.anyio

NOON = 1_780_401_600_000
HOUR_MS = 3_600_000
DAILY = {"mode": "recurring_windows", "windows": [{"startTime": "12:00", "durationSeconds": 3600}]}
KEYS = [f"event-{number}" for number in range(20)]


def event(key: str, **fields: Any) -> dict[str, Any]:
    availability = DAILY if key == KEYS[-1] else {"mode": "always"}
    return {
        "key": key,
        "availability": availability,
        "attempt": {"replayableDuringWindow": True},
        "metrics": [{"key": "laps"}],
        **fields,
    }


GAME = {"gameId": "arena", "events": [event(key) for key in KEYS]}


async def listed(game: Game, player_id: str, *own: str) -> dict[str, Listed]:
    """What one sees once the windows are at rest: a part of their own of these events, and what is for all."""
    player = await game.engine.players.resolve(player_id)
    with anyio.fail_after(5):
        while True:
            found = {one.event.event.key: one for one in await game.engine.listings.of(player, upcoming=True)}
            if [key for key, one in found.items() if not one.is_for_all] == [*own]:
                return found
            await anyio.lowlevel.checkpoint()


def changed(before: dict[str, Listed], after: dict[str, Listed]) -> list[str]:
    return [key for key in KEYS if before[key] is not after[key]]


async def test_r55_what_an_event_shows_to_strangers_is_made_once() -> None:
    async with open_game(GAME, clock=ManualClock(NOON)) as game:
        before = await listed(game, "ann")
        assert changed(before, await listed(game, "bob")) == []


async def test_r55_a_change_of_one_event_makes_one_anew() -> None:
    async with open_game(GAME, clock=ManualClock(NOON)) as game:
        before = await listed(game, "ann")
        await game.operator.put_event(event(KEYS[3], metadata={"tier": "gold"}))
        after = await listed(game, "ann")
        assert changed(before, after) == [KEYS[3]]
        assert after[KEYS[3]].event.metadata() == {"tier": "gold"}
        [window, *_] = await game.operator.windows(KEYS[7])
        await game.operator.override_window(window["windowId"], {"tier": "boss"})
        assert changed(after, await listed(game, "ann")) == [KEYS[7]]


async def test_r55_one_who_plays_has_a_part_of_their_own_where_they_play() -> None:
    async with open_game(GAME, clock=ManualClock(NOON)) as game:
        before = await listed(game, "ann")
        attempt = await game.start("ann", KEYS[5])
        after = await listed(game, "ann", KEYS[5])
        assert changed(before, after) == [KEYS[5]]
        assert after[KEYS[5]].current_attempt_id == attempt["attemptId"]
        assert changed(before, await listed(game, "bob")) == []


async def test_r55_a_window_that_ends_makes_its_event_anew() -> None:
    clock = ManualClock(NOON)
    async with open_game(GAME, clock=clock) as game:
        before = await listed(game, "ann")
        clock.move_to(NOON + HOUR_MS)
        after = await listed(game, "ann")
        assert changed(before, after) == [KEYS[-1]]
        assert (after[KEYS[-1]].window, after[KEYS[-1]].opens_at) == (None, NOON + 24 * HOUR_MS)
