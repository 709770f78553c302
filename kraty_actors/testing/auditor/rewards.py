"""What is due to whom: R-20, R-42, R-43, R-44, for bundles without chance."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kraty_actors.testing.auditor.attempts import Definition, State
from kraty_actors.testing.auditor.runs import Run

Due = tuple[str, str, tuple[tuple[str, int], ...]]
"""A grant: `sourceKind`, `sourceRefId`, and what it holds."""


class Prizes:
    """What one event pays."""

    def __init__(self, event: Definition, game: Definition) -> None:
        self._bundles = {one["key"]: one["entries"] for one in game.get("bundles", [])}
        self._milestones = {one["key"]: self._entries(one) for one in event.get("milestoneRewards", [])}
        policy = event.get("rewardPolicy") or {"type": "none"}
        self._type: str = policy["type"]
        self._parameters: Mapping[str, Any] = policy.get("parameters", {})
        self._cost: Mapping[str, Any] = event.get("entryCost") or {}

    def _entries(self, milestone: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        entries: Sequence[Mapping[str, Any]] = milestone.get("entries") or self._bundles[milestone["rewardBundleId"]]
        return entries

    def of_attempts(self, runs: Iterable[Run]) -> Iterable[tuple[str, Due]]:
        """By player: milestones, and a bundle for each completed attempt."""
        for run in runs:
            state = run.settled()
            for key in state.fired:
                yield run.player, ("event_milestone", run.attempt_id, sums(self._milestones[key]))
            if self._type == "fixed_bundle" and state.status == "completed":
                bundle = self._bundles[self._parameters["rewardBundleId"]]
                yield run.player, ("event_completion", run.attempt_id, sums(bundle))

    def of_window(
        self, window_id: str, runs: Sequence[Run], boards: Iterable[Mapping[str, int]]
    ) -> Iterable[tuple[str, Due]]:
        """By player: what depends on others. `boards`: each player's rank by player."""
        if self._type == "rank_scaled":
            wrote = {run.player for run in runs if run.settled().applied}
            for ranks in boards:
                for player, rank in ranks.items():
                    tier = next((one for one in self._parameters["tiers"] if _fits(one, rank)), None)
                    if player in wrote and tier is not None:
                        yield player, ("event_window", window_id, sums(self._bundles[tier["rewardBundleId"]]))
        if self._type == "shared_pool":
            winners = sorted({run.player for run in runs if self._wins(run, run.settled())})
            share = self._parameters["pool"] // len(winners) if winners else 0
            for player in winners if share else []:
                yield player, ("event_window", window_id, ((self._parameters["currencyKey"], share),))

    def _wins(self, run: Run, state: State) -> bool:
        predicate = self._parameters.get("winnerPredicate") or {"type": "completed"}
        if predicate["type"] == "completed":
            return state.status == "completed"
        capped = run.rules.capped(state.raw)
        return bool(capped[predicate["metricKey"]] >= predicate["threshold"])

    def charged(self, runs: Sequence[Run]) -> dict[str, Counter[str]]:
        """R-21: what starts have cost, by player."""
        cost = Counter({one["key"]: one["amount"] for one in self._cost.get("currencies", [])})
        paid: defaultdict[str, Counter[str]] = defaultdict(Counter)
        charged: set[tuple[str, str]] = set()
        for run in runs:
            if self._cost.get("chargePer") == "attempt" or (run.window_id, run.player) not in charged:
                paid[run.player].update(cost)
            charged.add((run.window_id, run.player))
        return paid


def _fits(tier: Mapping[str, Any], rank: int) -> bool:
    return bool(tier["fromRank"] <= rank and (tier["toRank"] is None or rank <= tier["toRank"]))


def sums(entries: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, int], ...]:
    """What entries amount to, by currency or item."""
    total: Counter[str] = Counter()
    for entry in entries:
        total[entry.get("currencyKey") or entry["itemKey"]] += int(entry.get("amount") or entry["quantity"])
    return tuple(sorted(total.items()))


def due_of(grant: Mapping[str, Any]) -> Due:
    """A grant as the wire shows it, as the rules have it."""
    return grant["sourceKind"], grant["sourceRefId"], sums(grant["contents"]["entries"])
