"""Who wins a shared pool, and how much (R-43)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kraty_actors.definitions import Predicate

Number = int | float


def wins(predicate: Predicate, capped: Mapping[str, Number], completed: bool, rank: int | None) -> bool:
    """Whether one attempt's final capped values satisfy the predicate."""
    match predicate.type:
        case "completed":
            return completed
        case "metric_at_least":
            return capped[predicate.metric_key] >= predicate.threshold
        case "rank_at_most":
            return rank is not None and rank <= predicate.rank
        case "all":
            return all(wins(part, capped, completed, rank) for part in predicate.conditions)
        case "any":
            return any(wins(part, capped, completed, rank) for part in predicate.conditions)
        case "not":
            return not wins(predicate.condition, capped, completed, rank)


@dataclass(slots=True, frozen=True)
class PoolShare:
    """`winners` x `share` + `remainder` is the pool. The remainder is reported, not paid."""

    winners: int
    share: int
    remainder: int

    @classmethod
    def of(cls, pool: int, winners: int) -> PoolShare:
        share = pool // winners if winners else 0
        return cls(winners, share, pool - share * winners)
