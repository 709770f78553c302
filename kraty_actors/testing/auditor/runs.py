"""Attempts as their owners know them: what each may look like by now, struck out answer by answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from kraty_actors.testing.auditor.attempts import AttemptRules, State, Write
from kraty_actors.testing.auditor.findings import Span, expect, instant


class Reply(Protocol):
    """An answer as the wire brought it."""

    @property
    def ok(self) -> Mapping[str, Any] | None: ...

    @property
    def code(self) -> str | None: ...

    @property
    def details(self) -> Mapping[str, Any]: ...

    @property
    def lost(self) -> int: ...


@dataclass(frozen=True, slots=True)
class RankSeen:
    """A rank that was answered: the player's row then had the score of the attempt's `nth` score."""

    rank: int
    nth: int
    span: Span


STEERING_REACHES_MS = 0
"""A board hears of a pause, or of its end, so long after an operator was answered: two commits later, be they slow."""


@dataclass(slots=True)
class Times:
    """What may stop an event's attempts: when it may have been paused, resumed or finalized, by windows' ends."""

    pauses: list[tuple[Span, bool]] = field(default_factory=list)
    finalized: dict[int, Span] = field(default_factory=dict)
    """By the end of the window that was finalized before it."""

    def may_be(self, paused: bool, span: Span) -> bool:
        """Whether the event may have been paused, or live, at some instant of the span."""
        states = [(Span(0, 0), False), *self.pauses]
        for (begun, is_paused), following in zip(states, [*states[1:], None], strict=True):
            reached = None if following is None else following[0].came + STEERING_REACHES_MS
            if is_paused is paused and begun.sent <= span.came and (reached is None or reached >= span.sent):
                return True
        return False


@dataclass(slots=True)
class Run:
    """One attempt. `ghosts` are writes without an answer that may be taken up yet; `doubts` those that can no more be,
    but nobody knows whether they were: asking again tells."""

    attempt_id: str
    player: str
    window_id: str
    board_id: str | None
    started: Span
    ends_at: int | None
    window_ends_at: int | None
    rules: AttemptRules
    times: Times
    states: list[State]
    ghosts: list[Write] = field(default_factory=list)
    doubts: list[Write] = field(default_factory=list)
    ranks: list[RankSeen] = field(default_factory=list)
    finished: Span | None = None

    # -- what was answered

    def abandoned(self, write: Write) -> None:
        """A write has no answer, and nobody sends it again."""
        self.ghosts.append(write)

    def wrote(self, write: Write, reply: Reply) -> None:
        """R-13, R-14, R-15: judge the answer to a write."""
        possible = [found for state in self._by_now(write.span) for found in self._outcomes(state, write, reply)]
        expect(
            bool(possible),
            "R-13/R-15: no write leads to this",
            run=self.attempt_id,
            write=write,
            reply=reply,
            states=self.states,
        )
        self.states = _distinct(possible)
        seq = max(state.last_seq for state in self.states)
        self.doubts = [one for one in (*self.doubts, *self.ghosts) if one.seq <= seq and self._is_doubtful(one)]
        self.ghosts = [ghost for ghost in self.ghosts if ghost.seq > seq]
        if reply.ok is not None and "repeated" not in reply.ok:
            self._saw_rank(reply.ok, write.span)

    def _is_doubtful(self, write: Write) -> bool:
        return len({write.seq in state.kept for state in self.states}) > 1

    @property
    def has_doubts(self) -> bool:
        """Whether it may have had other scores on its way to what it is."""
        return len({state.scores for state in self.states}) > 1

    def _saw_rank(self, ok: Mapping[str, Any], span: Span) -> None:
        if self.board_id is None:
            expect(ok["rank"] is None, "R-30: a rank without a board", run=self.attempt_id)
        else:
            expect(ok["rank"] is not None, "R-28: a started attempt has a row", run=self.attempt_id)
            if not self.has_doubts:
                self.ranks.append(RankSeen(ok["rank"], len(self.states[0].scores) - 1, span))

    def saw(self, attempt: Mapping[str, Any], span: Span) -> None:
        """The attempt was shown."""
        possible = [state for state in self._by_now(span) if self._shows(state, attempt)]
        expect(
            bool(possible),
            "R-12/R-56: the attempt cannot look so",
            run=self.attempt_id,
            attempt=attempt,
            states=self.states,
            ghosts=self.ghosts,
        )
        self.states = _distinct(possible)

    def ended(self, reply: Reply, span: Span) -> None:
        """R-12: judge the answer to a finish."""
        if reply.code == "event_disabled":
            expect(self.times.may_be(True, span), "R-12: finish refused, and the event was live", run=self.attempt_id)
            return
        expect(reply.ok is not None, "R-12: finish is refused", run=self.attempt_id, code=reply.code)
        attempt = (reply.ok or {})["attempt"]
        at_end = [self.rules.at_its_end(state) for state in self._by_now(span)]
        possible = [state for state in at_end if self._shows(state, attempt)]
        expect(
            bool(possible),
            "R-12: the end of the attempt cannot look so",
            run=self.attempt_id,
            attempt=attempt,
            states=self.states,
        )
        expect((reply.ok or {})["outcome"] == attempt["status"], "R-12: outcome and status differ", reply=reply.ok)
        self.states = _distinct(possible)
        self.finished = span
        self.ghosts = []

    @property
    def is_certainly_over(self) -> bool:
        return all(state.is_over for state in self.states)

    def may_be_over(self, span: Span) -> bool:
        return any(state.is_over for state in self._by_now(span))

    def may_run(self, span: Span) -> bool:
        """Whether it may go on at some instant of the span."""
        return any(not state.is_over for state in self._by_now(span))

    def must_be_over(self, span: Span) -> None:
        """A later attempt was started: this one goes on no more."""
        self.states = [state for state in self._by_now(span) if state.is_over]

    def settled(self) -> State:
        """The one way in which the attempt stands in the end."""
        looks = {repr((self.rules.view(one), one.last_seq, one.scores and one.scores[-1][0])) for one in self.states}
        expect(len(looks) == 1, "two ways are left", run=self.attempt_id, states=self.states)
        return self.states[0]

    # -- what may be

    def _by_now(self, span: Span) -> list[State]:
        """How it may stand before what is done in this span: ghosts may have been taken up, time may be over."""
        found = list(self.states)
        for ghost in self.ghosts:
            late = replace(ghost, span=Span(ghost.span.sent, span.came))
            open_to_it = [state for state in found if not state.is_over and ghost.seq > state.last_seq]
            found += [self.rules.applied(state, late)[1] for state in open_to_it]
        return _distinct(ended for state in found for ended in self._with_time(state, span))

    def _with_time(self, state: State, span: Span) -> Iterable[State]:
        ends = self.rules.at_its_end(state)
        if ends is state:
            return [state]
        finalized = self.times.finalized.get(self.window_ends_at or 0)
        may_be_over = span.may_be_from(self.ends_at) or (finalized is not None and finalized.sent <= span.came)
        may_go_on = span.may_be_before(self.ends_at) and not (finalized is not None and finalized.is_before(span))
        return ([state] if may_go_on else []) + ([ends] if may_be_over else [])

    def _outcomes(self, state: State, write: Write, reply: Reply) -> list[State]:
        """The states in which this answer leaves the attempt, if it was in this one."""
        found: list[State] = []
        is_late = write.span.may_be_from(self.window_ends_at) or self.window_ends_at in self.times.finalized
        known = self.rules.known(state, write)
        if reply.code == "attempt_finished":
            candidates = [state] if state.is_over and (is_late or known is None) else []
            if reply.lost and is_late and known is None and not state.is_over:
                # Taken up in time, and asked again too late.
                candidates.append(self.rules.at_its_end(self.rules.applied(state, write)[1]))
            return [one for one in candidates if self._shows(one, reply.details["attempt"])]
        if reply.code == "event_disabled":
            return [state] if known is None and self.times.may_be(True, write.span) else []
        if known is not None:
            verdict, after, answer = known
            # Without a lost frame behind it a repeat has to say that it is one.
            if self._fits(verdict, answer, reply):
                found.append(after)
            return found
        if state.is_over or not self.times.may_be(False, write.span):
            return []
        verdict, after, answer = self.rules.applied(state, write)
        if self._fits(verdict, answer, reply) or (
            reply.lost and verdict == "ok" and self._fits("repeated", answer, reply)
        ):
            found.append(after)
        return found

    def _fits(self, verdict: str, answer: Mapping[str, Any], reply: Reply) -> bool:
        if verdict == "rejected":
            return reply.code == "anti_cheat_rejected"
        if verdict == "conflict":
            return reply.code == "idempotency_conflict" and dict(reply.details).items() >= answer.items()
        if reply.ok is None or reply.ok.get("repeated", False) is not (verdict == "repeated"):
            return False
        shown = {**reply.ok, "milestonesFired": [one["key"] for one in reply.ok["milestonesFired"]]}
        return all(shown[name] == value for name, value in answer.items())

    def _shows(self, state: State, attempt: Mapping[str, Any]) -> bool:
        view = {**self.rules.view(state), "lastSeq": state.last_seq, "windowId": self.window_id}
        return (
            all(attempt[name] == value for name, value in view.items())
            and instant(attempt["endsAt"]) == self.ends_at
            and (attempt["completedAt"] is not None) == (state.status == "completed")
        )


def _distinct(states: Iterable[State]) -> list[State]:
    return list({repr(state): state for state in states}.values())
