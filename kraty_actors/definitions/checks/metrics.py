"""Metrics and the score that they make (R-4, R-6, R-9, R-10)."""

from __future__ import annotations

from kraty_actors.definitions.events import EventDefinition, ExpressionFormula, Metric
from kraty_actors.definitions.expressions import check_expression
from kraty_actors.definitions.findings import Place


def check_metrics(event: EventDefinition, place: Place) -> None:
    """The type agrees with the metrics, each metric with itself, and the formula with both."""
    metrics = place / "metrics"
    fitting = "multi_metric" if len(event.metrics) > 1 else "single_metric"
    if event.type != fitting:
        (place / "type").fault(f"must be '{fitting}': metrics in the event: {len(event.metrics)}", [metrics])
    for i, metric in enumerate(event.metrics):
        _check_metric(metric, metrics / i)
    _check_formula(event, place)


def _check_metric(metric: Metric, at: Place) -> None:
    if metric.cap_at_target and metric.target is None:
        (at / "capAtTarget").fault("needs a target", [at / "target"])
    if metric.cap is not None and metric.target is not None and metric.cap < metric.target:
        (at / "cap").fault(f"must not be below the target, {metric.target}")
    if metric.reset_on and metric.reset_on.metric_key in (metric.key, metric.id):
        (at / "resetOn" / "metricKey").fault("must name another metric than its own", [at / "key", at / "id"])


def _check_formula(event: EventDefinition, place: Place) -> None:
    if not isinstance(event.score_formula, ExpressionFormula):
        return
    if place.findings.document.is_open((place / "metrics").path):
        return
    fault = check_expression(event.score_formula.expression, [m.key for m in event.metrics], "number")
    if fault:
        (place / "scoreFormula" / "expression").fault(fault)
