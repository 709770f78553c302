"""How long a simulated day of 50 seats takes, by who sits in them: `python -m benchmarks.figures.simulated`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

from kraty_actors.definitions import load_game
from kraty_actors.simulation.run import play
from kraty_actors.simulation.scenario import Population, Scenario

SEATS = 50
RUNS = 5
DAY = {"mode": "fixed", "startsAt": "2026-06-01T00:00:00Z", "endsAt": "2026-06-02T00:00:00Z"}
BLOCKS: dict[str, dict[str, Any]] = {
    "random_step_with_fall": {},
    "progress_linear": {"durationSeconds": 40_000},
    "match_player_pace": {"jitter": 0.2},
}


def measure_simulated(behaviour: str = "hardcore") -> Iterator[tuple[str, float, int]]:
    """For each mixture of players and bots, what it is, seconds of the median run, and its writes."""
    for bots in (0, 25, 49):
        for name, params in BLOCKS.items() if bots else [("no", {})]:
            scenario = _day(bots, {"block": name, "params": params}, behaviour)
            taken, writes = [], 0
            for run in range(RUNS):
                begun = time.perf_counter()
                writes = play(scenario, run).writes
                taken.append(time.perf_counter() - begun)
            yield f"a day of {SEATS} seats, {bots} of them {name} bots", statistics.median(taken), writes


def _day(bots: int, behaviour: dict[str, Any], players: str) -> Scenario:
    event = {
        "key": "day",
        "availability": DAY,
        "metrics": [{"key": "points", "target": 400}],
        "leaderboard": {"mode": "lobby_matched", "capacity": SEATS, "fillTimeoutSeconds": 80_000},
        "botBindings": [{"botId": "bot", "count": bots}] if bots else [],
        "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 1000, "currencyKey": "cash"}},
    }
    definition = {
        "gameId": "figures",
        "currencies": [{"key": "cash"}],
        "bots": [] if behaviour["block"] == "no" else [{"key": "bot", "behaviour": behaviour}],
        "events": [event],
    }
    game = load_game(definition).game
    return Scenario(game, game.events[0], Population(SEATS - bots, players))


def main() -> None:
    """Print what came of it."""
    for what, seconds, writes in measure_simulated():
        print(f"{what}: {seconds:.3f} s, {writes:,} writes")


if __name__ == "__main__":
    main()
