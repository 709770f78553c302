"""The board of one contest: one row a player, whatever the number of attempts (R-28, R-29)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    the last visible change, so it rises across restarts too. `hidden` are the rows of banned players, kept up to date
    where nobody sees them (R-51)."""

    __slots__ = ("_aggregation", "_ascending", "_sums", "_unwritten", "ends_at", "hidden", "standings", "version")

    def __init__(self, rules: Rules, ends_at: int | None) -> None:
        self.ends_at = ends_at
        self._ascending = rules.ascending
        self._aggregation = rules.aggregation
        self._unwritten: set[int] = set()
        self._sums = ExactSums()
        self.hidden: dict[int, Row | None] = {}
        self.standings = Standings(ascending=rules.ascending)
        self.version = 1

    def started(self, player: int, moment: int) -> None:
        """A started attempt stands at 0, but for boards of lowest scores, where it has no row yet."""
        if not self._ascending and self._row(player) is None:
            self._unwritten.add(player)
            self._place(player, 0, moment)

    def scored(self, attempt: Attempt, prior: Number, moment: int) -> None:
        """The attempt has a new score; before, it had `prior`."""
        if not self._ascending:
            if attempt.best is None or attempt.score > attempt.best:
                attempt.best, attempt.best_at = attempt.score, moment
            self._place(attempt.player, self._aggregate(attempt, prior), moment)

    def ended(self, attempt: Attempt, moment: int) -> None:
        """The attempt has its final score."""
        if self._ascending and attempt.counts_as_completed:
            attempt.best, attempt.best_at = attempt.score, moment
            self._place(attempt.player, self._aggregate(attempt, 0), moment)

    def bots_moved(self, moment: int) -> None:
        """What others see of the bots has changed."""
        self.standings.bots_moved()
        self.version = moment + 1

    # -- what operators take out

    def hide(self, player: int, moment: int) -> None:
        """The player's row leaves the board."""
        if player not in self.hidden:
            self.hidden[player] = self.standings.players.row(player)
            self.standings.players.remove(player)
            self.version = moment + 1

    def show(self, player: int, moment: int) -> None:
        """The player's row comes back, where it would stand if it had never left."""
        if player in self.hidden:
            row = self.hidden.pop(player)
            if row is not None:
                self.standings.players.put(row)
            self.version = moment + 1

    def recount(self, player: int, attempts: Iterable[Attempt], moment: int) -> None:
        """Place the player by these attempts of theirs alone, newest first: others were taken out (R-51). Whose score
        stays the same stays where they are; the best score was come to when it was first come to."""
        counted = list(attempts)
        scored = [one for one in counted if one.best is not None]
        self._sums.removed(player, 0)
        row: Row | None = None
        if scored:
            row = self._row_of(player, scored, moment)
        elif counted and not self._ascending:
            self._unwritten.add(player)
            row = self._standing_at(player, 0, moment)
        if row != self._row(player):
            self._put(player, row)
            self.version = moment + 1

    def _row_of(self, player: int, scored: Sequence[Attempt], moment: int) -> Row:
        if self._aggregation == "sum":
            total: Number = 0
            for one in reversed(scored):
                total = self._sums.added(player, total, exact(one.score))
            return self._standing_at(player, total, moment)
        if self._aggregation == "latest":
            newest = max(scored, key=lambda one: one.best_at if self._ascending else one.last_order)
            return self._standing_at(player, newest.score, moment)
        return min(Row(self._sorting(one.best or 0), False, one.best_at, player) for one in scored)

    def _standing_at(self, player: int, score: Number, moment: int) -> Row:
        stood, sort_score = self._row(player), self._sorting(score)
        return stood if stood is not None and stood.sort_score == sort_score else Row(sort_score, False, moment, player)

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
        standing = self._row(attempt.player)
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
        old = self._row(player)
        sort_score = score if self._ascending else -score
        if old is None or old.sort_score != sort_score:
            row = Row(sort_score, False, moment, player)
            if player in self.hidden:
                self.hidden[player] = row
            else:
                self.standings.players.put(row)
            self.version = moment + 1

    def _row(self, player: int) -> Row | None:
        return self.hidden[player] if player in self.hidden else self.standings.players.row(player)

    def _put(self, player: int, row: Row | None) -> None:
        if player in self.hidden:
            self.hidden[player] = row
        elif row is None:
            self.standings.players.remove(player)
        else:
            self.standings.players.put(row)

    def _sorting(self, score: Number) -> Number:
        return score if self._ascending else -score

    def dump(self) -> Plain:
        """All but the rows, and the sums that stand behind them."""
        hidden = [[player, None if row is None else list(row)] for player, row in self.hidden.items()]
        return [self.version, [], hidden]

    def dump_row(self, player: int) -> Plain:
        """What stands of a player who is not hidden; None for others."""
        row = self.standings.players.row(player)
        return None if row is None else list(row)

    def dump_sums(self, player: int) -> list[Plain]:
        """The sum of a player whose score cannot say it."""
        return self._sums.dump((player,))

    def restore(self, plain: Plain, rows: Iterable[Plain], more_sums: Iterable[Plain], attempts: Attempts) -> None:
        """What `dump` gave, and the rows and sums of all parts."""
        self.version, sums, hidden = plain
        self.standings.players.fill(Row(*row) for row in rows)
        self._sums.restore(sums)
        self._sums.restore(more_sums)
        self.hidden = {player: None if row is None else Row(*row) for player, row in hidden}
        if not self._ascending:
            scored = {attempt.player for attempt in attempts if attempt.last_order and not attempt.is_void}
            started = {attempt.player for attempt in attempts if not attempt.is_void}
            self._unwritten = started - scored
