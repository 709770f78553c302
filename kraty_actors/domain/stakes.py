"""What each attempt has given to a shared board, so that one which is taken out can leave it (R-51)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import intern

from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.ranking import Row

Stake = tuple[str, int, Row]
"""The contest, the attempt's serial there, and the row that its player would have by it alone."""


class Stakes:
    """The stakes of all players; nearly always there is one of each."""

    __slots__ = ("_by_player",)

    def __init__(self) -> None:
        self._by_player: dict[int, list[Stake]] = {}

    def take(self, contest: str, serial: int, row: Row, *, keeps_best: bool) -> None:
        """The attempt gives this, instead of what it gave before unless that was better and the best counts."""
        stakes = self._by_player.setdefault(row.participant, [])
        for at, (of, which, before) in enumerate(stakes):
            if which == serial and of == contest:
                if not keeps_best or row < before:
                    stakes[at] = (of, which, row)
                return
        stakes.append((intern(contest), serial, row))

    def drop(self, contest: str, serial: int, player: int) -> bool:
        """Forget what an attempt gave; False if it gave nothing."""
        stakes = self._by_player.get(player, [])
        left = [stake for stake in stakes if stake[:2] != (contest, serial)]
        if left:
            self._by_player[player] = left
        else:
            self._by_player.pop(player, None)
        return len(left) < len(stakes)

    def standing(self, player: int, *, is_best: bool) -> Row | None:
        """The row that the player has by all their stakes: the best one, or the latest."""
        rows = [row for _, _, row in self._by_player.get(player, ())]
        if is_best:
            return min(rows, default=None)
        return max(rows, key=lambda row: row.order, default=None)

    def dump(self) -> Iterator[Plain]:
        for stakes in self._by_player.values():
            for contest, serial, row in stakes:
                yield [contest, serial, list(row)]

    def restore(self, rows: Iterable[Plain]) -> None:
        for contest, serial, plain in rows:
            row = Row(*plain)
            self._by_player.setdefault(row.participant, []).append((intern(contest), serial, row))
