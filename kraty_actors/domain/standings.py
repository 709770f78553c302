"""Players and bots on one board, in one order (R-28).

Players are kept in rank order at every write; bots, of which dozens may move at once, are put in order only when
somebody reads the board. Where a player stands among them is a count.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from kraty_actors.domain.ids import bot_participant, bot_seat
from kraty_actors.domain.ranking import Number, Ranking, Row


class Standings:
    """The board's rows. `bots` are the scores by seat; `reached` says at which input each came to its score."""

    __slots__ = ("_bot_rows", "_bots", "_reached", "players")

    def __init__(self) -> None:
        self.players = Ranking()
        self._bots: Sequence[Number] = ()
        self._reached: Sequence[int] = ()
        self._bot_rows: list[Row] | None = []

    def seat_bots(self, scores: Sequence[Number], reached: Sequence[int]) -> None:
        """Let bots stand on the board, where the highest leads; call `bots_moved` whenever a score has changed."""
        self._bots, self._reached = scores, reached
        self._bot_rows = None

    def bots_moved(self) -> None:
        self._bot_rows = None

    def __len__(self) -> int:
        return len(self.players) + len(self._bots)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.page(0, len(self)))

    def row(self, participant: int) -> Row | None:
        if participant >= 0:
            return self.players.row(participant)
        seat = bot_seat(participant)
        return self._bot_row(seat) if 0 <= seat < len(self._bots) else None

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
        return ahead + self._bots_above(-row.sort_score) + 1 if self._bots else ahead + 1

    def page(self, offset: int, limit: int) -> list[Row]:
        """`limit` rows from `offset` (0 is the first)."""
        bots = self._sorted_bots()
        first = bisect_left(range(len(bots)), offset, key=lambda at: at + self.players.ahead_of(bots[at]))
        rows = [*self.players.page(offset - first, limit), *bots[first : first + limit]]
        return sorted(rows)[:limit]

    def _bots_above(self, score: Number) -> int:
        if self._bot_rows is not None:
            return bisect_left(self._bot_rows, -score, key=_sort_score)
        return len([1 for bot in self._bots if bot > score])

    def _sorted_bots(self) -> list[Row]:
        if self._bot_rows is None:
            self._bot_rows = sorted(map(self._bot_row, range(len(self._bots))))
        return self._bot_rows

    def _bot_row(self, seat: int) -> Row:
        return Row(-self._bots[seat], True, self._reached[seat], bot_participant(seat))


def _sort_score(row: Row) -> Number:
    return row.sort_score
