"""One period of a shared board: a ranking that outlives windows, told of scores by contests (R-29, R-32).

What is addressed to a period counts in it, also when it comes after the period is over: a contest decides by the time
of a write which period it belongs to, and nothing that was accepted is lost. Only those who wrote have a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from kraty_actors.domain.board_view import BoardView, GetBoard, view_of
from kraty_actors.domain.contest_messages import SetBan
from kraty_actors.domain.exact_sums import Exact, ExactSums, exact
from kraty_actors.domain.frozen import Arrivals, Frozen, in_parts
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Command, Notice, Outcome, Plain, Tick
from kraty_actors.domain.periods import BoardRules, Period, period_at
from kraty_actors.domain.ranking import Row
from kraty_actors.domain.rules import Rulebook
from kraty_actors.domain.shared_board_messages import Contribute, EndPeriod, OpenPeriod, PeriodClosed, Retract
from kraty_actors.domain.stakes import Stakes
from kraty_actors.domain.standings import Standings

MODE = "shared"

ENTRIES_PER_PART = 2_000
"""Rows, or starting points of attempts, in one part of a checkpoint: a couple of milliseconds of packing."""

PLAYERS_PER_PART = 100
"""Players of whom all that is kept is read in one go."""

MOVED_MAX = 256
"""Players whose rows wait to be placed anew, until somebody reads the board: at most some milliseconds of work."""


class SharedBoard:
    """See the module. `version` counts the changes of the board, so it rises across restarts too; at 0 the period has
    not been opened yet."""

    wake_at: int | None = None
    may_sleep = True

    def __init__(self, board_id: str, rulebook: Rulebook) -> None:
        self.id = board_id
        self.version = 0
        self.is_over = False
        self._rulebook = rulebook
        self._rules: BoardRules
        self._period: Period
        self._entries = 0
        self._standings = Standings()
        self._moved: dict[int, Row] = {}
        self._baselines: dict[tuple[str, int], Number] = {}
        self._based: list[tuple[str, int]] = []
        self._sums = ExactSums()
        self._stakes = Stakes()
        self._hidden: dict[int, Row | None] = {}
        self._arrivals: Arrivals[int] = Arrivals()
        self._frozen: Frozen[int] | None = None

    # -- commands

    def apply(self, command: Command, now: int) -> Outcome:
        version, was_over = self.version, self.is_over
        match command:
            case Contribute():
                self._contribute(command)
            case Retract():
                self._retract(command)
            case SetBan():
                self._set_ban(command)
            case GetBoard():
                return Outcome(reply=self._read(command))
            case OpenPeriod():
                self._open(command.key, command.revision, command.starts_at)
            case EndPeriod():
                self._end_at(command.ends_at, now)
            case Tick():
                self._end_at(self._period.ends_at, now)
            case _:
                raise TypeError(f"a shared board knows no {type(command).__name__}")
        outcome = Outcome(traced=True, moved=self.version != version, finished=self.is_over)
        if self.is_over and not was_over:
            outcome.notices = [Notice("board.period_closed", (), self._closed_period())]
        return outcome

    def _open(self, key: str, revision: int, starts_at: int) -> None:
        """The first word opens the period, whoever says it; the board goes by the rules of that revision to its end."""
        if not self.version:
            rules = self._rulebook.board(key, revision)
            self._begin(rules, Period(starts_at, period_at(rules, starts_at).ends_at))
            self.version = 1

    def _begin(self, rules: BoardRules, period: Period) -> None:
        self._rules = rules
        self._period = period
        self.wake_at = None if self.is_over else period.ends_at

    def _end_at(self, ends_at: int | None, now: int) -> None:
        """Move the end, and close the period if that has come. One that is over stays so."""
        if not self.is_over:
            self._period = Period(self._period.starts_at, ends_at)
            self.is_over = self._period.is_over(now)
            self.wake_at = None if self.is_over else ends_at

    def _closed_period(self) -> PeriodClosed:
        period = self._period
        return PeriodClosed(self._rules.key, self.id, period.starts_at, period.ends_at)

    # -- scores

    def _contribute(self, told: Contribute) -> None:
        self._open(told.key, told.revision, told.starts_at)
        players, moved, hidden = self._standings.players, self._moved, self._hidden
        ascending, aggregation = self._rules.sort == "asc", self._rules.aggregation
        for entry in told.entries:
            player, _, _, _, _, score, _, is_completed = entry
            self._entries += 1
            if ascending and not is_completed:
                continue
            if self._frozen is not None:
                self._frozen.keep(player)
            stood = moved.get(player) or players.row(player) or hidden.get(player)
            if stood is None:
                self._arrivals.came(player)
            if aggregation == "sum":
                gain = self._gain(told, entry)
                self._stakes.add(told.contest, entry[1], player, gain)
                score = self._sums.added(player, 0 if stood is None else self._score(stood), gain)
            row = Row(score if ascending else -score, False, self._entries, player)
            if aggregation != "sum":
                self._stakes.take(told.contest, entry[1], row, keeps_best=aggregation == "best")
            if stood is None or (row < stood if aggregation == "best" else row.sort_score != stood.sort_score):
                if player in hidden:
                    hidden[player] = row
                else:
                    moved[player] = row
                    self.version += 1
        if len(moved) > MOVED_MAX:
            self._place_moved()

    def _retract(self, told: Retract) -> None:
        """What the attempt gave leaves the board, and the player stands by what else they gave."""
        self._place_moved()
        player = told.player
        if self._frozen is not None:
            self._frozen.keep(player)
        stood = self._hidden.get(player) or self._standings.players.row(player)
        given = self._stakes.drop(told.contest, told.serial, player)
        if stood is None or given is None:
            return
        self._entries += 1
        row = self._without(stood, given)
        if row is None:
            self._arrivals.left(player)
        if row != stood:
            self._put(player, row)

    def _without(self, stood: Row, given: Exact) -> Row | None:
        """Where a player stands once an attempt is taken out; whose score stays the same stays where they are. The best
        score was come to when it was first come to."""
        player = stood.participant
        if not self._stakes.has(player):
            self._sums.removed(player, 0)
            return None
        if self._rules.aggregation == "sum":
            total = self._sums.added(player, self._score(stood), -given)
            sort_score = total if self._rules.sort == "asc" else -total
        else:
            row = self._stakes.standing(player, is_best=self._rules.aggregation == "best")
            if self._rules.aggregation == "best":
                return row
            sort_score = row.sort_score
        return stood if sort_score == stood.sort_score else Row(sort_score, False, self._entries, player)

    def _set_ban(self, command: SetBan) -> None:
        """The player's row leaves the board, or comes back where it would stand (R-51)."""
        player = command.player
        self._place_moved()
        if self._frozen is not None:
            self._frozen.keep(player)
        if command.is_banned and player not in self._hidden:
            row = self._standings.players.row(player)
            self._put(player, None)
            self._hidden[player] = row
        elif not command.is_banned and player in self._hidden:
            self._put(player, self._hidden.pop(player))

    def _put(self, player: int, row: Row | None) -> None:
        if player in self._hidden:
            self._hidden[player] = row
            return
        if row is not None:
            self._standings.players.put(row)
        elif self._standings.players.row(player) is not None:
            self._standings.players.remove(player)
        else:
            return
        self.version += 1

    def _place_moved(self) -> None:
        """Who writes often is placed once for many writes: by far the dearest part of one on a large board."""
        for row in self._moved.values():
            self._standings.players.put(row)
        self._moved.clear()

    def _gain(self, told: Contribute, entry: Sequence[Plain]) -> Exact:
        """What a write adds to its player's sum: the attempt's score less that with which it came into the period,
        less what it has added already; all that it adds is never below 0. What was written while the event did not
        name the board is left out. Of a board of lowest scores, a final score adds itself."""
        player, serial, started_at, prior_order, prior, score, _, _ = entry
        if self._rules.sort == "asc":
            return max(0, exact(score))
        attempt = (told.contest, serial)
        given = self._stakes.given(*attempt, player)
        has_prior = prior_order > 0 and prior_order >= told.bound_at
        if given is None and (started_at < self._period.starts_at or has_prior):
            self._base(attempt, prior)
        baseline = exact(self._baselines.get(attempt, 0))
        added = max(0, exact(prior) - baseline) if has_prior or attempt in self._baselines else 0
        return max(max(0, exact(score) - baseline) - added, -(given or 0))

    def _base(self, attempt: tuple[str, int], score: Number) -> None:
        """The score with which an attempt came into the period; the first one stays."""
        if attempt not in self._baselines:
            self._baselines[attempt] = score
            self._based.append(attempt)

    def _score(self, row: Row) -> Number:
        return row.sort_score if self._rules.sort == "asc" else -row.sort_score

    # -- reading

    def score(self, player: int) -> Number | None:
        """The player's score; None without a row."""
        row = self._moved.get(player) or self._standings.players.row(player)
        return None if row is None else self._score(row)

    def _read(self, query: GetBoard) -> BoardView:
        self._place_moved()
        return view_of(
            query,
            self._standings,
            board_id=self.id,
            mode=MODE,
            version=self.version,
            finalized=self.is_over,
            ascending=self._rules.sort == "asc",
        )

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        self._place_moved()
        self._frozen = frozen = Frozen(self._dumped)
        head = {
            "key": self._rules.key,
            "revision": self._rules.revision,
            "startsAt": self._period.starts_at,
            "endsAt": self._period.ends_at,
            "isOver": self.is_over,
            "version": self.version,
            "entries": self._entries,
        }
        hidden = [[player, row and list(row)] for player, row in self._hidden.items()]
        based = in_parts(self._based, ENTRIES_PER_PART)
        return chain(
            [head],
            _parts("hidden", hidden),
            (["baselines", [[*attempt, self._baselines[attempt]] for attempt in some]] for some in based),
            self._players(frozen, in_parts(self._arrivals.order, PLAYERS_PER_PART)),
        )

    def _players(self, frozen: Frozen[int], some: Iterable[Sequence[int]]) -> Iterator[Plain]:
        """All that is kept of single players."""
        try:
            for players in some:
                entries = frozen.entries(players)
                for kind, found in zip(("rows", "sums", "stakes", "given"), zip(*entries, strict=True), strict=False):
                    yield from _parts(kind, chain.from_iterable(found))
        finally:
            if self._frozen is frozen:
                self._frozen = None

    def _dumped(self, player: int) -> Plain:
        row = self._standings.players.row(player)
        rows = [] if row is None else [list(row)]
        return rows, self._sums.dump((player,)), self._stakes.dump(player), self._stakes.dump_sums(player)

    def restore(self, parts: Sequence[Plain]) -> None:
        head: Mapping[str, Plain] = parts[0]
        self.version = head["version"]
        self.is_over = head["isOver"]
        self._entries = head["entries"]
        rules = self._rulebook.board(head["key"], head["revision"])
        self._begin(rules, Period(head["startsAt"], head["endsAt"]))
        self._standings.players.fill(Row(*row) for row in _entries("rows", parts))
        for contest, serial, score in _entries("baselines", parts):
            self._base((contest, serial), score)
        self._sums.restore(_entries("sums", parts))
        self._stakes.restore(_entries("stakes", parts), _entries("given", parts))
        self._hidden = {player: row and Row(*row) for player, row in _entries("hidden", parts)}
        rows = chain((row for *_, row in _entries("stakes", parts)), _entries("rows", parts))
        self._arrivals = Arrivals(dict.fromkeys(participant for *_, participant in rows))


def _parts(kind: str, entries: Iterable[Plain]) -> Iterator[Plain]:
    remaining = iter(entries)
    while part := list(islice(remaining, ENTRIES_PER_PART)):
        yield [kind, part]


def _entries(kind: str, parts: Sequence[Plain]) -> Iterator[Plain]:
    return chain.from_iterable(part[1] for part in parts[1:] if part[0] == kind)
