"""A board, its twin, and around them as much of a loop and of a window as they need."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from bot_twin import BEGAN, BOARD
from contest_cases import BOTS, GUARDS, PLAYERS, definition, guarded
from contest_twin import Run, Twin
from ending_twin import Ending
from hypothesis.stateful import RuleBasedStateMachine
from playing import SEED, Book, Journal, cash, event, frozen, rules, thawed
from slow_dumps import WrittenSlowly

from kraty_actors.domain import conclusion as conclusion_module
from kraty_actors.domain import contest as contest_module
from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import (
    AttemptEnded,
    AttemptsEnded,
    Closed,
    GetAttempt,
    Open,
    Paid,
    Seat,
    Write,
)
from kraty_actors.domain.ids import last_number, parent
from kraty_actors.domain.outcome import (
    Command,
    Completed,
    Effect,
    Flagged,
    MovedLeague,
    Outcome,
    Pay,
    Refusal,
    Started,
    State,
    Tick,
)

WINDOW = parent(BOARD)
BOT_DEFINITIONS = [{"key": key, "behaviour": behaviour} for key, behaviour in BOTS.items()]


class ContestDriver(WrittenSlowly, RuleBasedStateMachine):
    """A player has at most one attempt in progress, as the window makes sure; time comes as the loop brings it."""

    def opens(
        self,
        metrics: str,
        board: dict[str, Any],
        lasts: int | None,
        duration: int | None,
        team: list[str],
        policy: str,
        milestones: str,
        guard: str,
        league: str | None,
        step: int,
    ) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(contest_module, "ATTEMPTS_PER_STEP", step)
        self.patch.setattr(conclusion_module, "ATTEMPTS_PER_STEP", step)
        self.patch.setattr(conclusion_module, "PLAYERS_PER_STEP", step)
        self.step = step
        made = definition(metrics, board, duration, policy, milestones, team)
        self.limits = GUARDS[guard]
        events = [event(**guarded(made, limits)) for limits in self.limits]
        self.book = Book(*(rules(one, BOT_DEFINITIONS, revision=n) for n, one in enumerate(events, 1)))
        self.now = BEGAN
        ends_at = None if lasts is None else BEGAN + lasts * 1000
        self.twin = Twin(made, SEED, ends_at, [BOTS[bot] for bot in team])
        self.twin.completion = 5 if policy == "bundle" else None
        self.twin.limits = self.limits[0]
        self.ending = Ending(self.twin, board, policy, league)
        self.contest = Contest(BOARD, self.book)
        self.journal = Journal(BOARD)
        self.said: list[Any] = []
        self.seen: Any = None
        self.version = 0
        self.names: set[str] = set()
        self.paid: list[tuple[int, int]] = []
        self.moved: dict[int, str] = {}
        self.say(Open("race", 1, SEED, BEGAN, ends_at, boards=[["sum desc daily", 1]], league=league))
        for player in PLAYERS:
            self.seated(player, announce=False)

    def states(self) -> list[State]:
        return [self.contest]

    # -- what the loop does

    def say(self, command: Command, *, from_window: bool = True) -> Outcome:
        self.come_to_now()
        return self.note(command, from_window=from_window)

    def come_to_now(self) -> None:
        """A turn brings its tick along, if one is due; of a board that has closed, its next step."""
        self.twin.come_to(self.now)
        if self.contest.wake_at is None or self.contest.wake_at > self.now:
            return
        if self.contest.conclusion is not None:
            self.concludes(Tick())
            return
        outcome = self.note(Tick())
        runs = self.twin.time_passes(self.now, self.step)
        self.ended_together(runs, outcome)
        is_more = any(run.ends_at is not None and run.ends_at <= self.now for run in self.twin.running)
        assert not is_more or (self.contest.wake_at is not None and self.contest.wake_at <= self.now)

    def note(self, command: Command, *, from_window: bool = False) -> Outcome:
        outcome = self.contest.apply(command, self.now)
        gathered = self.contest.gathered(self.now)
        if outcome.traced or from_window:
            self.journal.add(self.now, command)
            self.said.append((list(outcome.messages), list(outcome.effects), gathered))
        else:
            assert [*outcome.messages, *outcome.effects, *outcome.notices, *gathered] == []
        pays = [effect for effect in outcome.effects if isinstance(effect, Pay)]
        names = [*(pay.grant_id for pay in pays), *(e.anomaly_id for e in outcome.effects if isinstance(e, Flagged))]
        assert self.names.isdisjoint(names)
        assert len(names) == len(set(names))
        self.names |= set(names)
        told = [(notice.players, notice.body) for notice in outcome.notices if notice.push == "grant"]
        assert Counter(pay.grant_id for pay in pays) == Counter(pay.grant_id for _, pay in told)
        assert all(players == (pay.player,) for players, pay in told)
        return outcome

    def ended(self, runs: list[Run], outcome: Outcome, *others: Any, had_ended: bool = False) -> None:
        """Each end is told once to the window and to the player, and whatever comes of it is written once."""
        told = [m.command for m in outcome.messages if isinstance(m.command, AttemptEnded)]
        assert told == [AttemptEnded(run.player, run.is_completed, had_ended) for run in runs]
        self.pushed(runs, outcome)
        self.same_effects(outcome, *others)

    def ended_together(self, runs: list[Run], outcome: Outcome) -> None:
        """Several ends are told to the window at once."""
        told = [m.command for m in outcome.messages if isinstance(m.command, AttemptsEnded)]
        assert [who for one in told for who in one.completed] == [run.player for run in runs if run.is_completed]
        assert [who for one in told for who in one.expired] == [run.player for run in runs if not run.is_completed]
        self.pushed(runs, outcome)
        self.same_effects(outcome)

    def pushed(self, runs: list[Run], outcome: Outcome) -> None:
        found = [notice for notice in outcome.notices if notice.push == "attempt.ended"]
        assert [(n.players, n.body.status) for n in found] == [((run.player,), run.status) for run in runs]

    def same_effects(self, outcome: Outcome, *others: Any) -> None:
        assert [as_twins(effect) for effect in outcome.effects] == [*self.twin.take_effects(), *others]

    # -- the end

    def concludes(self, command: Command) -> Outcome:
        """One step of the end."""
        if self.contest.conclusion is not None and self.contest.conclusion.stage == "paying":
            outcome = self.note(command, from_window=True)
            self.pays(outcome)
            return outcome
        outcome = self.note(command, from_window=True)
        ends = [message.command for message in outcome.messages if isinstance(message.command, AttemptsEnded)]
        count = sum(len(one.completed) + len(one.expired) for one in ends)
        assert count <= self.step
        runs = self.twin.running[:count]  # in the order in which they began
        for run in runs:
            self.ending.end(run, self.now)
        self.ended_together(runs, outcome)
        closed = [message.command for message in outcome.messages if isinstance(message.command, Closed)]
        if closed:
            assert not self.twin.running
            assert not self.ending.is_settling
            self.ending.counted = len(self.ending.winners())
            assert closed == [Closed(BOARD, self.ending.counted)]
            assert outcome.messages[-1].command is closed[0]
        assert {message.to for message in outcome.messages} <= {WINDOW}
        return outcome

    def pays(self, outcome: Outcome) -> None:
        """A step of the payout: so many at most, and in the end everything that is due, once."""
        assert len(outcome.effects) <= self.step
        assert not any(isinstance(effect, MovedLeague) for effect in outcome.effects[:-1]) or not any(
            isinstance(effect, Pay) for effect in outcome.effects[-1:]
        )
        for effect in outcome.effects:
            if isinstance(effect, Pay):
                assert (effect.source_kind, effect.source_ref) == ("event_window", WINDOW)
                self.paid += [(effect.player, entry["amount"]) for entry in effect.entries]
            else:
                assert isinstance(effect, MovedLeague)
                assert (effect.event_key, effect.player in self.moved) == ("race", False)
                self.moved[effect.player] = effect.league
        told = [message.command for message in outcome.messages]
        assert outcome.finished == bool(told)
        if told:
            assert self.paid == self.due
            assert self.moved == self.ending.moves()
            total = sum(amount for _, amount in self.paid)
            players = len({who for who, _ in self.paid})
            assert told == [Paid(BOARD, players, len(self.paid), {"cash": total} if total else {})]
            self.twin.is_over, self.twin.is_paused = True, False

    # -- players

    def seated(self, player: int, *, announce: bool) -> None:
        self.come_to_now()
        is_late = not self.twin.is_open or (self.twin.ends_at or self.now + 1) <= self.now
        if is_late or any(run.player == player for run in self.twin.running):
            return
        outcome = self.say(Seat(player, announce))
        run = self.twin.seat(player, self.now)
        assert [notice.push for notice in outcome.notices] == ["attempt.started"] * announce
        assert list(outcome.effects) == [Started(player, f"{BOARD}.{run.serial}", "race", self.now)]
        self.same_attempt(run)

    def write(self, serial: int, player: int, changes: dict[str, Any], mode: str, identity: Any, *, bare: bool) -> None:
        body = next(iter(changes.values())) if bare else dict(changes)
        outcome = self.say(Write(serial, body, mode, identity, player), from_window=False)
        kept, applied = self.count()
        expected = self.twin.write(serial, player, changes, mode, identity, self.now)
        is_kept, is_applied = self.count()[0] > kept, self.count()[1] > applied
        assert outcome.traced == is_kept
        self.same_answer(outcome.reply, expected, repeated=not is_applied, identity=identity)
        ends = is_applied and self.twin.runs[serial].status == "completed"
        self.ended([self.twin.runs[serial]] if ends else [], outcome)

    def count(self) -> tuple[int, int]:
        """Of writes that used up their identity, and of those that were applied."""
        return sum(len(run.kept) for run in self.twin.runs), sum(len(run.applied) for run in self.twin.runs)

    # -- what is asked

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

    def restart(self) -> None:
        """R-56: a checkpoint, read back."""
        self.end_slow_dump()
        seen, parts = self.board(), frozen(self.contest)
        self.contest = thawed(Contest(BOARD, self.book), parts)
        assert frozen(self.contest) == parts
        assert self.board() == seen

    def same_attempt(self, run: Run) -> None:
        self.same_view(self.contest.apply(GetAttempt(run.player, run.serial), self.now).reply, run)

    def same_view(self, view: object, run: Run) -> None:
        assert isinstance(view, AttemptView)
        status, ended_at = self.ending.shown(run, self.now)
        assert view.attempt_id == f"{BOARD}.{run.serial}"
        assert (view.player, view.status, view.score) == (run.player, status, run.score)
        assert (view.metrics_raw, view.metrics) == (run.raw, self.twin.capped(run.raw))
        assert (view.started_at, view.ends_at, view.window_ends_at) == (run.started_at, run.ends_at, self.twin.ends_at)
        assert view.rank == self.twin.rank(run.player)
        assert view.last_seq == run.last_seq
        assert view.completed_at == (ended_at if status in ("completed", "force_completed") else None)
        newest = [other for other in self.twin.runs if other.player == run.player][-1]
        assert self.contest.apply(GetAttempt(run.player), self.now).reply.attempt_id == f"{BOARD}.{newest.serial}"

    def same_answer(self, reply: object, expected: Any, *, repeated: bool, identity: Any) -> None:
        if isinstance(expected, tuple):
            assert isinstance(reply, Refusal)
            assert reply.code == expected[0]
            if reply.code == "idempotency_conflict" and isinstance(identity, int):
                assert reply.details["applied"] == expected[1]
            if reply.code == "anti_cheat_rejected":
                assert reply.details == {"validatorKey": "max_metric_jump", "reason": expected[1]}
            return
        assert isinstance(reply, Written)
        assert reply.seq == (identity if isinstance(identity, int) else None)
        assert (reply.metrics, reply.metrics_raw) == (expected["metrics"], expected["raw"])
        assert (reply.status, reply.score, reply.rank) == (expected["status"], expected["score"], expected["rank"])
        assert [(one.key, pay.entries[0]["amount"]) for one in reply.fired for pay in one.grants] == expected["fired"]
        assert reply.repeated == repeated


def as_twins(effect: Effect) -> Any:
    """An effect in the twin's words."""
    match effect:
        case Pay():
            amount, serial = effect.entries[0]["amount"], last_number(effect.source_ref)
            assert (effect.entries, parent(effect.source_ref)) == ([cash(amount)], BOARD)
            return ("paid", effect.player, amount, effect.source_kind, serial)
        case Completed():
            assert (effect.event_key, effect.window_id) == ("race", WINDOW)
            return ("completed", effect.player)
        case Flagged():
            return ("flag", effect.verdict, effect.outcome, effect.reason, effect.before, effect.after)
    return effect


def code(reply: object) -> str:
    assert isinstance(reply, Refusal)
    return reply.code
