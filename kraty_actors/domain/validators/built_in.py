"""The validators that are always there (R-49).

Each is compiled for one event into a function over values in declared metric order. The limit itself is legal, as its
designer wrote it: whole values are compared exactly, with 16.1 seconds as 16,100 ms, and fractions with an allowance
for what floats cannot say, so that 0.7 to 0.8 is no more than 0.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from math import ceil, ulp

from kraty_actors.definitions.anti_cheat import DurationParams, JumpParams, RateParams
from kraty_actors.domain.numbers import Number, whole
from kraty_actors.domain.validators.evidence import Finding
from kraty_actors.domain.validators.past import Past

Values = Sequence[Number]
Check = Callable[[Past, Values, Values, int], Finding | None]
"""Takes the past, the prior values, the incoming ones and the milliseconds since the attempt's start."""

WEAR = 1 + 1e-9
"""How far off a total or a quotient of fractions may be."""


def max_metric_rate(params: RateParams, at: int) -> Check:
    """All rises of the metric since the start, over the seconds since then, at least 1."""
    max_per_second = params.max_per_second
    limit, per_ms = _exactly(max_per_second), max_per_second * WEAR / 1000
    found = partial(Finding, "max_metric_rate", params.verdict)
    each, scale = limit.numerator, limit.denominator * 1000

    def check(past: Past, prior: Values, incoming: Values, elapsed_ms: int) -> Finding | None:
        rises = incoming[at] if incoming[at] > prior[at] else prior[at]
        if past is not None:
            rises += past[at]
        if elapsed_ms < 1000:
            elapsed_ms = 1000
        if rises * scale <= each * elapsed_ms if rises.__class__ is int else rises <= per_ms * elapsed_ms:
            return None
        seconds = whole(elapsed_ms / 1000)
        return found(f"{params.metric_key} rose by {rises} in {seconds} s, over {max_per_second} a second")

    return check


def max_metric_jump(params: JumpParams, at: int) -> Check:
    """What one write adds, and what it multiplies by."""
    max_delta, max_ratio, key = params.max_delta, params.max_ratio, params.metric_key
    found = partial(Finding, "max_metric_jump", params.verdict)
    ratio = _exactly(max_ratio or 1)
    times, each, worn = ratio.numerator, ratio.denominator, float(ratio) * WEAR

    def check(past: Past, prior: Values, incoming: Values, elapsed_ms: int) -> Finding | None:
        before, after = prior[at], incoming[at]
        rise = after - before
        if max_delta is not None and rise > max_delta and (rise.__class__ is int or rise > max_delta + 2 * ulp(after)):
            return found(f"{key} rose by {rise}, over {max_delta}")
        if (
            max_ratio is not None
            and before
            and (after * each > before * times if rise.__class__ is int else after > before * worn)
        ):
            return found(f"{key} rose {after / before:.6g} times, over {max_ratio}")
        return None

    return check


def min_attempt_duration(params: DurationParams, target: Number, at: int, count: int) -> Check:
    """The first write with which the metric reaches the target, whatever resets made of it since."""
    found = partial(Finding, "min_attempt_duration", params.verdict)
    least_ms = ceil(_exactly(params.min_seconds) * 1000)
    highest = count + at

    def check(past: Past, prior: Values, incoming: Values, elapsed_ms: int) -> Finding | None:
        if incoming[at] < target or elapsed_ms >= least_ms or prior[at] >= target:
            return None
        if past is not None and past[highest] >= target:
            return None
        seconds = whole(elapsed_ms / 1000)
        return found(f"{params.metric_key} reached {target} after {seconds} s, under {params.min_seconds}")

    return check


def _exactly(number: Number) -> Fraction:
    """The decimal that was written, not the float nearest to it."""
    return Fraction(str(number))
