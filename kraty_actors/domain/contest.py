"""One board being competed on: its attempts, metrics, bots and ranking.

It is the whole window of a `global` event, a cohort, a division of a league, or one lobby. Everything that players do
after `start` happens here, one command at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from kraty_actors.domain import attempt as states
from kraty_actors.domain.attempt import Attempt, AttemptView, Written
from kraty_actors.domain.attempts import Attempts
from kraty_actors.domain.board_view import BoardView, GetBoard, view_of
from kraty_actors.domain.bots import Bots, Grid
from kraty_actors.domain.chance import Chance
from kraty_actors.domain.contest_messages import (
    ANYONE,
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
from kraty_actors.domain.contributions import Contributions
from kraty_actors.domain.ids import attempt_id, parent
from kraty_actors.domain.numbers import Number, clamped
from kraty_actors.domain.outcome import Audited, Command, Completed, Message, Notice, Outcome, Plain, Refusal, Tick
from kraty_actors.domain.own_board import OwnBoard
from kraty_actors.domain.prizes import wins
from kraty_actors.domain.rules import Rulebook, Rules
from kraty_actors.domain.write_memory import WriteMemory, body_digest

ATTEMPTS_PER_PART = 500
"""Attempts in one part of a checkpoint: a couple of milliseconds of packing."""

CATCH_UP_TICKS = 120
"""Ticks that bots which look at others may be behind: some milliseconds of catching up."""


class Contest:
    """See the module.

    A `moment` orders everything that happens on the board: its inputs and the ticks of its time-driven bots so far.
    """

    def __init__(self, contest_id: str, rulebook: Rulebook) -> None:
        self.id = contest_id
        self._rulebook = rulebook
        self.rules: Rules
        self.bots: Bots
        self.board: OwnBoard
        self.status: Literal["new", "open", "closed", "settled"] = "new"
        self._opening: Open
        self._grid: Grid
        self._is_paused = False
        self._inputs = 0
        self._ticks = 0
        self._has_bots = False
        self._attempts = Attempts()
        self._contributions = Contributions(contest_id, rulebook)

    @property
    def wake_at(self) -> int | None:
        """When an attempt may run out of time; and now and then, where bots have to be moved tick by tick, so that
        whoever comes after a day need not wait for all of it."""
        next_end = self._attempts.next_end
        step = self.bots.next_step if self._has_bots and self.status == "open" else None
        if step is None:
            return next_end
        catch_up = self._grid.instant_of(max(step, self._ticks + CATCH_UP_TICKS))
        if self._is_over_by(catch_up):
            return next_end
        return catch_up if next_end is None else min(catch_up, next_end)

    # -- commands

    def apply(self, command: Command, now: int) -> Outcome:
        if self.status == "new":
            return self._open(command)
        version = self.board.version
        if self._has_bots:
            self._let_bots_come_to(now)
        outcome = self._write(command, now) if command.__class__ is Write else self._apply(command, now)
        outcome.moved = self.board.version != version
        return outcome

    def _apply(self, command: Command, now: int) -> Outcome:
        match command:
            case GetBoard():
                return Outcome(reply=self._read(command, now))
            case GetAttempt():
                return Outcome(reply=self._read_attempt(command))
            case Finish():
                return self._finish(command, now)
            case Seat():
                return self._seat(command, now)
            case Tick():
                return self._end(self._attempts.run_out(now))
            case Close():
                return self._close(command)
            case Settled():
                self.status = "settled"
                return Outcome(traced=True, finished=True)
            case Pause() | Resume():
                self._is_paused = isinstance(command, Pause)
                return Outcome(traced=True)
            case Extend():
                return self._extend(command)
            case Amend():
                return self._amend(command, now)
            case ForceComplete():
                return self._force_complete(command, now)
        raise TypeError(f"a contest knows no {type(command).__name__}")

    def gathered(self, now: int) -> list[Message]:
        """What one batch of commands, all applied at `now`, has for shared boards."""
        return self._contributions.messages(now)

    def _open(self, command: Command) -> Outcome:
        if not isinstance(command, Open):
            raise TypeError(f"{type(command).__name__} came before the contest was opened")
        self._begin(command)
        self._contributions.bind(command.boards, 0)
        return Outcome(traced=True)

    def _begin(self, opening: Open) -> None:
        self._opening = opening
        self._is_paused = opening.is_paused
        self.rules = rules = self._rulebook.rules(opening.event_key, opening.revision)
        seats = rules.bot_seats(opening.bot_seats) if rules.has_board else []
        self._has_bots = bool(seats)
        self._grid = Grid(opening.starts_at, opening.bot_tick_seconds * 1000)
        self.bots = Bots(seats, Chance(opening.seed, self.id), self._grid, ascending=rules.ascending)
        self.board = OwnBoard(rules, opening.ends_at)
        self.board.standings.seat_bots(self.bots)
        self.status = "open"

    def _seat(self, command: Seat, now: int) -> Outcome:
        if self.status != "open":
            return Outcome(traced=True)
        duration = self._duration_ms
        ends = [end for end in (duration and now + duration, self.board.ends_at) if end is not None]
        zeros: list[Number] = [0] * len(self.rules.scoring.keys)
        attempt = Attempt(len(self._attempts), command.player, now, min(ends, default=None), zeros, 0, WriteMemory())
        self._inputs += 1
        self._attempts.add(attempt)
        if self.rules.has_board:
            self.board.started(command.player, self._moment)
        notices = [Notice("attempt.started", (command.player,), self._view(attempt))] if command.announce else []
        return Outcome(traced=True, notices=notices)

    def _write(self, command: Write, now: int) -> Outcome:
        attempt = self._attempts.own(command.serial, command.player)
        if attempt is None:
            return Outcome(reply=_no_attempt())
        if self.status == "settled":
            return Outcome(reply=self._already_ended(attempt))
        changes = command.metrics
        if not isinstance(changes, dict):
            changes = command.metrics = {self.rules.scoring.keys[0]: changes}
        digest = body_digest(changes, command.mode)
        recalled = attempt.memory.recall(command.identity, digest)
        if isinstance(recalled, Refusal):
            return Outcome(reply=recalled)
        if recalled != "new":
            return Outcome(reply=self._repeated(attempt, command.identity, is_newest=recalled == "newest"))
        if self._is_paused:
            return Outcome(reply=self._paused())
        if attempt.status != states.IN_PROGRESS or self.status != "open":
            return Outcome(reply=self._already_ended(attempt))
        scoring = self.rules.scoring
        incoming = scoring.incoming(attempt.raw, changes, command.mode)
        if isinstance(incoming, Refusal):
            return Outcome(reply=incoming)
        return self._apply_write(attempt, command, scoring.after_resets(attempt.raw, incoming), digest, now)

    def _apply_write(self, attempt: Attempt, write: Write, raw: list[Number], digest: int, now: int) -> Outcome:
        self._inputs += 1
        scoring = self.rules.scoring
        capped = scoring.capped(raw)
        prior, prior_order = attempt.score, attempt.last_order
        attempt.raw, attempt.score = raw, scoring.score(capped)
        attempt.writes += 1
        attempt.last_order = self._inputs
        attempt.memory.remember(write.identity, digest)
        if self.rules.has_board:
            self.board.scored(attempt, prior, self._moment)
        outcome = self._end([(attempt, now)], by_write=True) if scoring.completes(capped) else Outcome(traced=True)
        self._contributions.wrote(attempt, prior_order, prior, now)
        if self._has_bots and self.bots.wrote(self._moment, self.board):
            self.board.bots_moved(self._moment)
        attempt.rank_then = rank = self.board.standings.rank_of_player(attempt.player)
        outcome.reply = self._answer(attempt, write.identity, rank, repeated=False)
        return outcome

    def _finish(self, command: Finish, now: int) -> Outcome:
        attempt = self._attempts.own(command.serial, command.player)
        if attempt is None:
            return Outcome(reply=_no_attempt())
        if self._is_paused and self.status != "settled":
            return Outcome(reply=self._paused())
        if attempt.status != states.IN_PROGRESS:
            return Outcome(reply=self._view(attempt))
        outcome = self._end([(attempt, now)])
        outcome.reply = self._view(attempt)
        return outcome

    def _amend(self, command: Amend, now: int) -> Outcome:
        """What was gathered so far in the batch is for the boards that were named until now."""
        gathered = self.gathered(now)
        self._contributions.bind(command.boards, self._inputs + 1)
        return Outcome(traced=True, messages=gathered)

    def _force_complete(self, command: ForceComplete, now: int) -> Outcome:
        """R-12: an attempt that runs, or ran out of time while its contest is open, counts as completed."""
        attempt = self._attempts.own(command.serial, ANYONE)
        if attempt is None:
            return Outcome(reply=_no_attempt())
        if attempt.counts_as_completed or self.status != "open":
            state = attempt.status if attempt.counts_as_completed else self.status
            return Outcome(reply=Refusal("conflict", f"too late: it is {state}", {"state": state}))
        before = attempt.status
        prior, prior_order = attempt.score, attempt.last_order
        if command.score is not None:
            self._inputs += 1
            attempt.score, attempt.last_order = clamped(command.score), self._inputs
            if self.rules.has_board:
                self.board.scored(attempt, prior, self._moment)
        outcome = self._end([(attempt, now)], by_write=command.score is not None, forced=True)
        if command.score is not None:
            self._contributions.wrote(attempt, prior_order, prior, now)
        name = attempt_id(self.id, attempt.serial)
        audited = Audited(command.who, "attempts.forceComplete", name, before, [attempt.status, attempt.score], now)
        outcome.effects = [*outcome.effects, audited]
        outcome.reply = self._view(attempt)
        return outcome

    def _extend(self, command: Extend) -> Outcome:
        if self.board.ends_at is not None and self.status == "open":
            self._attempts.extend(self.board.ends_at, command.ends_at, self._duration_ms)
            self.board.ends_at = command.ends_at
        return Outcome(traced=True)

    def _close(self, command: Close) -> Outcome:
        running = [(one, min(command.at, one.ends_at or command.at)) for one in self._attempts.running()]
        outcome = self._end(running, cancelled=command.is_cancelled)
        self.status = "closed"
        self._attempts.forget_ends()
        closed = Closed(self.id, []) if command.is_cancelled else Closed(self.id, self._winners(), *self._moves())
        outcome.messages = [*outcome.messages, Message(parent(self.id), closed)]
        outcome.traced = True
        return outcome

    # -- time

    @property
    def _moment(self) -> int:
        return self._inputs + self._ticks

    @property
    def _duration_ms(self) -> int | None:
        seconds = self.rules.event.attempt.duration_seconds
        return None if seconds is None else seconds * 1000

    def _is_over_by(self, now: int) -> bool:
        """Whether the board has ended, though nobody may have closed it yet: no bot moves any more."""
        return self.board.ends_at is not None and now >= self.board.ends_at

    def _let_bots_come_to(self, now: int) -> None:
        """Time-driven bots move as far as time has come; a pure function of the inputs and the time, so that it does
        not matter who asks and when (R-38)."""
        if self.status != "open":
            return
        until = now if self.board.ends_at is None else min(now, self.board.ends_at - 1)
        if self.bots.advance(until, self._inputs, self.board):
            self.board.bots_moved(self._inputs + self.bots.last_moved_tick)
        self._ticks = self._grid.tick_at(until)

    # -- the end of attempts

    def _end(
        self,
        ends: Iterable[tuple[Attempt, int]],
        *,
        by_write: bool = False,
        forced: bool = False,
        cancelled: bool = False,
    ) -> Outcome:
        """End attempts, each at its own time: the window, the player and those who look back are told of each."""
        window, event_key = parent(self.id), self.rules.event.key
        messages, notices, effects = [], [], []
        for attempt, at in ends:
            self._inputs += 1  # of several that end in one tick, the first comes to its score first
            had_ended = attempt.status != states.IN_PROGRESS
            attempt.status = self._final_status(attempt, forced=forced, cancelled=cancelled)
            attempt.ended_at = at
            if attempt.counts_as_completed:
                effects.append(Completed(attempt.player, event_key, window))
                if not by_write:
                    self._contributions.completed(attempt, at)
            if self.rules.has_board:
                self.board.ended(attempt, self._moment)
            messages.append(Message(window, AttemptEnded(attempt.player, attempt.counts_as_completed, had_ended)))
            notices.append(Notice("attempt.ended", (attempt.player,), self._view(attempt)))
        return Outcome(traced=bool(messages), messages=messages, notices=notices, effects=effects)

    def _final_status(self, attempt: Attempt, *, forced: bool, cancelled: bool) -> str:
        """R-11, R-12: completed with its targets met, or in a score attack with a write; else expired."""
        if forced or cancelled:
            return states.FORCE_COMPLETED if forced else states.EXPIRED
        if self.rules.scoring.is_score_attack:
            return states.COMPLETED if attempt.writes else states.EXPIRED
        return states.COMPLETED if self._meets_targets(attempt) else states.EXPIRED

    def _meets_targets(self, attempt: Attempt) -> bool:
        scoring = self.rules.scoring
        return scoring.completes(scoring.capped(attempt.raw))

    def _winners(self) -> list[int]:
        predicate = self.rules.winner_predicate
        if predicate is None:
            return []
        scoring = self.rules.scoring
        winners = set()
        for attempt in self._attempts:
            capped = dict(zip(scoring.keys, scoring.capped(attempt.raw), strict=True))
            rank = self.board.standings.rank(attempt.player)
            if attempt.player not in winners and wins(predicate, capped, attempt.counts_as_completed, rank):
                winners.add(attempt.player)
        return sorted(winners)

    def _moves(self) -> tuple[list[int], list[int]]:
        """Who goes up a league and who goes down; bots hold ranks and never move (R-30)."""
        up, down = self.rules.moving_places
        standings = self.board.standings
        promoted = [row.participant for row in standings.page(0, up) if not row.is_bot]
        tail = standings.page(max(up, len(standings) - down), down) if down else []
        return promoted, [row.participant for row in tail if not row.is_bot]

    # -- reading

    def _read(self, query: GetBoard, now: int) -> BoardView | Refusal:
        if not self.rules.has_board:
            return Refusal("not_found", "the event has no board")
        view = view_of(
            query,
            self.board.standings,
            board_id=self.id,
            mode=self.rules.event.leaderboard.mode,
            version=self.board.version,
            finalized=self.status == "settled",
            ascending=self.rules.ascending,
            identity=self.bots.identity,
        )
        if self._has_bots and self.status == "open" and not self._is_over_by(now):
            view.moves_at = self.bots.next_move_at(self._inputs)
        return view

    def newest_attempt_id(self, player: int) -> str | None:
        """The id of the player's newest attempt."""
        serial = self._attempts.newest(player)
        return attempt_id(self.id, serial) if serial >= 0 else None

    def _read_attempt(self, query: GetAttempt) -> AttemptView | Refusal:
        serial = query.serial if query.serial is not None else self._attempts.newest(query.player)
        attempt = self._attempts.own(serial, query.player)
        return _no_attempt() if attempt is None else self._view(attempt)

    def _view(self, attempt: Attempt) -> AttemptView:
        metrics, raw = self._metrics(attempt)
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

    def _answer(self, attempt: Attempt, identity: int | str | None, rank: int | None, *, repeated: bool) -> Written:
        metrics, raw = self._metrics(attempt)
        return Written(
            attempt_id(self.id, attempt.serial),
            identity if isinstance(identity, int) else None,
            attempt.status,
            metrics,
            raw,
            attempt.score,
            rank,
            repeated,
        )

    def _repeated(self, attempt: Attempt, identity: int | str | None, *, is_newest: bool) -> Written:
        """R-15: what was answered to the newest write; for an earlier one, the attempt as it is now."""
        rank = attempt.rank_then if is_newest else self.board.standings.rank_of_player(attempt.player)
        answer = self._answer(attempt, identity, rank, repeated=True)
        if is_newest:  # also of one that was completed by force since
            scoring = self.rules.scoring
            capped = scoring.capped(attempt.raw)
            answer.score = scoring.score(capped)
            answer.status = states.COMPLETED if scoring.completes(capped) else states.IN_PROGRESS
        return answer

    def _metrics(self, attempt: Attempt) -> tuple[dict[str, Number], dict[str, Number]]:
        scoring = self.rules.scoring
        raw = scoring.by_key(attempt.raw)
        capped = scoring.capped(attempt.raw)
        return (raw if capped is attempt.raw else scoring.by_key(capped)), raw

    def _already_ended(self, attempt: Attempt) -> Refusal:
        return Refusal("attempt_finished", "the attempt has ended", {"attempt": self._view(attempt)})

    def _paused(self) -> Refusal:
        return Refusal("event_disabled", f"{self.rules.event.key} is paused", {"state": "paused"})

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        yield {
            "opening": self._opening.record()[1:],
            "status": self.status,
            "isPaused": self._is_paused,
            "endsAt": self.board.ends_at,
            "inputs": self._inputs,
            "ticks": self._ticks,
            "bots": self.bots.dump(),
            "board": self.board.dump(),
            "boards": self._contributions.dump(),
        }
        yield from self._attempts.dump(ATTEMPTS_PER_PART)

    def restore(self, parts: Sequence[Plain]) -> None:
        head: Mapping[str, Plain] = parts[0]
        self._begin(Open(*head["opening"]))
        self.status = head["status"]
        self._is_paused = head["isPaused"]
        self.board.ends_at = head["endsAt"]
        self._inputs = head["inputs"]
        self._ticks = head["ticks"]
        self.bots.restore(head["bots"])
        self.board.standings.bots_moved()
        self._attempts.restore(parts[1:])
        self.board.restore(head["board"], self._attempts)
        self._contributions.restore(head["boards"])
        if self.status != "open":
            self._attempts.forget_ends()


def _no_attempt() -> Refusal:
    return Refusal("not_found", "no such attempt")
