"""A simulated window is the window that the real game would have played (R-47): every input of a simulated one, given
to a game of its own at the same instants of virtual time, comes to the same boards, grants and remainder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
import trio
import trio.testing
from scenes import CASH, POOL, game, scenario

from kraty_actors import LoopClock, Refused, open_game
from kraty_actors.actors.records import unpack
from kraty_actors.domain.contest_messages import Finish, Write
from kraty_actors.domain.ids import attempt_id, window_id
from kraty_actors.domain.outcome import Command
from kraty_actors.domain.window_messages import Admit
from kraty_actors.simulation import run as simulation_run
from kraty_actors.simulation.run import Run, play
from kraty_actors.simulation.scenario import Scenario
from kraty_actors.simulation.stage import Stage
from kraty_persistence import MemoryStore

PLAYERS = 9
SEED = 5
RANKED = {
    "type": "rank_scaled",
    "parameters": {
        "tiers": [
            {"fromRank": 1, "toRank": 3, "rewardBundleId": "lucky"},
            {"fromRank": 4, "toRank": 8, "rewardBundleId": "prize"},
        ]
    },
}
BOTS = [{"botId": "climber", "count": 2}, {"botId": "pacer", "count": 2}, {"botId": "hunter", "count": 1}]
STREAK = [{"key": "streak", "target": 4, "capAtTarget": True, "resetOn": {"metricKey": "losses"}}, {"key": "losses"}]
MILESTONE = {"key": "two", "metricKey": "streak", "threshold": 2, "rewardBundleId": "lucky", "once": "window"}
CASH_9 = [{**CASH, "amount": 9}]
EVENTS: dict[str, dict[str, Any]] = {
    "one board, a pool, bots of every kind": {"rewardPolicy": POOL, "botBindings": BOTS},
    "lobbies that wait, a pool for each": {
        "leaderboard": {"mode": "lobby_matched", "capacity": 5, "fillTimeoutSeconds": 1200},
        "botBindings": BOTS[:1],
        "rewardPolicy": {"type": "shared_pool", "parameters": {**POOL["parameters"], "scope": "board"}},  # type: ignore[dict-item]
    },
    "lobbies filled with bots": {
        "leaderboard": {"mode": "lobby_matched", "capacity": 8, "fillStrategy": "fill_with_bots"},
        "botBindings": BOTS,
        "rewardPolicy": RANKED,
    },
    "cohorts, ranks, crates, a price and milestones": {
        "leaderboard": {"mode": "grouped", "capacity": 9},
        "botBindings": BOTS,
        "metrics": STREAK,
        "rewardPolicy": RANKED,
        "milestoneRewards": [MILESTONE],
        "entryCost": {"currencies": [{"key": "gems", "amount": 20}], "chargePer": "attempt"},
        "attempt": {"replayableDuringWindow": True, "durationSeconds": 20_000, "maxAttempts": 2},
    },
    "a score attack in leagues, guarded": {
        "leaderboard": {"mode": "segmented", "capacity": 10, "scoreAggregation": "sum"},
        "metrics": [{"key": "points"}],
        "botBindings": BOTS[1:],
        "attempt": {"replayableDuringWindow": True},
        "antiCheat": {
            "validators": [
                {"key": "max_metric_jump", "params": {"metricKey": "points", "maxDelta": 90, "verdict": "reject"}}
            ]
        },
        "rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "lucky"}},
        "milestoneRewards": [{"key": "far", "metricKey": "points", "threshold": 500, "entries": CASH_9}],
    },
}


@dataclass
class Told:
    """One input of a player, at an instant in ms."""

    at: int
    to: str
    command: Command


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Told]:
    """What players do in the simulations of this test."""
    told: list[Told] = []

    class Recording(Stage):
        def call(self, to: str, command: Command) -> object:
            if isinstance(command, Admit | Write | Finish):
                told.append(Told(self.now, to, command))
            return super().call(to, command)

    monkeypatch.setattr(simulation_run, "Stage", Recording)
    return told


async def _tell(running: Any, one: Told) -> None:
    command = one.command
    try:
        match command:
            case Admit():
                await running.start(f"p{command.player}", "race")
            case Write():
                name = attempt_id(one.to, command.serial)
                await running.progress_attempt(
                    f"p{command.player}", name, command.metrics, mode=command.mode, seq=command.identity
                )
            case Finish():
                await running.finish(f"p{command.player}", attempt_id(one.to, command.serial))
    except Refused:
        pass


async def _played(definition: dict[str, Any], made: Scenario, told: list[Told]) -> tuple[Any, ...]:
    store = MemoryStore()
    begins_at = made.span.starts_at
    clock = LoopClock(begins_at - 1000)
    async with open_game(definition, store=store, clock=clock) as running:
        numbers = [(await running.engine.players.resolve(f"p{n}")).number for n in range(1, PLAYERS + 1)]
        assert numbers == [*range(1, PLAYERS + 1)]
        for number in numbers:
            for key in ("cash", "gems"):
                await running.server.credit(f"p{number}", key, 10**6, reason="purse", idempotency_key=key)
        for one in told:
            await anyio.sleep((one.at - clock.now_ms()) / 1000)
            await _tell(running, one)
        await anyio.sleep((made.ends_at - clock.now_ms()) / 1000 + 1)
        window = window_id("race", begins_at)
        report = await running.report(window)
        boards = []
        for number in range(1, 100):
            try:
                boards.append(await running.board(f"{window}.{number}", limit=200))
            except Refused:
                break
        grants = [row for number in numbers for row in (await running.engine.money.grants(number, limit=200))[0]]
        gems = sum([10**6 - (await running.wallet(f"p{number}"))["gems"] for number in numbers])
        return report, boards, grants, gems


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("behaviour", ["mixed", "streaky"])
def test_it_is_the_real_game_r47(name: str, behaviour: str, recorded: list[Told]):
    made = scenario(PLAYERS, behaviour, seed=1, **EVENTS[name])
    run: Run = play(made, seed=SEED, window_id=window_id("race", made.span.starts_at))
    assert len(recorded) > 20
    assert run.boards
    assert run.pays

    async def main() -> tuple[Any, ...]:
        return await _played(game(**EVENTS[name]), made, recorded)

    report, boards, grants, gems = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert (report.participants, report.winners, report.remainder) == (run.participants, run.winners, run.remainder)
    assert report.paid == _paid_at_the_end(run)
    assert [_rows(board) for board in boards] == [[(p.rank, p.is_bot, p.score) for p in b.places] for b in run.boards]
    assert _names_of_bots(boards) == [[p.name for p in b.places if p.is_bot] for b in run.boards]
    assert sorted(
        (row.id, row.player, row.kind, row.created_at, str(unpack(row.contents))) for row in grants
    ) == sorted((pay.grant_id, pay.player, pay.kind, pay.at, str(list(pay.entries))) for pay in run.pays)
    assert gems == run.income["currency", "gems"]


def _rows(board: Any) -> list[tuple[int, bool, float]]:
    return [(entry["rank"], entry["kind"] == "bot", entry["score"]) for entry in board["entries"]]


def _names_of_bots(boards: list[Any]) -> list[list[str]]:
    return [[entry["name"] for entry in board["entries"] if entry["kind"] == "bot"] for board in boards]


def _paid_at_the_end(run: Run) -> dict[str, int]:
    paid: Counter[str] = Counter()
    for pay in run.pays:
        if pay.source_kind == "event_window":
            paid.update({one["currencyKey"]: one["amount"] for one in pay.entries if one["type"] == "currency"})
    return paid
