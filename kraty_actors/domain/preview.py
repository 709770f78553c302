"""What final values of the metrics would come to: score, completion, milestones and grants; nothing changes (R-46)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kraty_actors.definitions import Entry, RewardPolicySharedPool
from kraty_actors.definitions.rewards import EntryCrate, EntryCurrency, EntryItem, EntryTable, Range
from kraty_actors.domain.loot import Loot, crate, roll
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Plain, Refusal
from kraty_actors.domain.prizes import PoolShare, wins
from kraty_actors.domain.rules import Rules


@dataclass(slots=True, frozen=True)
class PreviewedMilestone:
    """A milestone that would fire, and what it would pay, crates among it; `sampled` if chance had a part in it."""

    key: str
    entries: Sequence[Plain]
    sampled: bool


@dataclass(slots=True, frozen=True)
class PreviewedGrant:
    """A grant that the policy would pay; `kind` and `source_kind` are those of a grant."""

    kind: str
    source_kind: str
    entries: Sequence[Plain]
    sampled: bool


@dataclass(slots=True, frozen=True)
class Preview:
    """See the module. `metrics` are capped. `share` says how the pool would be split, where the player is a winner."""

    score: Number
    metrics: Mapping[str, Number]
    metrics_raw: Mapping[str, Number]
    completed: bool
    milestones: Sequence[PreviewedMilestone]
    grants: Sequence[PreviewedGrant]
    share: PoolShare | None = None


def preview(
    rules: Rules, metrics: Mapping[str, Number], rank: int = 1, winner_count: int = 1, seed: int = 0
) -> Preview | Refusal:
    """What an attempt would come to that ends with these raw values, by an applied write.

    Args:
        rules: any revision of the event.
        metrics: raw values of at least 0; absent ones are 0.
        rank: the player's final rank, from 1.
        winner_count: among how many a pool is shared, from 1.
        seed: rolls what chance has a part in, each grant and milestone by the key `preview:<seed>`.
    """
    scoring = rules.scoring
    raw = scoring.incoming([0] * len(scoring.keys), metrics, "set")
    if isinstance(raw, Refusal):
        return raw
    capped = scoring.capped(raw)
    completed = scoring.is_score_attack or scoring.completes(capped)
    final = scoring.by_key(capped)
    standing = rank if rules.has_board and (completed or not rules.ascending) else None  # who has no row
    key = f"preview:{seed}"
    share = _share(rules, final, completed, standing, winner_count)
    return Preview(
        score=scoring.score(capped),
        metrics=final,
        metrics_raw=scoring.by_key(raw),
        completed=completed,
        milestones=[
            _milestone(milestone.key, roll(rules.milestone_entries(milestone), key))
            for milestone in rules.event.milestone_rewards
            if final[milestone.metric_key] >= milestone.threshold
        ],
        grants=[
            *_rolled("event_completion", rules.completion_entries if completed else None, key),
            *_rolled("event_window", rules.rank_entries(standing) if standing is not None else None, key),
            *_shared(rules, share),
        ],
        share=share,
    )


def _share(
    rules: Rules, final: Mapping[str, Number], completed: bool, rank: int | None, winner_count: int
) -> PoolShare | None:
    policy = rules.event.reward_policy
    if not isinstance(policy, RewardPolicySharedPool):
        return None
    shared = policy.parameters
    return PoolShare.of(shared.pool, winner_count) if wins(shared.winner_predicate, final, completed, rank) else None


def _shared(rules: Rules, share: PoolShare | None) -> Iterator[PreviewedGrant]:
    """One share of the pool, unless that is less than 1 (R-43)."""
    policy = rules.event.reward_policy
    if isinstance(policy, RewardPolicySharedPool) and share is not None and share.share:
        entry = {"type": "currency", "currencyKey": policy.parameters.currency_key, "amount": share.share}
        yield PreviewedGrant("reward", "event_window", [entry], sampled=False)


def _rolled(source_kind: str, entries: Sequence[Entry] | None, key: str) -> Iterator[PreviewedGrant]:
    """The reward, if there is one, and each crate beside it (R-41), marked where it could have come out otherwise."""
    if entries is None:
        return
    loot = roll(entries, key)
    varying = {is_crate for entry in entries if _varies(entry) for is_crate in _gives_crates(entry)}
    yield PreviewedGrant("reward", source_kind, loot.entries, sampled=False in varying)
    for item_key in loot.crates:
        yield PreviewedGrant("crate", source_kind, [crate(item_key)], sampled=True in varying)


def _varies(entry: Entry) -> bool:
    """Whether chance has a part in what an entry gives."""
    if entry.chance < 1:
        return True
    match entry:
        case EntryCurrency(amount=amount) | EntryItem(quantity=amount) | EntryCrate(quantity=amount):
            return _is_spread(amount)
        case EntryTable(rolls=rolls, weighted_entries=lines):
            return _is_spread(rolls) or len(lines) > 1 or _varies(lines[0].entry)


def _is_spread(amount: int | Range) -> bool:
    return isinstance(amount, Range) and amount.min < amount.max


def _gives_crates(entry: Entry) -> set[bool]:
    """Whether an entry gives crates (True), what is no crate (False), or both."""
    lines = [line.entry for line in entry.weighted_entries] if isinstance(entry, EntryTable) else [entry]
    return {isinstance(line, EntryCrate) for line in lines}


def _milestone(key: str, loot: Loot) -> PreviewedMilestone:
    crates = [{**crate(item_key), "quantity": count} for item_key, count in Counter(loot.crates).items()]
    return PreviewedMilestone(key, [*loot.entries, *crates], loot.sampled)
