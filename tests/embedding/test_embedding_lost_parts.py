"""A database that needs what the program does not register any more."""

from __future__ import annotations

import pytest

from kraty_actors import open_game, register_validator
from kraty_actors.definitions import UnreadableDefinition
from kraty_actors.definitions.registration import forget_validator
from kraty_actors.domain.validators.registry import FUNCTIONS
from kraty_persistence import MemoryStore

pytestmark = pytest.mark.anyio

EVENT = {"key": "race", "metrics": [{"key": "laps"}]}


async def test_a_game_does_not_open_without_a_validator_that_its_events_have_and_says_so() -> None:
    store = MemoryStore()
    register_validator("own", lambda evidence, params: None)
    try:
        guarded = {**EVENT, "antiCheat": {"validators": [{"key": "own", "params": {}}]}}
        async with open_game({"gameId": "arena", "events": [guarded]}, store=store) as game:
            await game.progress("ada", "race", 3)
    finally:
        forget_validator("own")
        del FUNCTIONS["own"]
    with pytest.raises(UnreadableDefinition, match=r"validators\[0\].*--with MODULE"):
        async with open_game({"gameId": "arena", "events": [EVENT]}, store=store):
            pass
