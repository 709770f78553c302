"""Who wins a pool and how much (R-43), and what a gate says (R-19)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playing import event

from kraty_actors.domain.conditions import CompletionWanted, facts_wanted, failing
from kraty_actors.domain.prizes import PoolShare, wins

EVENTS = ["a", "b"]
WITHIN = ["lifetime", "current_window"]


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


completions = st.builds(
    lambda key, within: {"type": "completed_event_at_least_once", "eventKey": key, **within},
    st.sampled_from(EVENTS),
    st.sampled_from([{}, *({"within": within} for within in WITHIN)]),
)
facts = st.sets(st.builds(CompletionWanted, st.sampled_from(EVENTS), st.booleans()))


def fact(leaf: dict[str, Any]) -> CompletionWanted:
    return CompletionWanted(leaf["eventKey"], leaf.get("within", "lifetime") == "current_window")


@given(tree(completions), facts)
def test_r19_gates_read_as_logic_and_ask_for_every_fact_that_they_need(
    node: dict[str, Any], held: set[CompletionWanted]
):
    gate = event(entryRequirement=node).entry_requirement
    opens = truth(node, lambda leaf: fact(leaf) in held)
    assert (failing(gate, held) is None) == opens
    wanted = set(facts_wanted(gate))
    assert (failing(gate, held & wanted) is None) == opens
    assert (failing(gate, held | {CompletionWanted("unheard-of", True)}) is None) == opens


def test_r19_no_gate_is_open_and_asks_for_nothing():
    assert failing(None, set()) is None
    assert list(facts_wanted(None)) == []


def test_r19_the_innermost_failing_condition_is_named():
    missing = {"type": "completed_event_at_least_once", "eventKey": "b"}
    had = {"type": "completed_event_at_least_once", "eventKey": "a"}
    gate = event(entryRequirement={"type": "all", "conditions": [had, {"type": "all", "conditions": [missing]}]})
    failed = failing(gate.entry_requirement, {CompletionWanted("a", False)})
    assert failed is not None
    assert failed.as_defined() == missing
