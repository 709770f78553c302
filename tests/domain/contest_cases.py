"""The contests that the machine plays: metrics, bots, prizes and leagues in every combination."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from playing import cash

PLAYERS = (1, 2, 3)
SHARED = ("sum desc never", "best desc daily", "latest desc weekly", "best asc never", "sum asc daily")
METRICS: dict[str, list[dict[str, Any]]] = {
    "streak": [
        {"key": "streak", "target": 3, "capAtTarget": True, "resetOn": {"metricKey": "losses"}, "scorePerUnit": 1},
        {"key": "losses", "scorePerUnit": 0},
    ],
    "penalties": [{"key": "points", "scorePerUnit": 2}, {"key": "errors", "scorePerUnit": -1.5}],
    "two targets": [{"key": "a", "target": 2, "scorePerUnit": 1}, {"key": "b", "target": 4, "scorePerUnit": 0.5}],
}
BOTS: dict[str, dict[str, Any]] = {
    "climber": {"block": "random_step_with_fall", "params": {"target": 3}},
    "pacer": {"block": "progress_linear", "params": {"targetScore": 9, "durationSeconds": 60, "jitter": 0.5}},
    "late": {"block": "complete_at", "params": {"seconds": 20, "score": 2}},
    "hunter": {"block": "match_player_pace", "params": {"ratio": 0.5}},
    "shadow": {"block": "track_position", "params": {"targetRank": 1, "offset": -1, "maxStep": 1}},
    "quitter": {"type": "sequence", "steps": [{"block": "wait", "params": {"seconds": 15}}, {"block": "quit"}]},
    "runner": {
        "type": "sequence",
        "steps": [
            {
                "block": "progress_burst",
                "params": {"targetScore": 6, "durationSeconds": 40, "burstSeconds": 10, "before": 0.25},
            },
            {"block": "complete"},
        ],
    },
    "moody": {
        "type": "state_machine",
        "initial": "waits",
        "states": {
            "waits": {"block": "idle", "transitions": [{"when": {"expr": "leaderScore > 2"}, "to": "climbs"}]},
            "climbs": {
                "block": "random_step_with_fall",
                "params": {"target": 5, "fallChance": 0.25},
                "transitions": [
                    {"when": {"expr": "rank == 1 or remainingSeconds < 20"}, "to": "ends"},
                    {"when": {"expr": "stateSeconds >= 30"}, "to": "waits"},
                ],
            },
            "ends": {"block": "complete"},
        },
    },
}
PREDICATES: dict[str, Any] = {
    "completed": ({"type": "completed"}, lambda capped, done, rank: done),
    "enough": (
        {"type": "metric_at_least", "metricKey": None, "threshold": 2},
        lambda capped, done, rank: next(iter(capped.values())) >= 2,
    ),
    "top": ({"type": "rank_at_most", "rank": 2}, lambda capped, done, rank: rank is not None and rank <= 2),
}

LEAGUES = ["bronze", "silver", "gold"]
TIERS = {"tiers": [(1, 1, 9), (3, 4, 4)], "low tiers": [(2, None, 3)]}
"""From which rank to which so much cash is paid."""
MILESTONES = {
    "none": [],
    "steps": [(0, 2, 2, "attempt"), (0, 1, 1, "window"), (1, 2, 4, "attempt"), (0, 4, 7, "attempt")],
    "once": [(0, 1, 3, "window"), (0, 2.5, 5, "window")],
}
"""Of which metric at which threshold so much cash is paid, and how often."""
GUARDS = {
    "none": ([], [(2, "flag")]),
    "flags": ([(1, "flag"), (0.5, "flag")], []),
    "rejects": ([(1, "flag"), (2, "reject"), (0.5, "flag")], [(0.5, "flag"), (1.5, "reject")]),
}
"""By how much the first metric may rise in one write, by the first revision and by the second."""

places = st.none() | st.fixed_dictionaries({"places": st.integers(1, 3)})
leagues = st.fixed_dictionaries(
    {"mode": st.just("segmented"), "leagues": st.just(LEAGUES), "promotion": places, "relegation": places}
)
boards = st.one_of(
    st.just({"mode": "global"}), st.just({"mode": "global"}), leagues, leagues, st.just({"mode": "none"})
)
policies = st.sampled_from([*PREDICATES, *PREDICATES, *TIERS, "bundle", "bundle", "nothing"])
aggregations = st.sampled_from(["best", "sum", "latest"])
sorts = st.sampled_from(["desc", "desc", "asc"])
teams = st.lists(st.sampled_from(sorted(BOTS)), max_size=4) | st.lists(st.just("climber"), max_size=4)
bodies = st.dictionaries(st.sampled_from([0, 0, 0, 1]), st.sampled_from([0, 1, 1, 2, 3, 0.5]), min_size=1)
modes = st.sampled_from(["increment", "increment", "set"])
identities = st.sampled_from(["none", "next", "next", "gap", "k1", "k2"])
writes = st.tuples(st.integers(0, 5), bodies, modes, identities)
seconds = st.sampled_from([1, 1, 4, 7, 31, 61, 700])
shared = st.lists(st.sampled_from(SHARED).map(lambda key: [key, 1]), max_size=3, unique_by=lambda one: one[0])


def definition(
    metrics: str, board: dict[str, Any], duration: int | None, policy: str, milestones: str, team: list[str]
) -> dict[str, Any]:
    """An event's JSON, but for its validators."""
    keys = [metric["key"] for metric in METRICS[metrics]]
    return {
        "metrics": METRICS[metrics],
        "leaderboard": board,
        "attempt": {"durationSeconds": duration, "replayableDuringWindow": True},
        "rewardPolicy": _policy(policy, keys[0]),
        "milestoneRewards": [
            {"key": f"m{n}", "metricKey": keys[at], "threshold": threshold, "entries": [cash(amount)], "once": once}
            for n, (at, threshold, amount, once) in enumerate(MILESTONES[milestones])
        ],
        "botBindings": [{"botId": bot} for bot in team],
    }


def guarded(made: dict[str, Any], limits: list[tuple[float, str]]) -> dict[str, Any]:
    """The same event with these validators."""
    key = made["metrics"][0]["key"]
    validators = [
        {"key": "max_metric_jump", "params": {"metricKey": key, "maxDelta": most, "verdict": verdict}}
        for most, verdict in limits
    ]
    return {**made, "antiCheat": {"validators": validators}}


def _policy(name: str, key: str) -> dict[str, Any]:
    if name in PREDICATES:
        wins, _ = PREDICATES[name]
        wins = {**wins, "metricKey": key} if "metricKey" in wins else wins
        return {"type": "shared_pool", "parameters": {"pool": 10, "currencyKey": "cash", "winnerPredicate": wins}}
    if name in TIERS:
        tiers = [{"fromRank": f, "toRank": to, "rewardBundleId": f"pays_{n}"} for f, to, n in TIERS[name]]
        return {"type": "rank_scaled", "parameters": {"tiers": tiers}}
    if name == "bundle":
        return {"type": "fixed_bundle", "parameters": {"rewardBundleId": "pays_5"}}
    return {"type": "none"}
