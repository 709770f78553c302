"""The games that the real server is measured with."""

from __future__ import annotations

from typing import Any

FREEZING_TARGET = 5
ENDLESS_TARGET = 10**9
EXPRESSION, POINTS = "streak * 10 - losses", 10
"""A score by expression, and what one write of 1 adds to it."""


def global_game() -> dict[str, Any]:
    """A score attack on one board for everyone: no metric has a target, so no attempt completes."""
    return _game({"mode": "global"})


def expression_game() -> dict[str, Any]:
    """The same with a score by expression."""
    game = global_game()
    game["events"][0]["scoreFormula"] = {"type": "expression", "expression": EXPRESSION}
    return game


def guarded_game() -> dict[str, Any]:
    """The same, and every write is looked at by the three validators, none of which objects."""
    game = global_game()
    metric = {"metricKey": "streak"}
    game["events"][0]["antiCheat"] = {
        "validators": [
            {"key": "max_metric_rate", "params": {**metric, "maxPerSecond": ENDLESS_TARGET}},
            {"key": "max_metric_jump", "params": {**metric, "maxDelta": ENDLESS_TARGET, "maxRatio": ENDLESS_TARGET}},
            {"key": "min_attempt_duration", "params": {**metric, "minSeconds": 1, "target": ENDLESS_TARGET}},
        ]
    }
    return game


def contributing_game(boards: int = 5) -> dict[str, Any]:
    """The same, and every write counts for so many shared boards as well."""
    game = global_game()
    keys = [f"board{number}" for number in range(boards)]
    game["events"][0]["contributesTo"] = keys
    ways = ["best", "sum", "latest"]
    cadences = ["never", "daily", "weekly", "monthly"]
    boards_of = [
        {"key": key, "scoreAggregation": ways[at % 3], "resetCadence": cadences[at % 4]} for at, key in enumerate(keys)
    ]
    return {**game, "leaderboards": boards_of}


def lobby_game(bot_target: int) -> dict[str, Any]:
    """Every player in a lobby of 50 with 49 bots, which freeze once they reach `bot_target`."""
    climber = {"block": "random_step_with_fall", "params": {"target": bot_target}}
    return _game({"mode": "lobby_matched", "capacity": 50}) | {
        "bots": [{"key": "climber", "behaviour": {"type": "single", **climber}}]
    }


def _game(leaderboard: dict[str, Any]) -> dict[str, Any]:
    bindings = [{"botId": "climber", "count": 49}] if leaderboard["mode"] == "lobby_matched" else []
    return {
        "gameId": "benchmark",
        "settings": {"seed": 1, "limits": {"requestsPerSecond": 1_000_000, "burst": 1_000_000}},
        "events": [
            {
                "key": "climb",
                "availability": {"mode": "always"},
                "attempt": {"replayableDuringWindow": True},
                "metrics": [{"key": "streak", "resetOn": {"metricKey": "losses"}}, {"key": "losses"}],
                "leaderboard": leaderboard,
                "botBindings": bindings,
            }
        ],
    }
