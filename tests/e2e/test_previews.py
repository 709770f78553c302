"""What an outcome would pay, asked over the wire: of any event and of mere ideas; nothing is written (R-46)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from acting_for_ann import assert_shape
from raw_peer import Map, Peer
from servers import ATTACK, LATER, RACE, TRAIL, game_of, serving

from kraty_actors.client import connect
from kraty_actors.definitions import load_game
from kraty_actors.domain.loot import Bundles, roll
from kraty_protocol import operator_shapes

pytestmark = pytest.mark.anyio

CASH = {"type": "currency", "currencyKey": "cash"}
LUCKY = [{**CASH, "amount": {"min": 1, "max": 1_000_000}}, {"type": "crate", "crateItemKey": "wooden"}]
CHEST: Map = {
    **RACE,
    "key": "chest",
    "state": "draft",
    "rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "B-1"}},
    "milestoneRewards": [{"key": "two", "metricKey": "laps", "threshold": 2, "entries": [{**CASH, "amount": 2}]}],
    "antiCheat": {"validators": [{"key": "max_metric_jump", "params": {"metricKey": "laps", "maxDelta": 1}}]},
    "contributesTo": ["weekly"],
    "botBindings": [{"botId": "climber", "count": 3}],
}
GAME = game_of(
    *(ATTACK, RACE, TRAIL, LATER, CHEST),
    items=[{"key": "wooden", "crateBundleId": "B-1"}],
    bundles=[{"key": "lucky", "id": "B-1", "entries": LUCKY}],
    leaderboards=[{"key": "weekly", "resetCadence": "weekly"}],
)


def _rolled(seed: int) -> list[Any]:
    return roll(Bundles.of(load_game(GAME).game)["lucky"], f"preview:{seed}").entries


async def _preview(operator: Peer, **fields: Any) -> Map:
    made = await operator.ok("events.preview", **fields)
    assert_shape(made, operator_shapes.Preview)
    for grant in made["grants"]:
        assert_shape(grant, operator_shapes.PreviewGrant)
    for milestone in made["milestones"]:
        assert_shape(milestone, operator_shapes.PreviewMilestone)
    return made


# -- the answer


async def test_a_preview_of_the_worked_example_r46(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        asked = {"eventKey": "trail_of_triumph", "metrics": {"streak": 7, "losses": 2}, "winnerCount": 3}
        assert await _preview(operator, **asked) == {
            "score": 5,
            "metrics": {"streak": 5, "losses": 2},
            "metricsRaw": {"streak": 7, "losses": 2},
            "completed": True,
            "milestones": [],
            "grants": [
                {
                    "kind": "reward",
                    "sourceKind": "event_window",
                    "contents": {"entries": [{**CASH, "amount": 3333}]},
                    "sampled": False,
                }
            ],
        }
        short = await _preview(operator, **{**asked, "metrics": {"streak": 4}})
        assert (short["score"], short["completed"], short["grants"]) == (4, False, [])


async def test_what_is_random_is_rolled_by_the_seed_and_marked_r46(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        for seed in (0, 1, 2**53 - 1):
            made = await _preview(operator, eventKey="chest", metrics={"laps": 3}, seed=seed)
            assert made["milestones"] == [{"key": "two", "entries": [{**CASH, "amount": 2}]}]
            crate = {"type": "crate", "crateItemKey": "wooden", "quantity": 1}
            assert made["grants"] == [
                {
                    "kind": kind,
                    "sourceKind": "event_completion",
                    "contents": {"entries": contents},
                    "sampled": kind == "reward",
                }
                for kind, contents in (("reward", _rolled(seed)), ("crate", [crate]))
            ]
        first = await _preview(operator, eventKey="chest", metrics={"laps": 3})
        assert first["grants"][0]["contents"]["entries"] == _rolled(0)


async def test_an_event_of_any_state_has_one_r46(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        asked: Map = {"eventKey": "race", "metrics": {"laps": 3}}
        live = await _preview(operator, **asked)
        assert live["grants"][0]["contents"]["entries"] == [{**CASH, "amount": 100}]
        for step in ("pause", "finalize"):
            await operator.ok(f"events.{step}", eventKey="race")
            assert await _preview(operator, **asked) == live
        for key, state in (("chest", "draft"), ("later", "scheduled")):
            assert (await operator.ok("events.get", eventKey=key))["state"] == state
            assert (await _preview(operator, eventKey=key, metrics={"laps": 3}))["score"] == 3


async def test_a_definition_that_is_nowhere_has_one_and_is_nowhere_afterwards_r46(codec: str) -> None:
    tiers = [{"fromRank": 1, "toRank": 2, "rewardBundleId": "B-1"}]
    idea = {"key": "idea", "metrics": [{"key": "laps"}]} | {
        "rewardPolicy": {"type": "rank_scaled", "parameters": {"tiers": tiers}}
    }
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        made = await _preview(operator, event=idea, metrics={}, rank=2, seed=5)
        assert made["grants"][0]["contents"]["entries"] == _rolled(5)
        assert (await _preview(operator, event=idea, metrics={}, rank=3))["grants"] == []
        assert await operator.refused("events.get", eventKey="idea") == ("not_found", 404)
        changed = await _preview(operator, event={**RACE, "metrics": [{"key": "goals"}]}, metrics={"goals": 1})
        assert changed["metrics"] == {"goals": 1}
        assert (await _preview(operator, eventKey="race", metrics={}))["metrics"] == {"laps": 0}


async def test_the_client_and_the_embedding_game_ask_the_same_r46(codec: Any) -> None:
    async with serving(GAME) as server, connect(server.url, role="operator", codec=codec) as client:
        made = await client.operator.preview(CHEST, {"laps": 3}, rank=2, winner_count=2, seed=9)
        assert made == await client.operator.preview("chest", {"laps": 3}, seed=9)
        assert made["grants"][0]["contents"]["entries"] == _rolled(9)
        assert made == await server.game.operator.preview("chest", {"laps": 3}, seed=9)


# -- what is refused


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"eventKey": "race", "metrics": {"lap": 3}}, "invalid_metric", "metrics.lap"),
        ({"eventKey": "race", "metrics": {"laps": -1}}, "validation_failed", "metrics.laps"),
        ({"eventKey": "race", "metrics": {"laps": True}}, "validation_failed", "metrics.laps"),
        ({"eventKey": "race", "metrics": {"laps": 2**53}}, "validation_failed", "metrics.laps"),
        ({"eventKey": "race", "metrics": [1]}, "validation_failed", "metrics"),
        ({"eventKey": "race"}, "validation_failed", "metrics"),
        ({"metrics": {}}, "validation_failed", "eventKey"),
        ({"eventKey": "race", "event": RACE, "metrics": {}}, "validation_failed", "event"),
        ({"eventKey": "race", "metrics": {}, "rank": 0}, "validation_failed", "rank"),
        ({"eventKey": "race", "metrics": {}, "rank": 1.5}, "validation_failed", "rank"),
        ({"eventKey": "race", "metrics": {}, "winnerCount": 0}, "validation_failed", "winnerCount"),
        ({"eventKey": "race", "metrics": {}, "seed": -1}, "validation_failed", "seed"),
        ({"eventKey": "race", "metrics": {}, "seed": "x"}, "validation_failed", "seed"),
        ({"eventKey": "race", "metrics": {}, "players": 5}, "validation_failed", "players"),
    ],
    ids=str,
)
async def test_what_is_asked_badly_is_refused_with_its_path(codec: str, fields: Map, code: str, path: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        error = await operator.error("events.preview", **fields)
        assert (error["code"], error["details"]["path"]) == (code, path)


async def test_a_definition_with_faults_is_refused_with_all_of_them_r3(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        faulty = {**CHEST, "rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "gone"}}, "x": 1}
        error = await operator.error("events.preview", event=faulty, metrics={})
        assert (error["code"], error["status"]) == ("validation_failed", 400)
        paths = [fault["path"] for fault in error["details"]["faults"]]
        assert paths == ["rewardPolicy.parameters.rewardBundleId", "x"]


async def test_only_operators_may_ask(codec: str) -> None:
    asked: Map = {"eventKey": "race", "metrics": {}}
    async with serving(GAME) as server:
        async with server.peer("ann", codec=codec) as ann:
            assert await ann.refused("events.preview", **asked) == ("forbidden", 403)
        async with server.peer(role="server", codec=codec) as backend:
            assert await backend.refused("events.preview", **asked) == ("forbidden", 403)
        async with server.peer(role="operator", codec=codec) as operator:
            assert await operator.refused("events.preview", **{**asked, "eventKey": "gone"}) == ("not_found", 404)


# -- nothing is written


def _rows(path: Path) -> Mapping[str, int]:
    """How many rows each table of the database has."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}


def _files(folder: Path) -> Mapping[str, bytes]:
    """Every file of the database, but for the one in which SQLite keeps who reads and writes."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


async def test_a_preview_writes_nothing_r46(tmp_path: Path) -> None:
    """Rows and bytes of the database are what they were, while ann plays the event that is asked for."""
    path = tmp_path / "game.db"
    playing = {**CHEST, "state": None, "rewardPolicy": RACE["rewardPolicy"], "milestoneRewards": []}
    game = {**GAME, "events": [ATTACK, {**playing, "antiCheat": None}, {**CHEST, "key": "idle"}]}
    async with (
        serving(game, store=f"sqlite:///{path}") as server,
        server.peer(role="operator") as operator,
        server.peer("ann") as ann,
    ):
        attempt = (await ann.ok("events.start", eventKey="chest"))["attempt"]
        await ann.ok("events.progress", attemptId=attempt["attemptId"], metrics={"laps": 1}, seq=1)
        assert (await ann.ok("boards.read", boardKey="weekly"))["self"] == {"rank": 1, "score": 1}
        board = await ann.ok("boards.read", leaderboardId=attempt["leaderboardId"])
        rows, files = _rows(path), _files(tmp_path)
        assert rows
        assert sum(rows.values()) > 0
        for key in ("chest", "idle", "attack"):
            metrics = {"points": 9} if key == "attack" else {"laps": 9}
            for seed in range(5):
                await _preview(operator, eventKey=key, metrics=metrics, seed=seed, rank=1, winnerCount=2)
        for metrics in ({"laps": 3}, {}, {"laps": 2**53 - 1}):
            await _preview(operator, event=CHEST, metrics=metrics)
        await operator.error("events.preview", event={**CHEST, "key": "bad", "x": 1}, metrics={})
        await operator.error("events.preview", eventKey="chest", metrics={"goals": 1})
        assert (_rows(path), _files(tmp_path)) == (rows, files)
        assert await ann.ok("boards.read", leaderboardId=attempt["leaderboardId"]) == board
        assert (await ann.ok("wallet.get"))["balances"] == [{"key": k, "balance": 0} for k in ("cash", "gems")]
        assert (await ann.ok("grants.list"))["grants"] == []


# -- what is foretold is what is paid

PAYOUT = [{**CASH, "amount": 50}, {"type": "crate", "crateItemKey": "wooden", "quantity": 2}]
MILESTONES = [
    {"key": "one", "metricKey": "laps", "threshold": 1, "entries": [{**CASH, "amount": 1}]},
    {"key": "three", "metricKey": "laps", "threshold": 3, "rewardBundleId": "payout"},
]
TIERS = [{"fromRank": 1, "toRank": 1, "rewardBundleId": "payout"}, {"fromRank": 3, "rewardBundleId": "lucky"}]
POLICIES: list[tuple[Map, Map]] = [
    ({"type": "none"}, {}),
    ({"type": "fixed_bundle", "parameters": {"rewardBundleId": "payout"}}, {}),
    ({"type": "rank_scaled", "parameters": {"tiers": TIERS}}, {}),
    ({"type": "rank_scaled", "parameters": {"tiers": TIERS}}, {"leaderboard": {"sort": "asc"}}),
    ({"type": "rank_scaled", "parameters": {"tiers": TIERS}}, {"leaderboard": {"mode": "none"}}),
    (RACE["rewardPolicy"], {}),
    (
        {
            "type": "shared_pool",
            "parameters": {
                **RACE["rewardPolicy"]["parameters"],
                "winnerPredicate": {"type": "rank_at_most", "rank": 1},
            },
        },
        {},
    ),
]


@pytest.mark.parametrize(("policy", "more"), POLICIES, ids=str)
@pytest.mark.parametrize("laps", [0.5, 4])
async def test_what_a_preview_foretells_is_what_is_paid_r46(codec: str, policy: Map, more: Map, laps: float) -> None:
    event = {**RACE, "rewardPolicy": policy, "milestoneRewards": MILESTONES, **more}
    game = {**GAME, "events": [event], "bundles": [*GAME["bundles"], {"key": "payout", "entries": PAYOUT}]}
    async with serving(game) as server, server.peer(role="operator", codec=codec) as operator:
        foretold = await _preview(operator, eventKey="race", metrics={"laps": laps})
        async with server.peer("ann", codec=codec) as ann:
            attempt = (await ann.ok("events.start", eventKey="race"))["attempt"]
            written = await ann.ok("events.progress", attemptId=attempt["attemptId"], metrics={"laps": laps}, seq=1)
            await operator.ok("events.finalize", eventKey="race")
            grants = (await ann.ok("grants.list"))["grants"]
        assert (written["score"], written["metrics"]) == (foretold["score"], foretold["metrics"])
        assert (written["status"] == "completed") == foretold["completed"]
        assert [one["key"] for one in written["milestonesFired"]] == [one["key"] for one in foretold["milestones"]]
        by_policy = [grant for grant in grants if grant["sourceKind"] != "event_milestone"]
        assert _told(by_policy) == _told(foretold["grants"])
        of_milestones = [entry for one in foretold["milestones"] for entry in one["entries"]]
        rewards = [grant for grant in grants if grant["sourceKind"] == "event_milestone" and grant["kind"] == "reward"]
        assert sorted(entry["amount"] for grant in rewards for entry in grant["contents"]["entries"]) == sorted(
            entry["amount"] for entry in of_milestones if entry["type"] == "currency"
        )
        crates = sum(grant["kind"] == "crate" for grant in grants) - sum(one["kind"] == "crate" for one in by_policy)
        assert crates == sum(entry["quantity"] for entry in of_milestones if entry["type"] == "crate")


def _told(grants: list[Map]) -> list[str]:
    return sorted(f"{grant['kind']} {grant['sourceKind']} {grant['contents']}" for grant in grants)
