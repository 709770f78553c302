"""Blocks that follow others, tick by tick (R-38)."""

from __future__ import annotations

import math
from typing import ClassVar

from kraty_actors.definitions.blocks import MatchPlayerPaceParams, TrackPositionParams
from kraty_actors.domain.bots.blocks import FollowingBlock, View
from kraty_actors.domain.numbers import VALUE_MAX, Number


class TrackPosition(FollowingBlock[TrackPositionParams]):
    """Towards the score at a rank, up or down, but not below 0."""

    tracks: ClassVar[bool] = True

    def step(self, score: Number, view: View, luck: float) -> Number:
        tracked = view.at_rank(self.params.target_rank)
        if tracked is None:
            return score
        goal = max(0, math.floor(tracked + self.params.offset))
        most = _whole_step(self.params.max_step)
        return min(max(goal, score - most), score + most)


class MatchPlayerPace(FollowingBlock[MatchPlayerPaceParams]):
    """Up towards a share of the leading human's score."""

    def step(self, score: Number, view: View, luck: float) -> Number:
        leader = view.leader()
        if leader is None:
            return score
        aim = leader * self.params.ratio * (1 + self.params.jitter * (2 * luck - 1))
        return max(score, min(math.floor(aim), score + _whole_step(self.params.max_step)))


def _whole_step(most: Number | None) -> int:
    """How far a whole score may move in one tick."""
    return VALUE_MAX if most is None else math.floor(most)
