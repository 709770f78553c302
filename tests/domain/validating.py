"""Events with validators, and a naive judge of a whole attempt to hold the compiled one against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from kraty_actors.definitions import EventDefinition, load_game

Number = int | float


def event(*validators: tuple[str, dict[str, Any]], metrics: list[dict[str, Any]] | None = None) -> EventDefinition:
    """An event with the metric `score`, unless others are given, and these validators, of `score` unless they say."""
    listed = [{"key": key, "params": {"metricKey": "score", **params}} for key, params in validators]
    defined = {"key": "e", "metrics": metrics or [{"key": "score"}], "antiCheat": {"validators": listed}}
    return load_game({"gameId": "g", "events": [defined]}).game.events[0]


@dataclass
class NaiveAttempt:
    """Remembers every applied write, and goes through all of them each time (R-48, R-49)."""

    metrics: Sequence[str]
    writes: list[tuple[list[Number], list[Number]]] = field(default_factory=list)

    def judged(
        self, event: EventDefinition, prior: list[Number], incoming: list[Number], elapsed_ms: int
    ) -> list[tuple[str, str]]:
        """The key and the verdict of each objection."""
        found = []
        for validator in event.anti_cheat.validators:
            given = validator.params.model_dump(by_alias=True)
            at = self.metrics.index(given["metricKey"])
            history = [(a[at], b[at]) for a, b in [*self.writes, (prior, incoming)]]
            target = given.get("target") or event.metrics[at].target
            if self._objects(validator.key, given, history, target, Fraction(elapsed_ms, 1000)):
                found.append((validator.key, given["verdict"]))
                if given["verdict"] == "reject":
                    break
        return found

    def _objects(
        self,
        key: str,
        given: dict[str, Any],
        history: list[tuple[Number, Number]],
        target: Number | None,
        seconds: Fraction,
    ) -> bool:
        before, after = history[-1]
        match key:
            case "max_metric_rate":
                rises = sum(Fraction(b) - Fraction(a) for a, b in history if b > a)
                return rises / max(1, seconds) > Fraction(str(given["maxPerSecond"]))
            case "max_metric_jump":
                delta, ratio = given["maxDelta"], given["maxRatio"]
                is_far = delta is not None and Fraction(after) - Fraction(before) > Fraction(str(delta))
                is_steep = ratio is not None and before and Fraction(after) / Fraction(before) > Fraction(str(ratio))
                return bool(is_far or is_steep)
            case "min_attempt_duration":
                assert target is not None
                reached_before = any(max(a, b) >= target for a, b in history[:-1]) or before >= target
                return after >= target and not reached_before and seconds < Fraction(str(given["minSeconds"]))
        raise AssertionError(key)

    def apply(self, prior: list[Number], incoming: list[Number]) -> None:
        self.writes.append((prior, incoming))
