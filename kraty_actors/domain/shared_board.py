"""One period of a shared board: a ranking that outlives windows, told of scores by contests (R-29, R-32).

What is addressed to a period counts in it, also when it comes after the period is over: a contest decides by the time
of a write which period it belongs to, and nothing that was accepted is lost. Only those who wrote have a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from kraty_actors.domain.board_view import BoardView, GetBoard, view_of
from kraty_actors.domain.exact_sums import Exact, ExactSums, exact
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Command, Outcome, Plain, Tick
from kraty_actors.domain.periods import BoardRules, Period, period_at
from kraty_actors.domain.ranking import Row
from kraty_actors.domain.rules import Rulebook
from kraty_actors.domain.shared_board_messages import Contribute, EndPeriod, OpenPeriod
from kraty_actors.domain.standings import Standings

MODE = "shared"

ENTRIES_PER_PART = 2_000
"""Rows, or starting points of attempts, in one part of a checkpoint: a couple of milliseconds of packing."""

MOVED_MAX = 256
"""Players whose rows wait to be placed anew, until somebody reads the board: at most some milliseconds of work."""


class SharedBoard:
    """See the module. `version` counts the changes of the board, so it rises across restarts too; at 0 the period has
    not been opened yet."""

    wake_at: int | None = None

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
        self._sums = ExactSums()

    # -- commands

    def apply(self, command: Command, now: int) -> Outcome:
        version = self.version
        match command:
            case Contribute():
                self._contribute(command)
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
        return Outcome(traced=True, moved=self.version != version, finished=self.is_over)

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

    # -- scores

    def _contribute(self, told: Contribute) -> None:
        self._open(told.key, told.revision, told.starts_at)
        players, moved = self._standings.players, self._moved
        ascending, aggregation = self._rules.sort == "asc", self._rules.aggregation
        for entry in told.entries:
            player, _, _, _, _, score, _, is_completed = entry
            self._entries += 1
            if ascending and not is_completed:
                continue
            stood = moved.get(player) or players.row(player)
            if aggregation == "sum":
                score = self._sums.added(player, 0 if stood is None else self._score(stood), self._gain(told, entry))
            row = Row(score if ascending else -score, False, self._entries, player)
            if stood is None or (row < stood if aggregation == "best" else row.sort_score != stood.sort_score):
                moved[player] = row
                self.version += 1
        if len(moved) > MOVED_MAX:
            self._place_moved()

    def _place_moved(self) -> None:
        """Who writes often is placed once for many writes: by far the dearest part of one on a large board."""
        for row in self._moved.values():
            self._standings.players.put(row)
        self._moved.clear()

    def _gain(self, told: Contribute, entry: Sequence[Plain]) -> Exact:
        """What a write adds to its player's sum: the attempt's score less that with which it came into the period,
        never below 0, less what it has added already. Of a board of lowest scores, a final score adds itself."""
        _, serial, started_at, prior_order, prior, score, _, _ = entry
        if self._rules.sort == "asc":
            return max(0, exact(score))
        if started_at >= self._period.starts_at:
            added = prior if prior_order >= told.bound_at else 0
            return max(0, exact(score)) - max(0, exact(added))
        baseline = exact(self._baselines.setdefault((told.contest, serial), prior))
        return max(0, exact(score) - baseline) - max(0, exact(prior) - baseline)

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
        yield {
            "key": self._rules.key,
            "revision": self._rules.revision,
            "startsAt": self._period.starts_at,
            "endsAt": self._period.ends_at,
            "isOver": self.is_over,
            "version": self.version,
            "entries": self._entries,
        }
        yield from _parts("rows", (list(row) for row in self._standings.players))
        yield from _parts("baselines", ([*attempt, score] for attempt, score in self._baselines.items()))
        yield from _parts("sums", self._sums.dump())

    def restore(self, parts: Sequence[Plain]) -> None:
        head: Mapping[str, Plain] = parts[0]
        self.version = head["version"]
        self.is_over = head["isOver"]
        self._entries = head["entries"]
        rules = self._rulebook.board(head["key"], head["revision"])
        self._begin(rules, Period(head["startsAt"], head["endsAt"]))
        self._standings.players.fill(Row(*row) for row in _entries("rows", parts))
        self._baselines = {(contest, serial): score for contest, serial, score in _entries("baselines", parts)}
        self._sums.restore(_entries("sums", parts))


def _parts(kind: str, entries: Iterable[Plain]) -> Iterator[Plain]:
    remaining = iter(entries)
    while part := list(islice(remaining, ENTRIES_PER_PART)):
        yield [kind, part]


def _entries(kind: str, parts: Sequence[Plain]) -> Iterator[Plain]:
    return chain.from_iterable(part[1] for part in parts[1:] if part[0] == kind)
