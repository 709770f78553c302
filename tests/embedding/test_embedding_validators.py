"""A game that is embedded brings validators of its own (R-48, R-49)."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from kraty_actors import Evidence, Refused, ValidatorParams, open_game, register_validator
from kraty_actors.definitions.registration import forget_validator
from kraty_actors.domain.validators.registry import FUNCTIONS

pytestmark = pytest.mark.anyio


def even(evidence: Evidence, params: ValidatorParams) -> str | None:
    return "odd" if evidence.incoming["score"] % 2 else None


def broken(evidence: Evidence, params: ValidatorParams) -> str:
    return f"no such metric: {evidence.incoming['scores']}"


@pytest.fixture(autouse=True)
def own_validators() -> Iterator[None]:
    own = {"even": even, "broken": broken}
    for key, function in own.items():
        register_validator(key, function)
    yield
    for key in own:
        forget_validator(key)
        del FUNCTIONS[key]


def game(*keys: str) -> dict[str, object]:
    validators = [{"key": key, "params": {"verdict": "reject"}} for key in keys]
    return {
        "gameId": "g",
        "events": [{"key": "e", "metrics": [{"key": "score"}], "antiCheat": {"validators": validators}}],
    }


async def test_r50_a_write_that_a_games_own_validator_rejects_leaves_nothing_behind():
    async with open_game(game("even")) as play:
        await play.progress("ann", "e", 4, seq=1)
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                await play.progress("ann", "e", 3, seq=2)
            assert refused.value.is_anti_cheat_rejected
            assert refused.value.details == {"validatorKey": "even", "reason": "odd"}
        assert (await play.progress("ann", "e", 2, seq=3))["score"] == 6


async def test_r49_a_validator_that_raises_neither_stops_the_server_nor_costs_a_write_its_turn(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.CRITICAL)  # what it logs is told by tests/domain/test_validator_registration.py
    async with open_game(game("broken", "even")) as play:
        acks = [await play.progress("ann", "e", 2, seq=seq) for seq in range(1, 5)]
        assert [(ack["seq"], ack["score"], ack["rank"]) for ack in acks] == [(n, 2 * n, 1) for n in range(1, 5)]
        with pytest.raises(Refused):
            await play.progress("ann", "e", 1, seq=5)
        assert (await play.progress("bob", "e", 20, seq=1))["rank"] == 1
