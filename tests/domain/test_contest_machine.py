"""Whatever a board is told, in any order: against a naive twin, through checkpoints, and replayed (R-8 to R-51)."""

from __future__ import annotations

from typing import Any

from bot_twin import BOARD
from contest_cases import (
    GUARDS,
    LEAGUES,
    METRICS,
    MILESTONES,
    PLAYERS,
    aggregations,
    boards,
    policies,
    seconds,
    shared,
    sorts,
    teams,
    writes,
)
from contest_driver import WINDOW, ContestDriver, code
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from playing import frozen

from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import (
    Amend,
    AttemptEnded,
    Close,
    Extend,
    Finish,
    ForceComplete,
    Pause,
    Resume,
    SetBan,
    Settle,
    Void,
)
from kraty_actors.domain.outcome import Audited, Message

starting = st.lists(writes, min_size=6, max_size=20)
serials = st.integers(-1, 9)
people = st.sampled_from(PLAYERS)
taken_out = st.one_of(
    st.tuples(st.just("void"), st.integers(0, 5)),
    st.tuples(st.just("void"), st.integers(0, 5)),
    st.tuples(st.just("ban"), people),
    st.tuples(st.just("unban"), people),
    st.tuples(st.just("restart"), st.none()),
)
replays = st.tuples(st.just("replay"), st.tuples(people, st.sampled_from([None, 0, 0.1, 1, 1, 2, 3]), st.booleans()))


class BoardMachine(ContestDriver):
    """What players, operators and the window do, in any order."""

    @initialize(
        metrics=st.sampled_from(sorted(METRICS)),
        board=boards,
        aggregation=aggregations,
        sort=sorts,
        lasts=st.sampled_from([None, 240]),
        duration=st.sampled_from([None, 60]),
        team=teams,
        policy=policies,
        milestones=st.sampled_from(sorted(MILESTONES)),
        guard=st.sampled_from(sorted(GUARDS)),
        league=st.sampled_from([*LEAGUES, None]),
        step=st.integers(1, 3),
        first=starting,
        last=st.lists(taken_out, max_size=8),
        is_cancelled=st.sampled_from([(False, False), (False, False), (False, False), (False, True), (True, True)]),
    )
    def begin(
        self,
        board: dict[str, Any],
        aggregation: str,
        sort: str,
        first: list[Any],
        last: list[Any],
        is_cancelled: tuple[bool, bool],
        **drawn: Any,
    ) -> None:
        """`last` is what happens while the board ends, of a window that may be cancelled before, or after it has
        closed."""
        self.last, self.is_cancelled = last, is_cancelled
        self.opens(board={**board, "scoreAggregation": aggregation, "sort": sort}, **drawn)
        self.play(first)

    # -- players

    @rule(player=st.sampled_from(PLAYERS), announce=st.booleans())
    def seat(self, player: int, announce: bool) -> None:
        self.seated(player, announce=announce)

    @rule(many=st.lists(writes, min_size=3, max_size=10))
    def play(self, many: list[Any]) -> None:
        """Writes as they should be, on attempts that mostly are in progress."""
        for index, body, mode, identity in many:
            if not self.twin.running:
                self.seated(1 + index % 3, announce=False)
            runs = self.twin.running or self.twin.runs[-1:]
            for run in runs[index % len(runs) :][:1]:
                named = {"none": None, "next": run.last_seq + 1, "gap": run.last_seq + 3}.get(identity, identity)
                changes = {self.twin.keys[at]: value for at, value in body.items()}
                self.write(run.serial, run.player, changes, mode, named, bare=list(body) == [0] and index % 2 == 0)
                self.r28_the_board_is_the_twins()

    @rule(
        serial=serials,
        player=st.sampled_from(PLAYERS),
        changes=st.dictionaries(st.sampled_from(["unknown", "points", "streak", "a"]), st.sampled_from([1, 2**53 - 1])),
        seq=st.integers(1, 9),
    )
    def write_amiss(self, serial: int, player: int, changes: dict[str, Any], seq: int) -> None:
        """Another's attempt, or none; an unknown key; a value that passes the limit; any seq."""
        self.write(serial, player, changes or {"unknown": 1}, "increment", seq, bare=False)

    @rule()
    def repeat_all(self) -> None:
        for run in self.twin.runs:
            for kept in run.kept[-1:]:
                if kept.identity is not None:
                    mode, changes = kept.body
                    self.write(run.serial, run.player, changes, mode, kept.identity, bare=False)

    @rule(data=st.data())
    def r15_repeat(self, data: st.DataObject) -> None:
        """Something that was applied, or rejected, once more, perhaps with another body."""
        writes = [(run, kept) for run in self.twin.runs for kept in run.kept if kept.identity is not None]
        if not writes:
            return
        run, kept = data.draw(st.sampled_from(writes[-40:]))
        mode, changes = kept.body
        if data.draw(st.integers(0, 4)) == 0:
            changes = {**changes, self.twin.keys[0]: 7}
        self.write(run.serial, run.player, changes, mode, kept.identity, bare=False)

    @rule(serial=serials, player=st.sampled_from(PLAYERS), rightly=st.sampled_from([True, True, False]))
    def finish(self, serial: int, player: int, rightly: bool) -> None:
        if rightly and self.twin.runs:
            run = self.twin.runs[serial % len(self.twin.runs)]
            serial, player = run.serial, run.player
        self.come_to_now()
        found = self.twin.run_of(serial, player)
        is_running = found is not None and found.status == "in_progress" and self.twin.is_open
        outcome = self.note(Finish(serial, player))
        assert outcome.traced == (is_running and not self.twin.is_paused)
        if found is None:
            assert code(outcome.reply) == "not_found"
        elif self.twin.is_paused:
            assert code(outcome.reply) == "event_disabled"
        else:
            if is_running:
                self.twin.finish(found, self.now)
                self.ended([found], outcome)
            self.same_view(outcome.reply, found)

    # -- operators

    @rule(serial=serials, score=st.none() | st.sampled_from([0, 2, 0.5, -1, 9, 2**60]))
    def force(self, serial: int, score: Any) -> None:
        """R-12: of attempts that run, or that ran out of time."""
        self.come_to_now()
        run = self.twin.run_of(serial)
        outcome = self.say(ForceComplete(serial, score, "ops"), from_window=False)
        if run is None or run.is_completed or run.is_void or not self.twin.is_open:
            assert not outcome.traced
            assert code(outcome.reply) == ("not_found" if run is None else "conflict")
            return
        before = run.status
        self.twin.force(run, score, self.now)
        after = [run.status, run.score]
        audited = Audited("ops", "attempts.forceComplete", f"{BOARD}.{serial}", before, after, self.now)
        self.ended([run], outcome, audited, had_ended=before != "in_progress")
        self.same_view(outcome.reply, run)

    @rule(serial=serials)
    def r51_void(self, serial: int) -> None:
        """Until the window has said what is paid."""
        self.come_to_now()
        run = self.twin.run_of(serial)
        outcome = self.say(Void(serial, "cheats", "ops"), from_window=False)
        if run is None or (self.ending.is_settling and not run.is_void):
            assert not outcome.traced
            assert code(outcome.reply) == ("not_found" if run is None else "conflict")
            return
        assert outcome.traced == (not run.is_void)
        if not run.is_void:
            before = run.status
            self.twin.void(run, self.now)
            self.pushed([run], outcome)
            self.same_effects(outcome, Audited("ops", "attempts.void", f"{BOARD}.{serial}", before, "cheats", self.now))
            told = [message for message in outcome.messages if message.to == WINDOW]
            running = [Message(WINDOW, AttemptEnded(run.player, False, False))]
            assert told == (running if before == "in_progress" else [])
        self.same_view(outcome.reply, run)

    @rule(player=st.sampled_from(PLAYERS), is_banned=st.booleans())
    def r51_ban(self, player: int, is_banned: bool) -> None:
        self.come_to_now()
        outcome = self.say(SetBan(player, is_banned))
        assert [*outcome.messages, *outcome.effects, *outcome.notices] == []
        if not self.ending.is_settling:
            self.twin.ban(player, is_banned=is_banned)

    @rule(script=st.lists(st.one_of(replays, replays, taken_out), min_size=4, max_size=14))
    def attempts_come_and_go(self, script: list[Any]) -> None:
        for what, which in script:
            if what == "replay":
                self.plays_again(*which)
            else:
                self.takes_out(what, which)
            self.r28_the_board_is_the_twins()

    def plays_again(self, player: int, points: Any, is_finished: bool) -> None:
        """The player's running attempt ends, and another begins; perhaps with a write, and perhaps it is finished."""
        for run in self.twin.running:
            if run.player == player:
                self.finish(run.serial, player, rightly=False)
        self.seated(player, announce=False)
        own = [run for run in self.twin.running if run.player == player]
        if own and points is not None:
            self.write(own[0].serial, player, {self.twin.keys[0]: points}, "set", None, bare=False)
        if own and is_finished:
            self.finish(own[0].serial, player, rightly=False)

    def takes_out(self, what: str, which: Any) -> None:
        match what:
            case "void":
                self.r51_void(len(self.twin.runs) - 1 - which)
            case "ban" | "unban":
                self.r51_ban(which, is_banned=what == "ban")
            case "restart":
                self.restart()

    # -- the window

    @rule(is_paused=st.booleans())
    def pause(self, is_paused: bool) -> None:
        self.say(Pause() if is_paused else Resume())
        self.twin.is_paused = is_paused and not self.twin.is_over

    @rule(later=st.integers(1, 200))
    def extend(self, later: int) -> None:
        if self.twin.ends_at is not None and self.now < self.twin.ends_at and self.twin.is_open:
            ends_at = self.twin.ends_at + later * 1000
            self.say(Extend(ends_at))
            self.twin.extend(ends_at)

    @rule(boards=shared, revision=st.sampled_from([1, 2]))
    def r05_amend(self, boards: list[Any], revision: int) -> None:
        """Other shared boards, and other validators."""
        self.say(Amend(revision, boards))
        self.twin.limits = self.limits[revision - 1]

    @rule(seconds=seconds)
    def pass_time(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.come_to_now()

    @rule(whether=st.integers(0, 5), is_cancelled=st.sampled_from([False, False, False, True]))
    def close(self, whether: int, is_cancelled: bool) -> None:
        """Only sometimes, for it ends the play."""
        self.come_to_now()
        if whether == 0 and self.twin.is_open:
            self.twin.is_open = False
            self.ending.at, self.ending.is_cancelled = self.now, is_cancelled
            self.concludes(Close(self.now, is_cancelled))

    @precondition(lambda self: self.ending.counted is not None and not self.ending.is_settling)
    @rule(share=st.integers(0, 9), is_cancelled=st.sampled_from([False, False, False, True]))
    def settle(self, share: int, is_cancelled: bool) -> None:
        """Of a window that was held it may be said only now that it is cancelled."""
        self.come_to_now()
        self.ending.is_cancelled = self.ending.is_cancelled or is_cancelled
        self.ending.is_settling = True
        share = 0 if self.ending.is_cancelled or not self.ending.has_pool else share
        self.due = self.ending.pays(share)
        is_judging = self.contest.conclusion is not None and self.contest.conclusion.stage == "judging"
        command = Settle(share, self.ending.is_cancelled)
        if is_judging and not self.ending.is_cancelled:
            self.concludes(command)
        else:
            self.pays(self.note(command, from_window=True))

    # -- checkpoints, replays, questions

    @rule()
    def r56_restart(self) -> None:
        self.restart()

    @rule()
    def r57_replay(self) -> None:
        """The journalled inputs alone, without the questions in between, give all of it again."""
        again = Contest(BOARD, self.book)
        for said, (now, outcome) in zip(self.said, self.journal.replayed(again), strict=True):
            assert said == (list(outcome.messages), list(outcome.effects), again.gathered(now))
        assert self.board(contest=again) == self.board()

    @rule(data=st.data())
    def r33_read_a_part(self, data: st.DataObject) -> None:
        """The union of a page, of some around one, and of named ones."""
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
        assert board.finalized == self.twin.is_over
        assert all((standing.bot is not None) == (standing.participant < 0) for standing in board.standings)
        assert board.version > self.version if rows != self.seen else board.version >= self.version
        self.seen, self.version = rows, board.version

    @invariant()
    def attempts_are_the_twins(self) -> None:
        for run in self.twin.runs[-2:]:
            self.same_attempt(run)

    @invariant()
    def r12_no_end_is_slept_through(self) -> None:
        ends = [run.ends_at for run in self.twin.running if run.ends_at is not None and self.twin.is_open]
        assert not ends or (self.contest.wake_at is not None and self.contest.wake_at <= min(ends))

    def teardown(self) -> None:
        """The board closes and is settled, step by step; writes come too late; the journalled inputs give all of it
        again (R-57)."""
        if not hasattr(self, "contest"):
            return
        try:
            self.close(0, is_cancelled=self.is_cancelled[0])
            while not self.twin.is_over:
                for what, which in self.last[:1]:
                    self.takes_out(what, which)
                del self.last[:1]
                if self.ending.counted is not None and not self.ending.is_settling and len(self.last) % 3 == 0:
                    self.settle(1 + len(self.twin.runs) % 9, is_cancelled=self.is_cancelled[1])
                    self.late()
                self.come_to_now()
                self.a_checkpoint_is_written_slowly(0, 1)
                self.r28_the_board_is_the_twins()
            self.late()
            self.end_slow_dump()
            self.r57_replay()
            again = self.journal.replayed_into(Contest(BOARD, self.book))
            assert frozen(again) == frozen(self.contest)
        finally:
            self.patch.undo()

    def late(self) -> None:
        self.restart()
        self.write_amiss(0, 1, {self.twin.keys[0]: 1}, 99)
        self.repeat_all()
        self.force(0, 5)
        self.finish(0, 1, rightly=True)
        self.r28_the_board_is_the_twins()


TestBoardMachine = BoardMachine.TestCase
TestBoardMachine.settings = settings(
    max_examples=150, stateful_step_count=25, deadline=None, phases=[Phase.generate, Phase.shrink]
)
