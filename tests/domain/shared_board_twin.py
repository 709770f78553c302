"""One period of a shared board, the slow and obvious way: a list of all that was said, evaluated from scratch."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

LIMIT = 2**53 - 1


@dataclass(frozen=True)
class Said:
    """One score of one attempt, and the score that the attempt had before; `had_prior`, if that was told of."""

    attempt: Any
    player: int
    started_at: int
    prior: Any
    score: Any
    is_completed: bool
    had_prior: bool


@dataclass(frozen=True)
class Gone:
    """An attempt was taken out: from then on nothing that was said of it counts."""

    attempt: Any
    player: int


@dataclass
class PeriodTwin:
    sort: str
    aggregation: str
    starts_at: int
    said: list[Said | Gone] = field(default_factory=list)
    banned: set[int] = field(default_factory=set)

    def rows(self) -> list[tuple[int, Any]]:
        """Players with their scores, in rank order."""
        stands = [(self.since(player), player) for player in {one.player for one in self.said} - self.banned]
        sign = 1 if self.sort == "asc" else -1
        ranked = sorted((sign * stood[1], stood[0], player) for stood, player in stands if stood is not None)
        return [(player, sign * score) for score, _, player in ranked]

    def since(self, player: int) -> tuple[int, Any] | None:
        """Since when the player stands at which score. What was taken out has never given a best one; a sum or a latest
        score changes when it goes."""
        stood: tuple[int, Any] | None = None
        gone = {one.attempt for one in self.said if isinstance(one, Gone)}
        for order, said in enumerate(self.said):
            past = self.said[: order + 1]
            out = gone if self.aggregation == "best" else {one.attempt for one in past if isinstance(one, Gone)}
            value = self.value(player, [one for one in past if isinstance(one, Said) and one.attempt not in out])
            if said.player == player and value != (stood and stood[1]):
                stood = None if value is None else (order, value)
        return stood

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
        began_before = self.sort == "desc" and (run[0].started_at < self.starts_at or run[0].had_prior)
        then = run[0].prior if began_before else 0
        return max(Fraction(0), Fraction(run[-1].score) - Fraction(then))


def attempts(said: list[Said]) -> list[Any]:
    return list(dict.fromkeys(one.attempt for one in said))


def shown(total: Any) -> Any:
    number = min(float(total), float(LIMIT))
    return int(number) if number.is_integer() else number
