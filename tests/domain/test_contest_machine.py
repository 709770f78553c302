"""Any order of inputs to a board against a naive twin, through checkpoints, and replayed (R-8 to R-16, R-28, R-29)."""

from __future__ import annotations

from typing import Any

from contest_twin import Run, Twin
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from playing import HOUR, SEED, START, Book, Journal, event, frozen, rules, thawed

from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import (
    AttemptEnded,
    Close,
    Closed,
    Finish,
    GetAttempt,
    Open,
    Seat,
    Settled,
    Write,
)
from kraty_actors.domain.outcome import Command, Completed, Outcome, Refusal, Tick

BOARD = "waaaaaaaaaaaaaaaa.1"
PLAYERS = (1, 2, 3)
BOT = {"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 3}}}
METRICS = {
    "streak": [
        {"key": "streak", "target": 3, "capAtTarget": True, "resetOn": {"metricKey": "losses"}, "scorePerUnit": 1},
        {"key": "losses", "scorePerUnit": 0},
    ],
    "penalties": [{"key": "points", "scorePerUnit": 2}, {"key": "errors", "scorePerUnit": -1.5}],
    "two targets": [{"key": "a", "target": 2, "scorePerUnit": 1}, {"key": "b", "target": 4, "scorePerUnit": 0.5}],
}
PREDICATES = {
    "completed": ({"type": "completed"}, lambda capped, done, rank: done),
    "enough": (
        {"type": "metric_at_least", "metricKey": None, "threshold": 2},
        lambda capped, done, rank: next(iter(capped.values())) >= 2,
    ),
    "top": ({"type": "rank_at_most", "rank": 2}, lambda capped, done, rank: rank is not None and rank <= 2),
}
bodies = st.dictionaries(st.sampled_from([0, 0, 0, 1]), st.sampled_from([0, 1, 1, 2, 3, 0.5]), min_size=1)
modes = st.sampled_from(["increment", "increment", "set"])
identities = st.sampled_from(["none", "next", "next", "gap", "k1", "k2"])
writes = st.tuples(st.integers(0, 5), bodies, modes, identities)


class BoardMachine(RuleBasedStateMachine):
    """A player has at most one attempt in progress, as the window makes sure; time comes as the loop brings it."""

    @initialize(
        metrics=st.sampled_from(sorted(METRICS)),
        aggregation=st.sampled_from(["best", "sum", "latest"]),
        sort=st.sampled_from(["desc", "desc", "asc"]),
        hours=st.sampled_from([None, 3]),
        duration=st.sampled_from([None, 3600]),
        bots=st.integers(0, 4),
        predicate=st.sampled_from(sorted(PREDICATES)),
        first=st.lists(writes, min_size=6, max_size=20),
    )
    def begin(
        self,
        metrics: str,
        aggregation: str,
        sort: str,
        hours: int | None,
        duration: int | None,
        bots: int,
        predicate: str,
        first: list[Any],
    ) -> None:
        wins, self.wins = PREDICATES[predicate]
        if "metricKey" in wins:
            wins = {**wins, "metricKey": METRICS[metrics][0]["key"]}
        definition = {
            "metrics": METRICS[metrics],
            "leaderboard": {"scoreAggregation": aggregation, "sort": sort},
            "attempt": {"durationSeconds": duration},
            "rewardPolicy": {
                "type": "shared_pool",
                "parameters": {"pool": 10, "currencyKey": "cash", "winnerPredicate": wins},
            },
        }
        bindings = [{"botId": "climber", "count": bots}] if bots else []
        self.rules = rules(event(**definition, botBindings=bindings), [BOT])
        self.now = START
        ends_at = None if hours is None else START + hours * HOUR
        self.twin = Twin(definition, BOARD, SEED, ends_at, bots)
        self.contest = Contest(BOARD, Book(self.rules))
        self.journal = Journal(BOARD)
        self.version = 0
        self.told: list[tuple[int, bool]] = []
        self.seen: Any = None
        self.say(Open("race", 1, SEED, START, ends_at))
        for player in PLAYERS:
            self.seat(player, announce=False)
        self.play(first)

    # -- what the loop does

    def say(self, command: Command, *, from_window: bool = True) -> Outcome:
        if self.contest.wake_at is not None and self.contest.wake_at <= self.now:
            self.ended(self.twin.time_passes(self.now), self.note(Tick(), self.contest.apply(Tick(), self.now)))
        return self.note(command, self.contest.apply(command, self.now), from_window=from_window)

    def note(self, command: Command, outcome: Outcome, *, from_window: bool = False) -> Outcome:
        if outcome.traced or from_window:
            self.journal.add(self.now, command)
        return outcome

    def ended(self, runs: list[Run], outcome: Outcome) -> None:
        """Each end is told once to the window, to the player, and if it counts to those who look back."""
        told = [m.command for m in outcome.messages if isinstance(m.command, AttemptEnded)]
        assert told == [AttemptEnded(run.player, run.is_completed) for run in runs]
        assert {message.to for message in outcome.messages} <= {BOARD.split(".")[0]}
        pushed = [notice for notice in outcome.notices if notice.push == "attempt.ended"]
        assert [(n.players, n.body.status) for n in pushed] == [((run.player,), run.status) for run in runs]
        done = [Completed(run.player, "race", BOARD.split(".")[0]) for run in runs if run.is_completed]
        assert list(outcome.effects) == done

    @property
    def running(self) -> list[int]:
        return [run.player for run in self.twin.runs if run.status == "in_progress"]

    # -- rules

    @rule(player=st.sampled_from(PLAYERS), announce=st.booleans())
    def seat(self, player: int, announce: bool) -> None:
        self.pass_time(0)
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
                last = max([seq for seq, _ in run.applied if isinstance(seq, int)], default=0)
                named = {"none": None, "next": last + 1, "gap": last + 3}.get(identity, identity)
                changes = {self.twin.keys[at]: value for at, value in body.items()}
                self.write(run.serial, run.player, changes, mode, named, bare=list(body) == [0] and index % 2 == 0)

    @rule(
        serial=st.integers(-1, 9),
        player=st.sampled_from(PLAYERS),
        changes=st.dictionaries(st.sampled_from(["unknown", "points", "streak", "a"]), st.sampled_from([1, 2**53 - 1])),
        seq=st.integers(1, 9),
    )
    def write_amiss(self, serial: int, player: int, changes: dict[str, Any], seq: int) -> None:
        """Another's attempt, or none; an unknown key; a value that passes the limit; any seq."""
        self.write(serial, player, changes or {"unknown": 1}, "increment", seq, bare=False)

    def write(self, serial: int, player: int, changes: dict[str, Any], mode: str, identity: Any, *, bare: bool) -> None:
        self.pass_time(0)
        before = sum(len(run.applied) for run in self.twin.runs)
        body = next(iter(changes.values())) if bare else dict(changes)
        outcome = self.say(Write(serial, body, mode, identity, player), from_window=False)
        expected = self.twin.write(serial, player, changes, mode, identity)
        applied = sum(len(run.applied) for run in self.twin.runs) > before
        assert outcome.traced == applied
        self.same_answer(outcome.reply, expected, repeated=not applied, identity=identity)
        ends = applied and self.twin.runs[serial].status == "completed"
        self.ended([self.twin.runs[serial]] if ends else [], outcome)
        self.r28_the_board_is_the_twins()

    def repeat_all(self) -> None:
        for run in self.twin.runs:
            for identity, (mode, changes) in run.applied[-1:]:
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

    @rule(serial=st.integers(-3, 3), player=st.sampled_from(PLAYERS), rightly=st.sampled_from([True, True, False]))
    def finish(self, serial: int, player: int, rightly: bool) -> None:
        self.pass_time(0)
        if rightly and self.twin.runs:
            run = self.twin.runs[serial % len(self.twin.runs)]
            serial, player = run.serial, run.player
        was_running = 0 <= serial < len(self.twin.runs) and self.twin.runs[serial].status == "in_progress"
        outcome = self.say(Finish(serial, player), from_window=False)
        run = self.twin.finish(serial, player)
        if run is None:
            assert isinstance(outcome.reply, Refusal)
            assert (outcome.reply.code, outcome.traced) == ("not_found", False)
            return
        if was_running:
            run.ended_at = self.now
        self.ended([run] if was_running else [], outcome)
        assert outcome.traced == was_running
        self.same_view(outcome.reply, run)

    @rule(minutes=st.sampled_from([1, 1, 20, 61]))
    def pass_time(self, minutes: int) -> None:
        self.now += minutes * 60_000
        if self.contest.wake_at is not None and self.contest.wake_at <= self.now:
            self.ended(self.twin.time_passes(self.now), self.note(Tick(), self.contest.apply(Tick(), self.now)))

    def close(self) -> None:
        self.pass_time(0)
        outcome = self.say(Close(self.now))
        self.ended(self.twin.close(self.now), outcome)
        closed = [message.command for message in outcome.messages if isinstance(message.command, Closed)]
        assert closed == [Closed(BOARD, self.twin.winners(self.wins))]
        assert outcome.messages[-1].command is closed[0]

    def settle(self) -> None:
        assert self.say(Settled()).finished
        self.twin.status = "settled"

    @rule()
    def restart(self) -> None:
        """R-56: a checkpoint, read back."""
        parts = frozen(self.contest)
        self.contest = thawed(Contest(BOARD, Book(self.rules)), parts)
        assert frozen(self.contest) == parts

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
        assert [(s.participant, s.score, s.rank) for s in found.standings] == [row for row in rows if row[2] in wanted]
        own = next(((score, rank) for who, score, rank in rows if who == 1), (None, None))
        assert (found.viewer_score, found.viewer_rank) == own

    # -- what must hold

    @invariant()
    def r28_the_board_is_the_twins(self) -> None:
        board = self.board()
        rows = [(standing.participant, standing.score) for standing in board.standings]
        assert rows == self.twin.rows()
        assert [standing.rank for standing in board.standings] == list(range(1, len(rows) + 1))
        assert board.total == len(rows)
        assert board.finalized == (self.twin.status == "settled")
        assert all((standing.bot is not None) == (standing.participant < 0) for standing in board.standings)
        changed = self.seen is not None and rows != self.seen
        assert board.version > self.version if changed or self.seen is None else board.version == self.version
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
            for end in (self.close, self.settle):
                end()
                self.restart()
                self.write_amiss(0, 1, {self.twin.keys[0]: 1}, 99)
                self.repeat_all()
            again = self.journal.replayed_into(Contest(BOARD, Book(self.rules)))
            assert frozen(again) == frozen(self.contest)

    # -- helpers

    def board(self, query: GetBoard | None = None) -> BoardView:
        outcome = self.contest.apply(query or GetBoard(limit=99), self.now)
        assert not outcome.traced
        assert isinstance(outcome.reply, BoardView)
        return outcome.reply

    def same_attempt(self, run: Run) -> None:
        self.same_view(self.contest.apply(GetAttempt(run.player, run.serial), self.now).reply, run)

    def same_view(self, view: object, run: Run) -> None:
        assert isinstance(view, AttemptView)
        assert view.attempt_id == f"{BOARD}.{run.serial}"
        assert (view.player, view.status, view.score) == (run.player, run.status, run.score)
        assert (view.metrics_raw, view.metrics) == (run.raw, self.twin.capped(run.raw))
        assert (view.started_at, view.ends_at, view.window_ends_at) == (run.started_at, run.ends_at, self.twin.ends_at)
        assert view.rank == self.twin.rank(run.player)
        assert view.last_seq == max([seq for seq, _ in run.applied if isinstance(seq, int)], default=0)
        assert (view.completed_at is not None) == run.is_completed
        newest = [other for other in self.twin.runs if other.player == run.player][-1]
        assert self.contest.apply(GetAttempt(run.player), self.now).reply.attempt_id == f"{BOARD}.{newest.serial}"
        if run.is_completed and run.ended_at is not None:
            assert view.completed_at == run.ended_at

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


TestBoardMachine = BoardMachine.TestCase
TestBoardMachine.settings = settings(
    max_examples=100, stateful_step_count=25, deadline=None, phases=[Phase.generate, Phase.shrink]
)
