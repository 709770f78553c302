"""What each built-in validator lets pass and what not: the limit itself is legal (R-48, R-49)."""

from __future__ import annotations

from typing import Any

import pytest
from validating import event

from kraty_actors.domain.validators import Finding, Guard, Past

Number = int | float


def objection(key: str, params: dict[str, Any], prior: Number, incoming: Number, ms: int, past: Past = None) -> str:
    """The reason against a write, or nothing."""
    found = Guard(event((key, params))).judge(past, [prior], [incoming], ms)
    assert all(one.validator_key == key and one.verdict == "flag" for one in found)
    return "; ".join(one.reason for one in found)


@pytest.mark.parametrize(
    ("most", "incoming", "ms", "reason"),
    [
        (20, 200, 10_000, ""),
        (20, 201, 10_000, "score rose by 201 in 10 s, over 20 a second"),
        (20, 200, 9_999, "score rose by 200 in 9.999 s, over 20 a second"),
        (20, 0, 0, ""),
        # less than a second counts as one
        (20, 20, 0, ""),
        (20, 20, 999, ""),
        (20, 21, 0, "score rose by 21 in 1 s, over 20 a second"),
        (20, 21, 1_049, "score rose by 21 in 1.049 s, over 20 a second"),
        (20, 21, 1_050, ""),
        # whole values against the decimal that was written, not its float: 0.29 x 100 is 28.999999999999996
        (0.29, 29, 100_000, ""),
        (0.29, 30, 100_000, "score rose by 30 in 100 s, over 0.29 a second"),
        # exact however large
        (2**53 - 2, 2**53 - 2, 1_000, ""),
        (2**53 - 2, 2**53 - 1, 1_000, "score rose by 9007199254740991 in 1 s, over 9007199254740990 a second"),
        (5e-324, 0.5, 10_000, "score rose by 0.5 in 10 s, over 5e-324 a second"),
        # fractions add up to a little less or more than they should
        (0.1, sum([0.1] * 3), 3_000, ""),
        (1, sum([0.1] * 100), 10_000, ""),
        (1, 10.001, 10_000, "score rose by 10.001 in 10 s, over 1 a second"),
    ],
)
def test_r49_max_metric_rate(most: Number, incoming: Number, ms: int, reason: str):
    assert objection("max_metric_rate", {"maxPerSecond": most}, 0, incoming, ms) == reason


@pytest.mark.parametrize(
    ("prior", "incoming", "past", "reason"),
    [
        (150, 200, None, ""),
        (150, 201, None, "score rose by 201 in 10 s, over 20 a second"),
        (50, 100, [100, 150], ""),  # a reset from 150 to 50 does not reduce what it rose by
        (50, 101, [100, 150], "score rose by 201 in 10 s, over 20 a second"),
        (200, 50, None, ""),  # setting less is no rise
        (201, 50, None, "score rose by 201 in 10 s, over 20 a second"),
    ],
)
def test_r49_max_metric_rate_counts_rises_before_a_reset_too(prior: int, incoming: int, past: Past, reason: str):
    assert objection("max_metric_rate", {"maxPerSecond": 20}, prior, incoming, 10_000, past) == reason


@pytest.mark.parametrize(
    ("limits", "prior", "incoming", "reason"),
    [
        ({"maxDelta": 50}, 10, 60, ""),
        ({"maxDelta": 50}, 10, 61, "score rose by 51, over 50"),
        ({"maxDelta": 50}, 0, 51, "score rose by 51, over 50"),
        ({"maxDelta": 50}, 1000, 0, ""),
        ({"maxDelta": 0.5}, 2**53 - 3, 2**53 - 2, "score rose by 1, over 0.5"),
        # 0.7 + 0.1 is 0.7999999999999999, and 0.4 - 0.3 is more than 0.1
        ({"maxDelta": 0.1}, 0.7, 0.8, ""),
        ({"maxDelta": 0.1}, 0.3, 0.4, ""),
        ({"maxDelta": 0.1}, 1e9 + 0.5, 1e9 + 0.75, "score rose by 0.25, over 0.1"),
        ({"maxRatio": 3}, 10, 30, ""),
        ({"maxRatio": 3}, 10, 31, "score rose 3.1 times, over 3"),
        ({"maxRatio": 3}, 0, 1_000_000, ""),  # nothing can be said of a multiple of 0
        ({"maxRatio": 1.15}, 100, 115, ""),  # 100 x 1.15 is 114.99999999999999
        ({"maxRatio": 1.15}, 100, 116, "score rose 1.16 times, over 1.15"),
        ({"maxRatio": 3}, 0.7, 2.1, ""),  # 2.1 / 0.7 is 3.0000000000000004
        ({"maxRatio": 3}, 0.7, 2.2, "score rose 3.14286 times, over 3"),
        ({"maxRatio": 0.5}, 10, 5, ""),
        ({"maxRatio": 3}, 5e-324, 2**53 - 1, "score rose inf times, over 3"),
        # both hold, and the first of them is told
        ({"maxDelta": 50, "maxRatio": 3}, 10, 60, "score rose 6 times, over 3"),
        ({"maxDelta": 50, "maxRatio": 3}, 100, 151, "score rose by 51, over 50"),
        ({"maxDelta": 50, "maxRatio": 3}, 10, 61, "score rose by 51, over 50"),
        ({"maxDelta": 50, "maxRatio": 3}, 25, 75, ""),
    ],
)
def test_r49_max_metric_jump(limits: dict[str, Number], prior: Number, incoming: Number, reason: str):
    assert objection("max_metric_jump", limits, prior, incoming, 5_000) == reason


@pytest.mark.parametrize(
    ("least", "prior", "incoming", "ms", "reason"),
    [
        (10, 99, 100, 10_000, ""),
        (10, 99, 100, 9_999, "score reached 100 after 9.999 s, under 10"),
        (10, 0, 250, 0, "score reached 100 after 0 s, under 10"),
        (10, 0, 99, 0, ""),
        (10, 100, 101, 0, ""),  # it was there before
        (10, 100, 50, 0, ""),
        (16.1, 0, 100, 16_100, ""),  # 16.1 x 1000 is 16100.000000000002
        (16.1, 0, 100, 16_099, "score reached 100 after 16.099 s, under 16.1"),
        (0.0005, 0, 100, 0, "score reached 100 after 0 s, under 0.0005"),
        (0.0005, 0, 100, 1, ""),
    ],
)
def test_r49_min_attempt_duration(least: Number, prior: int, incoming: int, ms: int, reason: str):
    assert objection("min_attempt_duration", {"minSeconds": least, "target": 100}, prior, incoming, ms) == reason


@pytest.mark.parametrize(("past", "is_first"), [(None, True), ([40, 99], True), ([99, 100], False), ([1, 99.5], True)])
def test_r49_min_attempt_duration_asks_for_the_first_time_whatever_was_reset_since(past: Past, is_first: bool):
    params = {"minSeconds": 10, "target": 100}
    assert bool(objection("min_attempt_duration", params, 0, 100, 0, past)) is is_first


def test_r49_the_target_of_min_attempt_duration_is_the_metrics_own_by_default():
    metrics = [{"key": "laps"}, {"key": "score", "target": 30, "cap": 50, "capAtTarget": True}]
    guard = Guard(event(("min_attempt_duration", {"minSeconds": 10}), metrics=metrics))
    assert guard.judge(None, [0, 0], [99, 29], 0) == ()
    assert guard.judge(None, [0, 29], [0, 30], 0)[0].reason == "score reached 30 after 0 s, under 10"
    other = Guard(event(("min_attempt_duration", {"minSeconds": 10, "target": 80}), metrics=metrics))
    assert other.judge(None, [0, 29], [0, 79], 0) == ()
    assert other.judge(None, [0, 79], [0, 80], 0)[0].reason == "score reached 80 after 0 s, under 10"


def test_r49_a_validator_looks_at_its_own_metric():
    metrics = [{"key": "laps"}, {"key": "score", "id": "points"}]
    guard = Guard(event(("max_metric_jump", {"maxDelta": 5, "metricKey": "points"}), metrics=metrics))
    assert guard.judge(None, [0, 0], [99, 5], 0) == ()
    assert guard.judge(None, [0, 0], [99, 6], 0) == (Finding("max_metric_jump", "flag", "score rose by 6, over 5"),)


@pytest.mark.parametrize(
    ("key", "limits"),
    [
        ("max_metric_rate", {"maxPerSecond": 1}),
        ("max_metric_jump", {"maxDelta": 1}),
        ("max_metric_jump", {"maxRatio": 1}),
        ("min_attempt_duration", {"minSeconds": 5, "target": 3}),
    ],
)
@pytest.mark.parametrize("verdict", ["flag", "reject"])
def test_r48_the_verdict_is_the_one_that_is_asked_for(key: str, limits: dict[str, Number], verdict: str):
    [finding] = Guard(event((key, {**limits, "verdict": verdict}))).judge(None, [2], [4], 0)
    assert (finding.validator_key, finding.verdict) == (key, verdict)
