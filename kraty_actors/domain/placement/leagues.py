"""`segmented`: leagues from the lowest to the highest, each in divisions if they have a capacity (R-30)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.placement.decision import Decision, Placement
from kraty_actors.domain.placement.filling import Filling
from kraty_actors.domain.window_messages import Admit


class Leagues(Placement):
    """Players sit in the league that they come with; new ones, and those whose league is no more, in the first."""

    def __init__(self, leagues: Sequence[str], seats: int | None) -> None:
        self._leagues = leagues
        self._divisions = Filling(seats)

    def place(self, newcomer: Admit, now: int) -> Decision:
        league = newcomer.league if newcomer.league in self._leagues else self._leagues[0]
        return self._divisions.place(newcomer.player, ("league", league))

    def league_of(self, contest: int) -> str:
        league: str = self._divisions.pile_of(contest)[1]
        return league

    def dump(self) -> Iterable[Plain]:
        return self._divisions.dump()

    def restore(self, rows: Iterable[Plain]) -> None:
        self._divisions.restore(rows)
