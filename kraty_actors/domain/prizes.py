"""Who wins a shared pool, and how much; whose rank earns which bundle (R-42, R-43)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kraty_actors.definitions import Predicate
from kraty_actors.definitions.rewards import Tier

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


def asks_for_ranks(predicate: Predicate) -> bool:
    """Whether it matters how a player ranks."""
    match predicate.type:
        case "all" | "any":
            return any(map(asks_for_ranks, predicate.conditions))
        case "not":
            return asks_for_ranks(predicate.condition)
    return predicate.type == "rank_at_most"


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


class Tiers:
    """The tiers of a `rank_scaled` policy; they do not overlap, and may leave gaps (R-42)."""

    __slots__ = ("_firsts", "_tiers")

    def __init__(self, tiers: Sequence[Tier]) -> None:
        self._tiers = sorted(tiers, key=lambda tier: tier.from_rank)
        self._firsts = [tier.from_rank for tier in self._tiers]

    def at(self, rank: int) -> Tier | None:
        """The tier of a final rank, from 1 on; None where none pays it."""
        before = bisect_right(self._firsts, rank)
        tier = self._tiers[before - 1] if before else None
        return tier if tier is not None and (tier.to_rank is None or rank <= tier.to_rank) else None

    def reach(self, standing: int) -> int:
        """The last rank that any of them may pay on a board of so many rows."""
        ends = [standing if tier.to_rank is None else tier.to_rank for tier in self._tiers]
        return min(standing, max(ends, default=0))
