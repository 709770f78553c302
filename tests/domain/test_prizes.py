"""Who wins a pool and how much, and which tier a rank falls into (R-42, R-43)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playing import event

from kraty_actors.definitions.rewards import Tier
from kraty_actors.domain.prizes import PoolShare, Tiers, wins


@given(st.integers(1, 2**53 - 1), st.integers(0, 10_000))
def test_r43_the_pool_is_winners_times_the_largest_whole_share_and_a_remainder(pool: int, winners: int):
    share = PoolShare.of(pool, winners)
    assert share.winners * share.share + share.remainder == pool
    assert share.remainder < winners or winners == 0 == share.share


@pytest.mark.parametrize(
    ("pool", "winners", "share", "remainder"), [(10_000, 3, 3333, 1), (2, 3, 0, 2), (3, 3, 1, 0), (9, 0, 0, 9)]
)
def test_r43_shares_by_hand(pool: int, winners: int, share: int, remainder: int):
    assert PoolShare.of(pool, winners) == PoolShare(winners, share, remainder)


leaves = st.one_of(
    st.just({"type": "completed"}),
    st.builds(lambda n: {"type": "metric_at_least", "metricKey": "points", "threshold": n}, st.integers(1, 4)),
    st.builds(lambda n: {"type": "rank_at_most", "rank": n}, st.integers(1, 4)),
)


def tree(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """`leaf` under any `all`, `any` and `not`."""

    def grown(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(parts, min_size=1, max_size=3)
        joined = st.builds(
            lambda kind, found: {"type": kind, "conditions": found}, st.sampled_from(["all", "any"]), several
        )
        return joined | st.builds(lambda part: {"type": "not", "condition": part}, parts)

    return st.recursive(leaf, grown, max_leaves=6)


def truth(node: dict[str, Any], leaf: Any) -> bool:
    """The tree read as logic."""
    if node["type"] == "not":
        return not truth(node["condition"], leaf)
    if node["type"] in ("all", "any"):
        found = [truth(part, leaf) for part in node["conditions"]]
        return all(found) if node["type"] == "all" else any(found)
    return bool(leaf(node))


@given(tree(leaves), st.integers(0, 5), st.booleans(), st.none() | st.integers(1, 5))
def test_r43_predicates_read_as_logic(node: dict[str, Any], points: int, completed: bool, rank: int | None):
    parameters = {"pool": 1, "currencyKey": "cash", "winnerPredicate": node}
    policy = event(rewardPolicy={"type": "shared_pool", "parameters": parameters}).reward_policy
    said = {
        "completed": lambda leaf: completed,
        "metric_at_least": lambda leaf: points >= leaf["threshold"],
        "rank_at_most": lambda leaf: rank is not None and rank <= leaf["rank"],
    }
    expected = truth(node, lambda leaf: said[leaf["type"]](leaf))
    assert wins(policy.parameters.winner_predicate, {"points": points}, completed, rank) == expected


def test_r43_the_default_predicate_is_completed():
    policy = event(rewardPolicy={"type": "shared_pool", "parameters": {"pool": 1, "currencyKey": "cash"}}).reward_policy
    assert [wins(policy.parameters.winner_predicate, {"points": 9}, done, 1) for done in (True, False)] == [True, False]


@given(st.lists(st.integers(0, 4), max_size=8), st.booleans(), st.randoms(use_true_random=False))
def test_r42_each_rank_has_the_one_tier_that_covers_it(lengths: list[int], is_open: bool, chance: Any):
    """Tiers and gaps in turn, in any order of definition; the last may go on to the end."""
    tiers, covered, first = [], {}, 1
    for at, length in enumerate(lengths):
        if at % 2 and length:
            last = first + length - 1
            tiers.append(Tier.model_validate({"fromRank": first, "toRank": last, "rewardBundleId": f"b{at}"}))
            covered.update(dict.fromkeys(range(first, last + 1), f"b{at}"))
        first += length
    if is_open:
        tiers.append(Tier.model_validate({"fromRank": first, "rewardBundleId": "rest"}))
        covered.update(dict.fromkeys(range(first, 60), "rest"))
    chance.shuffle(tiers)
    found = {rank: Tiers(tiers).at(rank) for rank in range(1, 60)}
    assert {rank: tier and tier.reward_bundle_id for rank, tier in found.items()} == {
        rank: covered.get(rank) for rank in range(1, 60)
    }
