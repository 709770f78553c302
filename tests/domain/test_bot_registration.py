"""A game's own block is a class and a registration (R-39)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bot_twin import BEGAN, People, seated
from pydantic import Field

from kraty_actors.definitions import BlockParams, DefinitionFaults, json_schema, load_game
from kraty_actors.definitions.blocks import PARAMS, IdleParams
from kraty_actors.definitions.registration import define_block, forget_block
from kraty_actors.domain.bots import FollowingBlock, TimedBlock, View, WriteBlock, register_block
from kraty_actors.domain.bots.registry import BLOCKS
from kraty_actors.domain.bots.timed import Idle


class StairsParams(BlockParams):
    """Up one stair now and then."""

    ends = True
    aims_at = "top"
    seconds: int = Field(examples=[5])
    """Seconds on each stair."""
    top: float | None = None
    """The last stair."""


class Stairs(TimedBlock[StairsParams]):
    def score(self, seconds: float, since: float, luck: float) -> float:
        return min(self.target, since + seconds / self.params.seconds)

    def settles_after(self, since: float, luck: float) -> float | None:
        return (self.target - since) * self.params.seconds


class HalfwayParams(BlockParams):
    """Half of the way to the first."""


class Halfway(FollowingBlock[HalfwayParams]):
    def step(self, score: float, view: View, luck: float) -> float:
        first = view.at_rank(1)
        return score if first is None else (score + first) / 2


class DoublingParams(BlockParams):
    """Twice as much at each write."""


class Doubling(WriteBlock[DoublingParams]):
    def step(self, score: float, draw: int) -> float:
        return 2 * score or 1

    def rests(self, score: float) -> bool:
        return score >= 4


@pytest.fixture(autouse=True)
def own_blocks() -> Iterator[None]:
    own = (
        ("stairs", Stairs, StairsParams),
        ("halfway", Halfway, HalfwayParams),
        ("doubling", Doubling, DoublingParams),
    )
    for name, block, params in own:
        register_block(name, block, params)
    yield
    for name, *_ in own:
        forget_block(name)
        del BLOCKS[name]


def faults_of(behaviour: object) -> dict[str, str]:
    bots = [{"key": "b", "behaviour": behaviour}]
    events = [{"key": "e", "metrics": [{"key": "m"}], "botBindings": [{"botId": "b"}]}]
    try:
        load_game({"gameId": "g", "bots": bots, "events": events})
    except DefinitionFaults as error:
        return {fault.path: fault.message for fault in error.faults}
    return {}


def test_r39_definitions_take_a_registered_block_and_check_it_as_their_own():
    stairs = {"block": "stairs", "params": {"seconds": 10, "top": 3}}
    assert faults_of(stairs) == {}
    assert faults_of({"type": "sequence", "steps": [stairs, {"block": "halfway"}]}) == {}
    assert (
        "unknown field"
        in faults_of({"block": "stairs", "params": {"seconds": 1, "topp": 3}})["bots[0].behaviour.params.topp"]
    )
    assert "needs top" in faults_of({"block": "stairs", "params": {"seconds": 1}})["events[0].botBindings[0].botId"]
    steps = [{"block": "halfway"}, stairs]
    assert "never ends" in faults_of({"type": "sequence", "steps": steps})["bots[0].behaviour.steps[0].block"]


def test_r39_the_json_schema_knows_a_registered_block():
    definitions = json_schema()["$defs"]
    assert "StairsParams" in definitions
    assert "stairs" in definitions["Step"]["properties"]["block"]["enum"]


def test_r39_registered_blocks_of_each_kind_run():
    stairs = {"block": "stairs", "params": {"seconds": 10, "top": 3}}
    bots = seated(
        {"type": "sequence", "steps": [stairs, {"block": "quit"}]}, {"block": "halfway"}, {"block": "doubling"}
    )
    seen = []
    for seconds in (5, 10, 15, 20, 25, 30):
        bots.advance(BEGAN + 1000 * seconds, 0, People([16]))
        seen.append(bots.values[:2])
    assert seen == [[0, 8], [1, 12], [1, 14], [2, 15], [2, 15], [3, 15]]
    assert [bots.wrote(write, People([16])) and bots.values[2] for write in range(4)] == [1, 2, 4, False]
    assert list(bots.standing) == [1, 2]


def test_r39_a_name_means_one_block():
    with pytest.raises(ValueError, match="'idle' is there already"):
        register_block("idle", Idle, StairsParams)
    define_block("idle", IdleParams)
    assert PARAMS["idle"] is IdleParams


def test_r39_once_forgotten_a_block_is_a_fault():
    define_block("fleeting", StairsParams)
    forget_block("fleeting")
    assert faults_of({"block": "fleeting"})["bots[0].behaviour.block"].startswith("must be 'idle', 'wait'")
