"""Players and bots on one board, in one order (R-28).

Players are kept in rank order at every write; bots, of which dozens may move at once, are put in order only when
somebody reads the board. Where a player stands among them is a count.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Protocol

from kraty_actors.domain.ids import bot_participant, bot_seat
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.ranking import Ranking, Row


class SeatedBots(Protocol):
    """Bots by seat: their scores, and at which moment each came to its own. Those in `standing` have a row."""

    @property
    def values(self) -> Sequence[Number]: ...

    @property
    def reached(self) -> Sequence[int]: ...

    @property
    def standing(self) -> Sequence[int]: ...


class Standings:
    """The board's rows; the highest score leads, or the lowest if `ascending`."""

    __slots__ = ("_ascending", "_bot_rows", "_bots", "_standing", "players")

    def __init__(self, *, ascending: bool = False) -> None:
        self.players = Ranking()
        self._ascending = ascending
        self._bots: SeatedBots | None = None
        self._standing: Sequence[int] = ()
        self._bot_rows: list[Row] | None = []

    def seat_bots(self, bots: SeatedBots) -> None:
        """Let bots stand on the board; call `bots_moved` whenever what others see of them has changed."""
        self._bots = bots
        self.bots_moved()

    def bots_moved(self) -> None:
        if self._bots is not None:
            self._standing = self._bots.standing
            self._bot_rows = None if self._standing else []

    def __len__(self) -> int:
        return len(self.players) + len(self._standing)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.page(0, len(self)))

    def row(self, participant: int) -> Row | None:
        if participant >= 0:
            return self.players.row(participant)
        seat = bot_seat(participant)
        return self._bot_row(seat) if seat in self._standing else None

    def rank(self, participant: int) -> int | None:
        """1 for the first; None for one who is not there. O(log players + bots)."""
        if participant >= 0:
            return self.rank_of_player(participant)
        row = self.row(participant)
        return None if row is None else bisect_left(self._sorted_bots(), row) + self.players.ahead_of(row) + 1

    def rank_of_player(self, player: int) -> int | None:
        row = self.players.row(player)
        if row is None:
            return None
        ahead = self.players.ahead_of(row)
        return ahead + self._bots_before(row.sort_score) + 1 if self._standing else ahead + 1

    def page(self, offset: int, limit: int) -> list[Row]:
        """`limit` rows from `offset` (0 is the first)."""
        bots = self._sorted_bots()
        first = bisect_left(range(len(bots)), offset, key=lambda at: at + self.players.ahead_of(bots[at]))
        rows = [*self.players.page(offset - first, limit), *bots[first : first + limit]]
        return sorted(rows)[:limit]

    def _bots_before(self, sort_score: Number) -> int:
        if self._bot_rows is not None:
            return bisect_left(self._bot_rows, sort_score, key=_sort_score)
        if self._ascending:
            return len([1 for score in self._scores() if score < sort_score])
        score_to_beat = -sort_score
        return len([1 for score in self._scores() if score > score_to_beat])

    def _scores(self) -> Sequence[Number]:
        values = self._bots.values if self._bots is not None else ()
        return values if len(self._standing) == len(values) else [values[seat] for seat in self._standing]

    def _sorted_bots(self) -> list[Row]:
        if self._bot_rows is None:
            self._bot_rows = sorted(map(self._bot_row, self._standing))
        return self._bot_rows

    def _bot_row(self, seat: int) -> Row:
        bots = self._bots
        if bots is None:
            raise LookupError("no bots are seated")
        score = bots.values[seat]
        return Row(score if self._ascending else -score, True, bots.reached[seat], bot_participant(seat))


def _sort_score(row: Row) -> Number:
    return row.sort_score
