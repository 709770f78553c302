"""What each attempt has given to a shared board, so that one which is taken out can leave it (R-51)."""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern

from kraty_actors.domain.exact_sums import Exact, ExactSums
from kraty_actors.domain.ids import attempt_id
from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.ranking import Row

Stake = tuple[str, int, Row]
"""The contest, the attempt's serial there, and the row that its player would have by it alone. Where scores are added
up, the row's score is what the attempt has added."""


class Stakes:
    """The stakes of all players; nearly always there is one of each."""

    __slots__ = ("_by_player", "_sums")

    def __init__(self) -> None:
        self._by_player: dict[int, list[Stake]] = {}
        self._sums = ExactSums()

    def take(self, contest: str, serial: int, row: Row, *, keeps_best: bool) -> None:
        """The attempt gives this, instead of what it gave before unless that was better and the best counts."""
        stakes = self._by_player.setdefault(row.participant, [])
        at = _place(stakes, contest, serial)
        if at is None:
            stakes.append((intern(contest), serial, row))
        elif not keeps_best or row < stakes[at][2]:
            stakes[at] = (stakes[at][0], serial, row)

    def add(self, contest: str, serial: int, player: int, gain: Exact) -> None:
        """The attempt gives this besides what it gave before."""
        stakes = self._by_player.setdefault(player, [])
        at = _place(stakes, contest, serial)
        if at is None:
            at = len(stakes)
            stakes.append((intern(contest), serial, Row(0, False, 0, player)))
        elif not gain:
            return
        given = self._sums.added(attempt_id(contest, serial), stakes[at][2].sort_score, gain)
        stakes[at] = (stakes[at][0], serial, Row(given, False, 0, player))

    def given(self, contest: str, serial: int, player: int) -> Exact | None:
        """What an attempt has added; None if it gave nothing."""
        stakes = self._by_player.get(player, [])
        at = _place(stakes, contest, serial)
        return None if at is None else self._sums.total(attempt_id(contest, serial), stakes[at][2].sort_score)

    def drop(self, contest: str, serial: int, player: int) -> Exact | None:
        """Forget what an attempt gave: what it has added, where scores are added up. None if it gave nothing."""
        stakes = self._by_player.get(player, [])
        at = _place(stakes, contest, serial)
        if at is None:
            return None
        _, _, row = stakes.pop(at)
        if not stakes:
            del self._by_player[player]
        return self._sums.removed(attempt_id(contest, serial), row.sort_score)

    def has(self, player: int) -> bool:
        """Whether any attempt of the player's gave something."""
        return player in self._by_player

    def standing(self, player: int, *, is_best: bool) -> Row:
        """The row that a player has by all their stakes: the best one, or the latest."""
        rows = [row for _, _, row in self._by_player[player]]
        return min(rows) if is_best else max(rows, key=lambda row: row.order)

    def dump(self, player: int) -> list[Plain]:
        """What a player's attempts gave."""
        return [[contest, serial, list(row)] for contest, serial, row in self._by_player.get(player, ())]

    def dump_sums(self, player: int) -> list[Plain]:
        """What is given by attempts of a player whose rows cannot say it exactly."""
        stakes = self._by_player.get(player, ()) if self._sums else ()
        return self._sums.dump(attempt_id(contest, serial) for contest, serial, _ in stakes)

    def restore(self, rows: Iterable[Plain], sums: Iterable[Plain]) -> None:
        for contest, serial, plain in rows:
            row = Row(*plain)
            self._by_player.setdefault(row.participant, []).append((intern(contest), serial, row))
        self._sums.restore(sums)


def _place(stakes: list[Stake], contest: str, serial: int) -> int | None:
    for at, (of, which, _) in enumerate(stakes):
        if which == serial and of == contest:
            return at
    return None
