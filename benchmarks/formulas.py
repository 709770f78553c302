"""What a formula costs for the same two metrics: the score alone, and all the arithmetic of a write around it."""

from __future__ import annotations

import math
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks.games import EXPRESSION
from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.scoring import Scoring

FORMULAS: dict[str, dict[str, str]] = {
    "linear": {"type": "linear"},
    "best_metric": {"type": "best_metric"},
    "product": {"type": "product"},
    f"expression: {EXPRESSION}": {"type": "expression", "expression": EXPRESSION},
}
ROUNDS, CALLS = 15, 10_000


@dataclass(slots=True)
class Cost:
    """The least nanoseconds that one call took on average in any round: noise only adds."""

    formula: str
    score_ns: float = math.inf
    write_ns: float = math.inf


def measure_formulas() -> list[Cost]:
    """All formulas in turn, round by round, in about two seconds; `linear` is the first."""
    costs = [Cost(name) for name in FORMULAS]
    scorings = [_scoring(formula) for formula in FORMULAS.values()]
    for _ in range(ROUNDS):
        for cost, scoring in zip(costs, scorings, strict=True):
            cost.score_ns = min(cost.score_ns, _ns(partial(scoring.score, [7, 3])))
            cost.write_ns = min(cost.write_ns, _ns(partial(_write, scoring)))
    return costs


def _scoring(formula: dict[str, str]) -> Scoring:
    streak = {"key": "streak", "scorePerUnit": 10, "cap": 1000, "resetOn": {"metricKey": "losses"}}
    metrics = [streak, {"key": "losses", "scorePerUnit": -1}]
    return Scoring(EventDefinition.model_validate({"key": "climb", "metrics": metrics, "scoreFormula": formula}))


def _write(scoring: Scoring) -> None:
    prior = [7, 3]
    incoming = scoring.incoming(prior, {"streak": 1}, "increment")
    if isinstance(incoming, list):
        capped = scoring.capped(scoring.after_resets(prior, incoming))
        scoring.score(capped)
        scoring.completes(capped)


def _ns(call: Callable[[], object]) -> float:
    return timeit.timeit(call, number=CALLS) / CALLS * 1e9
