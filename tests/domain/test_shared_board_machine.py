"""Shared boards against their twin: contests that play on while periods turn, and whose words may come late."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from playing import HOUR, START, Journal, frozen, thawed
from shared_board_twin import Gone, PeriodTwin, Said
from slow_dumps import WrittenSlowly

from kraty_actors.definitions import SharedBoard as Definition
from kraty_actors.domain.board_shelf import BoardShelf
from kraty_actors.domain.board_view import GetBoard
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.contest_messages import SetBan
from kraty_actors.domain.ids import board_id
from kraty_actors.domain.outcome import Command, Outcome, State, Tick
from kraty_actors.domain.periods import period_at
from kraty_actors.domain.shared_board import SharedBoard
from kraty_actors.domain.shared_board_messages import Contribute, OpenPeriod, Retract

KEY = "ladder"
PLAYERS = (1, 2, 3)
scores = st.sampled_from([0, 1, 1, 1, 2, 2, 5, -2, 0.1, 0.2, 0.3, 2**53 - 1])
sorts = st.sampled_from(["desc", "desc", "asc"])
aggregations = st.sampled_from(["best", "sum", "sum", "latest"])
cadences = st.sampled_from(["daily", "daily", "never", "season"])
plays = st.tuples(st.integers(0, 1), st.sampled_from(PLAYERS), scores, st.sampled_from([False, False, True]))


@dataclass
class Run:
    """One attempt in one contest."""

    serial: int
    player: int
    started_at: int
    score: Any = 0
    last_order: int = 0
    is_over: bool = False
    is_gone: bool = False


@dataclass
class Told:
    """A contest as far as shared boards know it; what it says waits in `words`, each to a board of `told`."""

    name: str
    bound_at: int | None = None
    order: int = 0
    runs: list[Run] = field(default_factory=list)
    told: dict[str, None] = field(default_factory=dict)
    words: deque[tuple[str, Contribute | Retract, list[Said | Gone]]] = field(default_factory=deque)


class SharedBoardMachine(WrittenSlowly, RuleBasedStateMachine):
    @initialize(sort=sorts, aggregation=aggregations, cadence=cadences, first=st.lists(plays, min_size=2, max_size=12))
    def begin(self, sort: str, aggregation: str, cadence: str, first: list[tuple[int, int, Any, bool]]) -> None:
        self.now = START
        self.library = Library()
        self.shelf = BoardShelf(self.library)
        self.boards: dict[str, SharedBoard] = {}
        self.twins: dict[str, PeriodTwin] = {}
        self.journals: dict[str, Journal] = {}
        self.contests = [Told("waaaaaaaaaaaaaaaa.1"), Told("waaaaaaaaaaaaaaaa.2")]
        self.contests[0].bound_at = 1
        self.definition = {"key": KEY, "resetCadence": cadence, "timezone": "America/New_York"}
        self.put(sort=sort, scoreAggregation=aggregation)
        self.write(first, late=False)
        self.contests[1].bound_at = self.contests[1].order + 1  # what it has written until now was never passed on

    # -- what the loop and the calendar do

    def put(self, **fields: Any) -> None:
        self.definition |= fields
        if self.definition["resetCadence"] == "season":
            self.definition.setdefault("seasonEndsAt", "2027-01-16T00:00:00Z")
        filed = self.shelf.put(Definition.model_validate(self.definition), self.now)
        self.post(filed.messages)

    def post(self, messages: Any) -> None:
        for message in messages:
            if isinstance(message.command, OpenPeriod):
                self.opened(message.to, message.command)
            self.say(message.to, message.command)

    def opened(self, name: str, command: OpenPeriod) -> None:
        rules = self.library.board(KEY, command.revision)
        assert name not in self.boards
        self.boards[name] = SharedBoard(name, self.library)
        self.twins[name] = PeriodTwin(rules.sort, rules.aggregation, command.starts_at)
        self.journals[name] = Journal(name)

    def say(self, name: str, command: Command) -> Outcome:
        board = self.boards[name]
        if board.wake_at is not None and board.wake_at <= self.now and not isinstance(command, Tick):
            assert self.say(name, Tick()).finished
        before, version = self.twins[name].rows(), board.version
        outcome = board.apply(command, self.now)
        assert outcome.traced
        assert outcome.finished == board.is_over
        assert outcome.moved == (board.version > version)
        if isinstance(command, Contribute | Retract):
            self.twins[name].said += self.spoken
            assert outcome.moved or self.twins[name].rows() == before
        if isinstance(command, Contribute):
            assert len(self.spoken) > 1 or not outcome.moved or self.twins[name].rows() != before
        self.journals[name].add(self.now, command)
        return outcome

    # -- what players do

    @rule(writes=st.lists(plays, min_size=1, max_size=6), late=st.booleans())
    def write(self, writes: list[tuple[int, int, Any, bool]], late: bool) -> None:
        """One batch of each contest; what it says is heard at once, or some time."""
        for contest in self.contests:
            batch = [self.played(contest, *rest) for which, *rest in writes if self.contests[which] is contest]
            if batch and contest.bound_at is not None:
                self.contribute(contest, batch)
        for contest in () if late else self.contests:
            while contest.words:
                self.hear(contest)

    def played(self, told: Told, player: int, score: Any, is_last: bool) -> tuple[list[Any], Said]:
        run = next((run for run in told.runs if run.player == player and not run.is_over), None)
        if run is None:
            run = Run(len(told.runs), player, self.now)
            told.runs.append(run)
        told.order += 1
        had_prior = run.last_order > 0 and told.bound_at is not None and run.last_order >= told.bound_at
        said = Said((told.name, run.serial), player, run.started_at, run.score, score, is_last, had_prior)
        entry = [player, run.serial, run.started_at, run.last_order, run.score, score, self.now, is_last]
        run.score, run.last_order, run.is_over = score, told.order, is_last
        return entry, said

    def contribute(self, told: Told, batch: list[tuple[list[Any], Said]]) -> None:
        rules = self.library.board(KEY, self.shelf.bindings([KEY])[0][1])
        starts_at = period_at(rules, self.now).starts_at
        entries = [entry for entry, _ in batch]
        command = Contribute(told.name, KEY, rules.revision, starts_at, told.bound_at or 0, entries)
        to = board_id(KEY, starts_at)
        told.told[to] = None
        told.words.append((to, command, [said for _, said in batch]))

    def hear(self, told: Told) -> None:
        to, command, self.spoken = told.words.popleft()
        self.say(to, command)

    @rule(data=st.data(), late=st.booleans())
    def r51_an_attempt_is_taken_out(self, data: st.DataObject, late: bool) -> None:
        """Every period that may have heard of it hears that it counts no more, also one that is over."""
        runs = [(contest, run) for contest in self.contests for run in contest.runs if not run.is_gone]
        if not runs:
            return
        contest, run = data.draw(st.sampled_from(runs))
        run.is_over = run.is_gone = True
        gone = Gone((contest.name, run.serial), run.player)
        contest.words.extend((to, Retract(contest.name, run.serial, run.player), [gone]) for to in contest.told)
        while contest.words and not late:
            self.hear(contest)

    @rule(data=st.data(), player=st.sampled_from(PLAYERS), is_banned=st.booleans())
    def r51_ban(self, data: st.DataObject, player: int, is_banned: bool) -> None:
        """Their row leaves the board, and comes back as it would stand if it had been there all the time."""
        name = data.draw(st.sampled_from(list(self.boards)))
        twin, board = self.twins[name], self.boards[name]
        before, version = twin.rows(), board.version
        (twin.banned.add if is_banned else twin.banned.discard)(player)
        outcome = board.apply(SetBan(player, is_banned), self.now)
        self.journals[name].add(self.now, SetBan(player, is_banned))
        assert (outcome.traced, outcome.moved) == (True, board.version > version)
        assert outcome.moved == (twin.rows() != before)

    @rule(contest=st.integers(0, 1))
    def hear_late(self, contest: int) -> None:
        """What the contest said first comes through, perhaps long after its period."""
        if self.contests[contest].words:
            self.hear(self.contests[contest])

    # -- what time and operators do

    @rule(hours=st.sampled_from([0.01, 1, 5, 24, 60]))
    def wait(self, hours: float) -> None:
        self.now += round(hours * HOUR)
        at = self.shelf.next_rollover
        if at is not None and at <= self.now:
            self.post(self.shelf.roll(self.now))

    @rule(sort=sorts, aggregation=aggregations)
    def score_otherwise(self, sort: str, aggregation: str) -> None:
        self.put(sort=sort, scoreAggregation=aggregation)

    @rule(cadence=cadences)
    def turn_otherwise(self, cadence: str) -> None:
        self.put(resetCadence=cadence)

    @rule(end=st.sampled_from(["2027-01-15T09:00:00Z", "2027-01-17T00:00:00Z", "2027-01-20T00:00:00Z"]))
    def move_the_season(self, end: str) -> None:
        self.put(seasonEndsAt=end)

    @rule()
    def restart(self) -> None:
        """Everything is read back from its checkpoint, boards that are over too."""
        self.end_slow_dump()
        self.library = Library()
        shelf = BoardShelf(self.library)
        shelf.restore(self.shelf.dump())
        assert (shelf.dump(), shelf.next_rollover, shelf.views()) == (
            self.shelf.dump(),
            self.shelf.next_rollover,
            self.shelf.views(),
        )
        self.shelf = shelf
        for name, board in self.boards.items():
            parts = frozen(board)
            self.boards[name] = thawed(SharedBoard(name, self.library), parts)
            assert frozen(self.boards[name]) == parts
            assert self.boards[name].wake_at == board.wake_at

    def states(self) -> list[State]:
        return list(self.boards.values())

    # -- what holds

    @invariant()
    def every_period_stands_as_its_twin(self) -> None:
        for name, board in self.boards.items():
            view = board.apply(GetBoard(limit=10, viewer=1), self.now).reply
            expected = self.twins[name].rows()
            assert [(one.participant, one.score) for one in view.standings] == expected
            assert [one.rank for one in view.standings] == list(range(1, len(expected) + 1))
            assert [type(one.score) for one in view.standings] == [type(score) for _, score in expected]
            assert (view.mode, view.total, view.finalized) == ("shared", len(expected), board.is_over)
            assert view.viewer_score == dict(expected).get(1)

    @invariant()
    def one_period_is_open_and_all_join(self) -> None:
        view = self.shelf.views()[KEY]
        periods = [*reversed(view.past), view.current]
        assert [board_id(KEY, period.starts_at) for period in periods] == list(self.boards)
        assert all(one.ends_at == following.starts_at for one, following in itertools.pairwise(periods))
        assert not view.current.is_over(self.now)

    def teardown(self) -> None:
        """R-57: the journals alone give every period again, bit for bit."""
        self.end_slow_dump()
        for name, board in getattr(self, "boards", {}).items():
            assert frozen(self.journals[name].replayed_into(SharedBoard(name, self.library))) == frozen(board)


TestSharedBoards = SharedBoardMachine.TestCase
TestSharedBoards.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
