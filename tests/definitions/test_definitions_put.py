"""Whatever is wrong with a definition, putting it into a running game changes nothing and tells every fault (R-3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from small_games import game, race
from test_definition_faults import EVENT_FAULTS
from test_definition_shapes import GAME_REFUSED, REFUSED
from test_game_faults import GAME_FAULTS

from kraty_actors import Game, Refused, open_game
from kraty_protocol.codec import JSON, Malformed
from kraty_protocol.limits import TRUSTED_LIMITS
from kraty_protocol.validation import InvalidFields, check_fields

pytestmark = pytest.mark.anyio

BAD_BOARDS: list[tuple[dict[str, Any], str]] = [
    ({}, "key"),
    ({"key": "a b"}, "key"),
    ({"key": "s", "resetCadence": "season"}, "seasonEndsAt"),
    ({"key": "s", "resetCadence": "hourly"}, "resetCadence"),
    ({"key": "s", "resetCadence": "season", "seasonEndsAt": "2026-01-01"}, "seasonEndsAt"),
    ({"key": "s", "timezone": "Mars/Olympus"}, "timezone"),
    ({"key": "s", "sort": "up"}, "sort"),
    ({"key": "s", "scoreAggregation": "mean"}, "scoreAggregation"),
    ({"key": "s", "archived": 1}, "archived"),
    ({"key": "s", "surprise": 1}, "surprise"),
]


@asynccontextmanager
async def unchanged() -> AsyncIterator[Game]:
    """A game that is the same afterwards, with not even a row in its audit trail."""
    async with open_game(game(race())) as opened:
        before = await standing(opened)
        yield opened
        assert await standing(opened) == before


async def standing(opened: Game) -> Any:
    catalogue = opened.engine.catalogue
    events = [(key, view.state, view.rules.revision) for key, view in catalogue.events.items()]
    return catalogue.game, events, await opened.engine._store.audit()


async def paths_of_refusal(asked: Any) -> set[str]:
    with pytest.raises(Refused) as refused:
        await asked
    assert refused.value.is_validation_failed, refused.value
    return {fault["path"] for fault in refused.value.details["faults"]}


async def test_r3_a_bad_event_changes_nothing():
    async with unchanged() as opened:
        rows = list(filter(travels, [*REFUSED, *EVENT_FAULTS]))
        assert len(rows) > 100
        for changes, path, _ in rows:
            assert path in await paths_of_refusal(opened.operator.put_event(race(**changes))), changes


async def test_r3_a_game_with_anything_bad_in_it_changes_nothing():
    async with unchanged() as opened:
        for changes, path, _ in filter(travels, [*GAME_REFUSED, *GAME_FAULTS]):
            faulty = {**game(race(metadata={"new": True})), **changes}
            assert path in await paths_of_refusal(opened.operator.put_game(faulty)), changes


async def test_r3_a_bad_board_changes_nothing():
    async with unchanged() as opened:
        for board, path in BAD_BOARDS:
            assert path in await paths_of_refusal(opened.operator.put_board(board)), board


def travels(row: tuple[Any, ...]) -> bool:
    """Some things never come as far as the rules: what is no JSON, NUL, numbers that no codec carries."""
    try:
        frame = JSON.decode(JSON.encode({"event": row[0]}).decode(), TRUSTED_LIMITS)
        check_fields("events.put", "operator", frame)
    except (TypeError, ValueError, Malformed, InvalidFields):
        return False
    return True
