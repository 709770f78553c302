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
        self._parameters = policy.parameters if isinstance(policy, RewardPolicySharedPool) else None
        self._pool = self._parameters.pool if self._parameters is not None else 0
        self._is_by_board = rules.pays_each_board
        self.winners: dict[int, int] = {}

    def share(self, contest: int) -> int:
        """What each winner on that board gets, once all of them are counted; 0 is nothing."""
        winners = self.winners.get(contest, 0) if self._is_by_board else sum(self.winners.values())
        return PoolShare.of(self._pool, winners).share

    @property
    def remainder(self) -> int:
        """What nobody is to get: what cannot be split evenly, and the pools that nobody has won."""
        counts = self.winners.values() if self._is_by_board else [sum(self.winners.values())]
        return sum(PoolShare.of(self._pool, count).remainder for count in counts)

    def left(self, paid: Mapping[str, int]) -> int:
        """What nobody got, now that so much was paid, by currency."""
        if self._parameters is None:
            return 0
        pools = len(self.winners) if self._is_by_board else 1
        return self._pool * pools - paid.get(self._parameters.currency_key, 0)

    def restore(self, winners: Mapping[int, int]) -> None:
        self.winners = dict(winners)
