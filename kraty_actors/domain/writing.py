"""The path of one progress message through its contest, in the order of R-13."""

from __future__ import annotations

from collections.abc import Sequence

from kraty_actors.domain import attempt as states
from kraty_actors.domain.arena import Arena
from kraty_actors.domain.attempt import Attempt, Written
from kraty_actors.domain.conclusion import Conclusion, view_by
from kraty_actors.domain.contest_messages import Write
from kraty_actors.domain.ids import attempt_id, digest_id
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Effect, Flagged, Outcome, Refusal
from kraty_actors.domain.payouts import granted, milestone_pays
from kraty_actors.domain.validators.past import past_after
from kraty_actors.domain.write_memory import body_digest, rejection


def write(arena: Arena, conclusion: Conclusion | None, command: Write, now: int) -> Outcome:
    """Apply a progress message, or say why not; `conclusion` is how the contest ends, once it does."""
    attempt = arena.attempts.own(command.serial, command.player)
    if attempt is None:
        return Outcome(reply=no_attempt())
    if conclusion is not None and conclusion.is_over:
        return _ended(arena, conclusion, attempt, now)
    scoring = arena.rules.scoring
    changes = command.metrics
    if not isinstance(changes, dict):
        changes = command.metrics = {scoring.keys[0]: changes}
    digest = body_digest(changes, command.mode)
    recalled = attempt.memory.recall(command.identity, digest)
    if isinstance(recalled, Refusal):
        return Outcome(reply=recalled)
    if recalled != "new":
        return Outcome(reply=_repeated(arena, attempt, command.identity, is_newest=recalled == "newest"))
    if attempt.player in arena.board.hidden:
        return Outcome(reply=Refusal("player_banned", "the player is banned"))
    if arena.is_paused:
        return Outcome(reply=arena.paused())
    if conclusion is not None or attempt.is_over_by(now):
        return _ended(arena, conclusion, attempt, now)
    incoming = scoring.incoming(attempt.raw, changes, command.mode)
    if isinstance(incoming, Refusal):
        return Outcome(reply=incoming)
    if command.findings is None and arena.guard:
        _judge(arena, attempt, command, incoming, now)
    if command.findings:
        return _objected(arena, attempt, command, incoming, digest, now)
    return _apply(arena, attempt, command, incoming, digest, now)


def _ended(arena: Arena, conclusion: Conclusion | None, attempt: Attempt, now: int) -> Outcome:
    shown = view_by(arena, conclusion, attempt, now)
    return Outcome(reply=Refusal("attempt_finished", "the attempt has ended", {"attempt": shown}))


def _judge(arena: Arena, attempt: Attempt, command: Write, incoming: Sequence[Number], now: int) -> None:
    """Have the validators look at a write (R-48)."""
    found = arena.guard.judge(attempt.past, attempt.raw, incoming, now - attempt.started_at)
    if found:
        command.findings = [[one.validator_key, one.verdict, one.reason] for one in found]


def judged_again(arena: Arena, command: Write, now: int) -> list[list[str]]:
    """What the validators say of a write that was taken before, and is about to be applied to the same state again
    (R-57)."""
    attempt = arena.attempts.own(command.serial, command.player)
    changes = command.metrics
    if attempt is None or not isinstance(changes, dict):
        return []
    incoming = arena.rules.scoring.incoming(attempt.raw, changes, command.mode)
    if isinstance(incoming, Refusal):
        return []
    again = Write(command.serial, changes, command.mode, command.identity, command.player)
    _judge(arena, attempt, again, incoming, now)
    return again.findings or []


def _objected(arena: Arena, attempt: Attempt, command: Write, incoming: list[Number], digest: int, now: int) -> Outcome:
    """R-50: a flagged write applies; of a rejected one nothing stays but its seq and what was found."""
    findings = command.findings or []
    *_, (key, verdict, reason) = findings
    is_rejected = verdict == "reject"
    before, after = arena.rules.scoring.by_key(attempt.raw), arena.rules.scoring.by_key(incoming)
    if is_rejected:
        arena.changing(attempt)
        arena.inputs += 1
        attempt.memory.remember(command.identity, digest, [key, reason])
        outcome = Outcome(reply=rejection(key, reason), traced=True)
    else:
        outcome = _apply(arena, attempt, command, incoming, digest, now)
    name = attempt_id(arena.id, attempt.serial)
    flagged = [
        Flagged(
            anomaly_id=digest_id("a", name, arena.inputs, attempt.writes, n),
            player=attempt.player,
            event_key=arena.rules.event.key,
            window_id=arena.window_id,
            attempt_id=name,
            validator_key=one_key,
            verdict="reject" if one_verdict == "reject" else "flag",
            outcome="reject" if is_rejected else "flag",
            reason=one_reason,
            before=before,
            after=after,
            at=now,
        )
        for n, (one_key, one_verdict, one_reason) in enumerate(findings)
    ]
    outcome.effects = [*outcome.effects, *flagged]
    return outcome


def _apply(arena: Arena, attempt: Attempt, command: Write, incoming: list[Number], digest: int, now: int) -> Outcome:
    rules, scoring = arena.rules, arena.rules.scoring
    if arena.frozen is not None:
        arena.frozen.keep(attempt)
    arena.inputs += 1
    before = attempt.raw
    raw = scoring.after_resets(before, incoming)
    if raw is not incoming or command.mode == "set":
        attempt.past = past_after(attempt.past, before, incoming, raw)
    capped = scoring.capped(raw)
    prior, prior_order = attempt.score, attempt.last_order
    attempt.raw, attempt.score = raw, scoring.score(capped)
    attempt.writes += 1
    attempt.last_order = arena.inputs
    attempt.memory.remember(command.identity, digest)
    effects: list[Effect] = []
    fired = 0
    if arena.milestones:
        fired = arena.milestones.reached(attempt, arena.attempts, scoring.capped(before), capped)
        attempt.fired |= fired
        attempt.fired_then, attempt.wrote_at = fired, now
    if rules.has_board:
        arena.board.scored(attempt, prior, arena.moment)
    is_complete = scoring.completes(capped)
    outcome = arena.ended([(attempt, now)], by_write=True) if is_complete else Outcome(traced=True)
    arena.contributions.wrote(attempt, prior_order, prior, now)
    if arena.has_bots and arena.bots.wrote(arena.moment, arena.board):
        arena.board.bots_moved(arena.moment)
    attempt.rank_then = rank = arena.board.standings.rank_of_player(attempt.player)
    answer = _answer(arena, attempt, command.identity, rank, repeated=False)
    outcome.reply = answer
    if fired:
        answer.fired = milestone_pays(rules, fired, attempt.player, answer.attempt_id, now)
        effects = [pay for one in answer.fired for pay in one.grants]
        outcome.effects = [*effects, *outcome.effects]
        outcome.notices = [*granted(effects), *outcome.notices]
    return outcome


def _answer(arena: Arena, attempt: Attempt, identity: int | str | None, rank: int | None, *, repeated: bool) -> Written:
    metrics, raw = arena.metrics(attempt)
    return Written(
        attempt_id(arena.id, attempt.serial),
        identity if isinstance(identity, int) else None,
        attempt.status,
        metrics,
        raw,
        attempt.score,
        rank,
        repeated,
    )


def _repeated(arena: Arena, attempt: Attempt, identity: int | str | None, *, is_newest: bool) -> Written:
    """R-15: what was answered to the newest write; for an earlier one, the attempt as it is now."""
    rank = attempt.rank_then if is_newest else arena.board.standings.rank_of_player(attempt.player)
    answer = _answer(arena, attempt, identity, rank, repeated=True)
    if is_newest:  # also of one that was completed by force since
        scoring = arena.rules.scoring
        capped = scoring.capped(attempt.raw)
        answer.score = scoring.score(capped)
        answer.status = states.COMPLETED if scoring.completes(capped) else states.IN_PROGRESS
        if attempt.fired_then:
            answer.fired = milestone_pays(
                arena.rules, attempt.fired_then, attempt.player, answer.attempt_id, attempt.wrote_at
            )
    return answer


def no_attempt() -> Refusal:
    return Refusal("not_found", "no such attempt")
