"""What bots see of their board: the humans on it, and each other (R-38)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Protocol

from kraty_actors.domain.bots.seating import Seating
from kraty_actors.domain.numbers import VALUE_MAX, Number, whole


class Board(Protocol):
    """The humans on a board, in the order of the board."""

    @property
    def ends_at(self) -> int | None:
        """When the board closes, in ms; None without an end."""

    @property
    def humans(self) -> int:
        """How many rows humans have."""

    def human_at(self, rank: int) -> Number:
        """The score of a human, 1 for the best of them, up to `humans`."""

    def humans_ahead_of(self, score: Number) -> int:
        """How many humans rank before a bot of that score: those who have as good a one."""


class Sight:
    """The view of a board from one tick. What it saw of bots holds until they move: then look again."""

    __slots__ = ("_at_ranks", "_board", "_rows", "_seating", "_sign", "_tick")

    def __init__(self, seating: Seating, board: Board) -> None:
        self._seating = seating
        self._board = board
        self._sign = 1 if seating.ascending else -1
        self.look_at(0)

    def look_at(self, tick: int) -> None:
        """See the board as it is now, at a tick."""
        self._tick = tick
        self._at_ranks: dict[int, Number | None] = {}
        self._rows: list[tuple[Number, int, int]] | None = None

    def leader(self) -> Number | None:
        """The score of the best human; None without one."""
        return self._board.human_at(1) if self._board.humans else None

    def at_rank(self, rank: int) -> Number | None:
        """The score at a rank among humans and the bots that track nobody; beyond the last, that of the last."""
        if rank not in self._at_ranks:
            self._at_ranks[rank] = self._score_at(rank)
        return self._at_ranks[rank]

    def rank_of(self, seat: int) -> int:
        """Where a bot stands, or would with its score if it has no row."""
        seating = self._seating
        if self._rows is None:
            sign, values, reached = self._sign, seating.values, seating.reached
            self._rows = sorted([(sign * values[seat], reached[seat], seat) for seat in seating.standing])
        row = (self._sign * seating.values[seat], seating.reached[seat], seat)
        return self._board.humans_ahead_of(seating.values[seat]) + bisect_left(self._rows, row) + 1

    def facts(self, names: Sequence[str], seat: int) -> list[Number]:
        """What the names in a condition stand for, to one bot."""
        return [_FACTS[name](self, seat) for name in names]

    def _score_at(self, rank: int) -> Number | None:
        """Bots and humans are each in order, so it is enough to find how many of the first `rank` rows are bots."""
        bots, humans = self._bots_followed(), self._board.humans
        rank = min(rank, humans + len(bots))
        if not rank:
            return None
        fewest, most = max(0, rank - humans), min(rank, len(bots))
        may_be = range(fewest, most)
        among = fewest + bisect_left(may_be, True, key=lambda ahead: bots[ahead] > self._human_key(rank - ahead))
        last_bot = [bots[among - 1]] if among else []
        last_human = [self._human_key(rank - among)] if among < rank else []
        return self._sign * max(last_bot + last_human)

    def _human_key(self, rank: int) -> Number:
        return self._sign * self._board.human_at(rank)

    def _bots_followed(self) -> list[Number]:
        seating = self._seating
        followed = [seat for seat in seating.standing if not seating.tracks(seat)]
        return sorted(self._sign * seating.values[seat] for seat in followed)

    # -- facts

    def _elapsed_seconds(self, _seat: int) -> Number:
        return self._seating.grid.seconds(self._tick)

    def _remaining_seconds(self, _seat: int) -> Number:
        ends_at = self._board.ends_at
        if ends_at is None:
            return VALUE_MAX
        return whole(max(0, ends_at - self._seating.grid.instant_of(self._tick)) / 1000)

    def _state_seconds(self, seat: int) -> Number:
        return self._seating.seconds_in_state(seat, self._tick)

    def _ticks(self, _seat: int) -> Number:
        return self._tick

    def _score(self, seat: int) -> Number:
        return self._seating.values[seat]

    def _leader_score(self, _seat: int) -> Number:
        return self.leader() or 0

    def _target(self, seat: int) -> Number:
        return self._seating.state(seat).block.target


_FACTS: dict[str, Callable[[Sight, int], Number]] = {
    "elapsedSeconds": Sight._elapsed_seconds,
    "remainingSeconds": Sight._remaining_seconds,
    "stateSeconds": Sight._state_seconds,
    "ticks": Sight._ticks,
    "score": Sight._score,
    "rank": Sight.rank_of,
    "leaderScore": Sight._leader_score,
    "target": Sight._target,
}
