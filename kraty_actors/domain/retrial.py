"""One contest of a final window, judged again without some of its players, by the code that paid the first time
(R-42, R-43)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator

from kraty_actors.domain.conclusion import Conclusion
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.outcome import Outcome, Pay
from kraty_actors.domain.ranking import Row


class Retrial:
    """See the module; it takes the contest over, which must be a copy.

    `without` are those who are left out. Those of them that are among `before` were so already, so they had no rank.
    """

    def __init__(self, contest: Contest, without: Collection[int], before: Collection[int], at: int) -> None:
        self.arena = contest.arena
        self.left_out = [player for player in without if self.arena.attempts.newest(player) >= 0]
        self._at = at
        board, moment = self.arena.board, self.arena.moment
        for player in self.left_out:
            if player in before:
                board.hide(player, moment)
        gone = [player for player in self.left_out if player not in board.hidden]
        self._ranks_then = {player: board.standings.rank_of_player(player) for player in gone}
        for player in gone:
            board.hide(player, moment)
        self._gone = sorted(row for row in map(board.hidden.get, gone) if row is not None)
        self._conclusion = Conclusion(self.arena, at)

    # -- who wins, and what

    def judging(self) -> Iterator[None]:
        """Find out who wins, a few milliseconds at a time."""
        while self._conclusion.stage in ("ending", "judging"):
            self._conclusion.step(self._at)
            yield

    @property
    def winners(self) -> int:
        """How many win a share of a pool, once that is judged."""
        return len(self._conclusion.winners)

    def paying(self, share: int) -> Iterator[list[Pay]]:
        """All that is due at the end of the window, once it is judged, a few milliseconds at a time; `share` is what
        each winner of a pool gets. What is due to one player comes together."""
        outcome: Outcome = self._conclusion.settle(share, self._at, is_cancelled=False)
        while True:
            yield [effect for effect in outcome.effects if isinstance(effect, Pay)]
            if outcome.finished:
                return
            outcome = self._conclusion.step(self._at)

    # -- who moves

    def rank(self, player: int) -> int | None:
        """Where the player stands now; None without a row."""
        return self.arena.board.standings.rank_of_player(player)

    def rank_then(self, player: int) -> int | None:
        """Where the player stood while nobody was left out but those of `before`."""
        if player in self._ranks_then:
            return self._ranks_then[player]
        row, rank = self.arena.board.standings.row(player), self.rank(player)
        return None if row is None or rank is None else rank + bisect_left(self._gone, row)

    @property
    def moved(self) -> int:
        """How many players stand higher now."""
        return len(self.arena.board.standings.players) - self._first_who_moved

    def who_moved(self, limit: int) -> list[int]:
        """The first of them, best first."""
        found: list[Row] = self.arena.board.standings.players.page(self._first_who_moved, limit)
        return [row.participant for row in found]

    @property
    def _first_who_moved(self) -> int:
        players = self.arena.board.standings.players
        return players.ahead_of(self._gone[0]) if self._gone else len(players)
