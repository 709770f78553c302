"""A game in which everything costs or pays something: what its rewards and prices come to, worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Map = dict[str, Any]
Delta = tuple[str, str, int]
"""A currency or an item, its key, and how much is added."""

PLAYERS = ("ann", "bob", "cat")
EVENTS = ("hunt", "arena", "duel", "attack", "solo")
TARGET = 3
POOL = 90
CAPACITY = 2
FILL_SECONDS = 10
TTL_DAYS = 2

CASH: Map = {"type": "currency", "currencyKey": "cash"}
ARROW: Map = {"type": "item", "itemKey": "arrow", "quantity": 1}
BOX: Map = {"type": "crate", "crateItemKey": "box", "quantity": 1}

BUNDLES: Mapping[str, Sequence[Map]] = {
    "loot": [{**CASH, "amount": 40}, BOX],
    "gold": [{**CASH, "amount": 100}, BOX],
    "silver": [{**CASH, "amount": 7}],
    "in_the_box": [{**CASH, "amount": {"min": 10, "max": 20}}, ARROW],
}
MILESTONES: Sequence[Map] = [
    {"key": "one", "metricKey": "kills", "threshold": 1, "entries": [{**CASH, "amount": 5}]},
    {"key": "two", "metricKey": "kills", "threshold": 2, "once": "window", "entries": [ARROW]},
]
COSTS: Mapping[str, Sequence[Delta]] = {
    "hunt": [("currency", "cash", -50), ("item", "arrow", -1)],
    "arena": [("currency", "cash", -20)],
    "duel": [("currency", "cash", -30)],
    "solo": [("item", "arrow", -1)],
    "attack": [],
}
PAYS_EACH_ATTEMPT = {"arena"}
"""Where a replay costs again; elsewhere a player pays once for a window (R-21)."""

WITH_MILESTONES = {"hunt", "arena"}
WITH_LOOT = {"hunt", "arena", "solo"}
"""Where each completed attempt is paid at once (R-42)."""

KILLS: Map = {"key": "kills", "resetOn": {"metricKey": "deaths"}}

GIFTS: Sequence[Sequence[Map]] = [
    [{**CASH, "amount": 60}],
    [{**CASH, "amount": 1}, {"type": "item", "itemKey": "arrow", "quantity": 2}, BOX],
]
ADJUSTMENTS: Sequence[Delta] = [
    ("currency", "cash", 120),
    ("currency", "cash", 45),
    ("currency", "cash", -70),
    ("item", "arrow", 3),
    ("item", "arrow", -1),
]


def cost(event: str) -> Map:
    costs = COSTS[event]
    charge_per = "attempt" if event in PAYS_EACH_ATTEMPT else "window"
    return {
        "currencies": [{"key": key, "amount": -n} for kind, key, n in costs if kind == "currency"],
        "items": [{"key": key, "quantity": -n} for kind, key, n in costs if kind == "item"],
        "chargePer": charge_per,
    }


def event(key: str, **fields: Any) -> Map:
    played = {"attempt": {"replayableDuringWindow": True}, "metrics": [{**KILLS, "target": TARGET}, {"key": "deaths"}]}
    priced = {"entryCost": cost(key)} if COSTS[key] else {}
    milestones = {"milestoneRewards": list(MILESTONES)} if key in WITH_MILESTONES else {}
    loot = {"rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "loot"}}}
    return {"key": key, **played, **priced, **milestones, **(loot if key in WITH_LOOT else {}), **fields}


def money_game(*, delivery: str) -> Map:
    """The game, with grants that are credited at once (`auto`) or wait to be claimed (`claim`)."""
    tiers = [
        {"fromRank": 1, "toRank": 1, "rewardBundleId": "gold"},
        {"fromRank": 2, "toRank": None, "rewardBundleId": "silver"},
    ]
    lobbies = {"mode": "lobby_matched", "capacity": CAPACITY, "fillTimeoutSeconds": FILL_SECONDS}
    return {
        "gameId": "money",
        "settings": {"seed": 5, "grants": {"delivery": delivery, "ttlDays": TTL_DAYS}},
        "currencies": [{"key": "cash"}],
        "items": [{"key": "arrow"}, {"key": "box", "crateBundleId": "in_the_box"}],
        "bundles": [{"key": key, "entries": list(entries)} for key, entries in BUNDLES.items()],
        "events": [
            event("hunt"),
            event("arena"),
            event(
                "duel",
                leaderboard=lobbies,
                rewardPolicy={"type": "shared_pool", "parameters": {"pool": POOL, "currencyKey": "cash"}},
            ),
            event(
                "attack",
                metrics=[KILLS, {"key": "deaths"}],
                rewardPolicy={"type": "rank_scaled", "parameters": {"tiers": tiers}},
            ),
            event(
                "solo",
                availability={"mode": "personal", "durationSeconds": 7200, "repeat": True},
                leaderboard={"mode": "none"},
            ),
        ],
    }


def credits_of(entries: Sequence[Map]) -> list[Delta]:
    """What contents of a grant add when they are claimed; crates are opened instead."""
    found: list[Delta] = []
    for entry in entries:
        if entry["type"] == "currency":
            found.append(("currency", entry["currencyKey"], entry["amount"]))
        elif entry["type"] == "item":
            found.append(("item", entry["itemKey"], entry["quantity"]))
    return found
