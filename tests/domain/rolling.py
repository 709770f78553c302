"""Entries as a game file has them, rolled by many fixed keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kraty_actors.definitions import Bundle, Entry
from kraty_actors.domain.loot import Loot, roll

CASH = {"type": "currency", "currencyKey": "cash"}
BULLETS = {"type": "item", "itemKey": "bullet"}


def bundle(key: str, *entries: dict[str, Any], **fields: Any) -> Bundle:
    return Bundle.model_validate({"key": key, "entries": list(entries), **fields})


def entries(*defined: dict[str, Any]) -> Sequence[Entry]:
    return bundle("payout", *defined).entries


def cash(amount: Any, **fields: Any) -> dict[str, Any]:
    return {**CASH, "amount": amount, **fields}


def table(weights: Sequence[float], rolls: Any = 1, **fields: Any) -> dict[str, Any]:
    """A table whose lines pay 1, 2, 3, ... cash."""
    lines = [{"weight": weight, "entry": cash(at)} for at, weight in enumerate(weights, 1)]
    return {"type": "table", "rolls": rolls, "weightedEntries": lines, **fields}


def rolled(defined: Sequence[Entry], count: int, prefix: str = "grant") -> list[Loot]:
    """Rolled by `count` keys, always the same ones."""
    return [roll(defined, f"{prefix}-{n}") for n in range(count)]


def amounts(loots: Sequence[Loot]) -> list[int]:
    """Every amount of money in them, in order."""
    return [entry["amount"] for loot in loots for entry in loot.entries if entry["type"] == "currency"]


def p_value(observed: Sequence[int], expected: Sequence[float]) -> float:
    """Pearson's chi-square test: how likely counts at least as far from the expected ones are."""
    statistic = sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
    return upper_tail(statistic, len(observed) - 1)


def upper_tail(statistic: float, freedom: int) -> float:
    """How likely a chi-square of so many degrees of freedom is above this: known for 1 and 2, and from k to k + 2."""
    half = statistic / 2
    odd = freedom % 2
    tail = math.erfc(math.sqrt(half)) if odd else math.exp(-half)
    for k in range(1 if odd else 2, freedom, 2):
        tail += math.exp(k / 2 * math.log(half) - half - math.lgamma(k / 2 + 1)) if half else 0
    return tail
