"""What is paid for what: completions and milestones at once, ranks and pools when a window is final (R-42 to R-44).

Grants are named by what they are for, and their rolls go by their names, so whoever works them out a second time gets
the same ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from kraty_actors.definitions import Entry, RewardPolicySharedPool
from kraty_actors.domain.attempt import FiredMilestone
from kraty_actors.domain.ids import digest_id, grant_id
from kraty_actors.domain.loot import grants_of, roll
from kraty_actors.domain.outcome import Effect, Notice, Pay
from kraty_actors.domain.rules import Rules

EVENT_WINDOW = "event_window"
EVENT_COMPLETION = "event_completion"
EVENT_MILESTONE = "event_milestone"


def completion_pays(rules: Rules, player: int, attempt_id: str, at: int) -> list[Pay]:
    """What `fixed_bundle` pays for an attempt that was completed; other policies pay nothing for it by itself."""
    entries = rules.completion_entries
    if entries is None:
        return []
    name = digest_id("g", attempt_id, "fixed_bundle")
    return _rolled(entries, name, player, EVENT_COMPLETION, attempt_id, at)


def milestone_pays(rules: Rules, fired: int, player: int, attempt_id: str, at: int) -> list[FiredMilestone]:
    """What the milestones pay whose bits are set in `fired`, in declared order (R-44)."""
    paid = []
    for n, milestone in enumerate(rules.event.milestone_rewards):
        if fired >> n & 1:
            name = digest_id("g", attempt_id, "milestone", milestone.key)
            entries = rules.milestone_entries(milestone)
            grants = _rolled(entries, name, player, EVENT_MILESTONE, attempt_id, at)
            paid.append(FiredMilestone(milestone.key, grants))
    return paid


def pool_pays(rules: Rules, window_id: str, share: int, player: int, slot: str, at: int) -> list[Pay]:
    """A winner's share of a pool; `slot` tells pools of one window apart (R-43)."""
    policy = rules.event.reward_policy
    if not isinstance(policy, RewardPolicySharedPool) or share < 1:
        return []
    entry = {"type": "currency", "currencyKey": policy.parameters.currency_key, "amount": share}
    return [Pay(grant_id(window_id, player, "shared_pool", slot), player, [entry], EVENT_WINDOW, window_id, at)]


def tier_pays(rules: Rules, window_id: str, rank: int, player: int, at: int) -> list[Pay]:
    """What `rank_scaled` pays to whoever holds this rank in the end (R-42)."""
    tier = rules.tier(rank)
    if tier is None:
        return []
    name = grant_id(window_id, player, "rank_scaled", str(tier.from_rank))
    return _rolled(rules.bundles[tier.reward_bundle_id], name, player, EVENT_WINDOW, window_id, at)


def granted(effects: Iterable[Effect]) -> list[Notice]:
    """Word of each grant among them, for the player who gets it."""
    return [Notice("grant", (one.player,), one) for one in effects if isinstance(one, Pay)]


def currencies(pays: Iterable[Pay]) -> Iterator[tuple[str, int]]:
    """Each amount of a currency in some grants."""
    for pay in pays:
        for entry in pay.entries:
            if entry["type"] == "currency":
                yield entry["currencyKey"], entry["amount"]


def totals(pays: Iterable[Pay]) -> Counter[str]:
    """What grants come to, by currency."""
    found: Counter[str] = Counter()
    for key, amount in currencies(pays):
        found[key] += amount
    return found


def _rolled(entries: Sequence[Entry], name: str, player: int, source_kind: str, source_ref: str, at: int) -> list[Pay]:
    loot = roll(entries, name)
    return grants_of(loot, grant_id=name, player=player, source_kind=source_kind, source_ref=source_ref, at=at)
