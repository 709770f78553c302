"""Whatever a board is told, in any order: against a naive twin, through checkpoints, and replayed (R-8 to R-38)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot_twin import BEGAN, BOARD
from contest_cases import (
    BOTS,
    METRICS,
    PLAYERS,
    PREDICATES,
    aggregations,
    boards,
    definition,
    seconds,
    shared,
    sorts,
    teams,
    writes,
)
from contest_twin import Run, Twin
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from playing import SEED, Book, Journal, event, frozen, rules, thawed

from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import (
    Amend,
    AttemptEnded,
    Close,
    Closed,
    Extend,
    Finish,
    ForceComplete,
    GetAttempt,
    Open,
    Pause,
    Resume,
    Seat,
    Settled,
    Write,
)
from kraty_actors.domain.ids import parent
from kraty_actors.domain.outcome import Audited, Command, Completed, Effect, Outcome, Refusal, Tick

WINDOW = parent(BOARD)
BOT_DEFINITIONS = [{"key": key, "behaviour": behaviour} for key, behaviour in BOTS.items()]
starting = st.lists(writes, min_size=6, max_size=20)
serials = st.integers(-1, 9)


class BoardMachine(RuleBasedStateMachine):
    """A player has at most one attempt in progress, as the window makes sure; time comes as the loop brings it."""

    @initialize(
        metrics=st.sampled_from(sorted(METRICS)),
        board=boards,
        aggregation=aggregations,
        sort=sorts,
        lasts=st.sampled_from([None, 240]),
        duration=st.sampled_from([None, 60]),
        team=teams,
        predicate=st.sampled_from(sorted(PREDICATES)),
        first=starting,
    )
    def begin(
        self,
        metrics: str,
        board: dict[str, Any],
        aggregation: str,
        sort: str,
        lasts: int | None,
        duration: int | None,
        team: list[str],
        predicate: str,
        first: list[Any],
    ) -> None:
        wins, self.wins = PREDICATES[predicate]
        board = {**board, "scoreAggregation": aggregation, "sort": sort}
        made = definition(metrics, board, duration, wins, team)
        self.book = Book(rules(event(**made), BOT_DEFINITIONS))
        self.now = BEGAN
        ends_at = None if lasts is None else BEGAN + lasts * 1000
        self.twin = Twin(made, SEED, ends_at, [BOTS[bot] for bot in team])
        self.contest = Contest(BOARD, self.book)
        self.journal = Journal(BOARD)
        self.said: list[Any] = []
        self.seen: Any = None
        self.version = 0
        self.say(Open("race", 1, SEED, BEGAN, ends_at, boards=[["sum desc daily", 1]]))
        for player in PLAYERS:
            self.seat(player, announce=False)
        self.play(first)

    # -- what the loop does

    def say(self, command: Command, *, from_window: bool = True) -> Outcome:
        self.come_to_now()
        return self.note(command, from_window=from_window)

    def come_to_now(self) -> None:
        """A turn brings its tick along, if one is due."""
        self.twin.come_to(self.now)
        if self.contest.wake_at is not None and self.contest.wake_at <= self.now:
            outcome = self.note(Tick())
            self.ended(self.twin.time_passes(self.now), outcome)
            assert self.contest.wake_at is None or self.contest.wake_at > self.now

    def note(self, command: Command, *, from_window: bool = False) -> Outcome:
        outcome = self.contest.apply(command, self.now)
        gathered = self.contest.gathered(self.now)
        if outcome.traced or from_window:
            self.journal.add(self.now, command)
            self.said.append((list(outcome.messages), list(outcome.effects), gathered))
        else:
            assert [*outcome.messages, *outcome.effects, *outcome.notices, *gathered] == []
        return outcome

    def ended(self, runs: list[Run], outcome: Outcome, *effects: Effect, had_ended: bool = False) -> None:
        """Each end is told once to the window, to the player, and if it counts to those who look back."""
        told = [m.command for m in outcome.messages if isinstance(m.command, AttemptEnded)]
        assert told == [AttemptEnded(run.player, run.is_completed, had_ended) for run in runs]
        assert {message.to for message in outcome.messages} <= {WINDOW}
        pushed = [notice for notice in outcome.notices if notice.push == "attempt.ended"]
        assert [(n.players, n.body.status) for n in pushed] == [((run.player,), run.status) for run in runs]
        done = [Completed(run.player, "race", WINDOW) for run in runs if run.is_completed]
        assert list(outcome.effects) == [*done, *effects]

    @property
    def running(self) -> list[int]:
        return [run.player for run in self.twin.runs if run.status == "in_progress"]

    # -- players

    @rule(player=st.sampled_from(PLAYERS), announce=st.booleans())
    def seat(self, player: int, announce: bool) -> None:
        self.come_to_now()
        if player in self.running or self.twin.status != "open" or (self.twin.ends_at or self.now + 1) <= self.now:
            return
        outcome = self.say(Seat(player, announce))
        run = self.twin.seat(player, self.now)
        assert [notice.push for notice in outcome.notices] == ["attempt.started"] * announce
        self.same_attempt(run)

    @rule(many=st.lists(writes, min_size=3, max_size=10))
    def play(self, many: list[Any]) -> None:
        """Writes as they should be, on attempts that mostly are in progress."""
        for index, body, mode, identity in many:
            if not self.running:
                self.seat(1 + index % 3, announce=False)
            runs = [run for run in self.twin.runs if run.status == "in_progress"] or self.twin.runs[-1:]
            for run in runs[index % len(runs) :][:1]:
                named = {"none": None, "next": run.last_seq + 1, "gap": run.last_seq + 3}.get(identity, identity)
                changes = {self.twin.keys[at]: value for at, value in body.items()}
                self.write(run.serial, run.player, changes, mode, named, bare=list(body) == [0] and index % 2 == 0)

    @rule(
        serial=serials,
        player=st.sampled_from(PLAYERS),
        changes=st.dictionaries(st.sampled_from(["unknown", "points", "streak", "a"]), st.sampled_from([1, 2**53 - 1])),
        seq=st.integers(1, 9),
    )
    def write_amiss(self, serial: int, player: int, changes: dict[str, Any], seq: int) -> None:
        """Another's attempt, or none; an unknown key; a value that passes the limit; any seq."""
        self.write(serial, player, changes or {"unknown": 1}, "increment", seq, bare=False)

    def write(self, serial: int, player: int, changes: dict[str, Any], mode: str, identity: Any, *, bare: bool) -> None:
        body = next(iter(changes.values())) if bare else dict(changes)
        outcome = self.say(Write(serial, body, mode, identity, player), from_window=False)
        before = sum(len(run.applied) for run in self.twin.runs)
        expected = self.twin.write(serial, player, changes, mode, identity, self.now)
        applied = sum(len(run.applied) for run in self.twin.runs) > before
        assert outcome.traced == applied
        self.same_answer(outcome.reply, expected, repeated=not applied, identity=identity)
        ends = applied and self.twin.runs[serial].status == "completed"
        self.ended([self.twin.runs[serial]] if ends else [], outcome)
        self.r28_the_board_is_the_twins()

    @rule()
    def repeat_all(self) -> None:
        for run in self.twin.runs:
            for identity, (mode, changes) in run.applied[-1:]:
                if identity is not None:
                    self.write(run.serial, run.player, changes, mode, identity, bare=False)

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """R-15: something that was applied, once more, perhaps with another body."""
        writes = [(run, entry) for run in self.twin.runs for entry in run.applied if entry[0] is not None]
        if not writes:
            return
        run, (identity, (mode, changes)) = data.draw(st.sampled_from(writes[-40:]))
        if data.draw(st.integers(0, 4)) == 0:
            changes = {**changes, self.twin.keys[0]: 7}
        self.write(run.serial, run.player, changes, mode, identity, bare=False)

    @rule(serial=serials, player=st.sampled_from(PLAYERS), rightly=st.sampled_from([True, True, False]))
    def finish(self, serial: int, player: int, rightly: bool) -> None:
        if rightly and self.twin.runs:
            run = self.twin.runs[serial % len(self.twin.runs)]
            serial, player = run.serial, run.player
        self.come_to_now()
        found = self.twin.run_of(serial, player)
        was_running = found is not None and found.status == "in_progress" and not self.twin.is_paused
        outcome = self.say(Finish(serial, player), from_window=False)
        assert outcome.traced == was_running
        if found is None:
            assert code(outcome.reply) == "not_found"
        elif self.twin.is_paused:
            assert code(outcome.reply) == "event_disabled"
        else:
            self.twin.finish(found, self.now)
            self.ended([found] if was_running else [], outcome)
            self.same_view(outcome.reply, found)

    # -- operators, and the window

    @rule(serial=serials, score=st.none() | st.sampled_from([0, 2, 0.5, -1, 9, 2**60]))
    def force(self, serial: int, score: Any) -> None:
        """R-12: of attempts that run, or that ran out of time."""
        self.come_to_now()
        run = self.twin.run_of(serial)
        outcome = self.say(ForceComplete(serial, score, "ops"), from_window=False)
        if run is None or run.is_completed or self.twin.status != "open":
            assert not outcome.traced
            assert code(outcome.reply) == ("not_found" if run is None else "conflict")
            return
        before = run.status
        self.twin.force(run, score, self.now)
        after = [run.status, run.score]
        audited = Audited("ops", "attempts.forceComplete", f"{BOARD}.{serial}", before, after, self.now)
        self.ended([run], outcome, audited, had_ended=before != "in_progress")
        self.same_view(outcome.reply, run)

    @rule(is_paused=st.booleans())
    def pause(self, is_paused: bool) -> None:
        self.say(Pause() if is_paused else Resume())
        self.twin.is_paused = is_paused

    @rule(later=st.integers(1, 200))
    def extend(self, later: int) -> None:
        if self.twin.ends_at is not None and self.now < self.twin.ends_at:
            ends_at = self.twin.ends_at + later * 1000
            self.say(Extend(ends_at))
            self.twin.extend(ends_at)

    @rule(boards=shared)
    def amend(self, boards: list[Any]) -> None:
        self.say(Amend(1, boards))

    @rule(seconds=seconds)
    def pass_time(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.come_to_now()

    def close(self, *, is_cancelled: bool) -> None:
        outcome = self.say(Close(self.now, is_cancelled))
        self.ended(self.twin.close(self.now, is_cancelled=is_cancelled), outcome)
        closed = [message.command for message in outcome.messages if isinstance(message.command, Closed)]
        went = ([], [], []) if is_cancelled else (self.twin.winners(self.wins), *self.twin.moves())
        assert closed == [Closed(BOARD, *went)]
        assert outcome.messages[-1].command is closed[0]

    def settle(self) -> None:
        assert self.say(Settled()).finished
        self.twin.status, self.twin.is_paused = "settled", False

    # -- checkpoints, replays, questions

    @rule()
    def restart(self) -> None:
        """R-56: a checkpoint, read back."""
        seen, parts = self.board(), frozen(self.contest)
        self.contest = thawed(Contest(BOARD, self.book), parts)
        assert frozen(self.contest) == parts
        assert self.board() == seen

    @rule()
    def replay(self) -> None:
        """R-57: the journalled inputs alone, without the questions in between, give all of it again."""
        again = Contest(BOARD, self.book)
        for said, (now, outcome) in zip(self.said, self.journal.replayed(again), strict=True):
            assert said == (list(outcome.messages), list(outcome.effects), again.gathered(now))
        assert self.board(contest=again) == self.board()

    @rule(data=st.data())
    def read_a_part(self, data: st.DataObject) -> None:
        """R-33: the union of a page, of some around one, and of named ones."""
        rows = [(who, score, rank) for rank, (who, score) in enumerate(self.twin.rows(), 1)]
        offset, limit, spread = (data.draw(st.integers(0, most)) for most in (6, 6, 3))
        someone = st.sampled_from([*PLAYERS, 99, *(row[0] for row in rows)])
        around, picked = data.draw(st.none() | someone), data.draw(st.lists(someone, max_size=3))
        wanted = set(range(offset + 1, offset + limit + 1))
        middle = next((rank for who, _, rank in rows if who == around), None)
        if middle is not None:
            wanted |= set(range(middle - spread, middle + spread + 1))
        wanted |= {rank for who, _, rank in rows if who in picked}
        found = self.board(GetBoard(offset, limit, around, spread, tuple(picked), viewer=1))
        if not isinstance(found, BoardView):
            return
        assert [(s.participant, s.score, s.rank) for s in found.standings] == [row for row in rows if row[2] in wanted]
        own = next(((score, rank) for who, score, rank in rows if who == 1), (None, None))
        assert (found.viewer_score, found.viewer_rank) == own

    # -- what must hold

    @invariant()
    def r28_the_board_is_the_twins(self) -> None:
        board = self.board()
        if not isinstance(board, BoardView):
            assert not self.twin.has_board
            return
        rows = [(standing.participant, standing.score) for standing in board.standings]
        assert rows == self.twin.rows()
        assert [standing.rank for standing in board.standings] == list(range(1, len(rows) + 1))
        assert board.total == len(rows)
        assert board.finalized == (self.twin.status == "settled")
        assert all((standing.bot is not None) == (standing.participant < 0) for standing in board.standings)
        assert board.version > self.version if rows != self.seen else board.version >= self.version
        self.seen, self.version = rows, board.version

    @invariant()
    def attempts_are_the_twins(self) -> None:
        for run in self.twin.runs[-2:]:
            self.same_attempt(run)

    @invariant()
    def r12_no_end_is_slept_through(self) -> None:
        ends = [run.ends_at for run in self.twin.runs if run.status == "in_progress" and run.ends_at is not None]
        assert not ends or (self.contest.wake_at is not None and self.contest.wake_at <= min(ends))

    def teardown(self) -> None:
        """The board closes and is settled; writes come too late; the journalled inputs give all of it again (R-57)."""
        if hasattr(self, "contest"):
            self.close(is_cancelled=self.now % 7_000 == 0)
            self.late()
            self.settle()
            self.late()
            self.replay()
            again = self.journal.replayed_into(Contest(BOARD, self.book))
            assert frozen(again) == frozen(self.contest)

    def late(self) -> None:
        self.restart()
        self.write_amiss(0, 1, {self.twin.keys[0]: 1}, 99)
        self.repeat_all()
        self.force(0, 5)
        self.finish(0, 1, rightly=True)
        self.r28_the_board_is_the_twins()

    # -- helpers

    def board(self, query: GetBoard | None = None, contest: Contest | None = None) -> Any:
        """What the board says, but for the hint when to look again: that is only never late."""
        self.twin.come_to(self.now)
        outcome = (contest or self.contest).apply(query or GetBoard(limit=99, viewer=1), self.now)
        assert not outcome.traced
        view = outcome.reply
        if isinstance(view, BoardView):
            assert view.moves_at is None or view.moves_at > self.now
            return replace(view, moves_at=None)
        return code(view)

    def same_attempt(self, run: Run) -> None:
        self.same_view(self.contest.apply(GetAttempt(run.player, run.serial), self.now).reply, run)

    def same_view(self, view: object, run: Run) -> None:
        assert isinstance(view, AttemptView)
        assert view.attempt_id == f"{BOARD}.{run.serial}"
        assert (view.player, view.status, view.score) == (run.player, run.status, run.score)
        assert (view.metrics_raw, view.metrics) == (run.raw, self.twin.capped(run.raw))
        assert (view.started_at, view.ends_at, view.window_ends_at) == (run.started_at, run.ends_at, self.twin.ends_at)
        assert view.rank == self.twin.rank(run.player)
        assert view.last_seq == run.last_seq
        assert view.completed_at == (run.ended_at if run.is_completed else None)
        newest = [other for other in self.twin.runs if other.player == run.player][-1]
        assert self.contest.apply(GetAttempt(run.player), self.now).reply.attempt_id == f"{BOARD}.{newest.serial}"

    def same_answer(self, reply: object, expected: Any, *, repeated: bool, identity: Any) -> None:
        if isinstance(expected, tuple):
            assert isinstance(reply, Refusal)
            assert reply.code == expected[0]
            if reply.code == "idempotency_conflict" and isinstance(identity, int):
                assert reply.details["applied"] == expected[1]
            return
        assert isinstance(reply, Written)
        assert reply.seq == (identity if isinstance(identity, int) else None)
        assert (reply.metrics, reply.metrics_raw) == (expected["metrics"], expected["raw"])
        assert (reply.status, reply.score, reply.rank) == (expected["status"], expected["score"], expected["rank"])
        assert reply.repeated == repeated


def code(reply: object) -> str:
    assert isinstance(reply, Refusal)
    return reply.code


TestBoardMachine = BoardMachine.TestCase
TestBoardMachine.settings = settings(
    max_examples=60, stateful_step_count=20, deadline=None, phases=[Phase.generate, Phase.shrink]
)
