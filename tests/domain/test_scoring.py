"""One write's arithmetic against a twin that follows the rules' words (R-6 to R-11)."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playing import STREAK, event

from kraty_actors.domain.numbers import VALUE_MAX, whole
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.scoring import Scoring

KEYS = ["a", "b", "c", "d"]
halves = st.integers(0, 40).map(lambda n: whole(n / 2))
weights = st.none() | st.integers(-6, 6).map(lambda n: whole(n / 2))


@st.composite
def metrics(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to four metrics; each may have a target, a cap not below it, a weight, and a sibling that resets it."""
    keys = KEYS[: draw(st.integers(1, 4))]
    made = []
    for key in keys:
        target = draw(st.none() | st.integers(1, 12))
        cap = draw(st.none() | st.integers(target or 1, 20))
        siblings = [other for other in keys if other != key]
        trigger = draw(st.none() | st.sampled_from(siblings)) if siblings else None
        made.append(
            {
                "key": key,
                "target": target,
                "cap": cap,
                "scorePerUnit": draw(weights),
                "capAtTarget": draw(st.booleans()) if target else False,
                "resetOn": {"metricKey": trigger} if trigger else None,
            }
        )
    return made


class Twin:
    """The same four steps for metrics as they are written in JSON."""

    def __init__(self, declared: list[dict[str, Any]], formula: str) -> None:
        self.declared = declared
        self.formula = formula

    def written(self, prior: dict[str, Any], changes: dict[str, Any], mode: str) -> dict[str, Any]:
        asked = {key: changes[key] + (prior[key] if mode == "increment" else 0) for key in changes}
        incoming = prior | asked
        rose = [key for key in incoming if incoming[key] > prior[key]]
        return {
            m["key"]: 0 if m["resetOn"] and m["resetOn"]["metricKey"] in rose else incoming[m["key"]]
            for m in self.declared
        }

    def capped(self, raw: dict[str, Any]) -> dict[str, Any]:
        return {m["key"]: min([raw[m["key"]], *self._limits(m)]) for m in self.declared}

    def _limits(self, metric: dict[str, Any]) -> list[Any]:
        at_target = [metric["target"]] if metric["capAtTarget"] else []
        return at_target + ([metric["cap"]] if metric["cap"] is not None else [])

    def weight(self, metric: dict[str, Any]) -> Any:
        if metric["scorePerUnit"] is not None:
            return metric["scorePerUnit"]
        named = [m for m in self.declared if m["resetOn"] == {"metricKey": metric["key"]}]
        return 0 if named and metric["target"] is None and metric["cap"] is None else 1

    def score(self, raw: dict[str, Any]) -> Fraction:
        capped = self.capped(raw)
        worth = [Fraction(capped[m["key"]]) * Fraction(self.weight(m)) for m in self.declared if self.weight(m)]
        if not worth:
            return Fraction(0)
        return {"linear": sum, "best_metric": max, "product": prod}[self.formula](worth)

    def completes(self, raw: dict[str, Any]) -> bool:
        wanted = [m for m in self.declared if m["target"] is not None]
        return bool(wanted) and all(self.capped(raw)[m["key"]] >= m["target"] for m in wanted)


@given(st.data())
def test_r6_to_r11_a_run_of_writes_matches_the_twin(data: st.DataObject):
    declared = data.draw(metrics())
    formula = data.draw(st.sampled_from(["linear", "best_metric", "product"]))
    scoring, twin = Scoring(event(metrics=declared, scoreFormula={"type": formula})), Twin(declared, formula)
    keys = [m["key"] for m in declared]
    values, expected = [0] * len(keys), dict.fromkeys(keys, 0)
    for _ in range(data.draw(st.integers(1, 6))):
        changes = data.draw(st.dictionaries(st.sampled_from(keys), halves, min_size=1))
        mode = data.draw(st.sampled_from(["increment", "set"]))
        expected = twin.written(expected, changes, mode)
        incoming = scoring.incoming(values, changes, mode)
        assert not isinstance(incoming, Refusal)
        values = scoring.after_resets(values, incoming)
        capped = scoring.capped(values)
        assert dict(zip(keys, values, strict=True)) == expected
        assert dict(zip(keys, capped, strict=True)) == twin.capped(expected)
        assert scoring.score(capped) == twin.score(expected)
        assert scoring.completes(capped) == twin.completes(expected)


@pytest.mark.parametrize("changes", [{"losses": 1, "streak": 1}, {"streak": 1, "losses": 1}])
@pytest.mark.parametrize("mode", ["increment", "set"])
def test_r9_a_loss_wipes_the_streak_in_either_key_order(changes: dict[str, int], mode: str):
    scoring = Scoring(event(metrics=STREAK))
    incoming = scoring.incoming([3, 0], changes, mode)
    assert scoring.after_resets([3, 0], incoming) == [0, 1]


def test_r9_a_set_that_leaves_or_lowers_the_trigger_resets_nothing():
    scoring = Scoring(event(metrics=STREAK))
    for losses in (2, 1):
        assert scoring.after_resets([3, 2], scoring.incoming([3, 2], {"losses": losses}, "set")) == [3, losses]


def test_r9_triggers_are_judged_at_once_so_a_ring_of_resets_does_not_cascade():
    ring = [{"key": key, "resetOn": {"metricKey": other}} for key, other in (("a", "b"), ("b", "c"), ("c", "a"))]
    scoring = Scoring(event(metrics=ring))
    assert scoring.after_resets([4, 4, 4], scoring.incoming([4, 4, 4], {"a": 1}, "increment")) == [5, 4, 0]
    assert scoring.after_resets([4, 4, 4], scoring.incoming([4, 4, 4], {"a": 1, "b": 1}, "increment")) == [0, 5, 0]


def test_r6_overshoot_stays_in_raw_and_the_lower_of_cap_and_target_counts():
    metric = {"key": "points", "target": 5, "cap": 8}
    for cap_at_target, counts in ((True, 5), (False, 8)):
        scoring = Scoring(event(metrics=[{**metric, "capAtTarget": cap_at_target}]))
        assert scoring.incoming([4], {"points": 6}, "increment") == [10]
        assert scoring.capped([10]) == [counts]


@pytest.mark.parametrize(
    ("trigger", "score"),
    [({}, 5), ({"scorePerUnit": 1}, 8), ({"target": 9}, 8), ({"cap": 2}, 7), ({"scorePerUnit": -2}, -1)],
)
def test_r7_only_a_mere_reset_trigger_is_worth_nothing(trigger: dict[str, Any], score: int):
    scoring = Scoring(event(metrics=[STREAK[0], {"key": "losses", **trigger}]))
    assert scoring.score(scoring.capped([5, 3])) == score


def test_r8_the_limit_itself_is_legal_and_one_more_is_refused_whole():
    scoring = Scoring(event(metrics=[{"key": "a"}, {"key": "b"}]))
    assert scoring.incoming([VALUE_MAX - 1, 0], {"a": 1}, "increment") == [VALUE_MAX, 0]
    prior = [VALUE_MAX, 0]
    refusal = scoring.incoming(prior, {"b": 1, "a": 1}, "increment")
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.details, prior) == ("validation_failed", {"path": "metrics.a"}, [VALUE_MAX, 0])
    assert scoring.incoming(prior, {"a": 0.5}, "set") == [0.5, 0]


def test_r8_an_unknown_key_is_refused_with_the_known_ones():
    refusal = Scoring(event(metrics=STREAK)).incoming([0, 0], {"streak": 1, "wins": 1}, "increment")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_metric"
    assert refusal.details == {"path": "metrics.wins", "known": ["streak", "losses"]}


def test_r10_scores_are_clamped_on_both_sides():
    for weight, end in ((3, VALUE_MAX), (-3, -VALUE_MAX), (2.5, VALUE_MAX)):
        score = Scoring(event(metrics=[{"key": "points", "scorePerUnit": weight}])).score([VALUE_MAX])
        assert (score, type(score)) == (end, int)


FORMULAS = [
    ({"type": "linear"}, 21.5),
    ({"type": "best_metric"}, 20),
    ({"type": "product"}, 30),
    ({"type": "expression", "expression": "streak * 10 - losses"}, 47),
    ({"type": "expression", "expression": "bonus / losses"}, 0.5),
]


@pytest.mark.parametrize(("formula", "score"), FORMULAS)
def test_r10_formulas_by_hand_over_capped_values(formula: dict[str, Any], score: float):
    declared = [{"key": "streak", "cap": 5, "scorePerUnit": 4}, {"key": "losses", "scorePerUnit": 0}, {"key": "bonus"}]
    scoring = Scoring(event(metrics=declared, scoreFormula=formula))
    assert scoring.score(scoring.capped([7, 3, 1.5])) == score


def test_r10_nothing_that_counts_makes_no_score():
    silent = [{"key": "a", "scorePerUnit": 0}, {"key": "b", "scorePerUnit": 0}]
    for formula in ("linear", "best_metric", "product"):
        assert Scoring(event(metrics=silent, scoreFormula={"type": formula})).score([3, 4]) == 0


def test_r11_every_target_is_needed_and_judged_after_resets():
    both = Scoring(event(metrics=[{"key": "a", "target": 2}, {"key": "b", "target": 3}, {"key": "c"}]))
    assert [both.completes(values) for values in ([2, 2, 9], [1, 3, 9], [2, 3, 0])] == [False, False, True]
    streak = Scoring(event(metrics=STREAK))
    values = streak.after_resets([4, 0], streak.incoming([4, 0], {"streak": 1, "losses": 1}, "increment"))
    assert not streak.completes(streak.capped(values))
    assert Scoring(event()).is_score_attack
    assert not Scoring(event()).completes([10**9])


@pytest.mark.parametrize(("value", "same"), [(3.0, 3), (-0.0, 0), (2.5, 2.5), (7, 7)])
def test_whole_numbers_are_ints_and_there_is_one_zero(value: float, same: float):
    assert repr(whole(value)) == repr(same)
