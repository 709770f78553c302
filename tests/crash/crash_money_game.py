"""The paid game whose server is being killed: prices, milestones, crates, and cups that a crowd plays for ranks."""

from __future__ import annotations

from typing import Any

Map = dict[str, Any]

CASH: Map = {"type": "currency", "currencyKey": "cash"}
BOX: Map = {"type": "crate", "crateItemKey": "box"}

COSTS: dict[str, list[tuple[str, int]]] = {"hunt": [("cash", -50), ("bullet", -1)], "arena": [("cash", -10)]}
TARGETS = {"hunt": 5, "arena": 2}
MILESTONES: dict[str, list[tuple[str, int, int]]] = {"hunt": [("one", 1, 5), ("three", 3, 7)], "arena": []}
"""Key, threshold, and how much cash: the second once a window."""
LOOT = {"hunt": 40, "arena": 3}
"""Cash for each attempt that is completed; a hunt's comes with a crate."""

IN_THE_BOX = range(10, 31)
TIERS = [(1, 1, 100), (2, 20, 10), (21, None, 1)]
"""From which rank to which, and how much cash; the first comes with a crate."""

CROWD = 250
"""Players of a cup: they are paid in three steps."""

TOP_UP = 120
BULLETS = 2


def prize(rank: int) -> int:
    return next(cash for first, last, cash in TIERS if first <= rank and (last is None or rank <= last))


def paid_event(key: str, charge_per: str) -> Map:
    milestones = [
        {"key": name, "metricKey": "kills", "threshold": at, "entries": [{**CASH, "amount": cash}], "once": once}
        for (name, at, cash), once in zip(MILESTONES[key], ("attempt", "window"), strict=False)
    ]
    currencies = [{"key": what, "amount": -n} for what, n in COSTS[key] if what == "cash"]
    items = [{"key": what, "quantity": -n} for what, n in COSTS[key] if what != "cash"]
    return {
        "key": key,
        "attempt": {"replayableDuringWindow": True},
        "metrics": [{"key": "kills", "target": TARGETS[key]}],
        "entryCost": {"currencies": currencies, "items": items, "chargePer": charge_per},
        "milestoneRewards": milestones,
        "rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": f"{key}_loot"}},
    }


def money_crash_game() -> Map:
    box = {"min": IN_THE_BOX[0], "max": IN_THE_BOX[-1]}
    tiers = [{"fromRank": a, "toRank": b, "rewardBundleId": f"tier_{n}"} for n, (a, b, _) in enumerate(TIERS)]
    return {
        "gameId": "crash",
        "settings": {"seed": 20},
        "currencies": [{"key": "cash"}],
        "items": [{"key": "bullet"}, {"key": "box", "crateBundleId": "in_the_box"}],
        "bundles": [
            {"key": "in_the_box", "entries": [{**CASH, "amount": box}]},
            {"key": "hunt_loot", "entries": [{**CASH, "amount": LOOT["hunt"]}, BOX]},
            {"key": "arena_loot", "entries": [{**CASH, "amount": LOOT["arena"]}]},
            *(
                {"key": f"tier_{n}", "entries": [{**CASH, "amount": cash}, *[BOX] * (n == 0)]}
                for n, (_, _, cash) in enumerate(TIERS)
            ),
        ],
        "events": [
            paid_event("hunt", "window"),
            paid_event("arena", "attempt"),
            {
                "key": "cup",
                "metrics": [{"key": "points"}],
                "rewardPolicy": {"type": "rank_scaled", "parameters": {"tiers": tiers}},
            },
        ],
    }
