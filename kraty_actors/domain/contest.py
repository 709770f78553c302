"""One board being competed on, over its life: it opens, is played, steered and closed.

It is the whole window of a `global` event, a cohort, a division of a league, or one lobby. Everything that players do
after `start` happens here, one command at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from kraty_actors.domain import attempt as states
from kraty_actors.domain.arena import Arena
from kraty_actors.domain.attempt import Attempt, AttemptView
from kraty_actors.domain.board_view import BoardView, GetBoard, view_of
from kraty_actors.domain.conclusion import ATTEMPTS_PER_STEP, Conclusion, view_by
from kraty_actors.domain.contest_messages import (
    ANYONE,
    Amend,
    AttemptEnded,
    Close,
    Extend,
    Finish,
    ForceComplete,
    GetAttempt,
    Open,
    Pause,
    Resume,
    Seat,
    SetBan,
    Settle,
    Void,
    Write,
)
from kraty_actors.domain.frozen import in_parts
from kraty_actors.domain.ids import attempt_id
from kraty_actors.domain.numbers import Number, clamped
from kraty_actors.domain.outcome import (
    Audited,
    Command,
    Message,
    Notice,
    Outcome,
    Plain,
    Refusal,
    Started,
    Tick,
)
from kraty_actors.domain.rules import Rulebook
from kraty_actors.domain.write_memory import WriteMemory
from kraty_actors.domain.writing import no_attempt, write

CATCH_UP_TICKS = 120
"""Ticks that bots which look at others may be behind: some milliseconds of catching up."""

WINNERS_PER_PART = 10_000
"""Winners in one part of a checkpoint."""


class Contest:
    """See the module. It is open from its first command on until it has a conclusion."""

    def __init__(self, contest_id: str, rulebook: Rulebook) -> None:
        self.id = contest_id
        self._rulebook = rulebook
        self._arena: Arena | None = None
        self._conclusion: Conclusion | None = None

    @property
    def arena(self) -> Arena:
        """What it is made of.

        Raises:
            LookupError: It has not been opened yet.
        """
        if self._arena is None:
            raise LookupError(f"{self.id} has not been opened")
        return self._arena

    @property
    def conclusion(self) -> Conclusion | None:
        """How it ends, once it does."""
        return self._conclusion

    @property
    def is_settled(self) -> bool:
        """Whether its standings are final and everything due is written."""
        return self._conclusion is not None and self._conclusion.is_over

    @property
    def wake_at(self) -> int | None:
        """When an attempt may run out of time; and now and then, where bots have to be moved tick by tick, so that
        whoever comes after a day need not wait for all of it."""
        if self._arena is None:
            return None
        if self._conclusion is not None:
            return self._conclusion.wake_at
        arena = self._arena
        next_end = arena.attempts.next_end
        step = arena.bots.next_step if arena.has_bots else None
        if step is None:
            return next_end
        catch_up = arena.grid.instant_of(max(step, arena.ticks + CATCH_UP_TICKS))
        if arena.is_over_by(catch_up):
            return next_end
        return catch_up if next_end is None else min(catch_up, next_end)

    may_sleep = True

    # -- commands

    def apply(self, command: Command, now: int) -> Outcome:
        arena = self._arena
        if arena is None:
            return self._open(command)
        version = arena.board.version
        if arena.has_bots and self._conclusion is None:
            arena.come_to(now)
        if command.__class__ is Write:
            outcome = write(arena, self._conclusion, command, now)
        else:
            outcome = self._apply(arena, command, now)
        outcome.moved = arena.board.version != version
        return outcome

    def _apply(self, arena: Arena, command: Command, now: int) -> Outcome:
        match command:
            case GetBoard():
                return Outcome(reply=self._read(arena, command, now))
            case GetAttempt():
                return Outcome(reply=self._read_attempt(arena, command, now))
            case Finish():
                return self._finish(arena, command, now)
            case Seat():
                return self._seat(arena, command, now)
            case Tick() if self._conclusion is not None:
                return self._conclusion.step(now)
            case Tick():
                return arena.ended_together(arena.attempts.run_out(now, ATTEMPTS_PER_STEP))
            case Close() if self._conclusion is None:
                self._conclusion = Conclusion(arena, command.at, is_cancelled=command.is_cancelled)
                return self._conclusion.step(now)
            case Settle() if self._conclusion is not None:
                return self._conclusion.settle(command.share, now, is_cancelled=command.is_cancelled)
        return self._steer(arena, command, now)

    def gathered(self, now: int) -> list[Message]:
        """What one batch of commands, all applied at `now`, has for shared boards."""
        return [] if self._arena is None else self._arena.contributions.messages(now)

    def _open(self, command: Command) -> Outcome:
        if not isinstance(command, Open):
            raise TypeError(f"{type(command).__name__} came before the contest was opened")
        self._arena = Arena(self.id, self._rulebook, command)
        self._arena.contributions.bind(command.boards, 0)
        return Outcome(traced=True)

    def _seat(self, arena: Arena, command: Seat, now: int) -> Outcome:
        if self._conclusion is not None:
            return Outcome(traced=True)
        duration = arena.duration_ms
        ends = [end for end in (duration and now + duration, arena.board.ends_at) if end is not None]
        zeros: list[Number] = [0] * len(arena.rules.scoring.keys)
        serial = len(arena.attempts)
        attempt = Attempt(serial, command.player, now, min(ends, default=None), zeros, 0, WriteMemory())
        arena.inputs += 1
        arena.attempts.add(attempt)
        if arena.frozen is not None:
            arena.frozen.keep_row(command.player)
        if arena.rules.has_board:
            arena.board.started(command.player, arena.moment)
        notices = [Notice("attempt.started", (command.player,), arena.view(attempt))] if command.announce else []
        started = Started(command.player, attempt_id(self.id, serial), arena.rules.event.key, now)
        return Outcome(traced=True, notices=notices, effects=[started])

    def _finish(self, arena: Arena, command: Finish, now: int) -> Outcome:
        attempt = arena.attempts.own(command.serial, command.player)
        if attempt is None:
            return Outcome(reply=no_attempt())
        if arena.is_paused and not self.is_settled:
            return Outcome(reply=arena.paused())
        if attempt.status != states.IN_PROGRESS or self._conclusion is not None:
            return Outcome(reply=view_by(arena, self._conclusion, attempt, now))
        at = now if attempt.ends_at is None else min(now, attempt.ends_at)
        outcome = arena.ended([(attempt, at)])
        outcome.reply = arena.view(attempt)
        return outcome

    # -- steering

    def _steer(self, arena: Arena, command: Command, now: int) -> Outcome:
        match command:
            case Pause() | Resume():
                arena.is_paused = isinstance(command, Pause)
                return Outcome(traced=True)
            case Extend():
                return self._extend(arena, command)
            case Amend():
                return self._amend(arena, command, now)
            case ForceComplete():
                return self._force_complete(arena, command, now)
            case Void():
                return self._void(arena, command, now)
            case SetBan():
                return self._set_ban(arena, command)
        raise TypeError(f"a contest knows no {type(command).__name__}")

    def _amend(self, arena: Arena, command: Amend, now: int) -> Outcome:
        """What was gathered so far in the batch is for the boards that were named until now."""
        gathered = self.gathered(now)
        arena.amend(command.revision, command.boards)
        return Outcome(traced=True, messages=gathered)

    def _extend(self, arena: Arena, command: Extend) -> Outcome:
        if arena.board.ends_at is not None and self._conclusion is None:
            attempts = arena.attempts.ending_at(arena.board.ends_at)
            for attempt in attempts:
                arena.changing(attempt)
            arena.attempts.extend(attempts, command.ends_at, arena.duration_ms)
            arena.board.ends_at = command.ends_at
        return Outcome(traced=True)

    def _force_complete(self, arena: Arena, command: ForceComplete, now: int) -> Outcome:
        """R-12: an attempt that runs, or ran out of time while its contest is open, counts as completed."""
        attempt = arena.attempts.own(command.serial, ANYONE)
        if attempt is None:
            return Outcome(reply=no_attempt())
        if attempt.counts_as_completed or attempt.is_void or self._conclusion is not None:
            return Outcome(reply=self._too_late(arena, attempt))
        arena.changing(attempt)
        before = attempt.status
        prior, prior_order = attempt.score, attempt.last_order
        if command.score is not None:
            arena.inputs += 1
            attempt.score, attempt.last_order = clamped(command.score), arena.inputs
            if arena.rules.has_board:
                arena.board.scored(attempt, prior, arena.moment)
        outcome = arena.ended([(attempt, now)], by_write=command.score is not None, status=states.FORCE_COMPLETED)
        if command.score is not None:
            arena.contributions.wrote(attempt, prior_order, prior, now)
        name = attempt_id(self.id, attempt.serial)
        audited = Audited(command.who, "attempts.forceComplete", name, before, [attempt.status, attempt.score], now)
        outcome.effects = [*outcome.effects, audited]
        outcome.reply = arena.view(attempt)
        return outcome

    def _void(self, arena: Arena, command: Void, now: int) -> Outcome:
        """R-51: it is expired, and counts nowhere, though its seqs stay used."""
        attempt = arena.attempts.own(command.serial, ANYONE)
        if attempt is None:
            return Outcome(reply=no_attempt())
        if attempt.is_void:
            return Outcome(reply=arena.view(attempt))
        if self._conclusion is not None and self._conclusion.is_settling:
            return Outcome(reply=self._too_late(arena, attempt))
        arena.changing(attempt)
        before, was_running = attempt.status, attempt.status == states.IN_PROGRESS
        arena.inputs += 1
        attempt.status, attempt.is_void = states.EXPIRED, True
        attempt.ended_at = now if was_running else attempt.ended_at
        if arena.rules.has_board:
            others = [one for one in arena.attempts.of(attempt.player) if not one.is_void]
            arena.board.recount(attempt.player, others, arena.moment)
        if self._conclusion is not None:
            self._conclusion.reconsider()
        messages = arena.contributions.retracted(attempt, now)
        name = attempt_id(self.id, attempt.serial)
        if was_running:
            messages.append(Message(arena.window_id, AttemptEnded(attempt.player, False, False)))
        return Outcome(
            reply=arena.view(attempt),
            traced=True,
            messages=messages,
            notices=[
                Notice("attempt.ended", (attempt.player,), arena.view(attempt)),
                Notice("attempt.voided", (), arena.view(attempt)),
            ],
            effects=[Audited(command.who, "attempts.void", name, before, command.reason, now)],
        )

    def _too_late(self, arena: Arena, attempt: Attempt) -> Refusal:
        state = "closed" if self._conclusion is not None else attempt.status
        if attempt.counts_as_completed:
            state = attempt.status
        if self.is_settled:
            state = "settled"
        return Refusal("conflict", f"too late: it is {state}", {"state": state})

    def _set_ban(self, arena: Arena, command: SetBan) -> Outcome:
        """Of a board whose payout has begun the standings are final."""
        if self._conclusion is not None and self._conclusion.is_settling:
            return Outcome(traced=True)
        if arena.frozen is not None:
            arena.frozen.keep_row(command.player)
        arena.inputs += 1
        (arena.board.hide if command.is_banned else arena.board.show)(command.player, arena.moment)
        if self._conclusion is not None:
            self._conclusion.reconsider()
        return Outcome(traced=True)

    # -- reading

    def _read(self, arena: Arena, query: GetBoard, now: int) -> BoardView | Refusal:
        if not arena.rules.has_board:
            return Refusal("not_found", "the event has no board")
        view = view_of(
            query,
            arena.board.standings,
            board_id=self.id,
            mode=arena.rules.event.leaderboard.mode,
            version=arena.board.version,
            finalized=self.is_settled,
            ascending=arena.rules.ascending,
            identity=arena.bots.identity,
        )
        if arena.has_bots and self._conclusion is None and not arena.is_over_by(now):
            view.moves_at = arena.bots.next_move_at(arena.inputs)
        return view

    def newest_attempt_id(self, player: int) -> str | None:
        """The id of the player's newest attempt."""
        serial = self.arena.attempts.newest(player)
        return attempt_id(self.id, serial) if serial >= 0 else None

    def _read_attempt(self, arena: Arena, query: GetAttempt, now: int) -> AttemptView | Refusal:
        serial = query.serial if query.serial is not None else arena.attempts.newest(query.player)
        attempt = arena.attempts.own(serial, query.player)
        return no_attempt() if attempt is None else view_by(arena, self._conclusion, attempt, now)

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        """A head, then parts as [what they are, rows]."""
        conclusion = self._conclusion
        head = {**self.arena.dump(), "conclusion": None if conclusion is None else conclusion.dump()}
        winners = in_parts(conclusion.winners if conclusion else (), WINNERS_PER_PART)
        return chain([head], self.arena.dump_rest(), (["winners", part] for part in winners))

    def restore(self, parts: Sequence[Plain]) -> None:
        head: Mapping[str, Plain] = parts[0]
        attempts = [part for kind, part in parts[1:] if kind == "attempts"]
        rows, sums = (
            [row for kind, part in parts[1:] if kind == wanted for row in part] for wanted in ("rows", "sums")
        )
        self._arena = Arena.restored(self.id, self._rulebook, head, attempts, rows, sums)
        if head["conclusion"] is not None:
            winners = [player for kind, part in parts[1:] if kind == "winners" for player in part]
            self._conclusion = Conclusion.restored(self._arena, head["conclusion"], winners)
            if self._conclusion.stage not in ("ending", "judging"):
                self._arena.attempts.forget_ends()
