"""The board of one contest: one row a player, whatever the number of attempts (R-28, R-29)."""

from __future__ import annotations

from kraty_actors.domain.attempt import Attempt
from kraty_actors.domain.attempts import Attempts
from kraty_actors.domain.exact_sums import ExactSums, exact
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.ranking import Row
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.standings import Standings


class OwnBoard:
    """Rows are placed at a `moment` of the board, which rises with everything that happens on it; `version` is that of
    the last visible change, so it rises across restarts too."""

    __slots__ = ("_aggregation", "_ascending", "_sums", "_unwritten", "ends_at", "standings", "version")

    def __init__(self, rules: Rules, ends_at: int | None) -> None:
        self.ends_at = ends_at
        self._ascending = rules.ascending
        self._aggregation = rules.aggregation
        self._unwritten: set[int] = set()
        self._sums = ExactSums()
        self.standings = Standings(ascending=rules.ascending)
        self.version = 1

    def started(self, player: int, moment: int) -> None:
        """A started attempt stands at 0, but for boards of lowest scores, where it has no row yet."""
        if not self._ascending and player not in self.standings.players:
            self._unwritten.add(player)
            self._place(player, 0, moment)

    def scored(self, attempt: Attempt, prior: Number, moment: int) -> None:
        """The attempt has a new score; before, it had `prior`."""
        if not self._ascending:
            self._place(attempt.player, self._aggregate(attempt, prior), moment)

    def ended(self, attempt: Attempt, moment: int) -> None:
        """The attempt has its final score."""
        if self._ascending and attempt.counts_as_completed:
            self._place(attempt.player, self._aggregate(attempt, 0), moment)

    def bots_moved(self, moment: int) -> None:
        """What others see of the bots has changed."""
        self.standings.bots_moved()
        self.version = moment + 1

    # -- what bots see of the humans

    @property
    def humans(self) -> int:
        return len(self.standings.players)

    def human_at(self, rank: int) -> Number:
        return self.shown(self.standings.players.at(rank - 1))

    def humans_ahead_of(self, score: Number) -> int:
        return self.standings.players.ahead_of(Row(score if self._ascending else -score, True, 0, 0))

    # -- rows

    def shown(self, row: Row) -> Number:
        """The score of a row as people see it."""
        return row.sort_score if self._ascending else -row.sort_score

    def _aggregate(self, attempt: Attempt, prior: Number) -> Number:
        """What the player's row stands at, now that `attempt` has its score; `prior` of it was counted before."""
        score = attempt.score
        standing = self.standings.players.row(attempt.player)
        if self._aggregation == "sum":
            stood = 0 if standing is None else self.shown(standing)
            return self._sums.added(attempt.player, stood, exact(score) - exact(prior))
        if standing is None or self._aggregation == "latest":
            return score
        if attempt.player in self._unwritten:
            self._unwritten.discard(attempt.player)
            return score
        stood = self.shown(standing)
        return min(stood, score) if self._ascending else max(stood, score)

    def _place(self, player: int, score: Number, moment: int) -> None:
        old = self.standings.players.row(player)
        sort_score = score if self._ascending else -score
        if old is None or old.sort_score != sort_score:
            self.standings.players.put(Row(sort_score, False, moment, player))
            self.version = moment + 1

    def dump(self) -> Plain:
        return [self.version, [list(row) for row in self.standings.players], self._sums.dump()]

    def restore(self, plain: Plain, attempts: Attempts) -> None:
        self.version, rows, sums = plain
        self.standings.players.fill(Row(*row) for row in rows)
        self._sums.restore(sums)
        if not self._ascending:
            scored = {attempt.player for attempt in attempts if attempt.last_order}
            self._unwritten = {row.participant for row in self.standings.players} - scored
