"""What writes are checked against: the validators of an event (R-48, R-49)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from kraty_actors.definitions.base import Model, OneOf, Ref
from kraty_actors.definitions.scalars import Key, MetricName, Number

MAX_VALIDATORS = 64

Positive = Annotated[float, Number(0, above=True)]
MetricRef = Annotated[MetricName, Ref("metrics")]
VerdictName: TypeAlias = Literal["flag", "reject"]


class ValidatorParams(Model):
    """What every validator takes."""

    verdict: VerdictName = "flag"
    """What a write past the limit gets."""


class _MetricParams(ValidatorParams):
    metric_key: MetricRef = Field(examples=["score"])
    """The metric, raw."""


class RateParams(_MetricParams):
    """The limit of `max_metric_rate`."""

    max_per_second: Positive = Field(examples=[1_000])
    """The most that the metric may rise per second, on average since the attempt began."""


class JumpParams(_MetricParams):
    """The limits of `max_metric_jump`; at least one."""

    max_delta: Positive | None = None
    """The most that one write may add."""
    max_ratio: Positive | None = None
    """The most that one write may multiply the metric by."""


class DurationParams(_MetricParams):
    """The limit of `min_attempt_duration`."""

    min_seconds: Annotated[float, Number(0, above=True)] = Field(examples=[10])
    """The least time in which the target may be reached."""
    target: Positive | None = None
    """The value to reach; default the metric's own target."""


class Validator(Model):
    """A validator with its parameters; each kind of it is a model of its own."""

    key: Key = Field(examples=["max_metric_rate"])
    """Which validator."""
    params: ValidatorParams = ValidatorParams()
    """Its parameters."""


class ValidatorRate(Validator):
    """Limits the average growth of a metric."""

    key: Literal["max_metric_rate"]
    params: RateParams = Field(examples=[{"metricKey": "score", "maxPerSecond": 1_000}])
    """The limit."""


class ValidatorJump(Validator):
    """Limits what one write adds to a metric."""

    key: Literal["max_metric_jump"]
    params: JumpParams = Field(examples=[{"metricKey": "score", "maxDelta": 5_000}])
    """The limits."""


class ValidatorDuration(Validator):
    """Limits how soon a metric may reach a target."""

    key: Literal["min_attempt_duration"]
    params: DurationParams = Field(examples=[{"metricKey": "score", "minSeconds": 10, "target": 1_000}])
    """The limit."""


VALIDATORS: dict[str, type[Validator]] = {
    "max_metric_rate": ValidatorRate,
    "max_metric_jump": ValidatorJump,
    "min_attempt_duration": ValidatorDuration,
}
"""The model of every validator that definitions may name."""


class _OneOfValidators(OneOf):
    """The validators that are known by then."""

    def models(self, _union: Any) -> Sequence[type[Validator]]:
        return tuple(VALIDATORS.values())


class AntiCheat(Model):
    """What every write is checked against (R-48, R-49)."""

    validators: Annotated[
        tuple[Annotated[Validator, _OneOfValidators("key")], ...], Field(max_length=MAX_VALIDATORS)
    ] = ()
    """The validators, run in this order."""
