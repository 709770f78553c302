"""What one contest is made of: its rules, bots, attempts and board, and how far time has come in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from kraty_actors.domain import attempt as states
from kraty_actors.domain.attempt import Attempt, AttemptView
from kraty_actors.domain.attempts import Attempts
from kraty_actors.domain.bots import Bots, Grid
from kraty_actors.domain.chance import Chance
from kraty_actors.domain.contest_messages import AttemptEnded, AttemptsEnded, Open
from kraty_actors.domain.contributions import Contributions
from kraty_actors.domain.frozen_arena import FrozenArena
from kraty_actors.domain.ids import attempt_id, parent
from kraty_actors.domain.milestones import Milestones
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Completed, Effect, LateNotice, Message, Notice, Outcome, Plain, Refusal
from kraty_actors.domain.own_board import OwnBoard
from kraty_actors.domain.payouts import completion_pays, granted
from kraty_actors.domain.rules import Rulebook, Rules
from kraty_actors.domain.validators import Guard


class Arena:
    """See the module.

    A `moment` orders everything that happens on the board: its inputs and the ticks of its time-driven bots so far.
    While a checkpoint is written, `frozen` keeps what stood at its moment.
    """

    def __init__(self, contest_id: str, rulebook: Rulebook, opening: Open) -> None:
        self.id = contest_id
        self.window_id = parent(contest_id)
        self.opening = opening
        self.is_paused = opening.is_paused
        self.rules: Rules = rulebook.rules(opening.event_key, opening.revision)
        self.inputs = 0
        self._ticks = 0
        seats = self.rules.bot_seats(opening.bot_seats) if self.rules.has_board else []
        self.has_bots = bool(seats)
        self.grid = Grid(opening.starts_at, opening.bot_tick_seconds * 1000)
        self.bots = Bots(seats, Chance(opening.seed, contest_id), self.grid, ascending=self.rules.ascending)
        self.board = OwnBoard(self.rules, opening.ends_at)
        self.board.standings.seat_bots(self.bots)
        self.attempts = Attempts()
        self.contributions = Contributions(contest_id, rulebook)
        self.milestones = Milestones(self.rules)
        self.guard = self.rules.guard
        self._guard_revision = opening.revision
        self._rulebook = rulebook
        self.frozen: FrozenArena | None = None

    def changing(self, attempt: Attempt) -> None:
        """To be said before anything is done to an attempt, or to its player's row because of it."""
        if self.frozen is not None:
            self.frozen.keep(attempt)

    # -- what takes effect at once

    def amend(self, revision: int, boards: Iterable[Sequence[Plain]]) -> None:
        """From now on it is guarded by this revision's validators, and contributes to these boards."""
        self.contributions.bind(boards, self.inputs + 1)
        self._guard_by(revision)

    def _guard_by(self, revision: int) -> None:
        self._guard_revision = revision
        newest = self._rulebook.rules(self.opening.event_key, revision).event
        self.guard = Guard(self.rules.event, newest.anti_cheat)

    # -- time

    @property
    def moment(self) -> int:
        return self.inputs + self._ticks

    @property
    def duration_ms(self) -> int | None:
        seconds = self.rules.event.attempt.duration_seconds
        return None if seconds is None else seconds * 1000

    @property
    def ticks(self) -> int:
        """Ticks of the bots' grid up to which time has come."""
        return self._ticks

    def is_over_by(self, now: int) -> bool:
        """Whether the board has ended, though nobody may have closed it yet: no bot moves any more."""
        return self.board.ends_at is not None and now >= self.board.ends_at

    def come_to(self, now: int) -> None:
        """Time-driven bots move as far as time has come; a pure function of the inputs and the time, so that it does
        not matter who asks and when (R-38)."""
        until = now if self.board.ends_at is None else min(now, self.board.ends_at - 1)
        if self.bots.advance(until, self.inputs, self.board):
            self.board.bots_moved(self.inputs + self.bots.last_moved_tick)
        self._ticks = self.grid.tick_at(until)

    # -- the end of attempts

    def end(self, attempt: Attempt, at: int, *, status: str | None = None, by_write: bool = False) -> list[Effect]:
        """End one attempt at its own time; `status` is that of an operator, else the rules decide (R-11, R-12).

        Returns what it has earned; who is to hear of it is told by `announced`.
        """
        self.changing(attempt)
        self.inputs += 1  # of several that end in one tick, the first comes to its score first
        attempt.status = status or self.final_status(attempt)
        attempt.ended_at = at
        effects: list[Effect] = []
        if attempt.counts_as_completed:
            effects.append(Completed(attempt.player, self.rules.event.key, self.window_id))
            if attempt.status == states.COMPLETED:
                effects += completion_pays(self.rules, attempt.player, attempt_id(self.id, attempt.serial), at)
            if not by_write:
                self.contributions.completed(attempt, at)
        if self.rules.has_board:
            self.board.ended(attempt, self.moment)
        return effects

    def ended_together(self, ends: Iterable[tuple[Attempt, int]], *, status: str | None = None) -> Outcome:
        """End several attempts that run, each at its own time: the window is told of all at once."""
        completed: list[int] = []
        expired: list[int] = []
        notices: list[Notice] = []
        effects: list[Effect] = []
        for attempt, at in ends:
            earned = self.end(attempt, at, status=status)
            effects += earned
            (completed if attempt.counts_as_completed else expired).append(attempt.player)
            notices.append(LateNotice("attempt.ended", (attempt.player,), partial(self.view, attempt)))
            if earned:
                notices += granted(earned)
        messages = [Message(self.window_id, AttemptsEnded(completed, expired))] if notices else []
        return Outcome(traced=bool(notices), messages=messages, notices=notices, effects=effects)

    def ended(
        self, ends: Iterable[tuple[Attempt, int]], *, status: str | None = None, by_write: bool = False
    ) -> Outcome:
        """End attempts one by one: the window, the player and those who look back are told of each."""
        messages, notices, effects = [], [], []
        for attempt, at in ends:
            had_ended = attempt.status != states.IN_PROGRESS
            earned = self.end(attempt, at, status=status, by_write=by_write)
            effects += earned
            ended = AttemptEnded(attempt.player, attempt.counts_as_completed, had_ended)
            messages.append(Message(self.window_id, ended))
            notices += [Notice("attempt.ended", (attempt.player,), self.view(attempt)), *granted(earned)]
        return Outcome(traced=bool(messages), messages=messages, notices=notices, effects=effects)

    def final_status(self, attempt: Attempt) -> str:
        """R-11, R-12: completed with its targets met, or in a score attack with a write; else expired."""
        if self.rules.scoring.is_score_attack:
            return states.COMPLETED if attempt.writes else states.EXPIRED
        return states.COMPLETED if self._meets_targets(attempt) else states.EXPIRED

    def _meets_targets(self, attempt: Attempt) -> bool:
        scoring = self.rules.scoring
        return scoring.completes(scoring.capped(attempt.raw))

    # -- what is seen of an attempt

    def view(self, attempt: Attempt) -> AttemptView:
        metrics, raw = self.metrics(attempt)
        return AttemptView(
            attempt_id=attempt_id(self.id, attempt.serial),
            contest_id=self.id,
            event_key=self.rules.event.key,
            has_board=self.rules.has_board,
            in_lobby=self.rules.is_lobby,
            player=attempt.player,
            status=attempt.status,
            metrics=metrics,
            metrics_raw=raw,
            score=attempt.score,
            rank=self.board.standings.rank_of_player(attempt.player),
            started_at=attempt.started_at,
            ends_at=attempt.ends_at,
            window_ends_at=self.board.ends_at,
            completed_at=attempt.ended_at if attempt.counts_as_completed else None,
            last_seq=attempt.memory.last_seq,
        )

    def metrics(self, attempt: Attempt) -> tuple[dict[str, Number], dict[str, Number]]:
        """The attempt's values by key: capped, and raw."""
        scoring = self.rules.scoring
        raw = scoring.by_key(attempt.raw)
        capped = scoring.capped(attempt.raw)
        return (raw if capped is attempt.raw else scoring.by_key(capped)), raw

    def view_by(self, attempt: Attempt, now: int) -> AttemptView:
        """The attempt as it is by now; of one whose turn to end comes only in a later step, as it will be then."""
        view = self.view(attempt)
        if attempt.status == states.IN_PROGRESS and attempt.ends_at is not None and now >= attempt.ends_at:
            return view.ended(self.final_status(attempt), attempt.ends_at)
        return view

    def paused(self) -> Refusal:
        return Refusal("event_disabled", f"{self.rules.event.key} is paused", {"state": "paused"})

    # -- checkpoint

    def dump(self) -> Mapping[str, Plain]:
        """All but the attempts and the rows of the board."""
        return {
            "opening": self.opening.record()[1:],
            "isPaused": self.is_paused,
            "endsAt": self.board.ends_at,
            "inputs": self.inputs,
            "ticks": self._ticks,
            "bots": self.bots.dump(),
            "board": self.board.dump(),
            "boards": self.contributions.dump(),
            "guardedBy": self._guard_revision,
        }

    def dump_rest(self) -> Iterator[Plain]:
        """The attempts and the rows as they stand now, in parts, however late they are asked for. Only one such dump
        goes on at a time."""
        self.frozen = frozen = FrozenArena(self.attempts, self.board)
        return self._rest(frozen)

    def _rest(self, frozen: FrozenArena) -> Iterator[Plain]:
        try:
            yield from frozen.parts()
        finally:
            if self.frozen is frozen:
                self.frozen = None

    @classmethod
    def restored(
        cls,
        contest_id: str,
        rulebook: Rulebook,
        head: Mapping[str, Plain],
        attempts: Sequence[Plain],
        rows: Iterable[Plain],
        sums: Iterable[Plain],
    ) -> Arena:
        """What `dump` gave, with the parts of attempts, and the rows and sums of all other parts."""
        arena = cls(contest_id, rulebook, Open(*head["opening"]))
        arena.is_paused = head["isPaused"]
        arena.board.ends_at = head["endsAt"]
        arena.inputs = head["inputs"]
        arena._ticks = head["ticks"]
        arena.bots.restore(head["bots"])
        arena.board.standings.bots_moved()
        arena.attempts.restore(attempts)
        arena.board.restore(head["board"], rows, sums, arena.attempts)
        arena.contributions.restore(head["boards"])
        if head["guardedBy"] != arena._guard_revision:
            arena._guard_by(head["guardedBy"])
        return arena
