"""How a window shares out its pools: what its contests have counted, and what each winner gets (R-43)."""

from __future__ import annotations

from collections.abc import Mapping

from kraty_actors.definitions import RewardPolicySharedPool
from kraty_actors.domain.prizes import PoolShare
from kraty_actors.domain.rules import Rules


class Pools:
    """One pool for the window, or one for each board, by how many have won on each."""

    def __init__(self, rules: Rules) -> None:
        policy = rules.event.reward_policy
        self._pool = policy.parameters.pool if isinstance(policy, RewardPolicySharedPool) else 0
        self._is_by_board = rules.pays_each_board
        self.winners: dict[int, int] = {}

    def share(self, contest: int) -> int:
        """What each winner on that board gets, once all of them are counted; 0 is nothing."""
        winners = self.winners.get(contest, 0) if self._is_by_board else sum(self.winners.values())
        return PoolShare.of(self._pool, winners).share

    @property
    def remainder(self) -> int:
        """What nobody gets: what cannot be split evenly, and the pools that nobody has won."""
        counts = self.winners.values() if self._is_by_board else [sum(self.winners.values())]
        return sum(PoolShare.of(self._pool, count).remainder for count in counts)

    def restore(self, winners: Mapping[int, int]) -> None:
        self.winners = dict(winners)
