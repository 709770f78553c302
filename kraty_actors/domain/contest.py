"""One board being competed on: its attempts, metrics, bots and ranking.

It is the whole window of a `global` event, or one lobby. Everything that players do after `start` happens here,
one command at a time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from kraty_actors.domain import attempt as states
from kraty_actors.domain.attempt import Attempt, AttemptView, Written
from kraty_actors.domain.bots import Bots
from kraty_actors.domain.chance import Chance
from kraty_actors.domain.contest_messages import (
    ANYONE,
    AttemptEnded,
    BoardView,
    Close,
    Closed,
    Finish,
    GetAttempt,
    GetBoard,
    Open,
    Seat,
    Settled,
    Standing,
    Write,
)
from kraty_actors.domain.ids import attempt_id, bot_seat, parent
from kraty_actors.domain.outcome import Command, Completed, Message, Notice, Outcome, Plain, Refusal, Tick
from kraty_actors.domain.prizes import wins
from kraty_actors.domain.ranking import Row
from kraty_actors.domain.rules import Rulebook, Rules
from kraty_actors.domain.scoring import clamped
from kraty_actors.domain.standings import Standings
from kraty_actors.domain.write_memory import WriteMemory, body_digest

Number = int | float

ATTEMPTS_PER_PART = 500
"""Attempts in one part of a checkpoint: a couple of milliseconds of packing."""


class Contest:
    """See the module. `version` counts the changes of the board, so it rises across restarts too."""

    wake_at: int | None = None

    def __init__(self, contest_id: str, rulebook: Rulebook) -> None:
        self.id = contest_id
        self._rulebook = rulebook
        self.rules: Rules
        self.bots: Bots
        self.status: Literal["new", "open", "closed", "settled"] = "new"
        self.version = 0
        self._opening: Open
        self._inputs = 0
        self._attempts: list[Attempt] = []
        self._newest: dict[int, int] = {}
        self._unwritten: set[int] = set()
        self._ended_sums: dict[int, Number] = {}
        self._standings = Standings()
        self._deadlines: list[tuple[int, int]] = []

    # -- commands

    def apply(self, command: Command, now: int) -> Outcome:
        version = self.version
        outcome = self._write(command, now) if command.__class__ is Write else self._apply(command, now)
        outcome.moved = self.version != version
        return outcome

    def _apply(self, command: Command, now: int) -> Outcome:
        match command:
            case GetBoard():
                return Outcome(reply=self._board(command))
            case GetAttempt():
                return Outcome(reply=self._read_attempt(command))
            case Finish():
                return self._finish(command, now)
            case Seat():
                return self._seat(command, now)
            case Tick():
                return self._expire(now)
            case Open():
                return self._open(command)
            case Close():
                return self._close(command)
            case Settled():
                self.status = "settled"
                return Outcome(traced=True, finished=True)
        raise TypeError(f"a contest knows no {type(command).__name__}")

    def _open(self, command: Open) -> Outcome:
        self._begin(command)
        self.version = 1
        return Outcome(traced=True)

    def _begin(self, opening: Open) -> None:
        chance = Chance(opening.seed, self.id)
        self._opening = opening
        self.rules = self._rulebook.rules(opening.event_key, opening.revision)
        self.bots = Bots(self.rules.bot_seats(chance, opening.bot_seats), chance)
        if not self.rules.ascending:
            self._standings.seat_bots(self.bots.values, self.bots.reached)
        self.status = "open"

    def _seat(self, command: Seat, now: int) -> Outcome:
        if self.status != "open":
            return Outcome(traced=True)
        duration = self.rules.event.attempt.duration_seconds
        ends = [end for end in (duration and now + duration * 1000, self._opening.ends_at) if end is not None]
        zeros: list[Number] = [0] * len(self.rules.scoring.keys)
        attempt = Attempt(len(self._attempts), command.player, now, min(ends, default=None), zeros, 0, WriteMemory())
        self._inputs += 1
        self._attempts.append(attempt)
        self._newest[command.player] = attempt.serial
        self._await_end(attempt)
        if not self.rules.ascending and command.player not in self._standings.players:
            self._unwritten.add(command.player)
            self._place(command.player, 0)
        notices = [Notice("attempt.started", (command.player,), self._view(attempt))] if command.announce else []
        return Outcome(traced=True, notices=notices)

    def _write(self, command: Write, now: int) -> Outcome:
        attempt = self._own(command.serial, command.player)
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
        attempt.raw, attempt.score = raw, scoring.score(capped)
        attempt.writes += 1
        attempt.memory.remember(write.identity, digest)
        if not self.rules.ascending:
            self._place(attempt.player, self._aggregate(attempt))
        outcome = self._end([(attempt, now)]) if scoring.completes(capped) else Outcome(traced=True)
        self._tick_bots()
        attempt.rank_then = rank = self._standings.rank_of_player(attempt.player)
        outcome.reply = self._answer(attempt, write.identity, rank, repeated=False)
        return outcome

    def _finish(self, command: Finish, now: int) -> Outcome:
        attempt = self._own(command.serial, command.player)
        if attempt is None:
            return Outcome(reply=_no_attempt())
        if attempt.status != states.IN_PROGRESS:
            return Outcome(reply=self._view(attempt))
        outcome = self._end([(attempt, now)])
        outcome.reply = self._view(attempt)
        return outcome

    def _expire(self, now: int) -> Outcome:
        outcome = self._end(self._run_out(now))
        self.wake_at = self._deadlines[0][0] if self._deadlines else None
        return outcome

    def _close(self, command: Close) -> Outcome:
        running = [attempt for attempt in self._attempts if attempt.status == states.IN_PROGRESS]
        outcome = self._end((attempt, min(command.at, attempt.ends_at or command.at)) for attempt in running)
        self.status = "closed"
        self._deadlines.clear()
        self.wake_at = None
        closed = Closed(self.id, self._winners())
        outcome.messages = [*outcome.messages, Message(parent(self.id), closed)]
        outcome.traced = True
        return outcome

    # -- attempts

    def _own(self, serial: int, player: int) -> Attempt | None:
        if 0 <= serial < len(self._attempts):
            attempt = self._attempts[serial]
            if player in (attempt.player, ANYONE):
                return attempt
        return None

    def _await_end(self, attempt: Attempt) -> None:
        if attempt.ends_at is not None:
            heapq.heappush(self._deadlines, (attempt.ends_at, attempt.serial))
            self.wake_at = self._deadlines[0][0]

    def _run_out(self, now: int) -> Iterator[tuple[Attempt, int]]:
        """Attempts whose time is over, in the order of their ends."""
        while self._deadlines and self._deadlines[0][0] <= now:
            at, serial = heapq.heappop(self._deadlines)
            if self._attempts[serial].status == states.IN_PROGRESS:
                yield self._attempts[serial], at

    def _end(self, ends: Iterable[tuple[Attempt, int]]) -> Outcome:
        """End attempts, each at its own time: the window, the player and those who look back are told of each."""
        window, event_key = parent(self.id), self.rules.event.key
        messages, notices, effects = [], [], []
        for attempt, at in ends:
            self._inputs += 1  # of several that end in one tick, the first comes to its score first
            attempt.status, attempt.ended_at = self._final_status(attempt), at
            if attempt.counts_as_completed:
                effects.append(Completed(attempt.player, event_key, window))
                if self.rules.ascending:
                    self._place(attempt.player, self._aggregate(attempt))
            self._add_up(attempt)
            messages.append(Message(window, AttemptEnded(attempt.player, attempt.counts_as_completed)))
            notices.append(Notice("attempt.ended", (attempt.player,), self._view(attempt)))
        return Outcome(traced=bool(messages), messages=messages, notices=notices, effects=effects)

    def _final_status(self, attempt: Attempt) -> str:
        """R-11, R-12: completed with its targets met, or in a score attack with a write; else expired."""
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
            rank = self._standings.rank(attempt.player)
            if attempt.player not in winners and wins(predicate, capped, attempt.counts_as_completed, rank):
                winners.add(attempt.player)
        return sorted(winners)

    # -- the board

    def _aggregate(self, attempt: Attempt) -> Number:
        """R-29: what the player's row stands at, now that `attempt` has its score."""
        standing = self._standings.players.row(attempt.player)
        score = attempt.score
        if self.rules.aggregation == "sum":
            return clamped(self._ended_sums.get(attempt.player, 0) + score)
        if standing is None or self.rules.aggregation == "latest":
            return score
        stood = self._shown(standing)
        if attempt.player in self._unwritten:
            self._unwritten.discard(attempt.player)
            return score
        return min(stood, score) if self.rules.ascending else max(stood, score)

    def _add_up(self, ended: Attempt) -> None:
        if self.rules.aggregation == "sum" and (ended.counts_as_completed or not self.rules.ascending):
            self._ended_sums[ended.player] = self._ended_sums.get(ended.player, 0) + ended.score

    def _place(self, player: int, score: Number) -> None:
        old = self._standings.players.row(player)
        sort_score = score if self.rules.ascending else -score
        if old is None or old.sort_score != sort_score:
            self._standings.players.put(Row(sort_score, False, self._inputs, player))
            self.version += 1

    def _tick_bots(self) -> None:
        if self.bots.tick(self._inputs) and not self.rules.ascending:
            self._standings.bots_moved()
            self.version += 1

    def _shown(self, row: Row) -> Number:
        return row.sort_score if self.rules.ascending else -row.sort_score

    # -- reading

    def _read_attempt(self, query: GetAttempt) -> AttemptView | Refusal:
        serial = query.serial if query.serial is not None else self._newest.get(query.player, -1)
        attempt = self._own(serial, query.player)
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
            rank=self._standings.rank(attempt.player),
            started_at=attempt.started_at,
            ends_at=attempt.ends_at,
            window_ends_at=self._opening.ends_at,
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
        rank = attempt.rank_then if is_newest else self._standings.rank(attempt.player)
        answer = self._answer(attempt, identity, rank, repeated=True)
        if is_newest and not self._meets_targets(attempt):
            answer.status = states.IN_PROGRESS
        return answer

    def _metrics(self, attempt: Attempt) -> tuple[dict[str, Number], dict[str, Number]]:
        scoring = self.rules.scoring
        raw = scoring.by_key(attempt.raw)
        capped = scoring.capped(attempt.raw)
        return (raw if capped is attempt.raw else scoring.by_key(capped)), raw

    def _already_ended(self, attempt: Attempt) -> Refusal:
        return Refusal("attempt_finished", "the attempt has ended", {"attempt": self._view(attempt)})

    def _board(self, query: GetBoard) -> BoardView:
        ranking = self._standings
        own = ranking.row(query.viewer) if query.viewer is not None else None
        return BoardView(
            contest_id=self.id,
            mode=self.rules.event.leaderboard.mode,
            version=self.version,
            finalized=self.status == "settled",
            total=len(ranking),
            standings=[self._standing(row, rank) for rank, row in self._asked_for(query)],
            viewer_rank=None if own is None else ranking.rank(own.participant),
            viewer_score=None if own is None else self._shown(own),
        )

    def _asked_for(self, query: GetBoard) -> list[tuple[int, Row]]:
        """The rows of the union by rank, in rank order."""
        ranking = self._standings
        found = dict(enumerate(ranking.page(query.offset, query.limit), query.offset + 1))
        around = ranking.rank(query.around) if query.around is not None else None
        if around is not None:
            first = max(1, around - query.spread)
            found |= enumerate(ranking.page(first - 1, around + query.spread - first + 1), first)
        for participant in query.picked:
            rank, row = ranking.rank(participant), ranking.row(participant)
            if rank is not None and row is not None:
                found[rank] = row
        return sorted(found.items())

    def _standing(self, row: Row, rank: int) -> Standing:
        identity = self.bots.identity(bot_seat(row.participant)) if row.is_bot else None
        return Standing(row.participant, self._shown(row), rank, identity)

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        rows = [list(row) for row in self._standings.players]
        yield {
            "opening": self._opening.record()[1:],
            "status": self.status,
            "version": self.version,
            "inputs": self._inputs,
            "bots": self.bots.dump(),
            "rows": rows,
        }
        for start in range(0, len(self._attempts), ATTEMPTS_PER_PART):
            yield [attempt.dump() for attempt in self._attempts[start : start + ATTEMPTS_PER_PART]]

    def restore(self, parts: Sequence[Plain]) -> None:
        head: Mapping[str, Plain] = parts[0]
        self._begin(Open(*head["opening"]))
        self.status = head["status"]
        self.version = head["version"]
        self._inputs = head["inputs"]
        self.bots.restore(head["bots"])
        for row in head["rows"]:
            self._standings.players.put(Row(*row))
        for part in parts[1:]:
            self._attempts.extend(Attempt.restored(plain) for plain in part)
        wrote = {attempt.player for attempt in self._attempts if attempt.writes}
        self._unwritten = {row.participant for row in self._standings.players} - wrote
        for attempt in self._attempts:
            self._newest[attempt.player] = attempt.serial
            if attempt.status != states.IN_PROGRESS:
                self._add_up(attempt)
            elif self.status == "open":
                self._await_end(attempt)


def _no_attempt() -> Refusal:
    return Refusal("not_found", "no such attempt")
