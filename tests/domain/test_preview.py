"""What final values would come to, before anybody plays: score, completion, milestones, grants (R-46)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playing import STREAK, event
from rolling import BULLETS, amounts, bundle, cash, table

from kraty_actors.domain.loot import Bundles, Loot, roll
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.preview import Preview, preview
from kraty_actors.domain.rules import Rules

CRATE = {"type": "crate", "crateItemKey": "wooden", "quantity": 2}
DRAWN = {"min": 1, "max": 2**53 - 1}
BUNDLES = Bundles(
    [
        bundle("payout", cash(500), {**BULLETS, "quantity": 5}),
        bundle("chest", cash(1), CRATE),
        bundle("lucky", cash(DRAWN), {**CRATE, "quantity": 1}),
    ]
)
FIXED = {"type": "fixed_bundle", "parameters": {"rewardBundleId": "payout"}}
TARGET = [{"key": "points", "target": 5}]
CASH_500 = {"type": "currency", "currencyKey": "cash", "amount": 500}
BULLETS_5 = {"type": "item", "itemKey": "bullet", "quantity": 5, "parameters": {}}


def _fixed(name: str) -> dict[str, Any]:
    return {"type": "fixed_bundle", "parameters": {"rewardBundleId": name}}


def _ranked(*tiers: tuple[int, int | None, str]) -> dict[str, Any]:
    listed = [{"fromRank": first, "toRank": last, "rewardBundleId": name} for first, last, name in tiers]
    return {"type": "rank_scaled", "parameters": {"tiers": listed}}


def _pool(pool: int, **fields: Any) -> dict[str, Any]:
    return {"type": "shared_pool", "parameters": {"pool": pool, "currencyKey": "cash", **fields}}


def _rules(**fields: Any) -> Rules:
    return Rules(1, event(**fields), [], [], None, BUNDLES)


def _made(rules: Rules, metrics: dict[str, Any], **supposed: Any) -> Preview:
    made = preview(rules, metrics, **supposed)
    assert isinstance(made, Preview)
    return made


def _grants(made: Preview) -> list[tuple[str, str, Sequence[Any]]]:
    return [(one.kind, one.source_kind, one.entries) for one in made.grants]


# -- score and completion


def test_r46_score_and_completion_are_those_of_capped_values_and_the_raw_ones_show_beside_them():
    capped = [{"key": "streak", "target": 5, "capAtTarget": True, "scorePerUnit": 10}, {"key": "kills", "cap": 3}]
    made = _made(_rules(metrics=capped), {"streak": 7, "kills": 2.5})
    assert (made.score, made.completed) == (52.5, True)
    assert (made.metrics, made.metrics_raw) == ({"streak": 5, "kills": 2.5}, {"streak": 7, "kills": 2.5})
    short = _made(_rules(metrics=capped), {"streak": 4, "kills": 9})
    assert (short.score, short.completed, short.metrics["kills"]) == (43, False, 3)


def test_r46_metrics_that_are_not_given_are_0_and_final_values_reset_nothing():
    made = _made(_rules(metrics=STREAK), {"losses": 2})
    assert (made.score, made.completed, made.metrics) == (0, False, {"streak": 0, "losses": 2})
    both = _made(_rules(metrics=STREAK), {"losses": 2, "streak": 5})
    assert (both.score, both.completed, both.metrics_raw) == (5, True, {"streak": 5, "losses": 2})


def test_r46_a_score_attack_counts_as_completed_for_a_write_is_supposed():
    assert _made(_rules(), {}).completed


def test_r8_an_unknown_metric_is_refused_with_the_known_ones():
    refused = preview(_rules(metrics=STREAK), {"streak": 1, "loses": 1})
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.details) == (
        "invalid_metric",
        {"path": "metrics.loses", "known": ["streak", "losses"]},
    )


def test_r8_a_value_past_the_largest_is_refused():
    refused = preview(_rules(), {"points": 2**53})
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.details["path"]) == ("validation_failed", "metrics.points")


# -- milestones


def _milestone(key: str, threshold: float, **pays: Any) -> dict[str, Any]:
    return {"key": key, "metricKey": "points", "threshold": threshold, **pays}


def test_r46_the_milestones_that_capped_values_reach_fire_in_declared_order():
    rules = _rules(
        metrics=[{"key": "points", "cap": 4}],
        milestoneRewards=[
            _milestone("four", 4, entries=[cash(4)]),
            _milestone("five", 5, entries=[cash(5)]),
            _milestone("two", 2, rewardBundleId="payout"),
        ],
    )
    fired = _made(rules, {"points": 9}).milestones
    assert [(one.key, one.entries, one.sampled) for one in fired] == [
        ("four", [{"type": "currency", "currencyKey": "cash", "amount": 4}], False),
        ("two", [CASH_500, BULLETS_5], False),
    ]
    assert [one.key for one in _made(rules, {"points": 3.9}).milestones] == ["two"]
    assert _made(rules, {}).milestones == []


def test_r46_a_milestone_shows_its_crates_among_its_entries_and_is_no_grant_of_the_policy():
    iron = {**CRATE, "crateItemKey": "iron", "quantity": 1}
    rules = _rules(milestoneRewards=[_milestone("one", 1, entries=[cash(1), CRATE, iron, CRATE])])
    made = _made(rules, {"points": 1})
    (fired,) = made.milestones
    assert fired.entries == [
        {"type": "currency", "currencyKey": "cash", "amount": 1},
        {"type": "crate", "crateItemKey": "wooden", "quantity": 4},
        {"type": "crate", "crateItemKey": "iron", "quantity": 1},
    ]
    assert made.grants == []


# -- what each policy would pay


def test_r42_a_policy_of_none_pays_nothing():
    assert _made(_rules(), {"points": 9}).grants == []


def test_r42_a_fixed_bundle_is_paid_to_who_completes():
    rules = _rules(metrics=TARGET, rewardPolicy=FIXED)
    assert _grants(_made(rules, {"points": 5}, rank=900)) == [("reward", "event_completion", [CASH_500, BULLETS_5])]
    assert _made(rules, {"points": 4.9}, rank=1).grants == []


@pytest.mark.parametrize(
    ("rank", "paid"), [(1, [500]), (2, [500]), (3, []), (4, [1]), (1_000_000, [1])], ids=lambda value: str(value)
)
def test_r42_a_rank_is_paid_by_its_tier(rank: int, paid: list[int]):
    rules = _rules(metrics=TARGET, rewardPolicy=_ranked((4, None, "chest"), (1, 2, "payout")))
    made = _made(rules, {"points": 1}, rank=rank)
    assert not made.completed
    assert amounts([Loot(list(one.entries)) for one in made.grants]) == paid
    assert {one.source_kind for one in made.grants} <= {"event_window"}


def test_r46_without_a_rank_the_first_is_supposed():
    assert amounts(
        [Loot(list(one.entries)) for one in _made(_rules(rewardPolicy=_ranked((1, 1, "payout"))), {}).grants]
    ) == [500]


def test_r28_who_has_no_row_on_the_board_has_no_rank():
    first = _ranked((1, None, "payout"))
    assert _made(_rules(rewardPolicy=first, leaderboard={"mode": "none"}), {"points": 1}).grants == []
    ascending = _rules(rewardPolicy=first, metrics=TARGET, leaderboard={"sort": "asc"})
    assert _made(ascending, {"points": 4}).grants == []
    assert len(_made(ascending, {"points": 5}).grants) == 1


@pytest.mark.parametrize(("winners", "share", "left"), [(1, 10_000, 0), (3, 3_333, 1), (10_000, 1, 0)])
def test_r43_a_winner_is_paid_their_share_of_the_pool(winners: int, share: int, left: int):
    made = _made(_rules(metrics=TARGET, rewardPolicy=_pool(10_000)), {"points": 5}, winner_count=winners)
    assert _grants(made) == [("reward", "event_window", [{**CASH_500, "amount": share}])]
    assert made.share is not None
    assert (made.share.winners, made.share.remainder, made.grants[0].sampled) == (winners, left, False)


def test_r43_a_pool_smaller_than_its_winners_pays_nothing():
    made = _made(_rules(metrics=TARGET, rewardPolicy=_pool(10_000)), {"points": 5}, winner_count=10_001)
    assert (made.grants, made.share and made.share.share) == ([], 0)


@pytest.mark.parametrize(
    ("predicate", "points", "rank", "wins"),
    [
        ({"type": "completed"}, 4, 1, False),
        ({"type": "metric_at_least", "metricKey": "points", "threshold": 3}, 3, 9, True),
        ({"type": "metric_at_least", "metricKey": "points", "threshold": 7}, 9, 9, False),  # capped at 6
        ({"type": "rank_at_most", "rank": 3}, 0, 3, True),
        ({"type": "rank_at_most", "rank": 3}, 0, 4, False),
    ],
    ids=str,
)
def test_r43_the_pool_is_for_who_satisfies_the_predicate(predicate: Any, points: float, rank: int, wins: bool):
    metrics = [{"key": "points", "target": 5, "cap": 6}]
    rules = _rules(metrics=metrics, rewardPolicy=_pool(100, winnerPredicate=predicate))
    made = _made(rules, {"points": points}, rank=rank)
    assert (len(made.grants), made.share is not None) == (wins, wins)


def test_r41_crates_are_grants_of_their_own_behind_the_reward():
    made = _made(_rules(rewardPolicy=_fixed("chest")), {})
    one_crate = [{"type": "crate", "crateItemKey": "wooden", "quantity": 1}]
    assert _grants(made) == [
        ("reward", "event_completion", [{"type": "currency", "currencyKey": "cash", "amount": 1}]),
        ("crate", "event_completion", one_crate),
        ("crate", "event_completion", one_crate),
    ]


# -- chance


def test_r46_what_is_random_is_rolled_by_the_seed_and_marked():
    lucky = _rules(rewardPolicy=_fixed("lucky"), milestoneRewards=[_milestone("one", 1, entries=[table([1, 2], 9)])])
    made = {seed: _made(lucky, {"points": 1}, seed=seed) for seed in (0, 1, 77)}
    for seed, one in made.items():
        assert one == _made(lucky, {"points": 1}, seed=seed)
        expected = roll(BUNDLES["lucky"], f"preview:{seed}")
        assert one.grants[0].entries == expected.entries
        assert [grant.sampled for grant in one.grants] == [True, False]  # there is one crate whatever the seed
        milestone = lucky.event.milestone_rewards[0].entries
        assert milestone is not None
        assert one.milestones[0].entries == roll(milestone, f"preview:{seed}").entries
        assert one.milestones[0].sampled
    assert len({amounts([Loot(list(one.grants[0].entries))])[0] for one in made.values()}) == 3


def _lines(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"type": "table", "weightedEntries": [{"weight": 1, "entry": entry} for entry in entries]}


@pytest.mark.parametrize(
    ("entries", "sampled"),
    [
        ([cash(5), CRATE], (False, False)),
        ([cash({"min": 5, "max": 5}), CRATE], (False, False)),
        ([cash(DRAWN), CRATE], (True, False)),
        ([cash(5), {**CRATE, "quantity": {"min": 1, "max": 2}}], (False, True)),
        ([{**BULLETS, "chance": 0.5}, CRATE], (True, False)),
        ([BULLETS, {**BULLETS, "quantity": DRAWN}, CRATE], (True, False)),
        ([table([1]), CRATE], (False, False)),
        ([table([1, 1]), CRATE], (True, False)),
        ([table([1], chance=0.5), CRATE], (True, False)),
        ([table([1], {"min": 1, "max": 2}), CRATE], (True, False)),
        ([_lines(cash(DRAWN)), CRATE], (True, False)),
        ([_lines({**CRATE, "chance": 0.5}), CRATE], (False, True)),
        ([_lines(cash(1), CRATE), CRATE], (True, True)),
    ],
    ids=str,
)
def test_r46_a_grant_is_marked_where_chance_has_a_part_in_it(entries: list[Any], sampled: tuple[bool, bool]):
    rules = Rules(1, event(rewardPolicy=FIXED), [], [], None, Bundles([bundle("payout", *entries)]))
    reward, *crates = _made(rules, {}).grants
    assert (reward.sampled, {one.sampled for one in crates}) == (sampled[0], {sampled[1]})


@given(
    st.dictionaries(st.sampled_from(["streak", "losses"]), st.floats(0, 2**53 - 1) | st.integers(0, 2**53 - 1)),
    st.integers(1, 10),
    st.integers(1, 20_000),
    st.integers(0, 9),
    st.sampled_from([FIXED, _ranked((1, 3, "lucky"), (5, None, "chest")), _pool(10_000), {"type": "none"}]),
)
def test_r46_whatever_is_supposed_the_same_comes_of_it_and_no_more_than_the_policy_has(
    metrics: dict[str, float], rank: int, winners: int, seed: int, policy: dict[str, Any]
):
    rules = _rules(metrics=STREAK, rewardPolicy=policy)
    made = _made(rules, metrics, rank=rank, winner_count=winners, seed=seed)
    before = rules.dump()
    assert made == _made(rules, metrics, rank=rank, winner_count=winners, seed=seed)
    assert rules.dump() == before
    assert made.metrics["streak"] <= 5
    assert made.completed == (metrics.get("streak", 0) >= 5)
    rewards = [one for one in made.grants if one.kind == "reward"]
    assert len(rewards) <= 1
    if policy["type"] == "shared_pool":
        assert sum(amounts([Loot(list(one.entries)) for one in rewards])) * winners <= 10_000
