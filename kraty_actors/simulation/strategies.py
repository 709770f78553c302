"""How simulated players behave: small pure functions of what a player sees and of their dice (R-47)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kraty_actors.definitions import EventDefinition
from kraty_actors.definitions.scalars import KEY
from kraty_actors.domain.numbers import Number
from kraty_actors.simulation.dice import Dice


@dataclass(slots=True, frozen=True)
class Seen:
    """What a player knows before each move.

    Attributes:
        event: what is played.
        player: the player's number, from 1.
        skill, temper: what kind of player this is, each in [0, 1), drawn once; skills crowd around the middle.
        elapsed, length: seconds since the window opened, and how many it lasts.
        remaining: seconds until the running attempt ends, or without one the window.
        attempts, completed: how many were started, and how many of these completed.
        playing: whether an attempt runs; the fields behind it are about that one.
        writes: how many were applied.
        values: the metrics, capped, by key.
        score, rank: the attempt's score, and where the player's row stood after the last write.
        refused: the code with which the last write was refused, else None.
    """

    event: EventDefinition
    player: int
    skill: float
    temper: float
    elapsed: float
    length: float
    remaining: float
    attempts: int = 0
    completed: int = 0
    playing: bool = False
    writes: int = 0
    values: Mapping[str, Number] = field(default_factory=dict)
    score: Number = 0
    rank: int | None = None
    refused: str | None = None


@dataclass(slots=True, frozen=True)
class Move:
    """What a player does next, `after` so many seconds; made by `start`, `write` and `finish`."""

    what: Literal["start", "write", "finish"]
    after: float
    metrics: Mapping[str, Number] = field(default_factory=dict)
    mode: Literal["increment", "set"] = "increment"

    @classmethod
    def start(cls, after: float) -> Move:
        """Start an attempt."""
        return cls("start", after)

    @classmethod
    def write(
        cls, after: float, metrics: Mapping[str, Number], mode: Literal["increment", "set"] = "increment"
    ) -> Move:
        """Write progress on the running attempt."""
        return cls("write", after, metrics, mode)

    @classmethod
    def finish(cls, after: float) -> Move:
        """End the running attempt."""
        return cls("finish", after)


Strategy: TypeAlias = Callable[[Seen, Dice], Move | None]
"""The next move; None: the player leaves for good, and a running attempt runs out."""

STRATEGIES: dict[str, Strategy] = {}
"""Every strategy by name, the game's own behind the built-in ones."""


class StrategyFault(Exception):
    """A strategy did what no player can do."""


def register_strategy(name: str, strategy: Strategy) -> None:
    """Make a strategy known to simulations (R-47).

    Args:
        name: what `--behaviour` calls it.
        strategy: takes what a player has `Seen` and their `Dice`, and gives the next `Move`, or None to leave for good.
            It is asked before the first start, and again after each move. It must depend on nothing else: no clock, no
            other chance, nothing that it remembers.

    Raises:
        ValueError: the name is no key, or is taken by another strategy.
    """
    if not re.fullmatch(KEY, name, re.ASCII):
        raise ValueError(f"{name!r} is no key: 1 to 64 letters, digits and _ . : - after a first letter or digit")
    if STRATEGIES.setdefault(name, strategy) is not strategy:
        raise ValueError(f"the strategy '{name}' is there already")


def forget_strategy(name: str) -> None:
    """Take a strategy out again."""
    del STRATEGIES[name]
