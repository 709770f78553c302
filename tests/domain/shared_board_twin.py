"""One period of a shared board, the slow and obvious way: a list of all that was said, evaluated from scratch."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

LIMIT = 2**53 - 1


@dataclass(frozen=True)
class Said:
    """One score of one attempt, and the score that the attempt had before."""

    attempt: Any
    player: int
    started_at: int
    prior: Any
    score: Any
    is_completed: bool


@dataclass
class PeriodTwin:
    sort: str
    aggregation: str
    starts_at: int
    said: list[Said] = field(default_factory=list)

    def rows(self) -> list[tuple[int, Any]]:
        """Players with their scores, in rank order."""
        timelines: dict[int, list[tuple[int, Any]]] = {}
        for order, said in enumerate(self.said):
            value = self.value(said.player, self.said[: order + 1])
            timeline = timelines.setdefault(said.player, [])
            if value is not None and (not timeline or timeline[-1][1] != value):
                timeline.append((order, value))
        stands = [(timeline[-1], player) for player, timeline in timelines.items() if timeline]
        sign = 1 if self.sort == "asc" else -1
        ranked = sorted(stands, key=lambda one: (sign * one[0][1], one[0][0]))
        return [(player, score) for (_, score), player in ranked]

    def value(self, player: int, said: list[Said]) -> Any:
        own = [one for one in said if one.player == player and (one.is_completed or self.sort == "desc")]
        if not own:
            return None
        if self.aggregation == "sum":
            return shown(sum(self.gained([one for one in own if one.attempt == run]) for run in attempts(own)))
        if self.aggregation == "latest":
            return own[-1].score
        return (min if self.sort == "asc" else max)(one.score for one in own)

    def gained(self, run: list[Said]) -> Fraction:
        """R-29: the attempt's score now less its score when the period began, never below 0."""
        began_before = self.sort == "desc" and run[0].started_at < self.starts_at
        then = run[0].prior if began_before else 0
        return max(Fraction(0), Fraction(run[-1].score) - Fraction(then))


def attempts(said: list[Said]) -> list[Any]:
    return list(dict.fromkeys(one.attempt for one in said))


def shown(total: Any) -> Any:
    number = min(float(total), float(LIMIT))
    return int(number) if number.is_integer() else number
