"""Order on a board (R-28): score, players before bots, who came to the score first, then the participant.

A row is one tuple that sorts by itself, so both forms below need no key function:

- a plain list up to `LIST_MAX` rows, which beats anything cleverer there;
- a sorted container beyond, where a move and a rank cost O(log n).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sortedcontainers import SortedList

LIST_MAX = 500

Number = int | float


class Row(NamedTuple):
    """`sort_score` is the score as it sorts: negated where the highest leads. `participant` < 0 is a bot."""

    sort_score: Number
    is_bot: bool
    order: int
    participant: int


class Ranking:
    """Rows in rank order. Ranks are 1, 2, 3, ... without ties, for the order is total."""

    __slots__ = ("_rows", "_standing")

    def __init__(self) -> None:
        self._standing: dict[int, Row] = {}
        self._rows: list[Row] | SortedList[Row] = []

    def __len__(self) -> int:
        return len(self._standing)

    def __contains__(self, participant: int) -> bool:
        return participant in self._standing

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def row(self, participant: int) -> Row | None:
        return self._standing.get(participant)

    def put(self, row: Row) -> None:
        """Place a row, or move the participant's row there. O(log n) compares."""
        old = self._standing.get(row.participant)
        if old is not None:
            self._take_out(old)
        self._standing[row.participant] = row
        rows = self._rows
        if isinstance(rows, list):
            insort(rows, row)
            if len(rows) > LIST_MAX:
                self._rows = SortedList(rows)
        else:
            rows.add(row)

    def fill(self, rows: Iterable[Row]) -> None:
        """Place the rows of distinct participants on an empty board, quicker than one by one."""
        self._standing = {row.participant: row for row in rows}
        ordered = sorted(self._standing.values())
        self._rows = SortedList(ordered) if len(ordered) > LIST_MAX else ordered

    def remove(self, participant: int) -> None:
        row = self._standing.pop(participant, None)
        if row is not None:
            self._take_out(row)

    def rank(self, participant: int) -> int | None:
        """1 for the first; None for one who is not there."""
        row = self._standing.get(participant)
        return None if row is None else self.ahead_of(row) + 1

    def ahead_of(self, row: Row) -> int:
        """How many rows sort before `row`, whether it is here or not."""
        rows = self._rows
        return bisect_left(rows, row) if isinstance(rows, list) else rows.bisect_left(row)

    def at(self, index: int) -> Row:
        """The row at a place, 0 for the first."""
        return self._rows[index]

    def page(self, offset: int, limit: int) -> list[Row]:
        """`limit` rows from `offset` (0 is the first)."""
        return list(self._rows[offset : offset + limit])

    def _take_out(self, row: Row) -> None:
        rows = self._rows
        if isinstance(rows, list):
            del rows[bisect_left(rows, row)]
        else:
            rows.remove(row)
