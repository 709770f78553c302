"""The board of one contest: one row a player, whatever the number of attempts (R-28, R-29)."""

from __future__ import annotations

from kraty_actors.domain.attempt import IN_PROGRESS, Attempt
from kraty_actors.domain.attempts import Attempts
from kraty_actors.domain.numbers import Number, clamped
from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.ranking import Row
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.standings import Standings


class OwnBoard:
    """Rows are placed at a `moment` of the board, which rises with everything that happens on it; `version` is that of
    the last visible change, so it rises across restarts too."""

    __slots__ = ("_aggregation", "_ascending", "_ended_sums", "_unwritten", "ends_at", "standings", "version")

    def __init__(self, rules: Rules, ends_at: int | None) -> None:
        self.ends_at = ends_at
        self._ascending = rules.ascending
        self._aggregation = rules.aggregation
        self._unwritten: set[int] = set()
        self._ended_sums: dict[int, Number] = {}
        self.standings = Standings(ascending=rules.ascending)
        self.version = 1

    def started(self, player: int, moment: int) -> None:
        """A started attempt stands at 0, but for boards of lowest scores, where it has no row yet."""
        if not self._ascending and player not in self.standings.players:
            self._unwritten.add(player)
            self._place(player, 0, moment)

    def scored(self, attempt: Attempt, moment: int) -> None:
        """The attempt has a new score."""
        if not self._ascending:
            self._place(attempt.player, self._aggregate(attempt), moment)

    def ended(self, attempt: Attempt, moment: int) -> None:
        """The attempt has its final score."""
        if self._ascending and attempt.counts_as_completed:
            self._place(attempt.player, self._aggregate(attempt), moment)
        self._add_up(attempt)

    def reopened(self, attempt: Attempt) -> None:
        """The final score is to be another one: what was added up for it is taken back."""
        if attempt.player in self._ended_sums and not self._ascending:
            self._ended_sums[attempt.player] -= attempt.score

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

    def _aggregate(self, attempt: Attempt) -> Number:
        """What the player's row stands at, now that `attempt` has its score."""
        score = attempt.score
        if self._aggregation == "sum":
            return clamped(self._ended_sums.get(attempt.player, 0) + score)
        standing = self.standings.players.row(attempt.player)
        if standing is None or self._aggregation == "latest":
            return score
        if attempt.player in self._unwritten:
            self._unwritten.discard(attempt.player)
            return score
        stood = self.shown(standing)
        return min(stood, score) if self._ascending else max(stood, score)

    def _add_up(self, ended: Attempt) -> None:
        if self._aggregation == "sum" and (ended.counts_as_completed or not self._ascending):
            self._ended_sums[ended.player] = self._ended_sums.get(ended.player, 0) + ended.score

    def _place(self, player: int, score: Number, moment: int) -> None:
        old = self.standings.players.row(player)
        sort_score = score if self._ascending else -score
        if old is None or old.sort_score != sort_score:
            self.standings.players.put(Row(sort_score, False, moment, player))
            self.version = moment + 1

    def dump(self) -> Plain:
        return [self.version, [list(row) for row in self.standings.players]]

    def restore(self, plain: Plain, attempts: Attempts) -> None:
        self.version, rows = plain
        self.standings.players.fill(Row(*row) for row in rows)
        wrote = {attempt.player for attempt in attempts if attempt.writes}
        self._unwritten = {row.participant for row in self.standings.players} - wrote
        for attempt in attempts:
            if attempt.status != IN_PROGRESS:
                self._add_up(attempt)
