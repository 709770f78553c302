"""The validators of one event, compiled (R-48)."""

from __future__ import annotations

from collections.abc import Sequence

from kraty_actors.definitions import AntiCheat, EventDefinition, Validator
from kraty_actors.definitions.anti_cheat import ValidatorDuration, ValidatorJump, ValidatorRate
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.validators.built_in import Check, max_metric_jump, max_metric_rate, min_attempt_duration
from kraty_actors.domain.validators.evidence import Finding
from kraty_actors.domain.validators.own import OwnCheck
from kraty_actors.domain.validators.past import Past

NONE: tuple[Finding, ...] = ()


class Guard:
    """Judges the writes of any attempt of an event. It remembers nothing of them.

    Args:
        event: what the attempts are played by, for its metrics.
        anti_cheat: its validators, of which a newer revision may be in force at once (R-5); by default the event's
            own. One that asks for a metric or a target which the event does not have is passed over.
    """

    __slots__ = ("_checks",)

    def __init__(self, event: EventDefinition, anti_cheat: AntiCheat | None = None) -> None:
        validators = (event.anti_cheat if anti_cheat is None else anti_cheat).validators
        self._checks = tuple(check for one in validators if (check := _compiled(one, event)) is not None)

    def __bool__(self) -> bool:
        """Whether there is anything to judge by."""
        return bool(self._checks)

    def judge(
        self, past: Past, prior: Sequence[Number], incoming: Sequence[Number], elapsed_ms: int
    ) -> tuple[Finding, ...]:
        """What speaks against a write, in the order of the validators; empty if nothing does.

        A reject is the last: what comes behind it in the list is not run.

        Args:
            past: of the attempt, before the write; see `past_after`.
            prior: the raw values before the write, in declared metric order.
            incoming: those that it asks for, before resets.
            elapsed_ms: since the attempt's start, at least 0.
        """
        found = NONE
        for check in self._checks:
            finding = check(past, prior, incoming, elapsed_ms)
            if finding is not None:
                found = (*found, finding)
                if finding.verdict == "reject":
                    break
        return found


def rejection(findings: Sequence[Finding]) -> Finding | None:
    """The one that the write is refused for, if it is: the strongest verdict wins."""
    return findings[-1] if findings and findings[-1].verdict == "reject" else None


def _compiled(validator: Validator, event: EventDefinition) -> Check | None:
    names = {name: at for at, metric in enumerate(event.metrics) for name in (metric.id, metric.key)}
    asked = getattr(validator.params, "metric_key", None)
    if asked is not None and asked not in names:
        return None
    match validator:
        case ValidatorRate(params=params):
            return max_metric_rate(params, names[params.metric_key])
        case ValidatorJump(params=params):
            return max_metric_jump(params, names[params.metric_key])
        case ValidatorDuration(params=params):
            at = names[params.metric_key]
            target = params.target or event.metrics[at].target
            return min_attempt_duration(params, target, at, len(event.metrics)) if target else None
    return OwnCheck(validator, [metric.key for metric in event.metrics])
