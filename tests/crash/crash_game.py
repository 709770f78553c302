"""The game that is played while its server is being killed: windows that open and close all the time."""

from __future__ import annotations

from typing import Any

from kraty_protocol.shapes import iso

Map = dict[str, Any]

SPRINTS = 20
SPRINT_MS = 4_000
SPRINT_EVERY_MS = 3_000
"""Fixed windows, a second of overlap between each and the next."""

TARGET = 5
POOL = 10_000

STREAK = [
    {"key": "streak", "target": TARGET, "resetOn": {"metricKey": "losses"}},
    {"key": "losses"},
]
REACHED_TARGET = {"type": "metric_at_least", "metricKey": "streak", "threshold": TARGET}


def shared_pool(predicate: Map) -> Map:
    parameters = {"pool": POOL, "currencyKey": "cash", "winnerPredicate": predicate}
    return {"type": "shared_pool", "parameters": parameters}


def lobby_event(key: str, human_seats: int, **fields: Any) -> Map:
    """Lobbies of 50, as in the worked example: all seats but these are the bots'."""
    return {
        "key": key,
        "leaderboard": {"mode": "lobby_matched", "capacity": 50, "fillTimeoutSeconds": 1},
        "metrics": STREAK,
        "rewardPolicy": shared_pool(REACHED_TARGET),
        "botBindings": [{"botId": "climber", "count": 50 - human_seats}],
        **fields,
    }


def sprint_key(number: int) -> str:
    return f"sprint_{number}"


def sprint(number: int, starts_at: int) -> Map:
    """A window of its own, which ends by the clock; whoever has completed it may not enter again."""
    key = sprint_key(number)
    entered = {"type": "completed_event_at_least_once", "eventKey": key, "within": "current_window"}
    availability = {"mode": "fixed", "startsAt": iso(starts_at), "endsAt": iso(starts_at + SPRINT_MS)}
    attempt = {"replayableDuringWindow": True}
    entry = {"type": "not", "condition": entered}
    human_seats = 1 + number % 3
    return lobby_event(key, human_seats, availability=availability, attempt=attempt, entryRequirement=entry)


def season_best(ends_at: int) -> Map:
    """A shared board whose season ends at `ends_at` (ms): putting it again and again makes it roll over."""
    return {"key": "season_best", "resetCadence": "season", "seasonEndsAt": iso(ends_at)}


def crash_game(begins_at: int) -> Map:
    """Two events that an operator closes again and again, and a row of short windows from `begins_at` (ms) on."""
    replayable = {"replayableDuringWindow": True}
    three_best = {"type": "all", "conditions": [{"type": "rank_at_most", "rank": 3}, {"type": "completed"}]}
    trail = lobby_event("trail", 1, attempt={**replayable, "durationSeconds": 3})
    attack = {"key": "attack", "attempt": replayable, "metrics": [{"key": "points"}]}
    attack["rewardPolicy"] = shared_pool(three_best)
    attack["contributesTo"] = ["total", "season_best"]
    sprints = [sprint(number, begins_at + number * SPRINT_EVERY_MS) for number in range(SPRINTS)]
    return {
        "gameId": "crash",
        "settings": {"seed": 20},
        "currencies": [{"key": "cash"}],
        "bots": [{"key": "climber", "behaviour": {"type": "single", "block": "random_step_with_fall"}}],
        "leaderboards": [{"key": "total", "scoreAggregation": "sum"}, season_best(begins_at)],
        "events": [trail, attack, *sprints],
    }
