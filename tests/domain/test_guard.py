"""All validators of an event over whole attempts (R-48, R-49)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from validating import NaiveAttempt, event

from kraty_actors.domain.numbers import VALUE_MAX
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.scoring import Scoring
from kraty_actors.domain.validators import Guard, Past, past_after, rejection
from kraty_actors.domain.validators.past import MOST_LOST

Number = int | float

METRICS = [
    {"key": "score", "target": 12, "resetOn": {"metricKey": "losses"}},
    {"key": "losses"},
    {"key": "coins", "resetOn": {"metricKey": "score"}},
]
KEYS = [metric["key"] for metric in METRICS]


def jump(most: float, verdict: str = "flag") -> tuple[str, dict[str, Any]]:
    return "max_metric_jump", {"maxDelta": most, "verdict": verdict}


def said(*validators: tuple[str, dict[str, Any]], incoming: int) -> list[tuple[str, str]]:
    return [(one.verdict, one.reason) for one in Guard(event(*validators)).judge(None, [0], [incoming], 5000)]


def test_r48_flag_flag_reject_and_what_stands_behind_is_not_run():
    order = [jump(1), jump(2), jump(3, "reject"), jump(4)]
    assert said(*order, incoming=9) == [
        ("flag", "score rose by 9, over 1"),
        ("flag", "score rose by 9, over 2"),
        ("reject", "score rose by 9, over 3"),
    ]
    assert [verdict for verdict, _ in said(*order, incoming=3)] == ["flag", "flag"]
    assert [verdict for verdict, _ in said(*reversed(order), incoming=9)] == ["flag", "reject"]
    assert said(*order, incoming=1) == []


def test_r48_the_strongest_verdict_wins():
    guard = Guard(event(jump(1), jump(3, "reject")))
    assert rejection(guard.judge(None, [0], [1], 0)) is None
    assert rejection(guard.judge(None, [0], [2], 0)) is None
    refused = rejection(guard.judge(None, [0], [4], 0))
    assert refused is not None
    assert refused.reason == "score rose by 4, over 3"


def test_r48_an_event_without_validators_has_nothing_to_judge_by():
    assert not Guard(event())
    assert Guard(event()).judge(None, [0], [VALUE_MAX], 0) == ()
    assert Guard(event(jump(1)))


def test_r5_the_validators_of_a_newer_revision_judge_by_the_metrics_that_are_played():
    played = event(metrics=[{"key": "laps"}, {"key": "score"}])
    newer = event(
        jump(5),
        ("max_metric_jump", {"maxDelta": 1, "metricKey": "gone"}),
        ("min_attempt_duration", {"minSeconds": 5}),
        metrics=[{"key": "score", "target": 3}, {"key": "gone"}],
    )
    guard = Guard(played, newer.anti_cheat)
    assert guard.judge(None, [0, 0], [9, 5], 0) == ()
    assert [one.reason for one in guard.judge(None, [0, 0], [9, 6], 0)] == ["score rose by 6, over 5"]


def test_r49_a_past_begins_with_the_first_fall():
    past = past_after(None, [0, 0], [5, 0], [5, 0])
    assert past is None
    past = past_after(past, [5, 0], [7, 1], [0, 1])
    assert past == [7, 0, 7, 0]
    kept = past_after(past, [0, 1], [3, 1], [3, 1])
    assert kept is past
    lower = past_after(past, [3, 1], [2, 0], [2, 0])
    assert lower == [8, 1, 7, 1]
    assert past == [7, 0, 7, 0], "a checkpoint may hold it still"


def test_r49_a_past_fits_in_a_checkpoint_whatever_was_written():
    past: Past = [MOST_LOST - 5, VALUE_MAX]
    assert past_after(past, [0], [VALUE_MAX], [0]) == [MOST_LOST, VALUE_MAX]
    assert MOST_LOST < 2**63


VALUES = st.integers(0, 20) | st.integers(0, 160).map(lambda n: n / 8)
WRITES = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1),
        st.sampled_from(["increment", "set"]),
        st.integers(0, 4000),
    ),
    max_size=12,
)
LIMITS = st.integers(1, 40) | st.sampled_from([0.1, 0.25, 1.5, 16.1])
VERDICTS = st.sampled_from(["flag", "flag", "reject"])
VALIDATORS = st.lists(
    st.one_of(
        st.tuples(st.just("max_metric_rate"), st.fixed_dictionaries({"maxPerSecond": LIMITS})),
        st.tuples(
            st.just("max_metric_jump"), st.fixed_dictionaries({"maxDelta": LIMITS}, optional={"maxRatio": LIMITS})
        ),
        st.tuples(st.just("min_attempt_duration"), st.fixed_dictionaries({"minSeconds": LIMITS, "target": LIMITS})),
    ).flatmap(
        lambda one: st.tuples(
            st.just(one[0]),
            st.builds(
                lambda key, verdict: {**one[1], "metricKey": key, "verdict": verdict}, st.sampled_from(KEYS), VERDICTS
            ),
        )
    ),
    max_size=4,
)


@given(writes=WRITES, validators=st.lists(VALIDATORS, min_size=1, max_size=2))
def test_r48_r49_judged_as_by_one_who_remembers_every_write(
    writes: list[Any], validators: list[list[tuple[str, dict[str, Any]]]]
):
    """Values are eighths, which floats add up exactly; halfway, the validators are replaced by others (R-5)."""
    events = [event(*listed, metrics=METRICS) for listed in validators]
    guards = [Guard(one) for one in events]
    scoring, naive = Scoring(events[0]), NaiveAttempt(KEYS)
    raw: list[Number] = [0] * len(KEYS)
    past: Past = None
    elapsed_ms = 0
    for turn, (changes, mode, ms) in enumerate(writes):
        elapsed_ms += ms
        which = turn * len(events) // len(writes)
        incoming = scoring.incoming(raw, changes, mode)
        assert not isinstance(incoming, Refusal)
        found = guards[which].judge(past, raw, incoming, elapsed_ms)
        assert [(one.validator_key, one.verdict) for one in found] == naive.judged(
            events[which], raw, incoming, elapsed_ms
        )
        if rejection(found) is not None:
            continue
        naive.apply(raw, incoming)
        after = scoring.after_resets(raw, list(incoming))
        past = past_after(past, raw, incoming, after)
        past = json.loads(json.dumps(past))  # plain data, as in a checkpoint
        raw = after


@pytest.mark.parametrize("writes", [1, 3, 7, 10, 100, 1000])
def test_r48_a_limit_that_is_just_kept_is_kept_however_often(writes: int):
    """A tenth a second and a tenth a write, by floats that do not add up to that."""
    guard = Guard(event(("max_metric_rate", {"maxPerSecond": 0.1}), ("max_metric_jump", {"maxDelta": 0.1})))
    value = 0.0
    for second in range(1, writes + 1):
        assert guard.judge(None, [value], [value + 0.1], 1000 * second) == ()
        value += 0.1
    assert len(guard.judge(None, [value], [value + 0.2], 1000 * (writes + 1))) == 2
