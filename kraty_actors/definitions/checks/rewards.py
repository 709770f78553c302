"""What is paid: entries that can be rolled, tiers, winners, milestones, and what replays could farm (R-41..R-44)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kraty_actors.definitions.checks.entry import check_tree_size, tree
from kraty_actors.definitions.checks.totals import check_totals
from kraty_actors.definitions.conditions import ConditionAll, ConditionCompletedEvent, ConditionNot
from kraty_actors.definitions.events import EventDefinition, Milestone
from kraty_actors.definitions.findings import Place
from kraty_actors.definitions.references import Scope
from kraty_actors.definitions.rewards import (
    Entry,
    EntryCrate,
    EntryCurrency,
    EntryTable,
    Predicate,
    PredicateMetricAtLeast,
    PredicateRankAtMost,
    Range,
    RewardPolicyRankScaled,
    RewardPolicySharedPool,
    Tier,
)


def check_entries(entries: Sequence[Entry], place: Place, no_crates: frozenset[str], scope: Scope) -> None:
    """Every range can be drawn from, every crate is one, and no roll comes to more than a grant holds.

    Args:
        entries: of a bundle or a milestone.
        place: theirs.
        no_crates: names of the items that cannot be opened.
        scope: the names of currencies and items.
    """
    for entry, at in _flat(entries, place):
        _check_amounts(entry, at)
        if isinstance(entry, EntryCrate) and entry.crate_item_key in no_crates:
            (at / "crateItemKey").fault(f"item '{entry.crate_item_key}' is no crate: it has no crateBundleId")
    check_totals(entries, place, scope)


def _flat(entries: Sequence[Entry], place: Place) -> Iterator[tuple[Entry, Place]]:
    for i, entry in enumerate(entries):
        yield entry, place / i
        if isinstance(entry, EntryTable):
            for j, line in enumerate(entry.weighted_entries):
                yield line.entry, place / i / "weightedEntries" / j / "entry"


def _check_amounts(entry: Entry, at: Place) -> None:
    match entry:
        case EntryCurrency(amount=amount):
            _check_range(amount, at / "amount")
        case EntryTable(rolls=rolls):
            _check_range(rolls, at / "rolls")
        case _:
            _check_range(entry.quantity, at / "quantity")


def _check_range(amount: int | Range, at: Place) -> None:
    if not isinstance(amount, Range):
        return
    if amount.max < amount.min:
        (at / "max").fault(f"must not be below min, {amount.min}", [at / "min"])
    elif (amount.max - amount.min) % amount.step:
        message = f"must be a whole number of steps of {amount.step} above min, {amount.min}"
        (at / "max").fault(message, [at / "min", at / "step"])


def check_policy(event: EventDefinition, place: Place) -> None:
    """Tiers do not overlap, winners can exist, and somebody is paid some time."""
    policy, at = event.reward_policy, place / "rewardPolicy"
    match policy:
        case RewardPolicyRankScaled(parameters=scaled):
            _check_tiers(scaled.tiers, at / "parameters" / "tiers")
            _warn_without_ranks(event, at / "type", place)
        case RewardPolicySharedPool(parameters=shared):
            _check_winners(event, shared.winner_predicate, at / "parameters" / "winnerPredicate", place)
        case _:
            return
    if event.availability.mode == "always":
        message = f"'{policy.type}' pays when a window closes, which 'always' does only on command"
        (at / "type").warn(message, [place / "availability"])


@dataclass(frozen=True, order=True)
class _Span:
    first: int
    last: float
    index: int


def _check_tiers(tiers: Sequence[Tier], at: Place) -> None:
    for i, tier in enumerate(tiers):
        if tier.to_rank is not None and tier.to_rank < tier.from_rank:
            (at / i / "toRank").fault(f"must not be below fromRank, {tier.from_rank}", [at / i / "fromRank"])
    spans = sorted(_Span(t.from_rank, t.to_rank or float("inf"), i) for i, t in enumerate(tiers))
    reached: _Span | None = None
    for span in spans:
        because = [at, at / span.index, *([at / reached.index] if reached else [])]
        _check_neighbours(reached, span, at, because)
        reached = max(reached or span, span, key=lambda s: s.last)


def _check_neighbours(before: _Span | None, span: _Span, at: Place, because: list[Place]) -> None:
    reached = before.last if before else 0
    from_rank = at / span.index / "fromRank"
    if span.first <= reached and before:
        from_rank.fault(f"overlaps tiers[{(at / before.index).path[-1]}]", because[1:])
    elif span.first > reached + 1:
        gap = f"rank {span.first - 1}" if span.first == reached + 2 else f"ranks {reached + 1:g} to {span.first - 1}"
        from_rank.warn(f"no tier pays {gap}", because)


def _warn_without_ranks(event: EventDefinition, at: Place, place: Place) -> None:
    if event.leaderboard.mode == "none":
        at.warn("without a board nobody has a rank", [place / "leaderboard" / "mode"])


def _check_winners(event: EventDefinition, predicate: Predicate, at: Place, place: Place) -> None:
    check_tree_size(predicate, at)
    for node, here, _ in tree(predicate, at):
        match node:
            case PredicateMetricAtLeast():
                _warn_of_unreachable(event, node.metric_key, node.threshold, here / "threshold", place)
            case PredicateRankAtMost():
                _warn_without_ranks(event, here / "type", place)


def _warn_of_unreachable(event: EventDefinition, name: str, threshold: float, at: Place, place: Place) -> None:
    for i, metric in enumerate(event.metrics):
        if name in (metric.key, metric.id) and metric.ceiling is not None and threshold > metric.ceiling:
            at.warn(f"is above the ceiling of metric '{name}', {metric.ceiling}", [place / "metrics" / i / "cap"])


def check_milestones(event: EventDefinition, place: Place, no_crates: frozenset[str], scope: Scope) -> None:
    """Each milestone pays one thing that can be rolled, at a value that can be reached."""
    for i, milestone in enumerate(event.milestone_rewards):
        at = place / "milestoneRewards" / i
        _check_payout(milestone, at)
        check_entries(milestone.entries or (), at / "entries", no_crates, scope)
        _warn_of_unreachable(event, milestone.metric_key, milestone.threshold, at / "threshold", place)


def _check_payout(milestone: Milestone, at: Place) -> None:
    if milestone.reward_bundle_id is not None and milestone.entries is not None:
        (at / "entries").fault("must not stand together with rewardBundleId")
    if milestone.reward_bundle_id is None and milestone.entries is None:
        (at / "rewardBundleId").fault("required, or entries instead", [at / "entries"])


def warn_of_farming(event: EventDefinition, place: Place) -> None:
    """Payouts per attempt that replays repeat at no cost and without a limit."""
    rules, cost = event.attempt, event.entry_cost
    is_paid = cost is not None and cost.charge_per == "attempt" and bool(cost.currencies or cost.items)
    if not rules.replayable_during_window or rules.max_attempts or rules.max_daily_attempts or is_paid:
        return
    because = [place / "attempt", place / "entryCost"]
    remedy = "limit the attempts or charge for each"
    if event.reward_policy.type == "fixed_bundle" and not _bars_winners(event):
        (place / "rewardPolicy" / "type").warn(f"each replay pays again; {remedy}", because)
    for i, milestone in enumerate(event.milestone_rewards):
        if milestone.once == "attempt":
            at = place / "milestoneRewards" / i / "once"
            at.warn(f"each replay fires it again; {remedy}, or say 'window'", because)


def _bars_winners(event: EventDefinition) -> bool:
    """Whether who has completed the event may not start again."""
    return any(_bars(gate, event) for gate in (event.entry_requirement, event.unlock_condition))


def _bars(gate: object, event: EventDefinition) -> bool:
    match gate:
        case ConditionNot(condition=ConditionCompletedEvent(event_key=key)):
            return key in (event.key, event.id)
        case ConditionAll(conditions=conditions):
            return any(_bars(condition, event) for condition in conditions)
        case _:
            return False
