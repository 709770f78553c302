"""Games drawn from a seed, of all that the auditor knows the rules of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from kraty_actors.testing.universe import NOON

MINUTE_MS = 60_000
SOON_MS = 10_000
PURSE = 1_000_000
"""What every player begins with of each currency: nobody runs short."""

CURRENCIES = ("coins", "gems")
BUNDLES = ("bundle0", "bundle1", "bundle2", "bundle3")


@dataclass(frozen=True, slots=True)
class World:
    """A game, when its windows are (start and end in ms, by event), and who plays it."""

    game: dict[str, Any]
    occurrences: Mapping[str, Sequence[tuple[int, int]]]
    players: Sequence[str]

    @property
    def ends_at(self) -> int:
        return max(end for windows in self.occurrences.values() for _, end in windows)

    def is_about(self, event: str, now: int) -> bool:
        """Whether a window of the event is open, opens soon, or was not long ago."""
        return any(start - SOON_MS <= now < end + SOON_MS for start, end in self.occurrences[event])


def draw_world(rng: Random) -> World:
    """A world of two to five events that share players, currencies and boards."""
    season = {"key": "season", "scoreAggregation": rng.choice(["best", "latest", "sum"]), "resetCadence": "never"}
    events: list[dict[str, Any]] = []
    occurrences = {}
    for number in range(rng.randrange(2, 6)):
        key = f"event{number}"
        availability, occurrences[key] = _times(rng)
        events.append({"key": key, "availability": availability, **_rules(rng)})
    game = {
        "gameId": "simulated",
        "settings": {"seed": rng.randrange(2**32), "lobby": {"fillTimeoutSeconds": 15}},
        "currencies": [{"key": key} for key in CURRENCIES],
        "bundles": [_bundle(n, rng.choice(CURRENCIES)) for n in range(len(BUNDLES))],
        "bots": [
            _bot("climber", "random_step_with_fall", target=6),
            _bot("pacer", "progress_linear", targetScore=40, durationSeconds=300),
        ],
        "leaderboards": [season],
        "events": events,
    }  # fmt: skip
    players = [f"player{n}" for n in range(rng.randrange(2, 8))]
    return World(game, occurrences, players)


def _bundle(number: int, currency: str) -> dict[str, Any]:
    """Worth ten times the one before, so that a sum tells what it is made of."""
    return {"key": BUNDLES[number], "entries": [{"type": "currency", "currencyKey": currency, "amount": 10**number}]}


def _bot(key: str, block: str, **params: int) -> dict[str, Any]:
    return {"key": key, "behaviour": {"block": block, "params": params}}


def _times(rng: Random) -> tuple[dict[str, Any], list[tuple[int, int]]]:
    minutes = rng.randrange(2, 6)
    starts = sorted(rng.sample(range(1, 21, 6), rng.randrange(1, 5)))
    windows = [(NOON + at * MINUTE_MS, NOON + (at + minutes) * MINUTE_MS) for at in starts]
    if len(windows) == 1:
        start, end = (_iso(at) for at in windows[0])
        return {"mode": "fixed", "startsAt": start, "endsAt": end}, windows
    daily = [{"startTime": f"12:{at:02}", "durationSeconds": minutes * 60} for at in starts]
    until = _iso(NOON + 6 * 60 * MINUTE_MS)
    return {"mode": "recurring_windows", "timezone": "UTC", "endsAt": until, "windows": daily}, windows


def _iso(at_ms: int) -> str:
    minutes = (at_ms - NOON) // MINUTE_MS
    return f"2027-01-15T{12 + minutes // 60:02}:{minutes % 60:02}:00Z"


def _rules(rng: Random) -> dict[str, Any]:
    metrics = _metrics(rng)
    has_target = any("target" in metric for metric in metrics)
    event: dict[str, Any] = {
        "metrics": metrics,
        "scoreFormula": {"type": rng.choice(["linear", "linear", "best_metric"])},
        "attempt": {
            "replayableDuringWindow": rng.random() < 0.6,
            "durationSeconds": rng.choice([None, None, rng.randrange(30, 200)]),
        },
        "leaderboard": _board(rng),
        "contributesTo": ["season"] if rng.random() < 0.5 else [],
        "rewardPolicy": _policy(rng, has_target),
        "milestoneRewards": [
            {"key": f"at{at}", "metricKey": "points", "threshold": at, "rewardBundleId": rng.choice(BUNDLES[:2])}
            for at in sorted(rng.sample(range(2, 12), rng.randrange(0, 3)))
        ],
    }  # fmt: skip
    if rng.random() < 0.4:
        event["entryCost"] = {
            "currencies": [{"key": rng.choice(CURRENCIES), "amount": rng.randrange(1, 50)}],
            "chargePer": rng.choice(["window", "attempt"]),
        }
    if rng.random() < 0.3:
        jump = {"metricKey": "points", "maxDelta": 6, "verdict": "reject"}
        event["antiCheat"] = {"validators": [{"key": "max_metric_jump", "params": jump}]}
    if event["leaderboard"]["mode"] != "none" and rng.random() < 0.4:
        event["botBindings"] = [{"botId": rng.choice(["climber", "pacer"]), "count": rng.randrange(1, 3)}]
    return event


def _metrics(rng: Random) -> list[dict[str, Any]]:
    points: dict[str, Any] = {"key": "points", "scorePerUnit": rng.choice([1, 3])}
    if rng.random() < 0.5:
        points |= {"target": rng.randrange(8, 30), "capAtTarget": rng.random() < 0.5}
    if rng.random() < 0.3:
        points["cap"] = rng.randrange(30, 40)
    metrics = [points]
    if rng.random() < 0.4:
        metrics.append({"key": "losses"})
        points["resetOn"] = {"metricKey": "losses"}
    if rng.random() < 0.4:
        metrics.append({"key": "style", "scorePerUnit": 2})
    return metrics


def _board(rng: Random) -> dict[str, Any]:
    mode = rng.choice(["global", "global", "grouped", "lobby_matched", "none"])
    board: dict[str, Any] = {"mode": mode}
    if mode != "none":
        board["scoreAggregation"] = rng.choice(["best", "latest", "sum"])
    if mode in ("grouped", "lobby_matched"):
        board["capacity"] = rng.randrange(4, 7)
    return board


def _policy(rng: Random, has_target: bool) -> dict[str, Any]:
    kind = rng.choice(["none", "fixed_bundle", "rank_scaled", "rank_scaled", "shared_pool"])
    if kind == "fixed_bundle":
        return {"type": kind, "parameters": {"rewardBundleId": BUNDLES[2]}}
    if kind == "rank_scaled":
        tiers = [
            {"fromRank": 1, "toRank": 1, "rewardBundleId": BUNDLES[3]},
            {"fromRank": 2, "toRank": rng.choice([3, None]), "rewardBundleId": BUNDLES[2]},
        ]
        return {"type": kind, "parameters": {"tiers": tiers}}
    if kind == "shared_pool":
        at_least = {"type": "metric_at_least", "metricKey": "points", "threshold": rng.randrange(1, 8)}
        predicate = {"type": "completed"} if has_target and rng.random() < 0.5 else at_least
        return {
            "type": kind,
            "parameters": {"pool": rng.randrange(1, 1000), "currencyKey": "gems", "winnerPredicate": predicate},
        }
    return {"type": "none"}
