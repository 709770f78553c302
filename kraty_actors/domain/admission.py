"""Whether a player may start (R-17 to R-19): gates, then limits. Where they sit is decided by a placement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.conditions import CompletionWanted, Facts, failing
from kraty_actors.domain.days import day_start, next_day_start
from kraty_actors.domain.outcome import Cost, Plain, Refusal
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window_messages import Admit, OpenWindow


@dataclass(slots=True)
class Member:
    """One player in one window. `contest` is the number of their place there; `day` is the midnight (ms) of the last
    day on which they started, `started_today` counts that day's starts. `charges` counts how often they paid."""

    contest: int
    attempts: int = 0
    running: bool = False
    completed: bool = False
    day: int = 0
    started_today: int = 0
    charges: int = 0

    def started_since(self, day: int) -> int:
        return self.started_today if self.day >= day else 0

    def start(self, today: int) -> None:
        """A new attempt begins."""
        self.started_today = self.started_since(today) + 1
        self.day = today
        self.attempts += 1
        self.running = True

    def dump(self) -> list[Plain]:
        return [self.contest, self.attempts, self.running, self.completed, self.day, self.started_today, self.charges]


def refused(
    event: EventDefinition, opening: OpenWindow, asked: Admit, member: Member | None, now: int
) -> Refusal | None:
    """Why this player may not start a new attempt now, but for what it costs; None if they may."""
    return _gate(event, opening, asked, member) or limit_refusal(
        event, opening.timezone, asked.started_elsewhere, member, now
    )


def is_due(rules: Rules, charges: int) -> bool:
    """Whether the next start is to be paid for by a player who has paid so often in this window (R-20, R-21)."""
    return bool(rules.costs) and (not charges or rules.charges_each_attempt)


def missing(costs: Sequence[Cost], balances: Mapping[str, int], items: Mapping[str, int]) -> list[list[Plain]]:
    """Whatever a player has too little of, each as [resource, needed, have], in the order of the costs."""
    held = {"currency": balances, "item": items}
    found: list[list[Plain]] = []
    for cost in costs:
        have = held[cost.kind].get(cost.key, 0)
        if have < cost.amount:
            found.append([cost.key, cost.amount, have])
    return found


def too_poor(short: Sequence[Plain]) -> Refusal:
    """The player cannot pay for a start."""
    resource, needed, have = short
    message = f"not enough {resource} to enter: need {needed}"
    return Refusal("insufficient_entry_cost", message, {"resource": resource, "needed": needed, "have": have})


def _gate(event: EventDefinition, opening: OpenWindow, asked: Admit, member: Member | None) -> Refusal | None:
    if event.unlock_condition is None and event.entry_requirement is None:
        return None
    facts = Facts.restored(asked.facts)
    if member is not None and member.completed:
        facts = _with_completion(facts, event.key, is_shared=opening.player is None)
    return gate_refusal(event, facts)


def gate_refusal(event: EventDefinition, facts: Facts) -> Refusal | None:
    """What keeps a player of whom this is known from starting; None if the gates are open (R-19)."""
    if failing(event.unlock_condition, facts) is not None:
        return Refusal("unlock_condition_failed", f"{event.key} is not unlocked yet")
    failed = failing(event.entry_requirement, facts)
    if failed is not None:
        details = {"condition": failed.as_defined()}
        return Refusal("entry_requirement_failed", f"the entry requirement of {event.key} is not met", details)
    return None


def _with_completion(facts: Facts, event_key: str, *, is_shared: bool) -> Facts:
    """A window of one player never counts as the event's current one (R-19)."""
    if is_shared:
        return facts.with_completion(event_key)
    return replace(facts, completed=facts.completed | {CompletionWanted(event_key, in_current_window=False)})


def limit_refusal(
    event: EventDefinition, zone: str, started_elsewhere: int, member: Member | None, now: int
) -> Refusal | None:
    """Why a player who has made so many attempts may not make another one; None if they may (R-17)."""
    attempt = event.attempt
    most = attempt.max_attempts if attempt.replayable_during_window else 1
    if member is not None and most is not None and member.attempts >= most:
        message = f"{most} attempts a window are allowed" if most > 1 else "one attempt a window is allowed"
        return Refusal("max_attempts_reached", message, {"limit": most, "resetsAt": None})
    daily = attempt.max_daily_attempts
    if daily is not None:
        here = member.started_since(day_start(now, zone)) if member is not None else 0
        if here + started_elsewhere >= daily:
            details = {"limit": daily, "resetsAt": next_day_start(now, zone)}
            return Refusal("max_daily_attempts_reached", f"{daily} attempts a day are allowed", details)
    return None
