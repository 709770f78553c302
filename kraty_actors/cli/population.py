"""Options of `simulate` that are small languages of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from kraty_actors.cli.faults import give_up
from kraty_actors.definitions.scalars import MAX_WHOLE
from kraty_actors.domain.conditions import Scalar
from kraty_actors.simulation.budget import Budget

_RANGE = re.compile(r"(-?\d{1,9})\.\.(-?\d{1,9})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,15})?", re.ASCII)


def attribute(text: str) -> tuple[str, Sequence[Scalar]]:
    """`country=PT,US` or `skill=0..1000`: a name, and the values of which each player has one; or exit 2."""
    name, equals, values = text.partition("=")
    if not name or not equals or not values:
        give_up(f"--attribute: '{text}': write it as NAME=A,B,C or NAME=LOW..HIGH")
    span = _RANGE.fullmatch(values)
    if span is None:
        return name, [_scalar(value.strip()) for value in values.split(",")]
    low, high = int(span[1]), int(span[2])
    if high < low:
        give_up(f"--attribute: {name}: {high} is below {low}")
    return name, range(low, high + 1)


def _scalar(text: str) -> Scalar:
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        number: int | float = json.loads(text)
        return number
    return text


def budget(text: str, percent: float) -> Budget:
    """`cash=10000`: what is not to be exceeded in so many percent of the runs; or exit 2."""
    key, equals, amount = text.partition("=")
    if not key or not equals or not re.fullmatch(r"\d{1,16}", amount, re.ASCII) or int(amount) > MAX_WHOLE:
        give_up(f"--budget: '{text}': write it as CURRENCY=AMOUNT, a whole number of at least 0")
    return Budget(key, int(amount), percent)
