"""From one call to many boards (R-13, R-29, R-32): a contest and real shared boards against sums from scratch.

Boards come and go while attempts run, periods turn, and either side crashes whenever it likes: each score counts once.
"""

from __future__ import annotations

from typing import Any

from contest_twin import Run, Twin
from dual_writes import Gone, Scored, Together, expected_rows
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from playing import HOUR, SEED, START, Book, event, rules

from kraty_actors.domain.contest_messages import Amend, Close, Finish, ForceComplete, Open, Seat, Void, Write
from kraty_actors.domain.outcome import Command

CONTEST = "waaaaaaaaaaaaaaaa.1"
BOARDS = ("sum desc daily", "sum desc never", "best desc daily", "latest desc daily", "best asc daily", "sum asc never",
          "latest asc weekly")  # fmt: skip
PLAYERS = (1, 2, 3)

named = st.lists(st.sampled_from(BOARDS), max_size=5, unique=True)
plays = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(PLAYERS), st.sampled_from([0, 1, 1, 2, 3, 5, 8])),
    st.tuples(st.just("write"), st.sampled_from(PLAYERS), st.sampled_from([0, 1, 1, 2, 3, 5, 8])),
    st.tuples(st.just("write"), st.sampled_from(PLAYERS), st.sampled_from([0, 1, 1, 2, 3, 5, 8])),
    st.tuples(st.just("finish"), st.sampled_from(PLAYERS), st.none()),
    st.tuples(st.just("force"), st.integers(0, 6), st.none() | st.sampled_from([0, 4, 9.5])),
    st.tuples(st.just("void"), st.integers(0, 9), st.none()),
    st.tuples(st.just("void"), st.integers(0, 9), st.none()),
    st.tuples(st.just("again"), st.sampled_from(PLAYERS), st.sampled_from([0, 1, 3, 8])),
    st.tuples(st.just("again"), st.sampled_from(PLAYERS), st.sampled_from([0, 1, 3, 8])),
    st.tuples(st.just("amend"), named, st.none()),
)
batches = st.lists(plays, min_size=1, max_size=9)
hours = st.sampled_from([0.001, 1, 9, 25])


class DualWrites(RuleBasedStateMachine):
    """`twin` is told of what is committed, and `scores` are what of it should count somewhere."""

    @initialize(
        weight=st.sampled_from([1, 1, -1, 0.1]),
        goal=st.sampled_from([None, 8]),
        duration=st.sampled_from([None, 20 * 3600]),
        first=named,
        opening=st.lists(batches, min_size=2, max_size=4),
    )
    def begin(self, weight: float, goal: int | None, duration: int | None, first: list[str], opening: Any) -> None:
        metric = {"key": "points", "target": goal, "scorePerUnit": weight}
        board = {"scoreAggregation": "best", "sort": "desc"}
        definition: dict[str, Any] = {
            "metrics": [metric], "leaderboard": board, "attempt": {"durationSeconds": duration},
        }  # fmt: skip
        self.book = Book(rules(event(**definition), ()))
        self.both = Together(CONTEST, self.book)
        self.twin = Twin(definition, SEED, None, [])
        self.now = START
        self.scores: list[Scored | Gone] = []
        self.named = self.ever_named = frozenset(first)
        self.is_open = True
        self.both.tell(self.now, [Open("race", 1, SEED, START, None, boards=bound(first))])
        for many in opening:
            self.play(many, is_kept=True)

    # -- what happens

    @rule(many=batches, is_kept=st.sampled_from([True, True, True, False]))
    def play(self, many: list[Any], is_kept: bool) -> None:
        """One batch, which is committed or never was."""
        if not is_kept:
            self.both.tell(self.now, [c for one in many for c in self.commands(*one)], is_kept=False)
            return
        self.ended(self.twin.time_passes(self.now))
        said: list[Command] = []
        for one in many:
            for command in self.commands(*one):
                said.append(command)
                self.hear(command)
        self.both.tell(self.now, said)

    @rule(hours=hours)
    def pass_time(self, hours: float) -> None:
        self.now += round(hours * HOUR)
        self.play([], is_kept=True)

    @rule(data=st.data(), is_kept=st.booleans(), is_acknowledged=st.booleans())
    def deliver(self, data: st.DataObject, is_kept: bool, is_acknowledged: bool) -> None:
        waiting = sorted({message.to for _, message in self.both.waiting()})
        if waiting:
            board = data.draw(st.sampled_from(waiting))
            self.both.deliver(board, self.now, is_kept=is_kept, is_acknowledged=is_acknowledged)

    @rule(has_checkpoint=st.booleans())
    def crash_the_contest(self, has_checkpoint: bool) -> None:
        """What it said since its checkpoint is said again, under the same numbers."""
        if has_checkpoint:
            self.both.contest.checkpoint()
        self.both.contest.crash()
        self.both.compare_with_said()

    @rule(data=st.data(), has_checkpoint=st.booleans())
    def crash_a_board(self, data: st.DataObject, has_checkpoint: bool) -> None:
        if self.both.boards:
            board = self.both.boards[data.draw(st.sampled_from(sorted(self.both.boards)))]
            if has_checkpoint and board.cell.number:
                board.checkpoint()
            board.crash()

    @rule()
    def all_is_heard(self) -> None:
        """R-29, R-32: then every period of every board is what all scores come to."""
        self.both.deliver_all(self.now)
        expected = expected_rows(self.scores, self.book)
        assert {name: self.both.rows(name, self.now) for name in self.both.boards if self.is_there(name)} == expected

    def is_there(self, board: str) -> bool:
        return self.both.boards[board].cell.number > 0

    def teardown(self) -> None:
        if hasattr(self, "both"):
            self.all_is_heard()
            ended = self.twin.running
            for run in ended:
                self.twin.end(run, self.now)
            self.both.tell(self.now, [Close(self.now)])
            self.ended(ended)
            self.all_is_heard()

    # -- what is said, and what it comes to

    def commands(self, what: str, whom: Any, how: Any) -> list[Command]:
        """The commands of a play, as far as they make sense now."""
        if what == "amend":
            return [Amend(1, bound(whom))]
        if what == "force":
            run = self.twin.run_of(whom)
            return [] if run is None or run.is_completed or run.is_void else [ForceComplete(whom, how, "ops")]
        if what == "void":
            run = self.twin.run_of(whom)
            return [] if run is None or run.is_void else [Void(whom, "cheats", "ops")]
        run = self.running(whom)
        if run is None:
            return [Seat(whom)] if what in ("write", "again") else []
        if what == "again":
            serial = len(self.twin.runs)
            return [Finish(run.serial, whom), Seat(whom), Write(serial, {"points": how}, "set", None, whom)]
        if what == "finish":
            return [Finish(run.serial, whom)]
        return [Write(run.serial, {"points": how}, "set", None, whom)]

    def running(self, player: int) -> Run | None:
        return next((r for r in self.twin.runs if r.player == player and r.status == "in_progress"), None)

    def hear(self, command: Command) -> None:
        match command:
            case Seat(player):
                self.twin.seat(player, self.now)
            case Amend(_, boards):
                self.named = frozenset(key for key, _ in boards)
                self.ever_named |= self.named
            case Write(serial, metrics, mode, _, player):
                run, prior = self.twin.runs[serial], self.twin.runs[serial].score
                self.twin.write(serial, player, metrics, mode, None, self.now)
                self.count(run, prior, is_write=True)
            case Finish(serial):
                run = self.twin.runs[serial]
                self.twin.finish(run, self.now)
                self.ended([run])
            case Void(serial):
                self.twin.void(self.twin.runs[serial], self.now)
                self.scores.append(Gone(serial, self.twin.runs[serial].player))
            case ForceComplete(serial, score):
                run, prior = self.twin.runs[serial], self.twin.runs[serial].score
                self.twin.force(run, score, self.now)
                self.count(run, prior, is_write=score is not None)

    def ended(self, runs: list[Run]) -> None:
        for run in runs:
            if run.is_completed:
                self.count(run, run.score, is_write=False)

    def count(self, run: Run, prior: Any, *, is_write: bool) -> None:
        self.scores.append(
            Scored(
                len(self.scores), run.serial, run.player, run.started_at, self.now, prior, run.score,
                is_write, run.is_completed, self.named, self.ever_named,
            )
        )  # fmt: skip


def bound(keys: list[str]) -> list[Any]:
    return [[key, 1] for key in keys]


TestDualWrites = DualWrites.TestCase
TestDualWrites.settings = settings(max_examples=160, stateful_step_count=20, deadline=None)
