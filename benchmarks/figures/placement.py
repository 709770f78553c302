"""What a start costs in a window of a thousand players and in one of a million."""

from __future__ import annotations

import gc
import statistics
import time
from typing import Any

from kraty_actors.definitions import load_game
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.outcome import Outcome
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import Admit, OpenWindow

WINDOW = "waaaaaaaaaaaaaaaa"
MEASURED, ROUND = 20_000, 500
MODES: dict[str, dict[str, Any]] = {
    "global": {"mode": "global"},
    "grouped": {"mode": "grouped", "capacity": 50, "cohortBy": "country"},
    "segmented": {"mode": "segmented", "capacity": 100},
    "lobby_matched": {"mode": "lobby_matched", "capacity": 50},
    "matchBy": {
        "mode": "lobby_matched",
        "capacity": 10,
        "matchBy": {"attribute": "skill", "maxDifference": 50, "widenPerSecond": 5},
    },
}


def measure_placement(large: int, say: Any) -> dict[str, tuple[float, float]]:
    """For each mode the microseconds of one start with a thousand players and with `large`."""
    found = {}
    for name, leaderboard in MODES.items():
        say(f"placement: {name}")
        found[name] = _of(leaderboard, large)
    return found


def _of(leaderboard: dict[str, Any], large: int) -> tuple[float, float]:
    game = load_game(
        {"gameId": "figures", "events": [{"key": "e", "metrics": [{"key": "m"}], "leaderboard": leaderboard}]}
    )
    library = Library()
    library.add(Rules(1, game.game.events[0], [], [], None))
    window = Window(WINDOW, library)
    window.apply(OpenWindow("e", 1, 1, "UTC", 0, None, 30, "start_short"), 0)
    small = _admit(window, 0, 1_000, MEASURED)
    return small, _admit(window, 1_000 + MEASURED, large, MEASURED)


def _admit(window: Window, first: int, until: int, measured: int) -> float:
    for player in range(first, until):
        _start(window, player)
    gc.collect()
    gc.freeze()
    rounds = []
    for player in range(until, until + measured, ROUND):
        begun = time.process_time()
        for number in range(player, player + ROUND):
            _start(window, number)
        rounds.append((time.process_time() - begun) / ROUND * 1e6)
    return statistics.median(rounds)


def _start(window: Window, player: int) -> Outcome:
    return window.apply(Admit(player + 1, {}, 0, player * 7919 % 2_000, "gold" if player % 3 else None), player)
