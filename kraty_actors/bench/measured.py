"""How long everybody waited."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kraty_actors.bench.load import Deed, Load
from kraty_actors.simulation.figures import quantile

PERCENTILES = (50.0, 90.0, 99.0, 99.9)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """As `quantile`; NaN of none."""
    return quantile(ordered, percent) if ordered else math.nan


@dataclass(slots=True)
class Waits:
    """Of one deed: for each answer when it was due, in seconds since the measuring began, and how long it took from
    then on, in milliseconds. That counts also what a request had to wait before it could be sent, so a server that
    stalls does not look better for being asked less."""

    due: array[float] = field(default_factory=lambda: array("d"))
    ms: array[float] = field(default_factory=lambda: array("d"))
    refused: Counter[str] = field(default_factory=Counter)
    asked: int = 0

    def answered(self, due: float, ms: float) -> None:
        self.due.append(due)
        self.ms.append(ms)

    def by_second(self) -> Iterator[tuple[int, list[float]]]:
        """The answers by the second in which they were due, sorted."""
        found: dict[int, list[float]] = {}
        for due, ms in zip(self.due, self.ms, strict=True):
            found.setdefault(int(due), []).append(ms)
        for second in sorted(found):
            yield second, sorted(found[second])


@dataclass(slots=True)
class Measured:
    """What came of a load.

    Attributes:
        waits: By deed.
        unanswered: Requests for which no answer came before everybody left.
        retired: Players who could not go on writing, for their attempt was over and there was no other for them.
        pushes: Changes of boards that watchers got.
        mismatches: Copies of watchers that differed from what the server said they should be; has to be 0.
        latest_ms: How late the load itself was at worst: far above 0 it was the client that could not keep up.
        client_share: The share of a core that it used.
    """

    load: Load
    waits: dict[Deed, Waits] = field(default_factory=dict)
    seconds: float = 0
    unanswered: int = 0
    retired: int = 0
    pushes: int = 0
    mismatches: int = 0
    latest_ms: float = 0
    client_share: float = 0

    @property
    def answered(self) -> int:
        return sum(len(waits.ms) for waits in self.waits.values())

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds if self.seconds else 0

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "event": self.load.event,
            "players": self.load.players,
            "watchers": self.load.watchers,
            "rate": self.load.rate,
            "seconds": round(self.seconds, 3),
            "answersPerSecond": round(self.rate, 1),
            "deeds": {deed: _plain(waits) for deed, waits in self.waits.items()},
            "unanswered": self.unanswered,
            "retired": self.retired,
            "pushesPerSecond": round(self.pushes / self.seconds, 1) if self.seconds else 0,
            "mismatches": self.mismatches,
            "client": {"latestMs": round(self.latest_ms, 3), "coreShare": round(self.client_share, 3)},
        }


def _plain(waits: Waits) -> dict[str, Any]:
    ordered = sorted(waits.ms)
    shown = {f"p{percent:g}": round(percentile(ordered, percent), 3) if ordered else None for percent in PERCENTILES}
    return {
        "asked": waits.asked,
        "answered": len(ordered),
        "refused": dict(sorted(waits.refused.items())),
        "ms": {**shown, "max": round(ordered[-1], 3) if ordered else None},
    }
