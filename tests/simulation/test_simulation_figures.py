"""Figures over many runs: quantiles that occurred, budgets, and the same JSON for ever (R-47)."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import CASH, POOL, behaving, runner, scenario

from kraty_actors.simulation.budget import Budget, judged
from kraty_actors.simulation.figures import Spread, quantile, simulate
from kraty_actors.simulation.plain import plain_simulation
from kraty_actors.simulation.summary import summary, written

GOLDEN = Path(__file__).with_name("simulation_golden.json")


@given(values=st.lists(st.integers(-1000, 1000), min_size=1, max_size=60), percent=st.integers(1, 100))
def test_a_quantile_is_the_smallest_value_that_so_many_do_not_exceed(values: list[int], percent: int):
    ordered = sorted(values)
    found = quantile(ordered, percent)
    assert found in ordered
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert all(100 * sum(one <= value for one in values) < percent * len(values) for value in values if value < found)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([1, 2, 3, 4], 50, 2), ([1, 2, 3, 4], 50.1, 3), ([*range(20)], 95, 18), ([*range(1000)], 99.9, 998), ([7], 1, 7)],
)
def test_quantiles_by_hand(values: list[int], percent: float, expected: int):
    assert quantile(values, percent) == expected


def test_means_are_rounded_by_exact_arithmetic():
    assert Spread([1, 1, 2]).mean == 1.3333
    assert Spread([0.1, 0.2]).mean == 0.15
    assert Spread([2, 4]).mean == 3
    assert isinstance(Spread([2, 4]).mean, int)


def test_completions_rise_to_their_number_and_are_counted_at_their_time():
    with behaving(runner=runner):
        made = simulate(scenario(10, "runner", runs=2))
    counts = [moment.completed.values for moment in made.moments]
    assert len(counts) == 49
    assert counts[0] == [0, 0]
    assert counts[1:] == [[10, 10]] * 48  # all are through after three minutes of half an hour
    assert made.moments[-1].seconds == 86_400


def test_income_and_net():
    with behaving(runner=runner):
        made = simulate(
            scenario(4, "runner", rewardPolicy=POOL, entryCost={"currencies": [{"key": "cash", "amount": 50}]})
        )
    (cash,) = made.payouts
    assert (cash.paid, cash.income, cash.net) == ([1000], [200], [800])
    assert cash.sources == [("event_window", 1000)]
    assert made.pool == ("cash", 1000)


def test_a_pool_that_nobody_wins_is_there_with_0():
    with behaving(nobody=lambda seen, dice: None):
        made = simulate(scenario(4, "nobody", rewardPolicy=POOL))
    (cash,) = made.payouts
    assert (cash.key, cash.paid) == ("cash", [0])
    assert made.runs[0].remainder == 1000


# -- budgets


@pytest.mark.parametrize(("amount", "is_over"), [(999, True), (1000, False), (1001, False), (0, True)])
def test_a_budget_is_exceeded_by_more_than_its_amount(amount: int, is_over: bool):
    with behaving(runner=runner):
        made = simulate(scenario(4, "runner", rewardPolicy=POOL, runs=3))
    verdict = judged(made, Budget("cash", amount))
    assert (verdict.is_over, verdict.paid) == (is_over, 1000)
    said = {
        999: "over budget: cash: p95 of what is paid is 1,000, 1 (0.1 %) over 999",
        0: "over budget: cash: p95 of what is paid is 1,000, 1,000 over 0",
    }
    assert str(verdict) == said.get(amount, f"within budget: cash: p95 of what is paid is 1,000 of {amount:,}")


def test_a_budget_is_about_a_quantile_and_not_about_the_mean():
    entries = [{**CASH, "amount": 1000, "chance": 0.2}]
    milestone = {"key": "one", "metricKey": "laps", "threshold": 1, "entries": entries}
    with behaving(runner=runner):
        made = simulate(scenario(1, "runner", milestoneRewards=[milestone], runs=100))
    mean = made.payouts[0].paid.count(1000) / 100
    assert 0.1 < mean < 0.3
    verdicts = {percent: judged(made, Budget("cash", 500, percent)).is_over for percent in (50, 70, 95, 100)}
    assert verdicts == {50: False, 70: False, 95: True, 100: True}


def test_a_budget_for_what_the_game_does_not_know():
    made = simulate(scenario(1))
    assert judged(made, Budget("bullet", 3)).paid == 0
    with pytest.raises(LookupError):
        judged(made, Budget("rubies", 3))


# -- for people


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234, "count", "1,234"),
        (1234.5678, "count", "1,235"),
        (12.345, "count", "12.3"),
        (1.5, "count", "1.5"),
        (0, "count", "0"),
        (100.0, "count", "100"),
        (0.4435, "share", "44.4 %"),
        (1, "share", "100 %"),
        (12.3, "seconds", "12.3 s"),
        (90, "seconds", "2 min"),
        (3600, "seconds", "1 h"),
        (5400, "seconds", "1 h 30 min"),
        (200_000, "seconds", "2 d 8 h"),
        (172_800, "seconds", "2 d"),
    ],
)
def test_how_values_are_written(value: float, unit: Any, text: str):
    assert written(value, unit) == text


def test_every_figure_has_a_name_of_its_own():
    lobbies = {"mode": "lobby_matched", "capacity": 4}
    bots = [{"botId": "climber", "count": 2}]
    cost = {"currencies": [{"key": "cash", "amount": 5}]}
    made = simulate(scenario(9, leaderboard=lobbies, botBindings=bots, entryCost=cost, rewardPolicy=POOL))
    names = [(figure.group, figure.name) for figure in summary(made)]
    assert len(names) == len(set(names))
    assert {group for group, _ in names} == {"players", "money", "lobbies", "bots"}
    assert all(math.isfinite(value) for figure in summary(made) for value in figure.spread.values)


# -- for ever


def test_one_seed_has_one_result_on_every_python():
    """Regenerate with `GOLDEN=write` after a change of the rules, and look at the difference."""
    fields: dict[str, Any] = {
        "metrics": [{"key": "streak", "target": 4, "resetOn": {"metricKey": "losses"}}, {"key": "losses"}],
        "leaderboard": {"mode": "lobby_matched", "capacity": 8, "fillTimeoutSeconds": 900},
        "botBindings": [
            {"botId": "climber", "count": 2},
            {"botId": "pacer", "count": 1},
            {"botId": "hunter", "count": 1},
        ],
        "attempt": {"replayableDuringWindow": True, "maxAttempts": 3},
        "rewardPolicy": POOL,
        "milestoneRewards": [{"key": "two", "metricKey": "streak", "threshold": 2, "rewardBundleId": "lucky"}],
        "entryCost": {"currencies": [{"key": "gems", "amount": 20}]},
    }
    made = plain_simulation(simulate(scenario(40, runs=4, seed=47, afford=0.9, **fields)))
    text = json.dumps(made, indent=1) + "\n"
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")
