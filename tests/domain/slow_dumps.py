"""Checkpoints that take their time, while the state goes on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule
from playing import frozen

from kraty_actors.actors.records import pack
from kraty_actors.domain import broadcasts, contest, floor, frozen_arena, player_windows, shared_board
from kraty_actors.domain.outcome import Plain, State

SIZES = (
    (broadcasts, "NAMES_PER_PART"),
    (contest, "WINNERS_PER_PART"),
    (floor, "ROWS_PER_PART"),
    (floor, "LOBBIES_PER_PART"),
    (frozen_arena, "ATTEMPTS_PER_PART"),
    (player_windows, "ROWS_PER_PART"),
    (shared_board, "PLAYERS_PER_PART"),
)


class SlowDump:
    """One dump in the smallest parts; it has to show the state as it was when it began."""

    def __init__(self, state: State) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for module, name in SIZES:
                patch.setattr(module, name, 1)
            self._expected = frozen(state)
            self._rest: Iterator[Plain] = iter(state.dump())
        self._taken = [pack(part) for part in islice(self._rest, 1)]

    def go_on(self, parts: int | None = None) -> bool:
        """Ask for so many parts; whether there may be more."""
        some = [pack(part) for part in islice(self._rest, parts)]
        self._taken += some
        if parts is not None and len(some) == parts:
            return True
        assert self._taken == self._expected
        return False


class WrittenSlowly:
    """A machine one of whose states is being written down, or not. To be ended before it is read back."""

    slow: SlowDump | None = None

    def states(self) -> list[State]:
        """Whatever may be written down."""
        raise NotImplementedError

    @rule(which=st.integers(0, 9), parts=st.integers(0, 4))
    def a_checkpoint_is_written_slowly(self, which: int, parts: int) -> None:
        states = self.states()
        if self.slow is None and states:
            self.slow = SlowDump(states[which % len(states)])
        elif self.slow is not None and not self.slow.go_on(parts):
            self.slow = None

    def end_slow_dump(self) -> None:
        if self.slow is not None:
            self.slow.go_on()
            self.slow = None
