"""One write's arithmetic: incoming values, resets, caps, score, completion (R-6 to R-11, in the order of R-13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial, reduce

from kraty_actors.definitions import EventDefinition, ExpressionFormula
from kraty_actors.definitions.expressions import Binary, Call, Constant, Name
from kraty_actors.domain.expressions import Numeric, compile_number, compile_tree
from kraty_actors.domain.numbers import VALUE_MAX, VALUE_MIN, Number, clamped, whole
from kraty_actors.domain.outcome import Refusal


class Scoring:
    """An event's metrics and formula, compiled once for a revision. Values are lists in declared metric order."""

    __slots__ = ("_ceilings", "_resets", "_targets", "index", "keys", "score")

    score: Numeric
    """R-10: the score of capped values, within +-(2^53 - 1)."""

    def __init__(self, event: EventDefinition) -> None:
        self.keys = tuple(metric.key for metric in event.metrics)
        self.index = {key: at for at, key in enumerate(self.keys)}
        ceilings = [(at, metric.ceiling) for at, metric in enumerate(event.metrics)]
        self._ceilings = [(at, ceiling) for at, ceiling in ceilings if ceiling is not None]
        self.score = _formula(event, self.keys)
        self._targets = [(at, m.target) for at, m in enumerate(event.metrics) if m.target is not None]
        self._resets = [
            (at, self.index[metric.reset_on.metric_key])
            for at, metric in enumerate(event.metrics)
            if metric.reset_on is not None
        ]

    @property
    def is_score_attack(self) -> bool:
        """No target anywhere: an attempt never completes by a write (R-11)."""
        return not self._targets

    def by_key(self, values: Sequence[Number]) -> dict[str, Number]:
        return dict(zip(self.keys, values, strict=True))

    def incoming(self, prior: Sequence[Number], changes: Mapping[str, Number], mode: str) -> list[Number] | Refusal:
        """The raw values that a write asks for, before resets; refused whole if one is unknown or too large (R-8)."""
        for key in changes:
            if key not in self.index:
                return self._unknown(key)
        values = list(prior)
        for key, value in changes.items():
            at = self.index[key]
            result = value if mode == "set" else values[at] + value
            if result > VALUE_MAX:
                message = f"{key} would pass {VALUE_MAX}, the largest value"
                return Refusal("validation_failed", message, {"path": f"metrics.{key}"})
            values[at] = result if result.__class__ is int else whole(result)
        return values

    def _unknown(self, key: str) -> Refusal:
        message = f"no metric '{key}': known are {', '.join(self.keys)}"
        return Refusal("invalid_metric", message, {"path": f"metrics.{key}", "known": list(self.keys)})

    def after_resets(self, prior: Sequence[Number], incoming: list[Number]) -> list[Number]:
        """R-9: all triggers are judged at once on prior against incoming; no cascade. The same list if none fires."""
        if not self._resets:
            return incoming
        pulled = [at for at, trigger in self._resets if incoming[trigger] > prior[trigger]]
        if not pulled:
            return incoming
        raw = list(incoming)
        for at in pulled:
            raw[at] = 0
        return raw

    def capped(self, raw: list[Number]) -> list[Number]:
        """R-6: the view that score and completion read; overshoot stays in raw. The same list if nothing is over."""
        capped = raw
        for at, ceiling in self._ceilings:
            if raw[at] > ceiling:
                if capped is raw:
                    capped = list(raw)
                capped[at] = ceiling
        return capped

    def completes(self, capped: Sequence[Number]) -> bool:
        """R-11: every metric with a target has reached it; never without a target."""
        for at, target in self._targets:
            if capped[at] < target:
                return False
        return bool(self._targets)


def _formula(event: EventDefinition, keys: Sequence[str]) -> Numeric:
    formula = event.score_formula
    if isinstance(formula, ExpressionFormula):
        return compile_number(formula.expression, keys)
    weights = {metric.key: event.score_per_unit(metric) for metric in event.metrics}
    counted = {key: weight for key, weight in weights.items() if weight}
    if formula.type == "linear" or not counted:
        return _linear([(keys.index(key), weight) for key, weight in counted.items()])
    parts = [Binary("*", Name(key), Constant(weight)) for key, weight in counted.items()]
    is_best = formula.type == "best_metric"
    return compile_tree(Call("max", tuple(parts)) if is_best else reduce(partial(Binary, "*"), parts), keys)


def _linear(weights: Sequence[tuple[int, Number]]) -> Numeric:
    """The sum of capped x scorePerUnit. By far the most common formula, and quicker so than as a tree."""

    def score(capped: Sequence[Number]) -> Number:
        total: Number = 0
        for at, weight in weights:
            total += capped[at] * weight
        return total if total.__class__ is int and VALUE_MIN <= total <= VALUE_MAX else clamped(total)

    return score
