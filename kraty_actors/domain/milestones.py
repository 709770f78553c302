"""Which milestones a write reaches (R-44)."""

from __future__ import annotations

from collections.abc import Sequence

from kraty_actors.domain.attempt import Attempt
from kraty_actors.domain.attempts import Attempts
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.rules import Rules


class Milestones:
    """The milestones of one event, by the place of their metric; a bit stands for each in declared order."""

    __slots__ = ("_lines", "_once_a_window")

    def __init__(self, rules: Rules) -> None:
        rewards = rules.event.milestone_rewards
        self._lines = [(1 << n, rules.scoring.index[m.metric_key], m.threshold) for n, m in enumerate(rewards)]
        self._once_a_window = sum(1 << n for n, m in enumerate(rewards) if m.once == "window")

    def __bool__(self) -> bool:
        return bool(self._lines)

    def reached(self, attempt: Attempt, attempts: Attempts, before: Sequence[Number], capped: Sequence[Number]) -> int:
        """The bits of those that capped values come to for the first time; a reset takes none of them back."""
        crossed = 0
        for bit, at, threshold in self._lines:
            if before[at] < threshold <= capped[at]:
                crossed |= bit
        crossed &= ~attempt.fired
        if crossed & self._once_a_window:
            for other in attempts.of(attempt.player):
                if not other.is_void:  # what that was paid is taken back
                    crossed &= ~(other.fired & self._once_a_window)
        return crossed
