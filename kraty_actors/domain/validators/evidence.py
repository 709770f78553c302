"""What a validator of a game's own sees, and what it and the built-in ones say (R-48)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kraty_actors.domain.numbers import Number


@dataclass(slots=True)
class Evidence:
    """A write of an attempt, with raw values by metric key: nothing is capped.

    Attributes:
        prior: the values before the write.
        incoming: those that the write asks for, before any reset.
        rises: how much each metric has gone up since the attempt began, this write included; resets and writes that
            set less do not reduce it.
        elapsed_seconds: since the attempt's start, at least 0.
    """

    prior: Mapping[str, Number]
    incoming: Mapping[str, Number]
    rises: Mapping[str, Number]
    elapsed_seconds: float


@dataclass(slots=True, frozen=True)
class Verdict:
    """What a validator thinks of a write; `reason` is for people."""

    verdict: Literal["allow", "flag", "reject"]
    reason: str = ""


@dataclass(slots=True, frozen=True)
class Finding:
    """A validator's objection to a write. A `reject` is the last of its write."""

    validator_key: str
    verdict: Literal["flag", "reject"]
    reason: str
