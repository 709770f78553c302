"""Whole windows simulated over the wire: in a process of their own, one at a time, a minute at most (R-47)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from acting_for_ann import assert_shape
from anyio.lowlevel import checkpoint
from own_runners import Ahead, AheadParams, sprinter, stuck
from processes import run_here, write_json
from raw_peer import Map, Peer
from servers import ATTACK, LATER, RACE, TRAIL, Server, game_of, serving

from kraty_actors import register_block, register_strategy
from kraty_actors.client import connect
from kraty_actors.definitions.registration import forget_block
from kraty_actors.domain.bots.registry import BLOCKS
from kraty_actors.simulation.strategies import forget_strategy
from kraty_protocol import simulated_shapes

pytestmark = pytest.mark.anyio

LATER_ON = {**LATER, "state": "draft"}
WEBHOOK = {"key": "backend", "url": "http://127.0.0.1:9/", "secret": "a secret that stays here"}
GAME = game_of(ATTACK, {**RACE, "botBindings": [{"botId": "climber", "count": 3}]}, TRAIL, LATER_ON, webhooks=[WEBHOOK])
HEAVY: Map = {"eventKey": "race", "players": 10_000, "runs": 1_000, "behaviour": "hardcore"}


async def _simulated(operator: Peer, **fields: Any) -> Map:
    made = await operator.ok("events.simulate", **fields)
    assert_shape(made, simulated_shapes.Simulated)
    return made


async def _under_way(server: Server) -> None:
    while not server.game.engine.simulations.is_busy:
        await checkpoint()


async def test_it_answers_what_the_command_prints_r47(codec: str, tmp_path: Any):
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        made = await _simulated(operator, eventKey="race", players=12, runs=3, seed=4, behaviour="steady")
        again = await _simulated(operator, eventKey="race", players=12, runs=3, seed=4, behaviour="steady")
    file = write_json(tmp_path / "game.json", GAME)
    options = ("--players", 12, "--runs", 3, "--seed", 4, "--behaviour", "steady", "--json")
    assert made == again == json.loads(run_here("simulate", file, "race", *options).out)


async def test_events_in_any_state_and_mere_ideas_are_simulated_and_nothing_is_written():
    idea = {"key": "idea", "metrics": [{"key": "points"}], "entryCost": {"currencies": [{"key": "cash", "amount": 5}]}}
    async with serving(GAME) as server, server.peer(role="operator") as operator:
        before = (await operator.ok("audit.list"))["audit"]
        assert (await _simulated(operator, eventKey="later", players=5))["participants"]["mean"] == 5
        made = await _simulated(operator, event=idea, players=5, afford=0)
        assert (made["participants"]["mean"], made["refusals"]) == (0, [{"code": "insufficient_entry_cost", "mean": 5}])
        assert (await operator.error("events.get", eventKey="idea"))["code"] == "not_found"
        assert (await operator.ok("audit.list"))["audit"] == before


async def test_what_is_wrong_is_told_in_the_wire_s_words():
    bad = {"key": "idea", "metrics": [], "botBindings": [{"botId": "nobody"}]}
    over = {
        **RACE,
        "availability": {
            "mode": "recurring_windows",
            "windows": [{"startTime": "20:00", "durationSeconds": 60}],
            "endsAt": "2025-01-01T00:00:00Z",
        },
    }
    async with serving(GAME) as server, server.peer(role="operator") as operator:
        faulty = await operator.error("events.simulate", event=bad, players=5)
        assert faulty["code"] == "validation_failed"
        assert {"metrics", "botBindings[0].botId"} <= {fault["path"] for fault in faulty["details"]["faults"]}
        unknown = await operator.error("events.simulate", eventKey="nowhere", players=5)
        assert unknown["code"] == "not_found"
        wild = await operator.error("events.simulate", eventKey="race", players=5, behaviour="wild")
        assert (wild["code"], wild["details"]) == ("validation_failed", {"path": "behaviour"})
        never = await operator.error("events.simulate", event=over, players=5)
        assert (never["code"], "has no window" in never["message"]) == ("conflict", True)
    async with serving(GAME) as server, server.peer("ann") as player:
        assert (await player.error("events.simulate", eventKey="race", players=5))["code"] == "forbidden"


async def test_one_at_a_time_and_the_server_goes_on_meanwhile():
    async with serving(GAME) as server, server.peer(role="operator") as operator:
        server.game.engine.simulations.longest_seconds = 4
        async with server.peer(role="operator") as other:
            asked = await operator.post("events.simulate", **HEAVY)
            with anyio.fail_after(5):
                await _under_way(server)
                busy = await other.error("events.simulate", eventKey="race", players=1)
                await other.ok("ping")
        assert (busy["code"], busy["details"]) == ("overloaded", {"retryAfter": 5})
        late = (await operator.reply(asked))["error"]
        assert (late["code"], late["details"]) == ("limit_reached", {"name": "simulationSeconds", "limit": 4})
        assert (await _simulated(operator, eventKey="race", players=3))["players"] == 3


async def test_who_hangs_up_stops_the_simulation():
    async with serving(GAME) as server:
        async with server.peer(role="operator") as operator:
            await operator.post("events.simulate", **HEAVY)
            await _under_way(server)
        async with server.peer(role="operator") as operator:
            with anyio.fail_after(10):
                while True:
                    reply = await operator.ask("events.simulate", eventKey="race", players=1)
                    if "ok" in reply:
                        break
                    assert reply["error"]["code"] == "overloaded"


# -- what a game has registered


@pytest.fixture
def own() -> Iterator[None]:
    register_strategy("sprinter", sprinter)
    register_strategy("stuck", stuck)
    register_strategy("nameless", lambda seen, dice: None)
    register_block("ahead", Ahead, AheadParams)
    yield
    for name in ("sprinter", "stuck", "nameless"):
        forget_strategy(name)
    forget_block("ahead")
    del BLOCKS["ahead"]


@pytest.mark.usefixtures("own")
async def test_what_a_game_registers_is_known_in_the_other_process_too():
    bots = [{"key": "climber", "behaviour": {"block": "ahead"}}]
    async with serving({**GAME, "bots": bots}) as server, server.peer(role="operator") as operator:
        made = await _simulated(operator, eventKey="race", players=4, behaviour="sprinter")
        assert made["completed"]["mean"] == 1
        assert [(row["kind"], row["score"]) for row in made["standings"][0]["entries"][:3]] == [("bot", 9)] * 3
        failed = await operator.error("events.simulate", eventKey="race", players=4, behaviour="stuck")
        assert (failed["code"], "LookupError: no plan" in failed["message"]) == ("conflict", True)
        hidden = await operator.error("events.simulate", eventKey="race", players=4, behaviour="nameless")
        assert (hidden["code"], "no behaviour 'nameless'" in hidden["message"]) == ("conflict", True)


async def test_the_client_and_the_game_in_process_ask_it_too(anyio_backend: str):
    async with serving(GAME) as server:
        async with connect(server.url, role="operator") as client:
            made = await client.operator.simulate("race", 6, seed=2, runs=2)
        assert made == await server.game.operator.simulate("race", 6, seed=2, runs=2)
        assert made["runs"] == 2
