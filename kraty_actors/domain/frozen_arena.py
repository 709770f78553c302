"""The attempts and rows of one contest as they stood at one moment, for a checkpoint that takes its time."""

from __future__ import annotations

from collections.abc import Iterator

from kraty_actors.domain.attempt import Attempt
from kraty_actors.domain.attempts import Attempts
from kraty_actors.domain.frozen import Frozen
from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.own_board import OwnBoard

ATTEMPTS_PER_PART = 100
"""Attempts in one part of a checkpoint: some tenths of a millisecond of packing. Their players' rows are the next."""


class FrozenArena:
    """See the module. A player's row goes with their first attempt."""

    __slots__ = ("_attempts", "_board", "_first", "_rows")

    def __init__(self, attempts: Attempts, board: OwnBoard) -> None:
        self._first = attempts.in_parts(ATTEMPTS_PER_PART)
        self._board = board
        self._attempts: Frozen[int] = Frozen(lambda serial: attempts[serial].dump())
        self._rows: Frozen[int] = Frozen(self._row)

    def keep(self, attempt: Attempt) -> None:
        """The attempt is about to change, and perhaps its player's row."""
        self._attempts.keep(attempt.serial)
        self._rows.keep(attempt.player)

    def keep_row(self, player: int) -> None:
        """The player's row is about to change."""
        self._rows.keep(player)

    def parts(self) -> Iterator[Plain]:
        """Everything, as [what it is, rows]."""
        for some in self._first:
            yield ["attempts", self._attempts.entries(one.serial for one in some)]
            rows = self._rows.entries(one.player for one in some if one.previous < 0)
            if standing := [row for row, _ in rows if row is not None]:
                yield ["rows", standing]
            if sums := [one for _, sums in rows for one in sums]:
                yield ["sums", sums]

    def _row(self, player: int) -> Plain:
        return self._board.dump_row(player), self._board.dump_sums(player)
