"""Gates (R-19): a tree of conditions, judged on facts that were gathered before.

Judging is pure; whoever gathers the facts asks `facts_wanted` which ones, and answers from memory or an index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kraty_actors.definitions import Condition

CURRENT_WINDOW = "current_window"


@dataclass(slots=True, frozen=True)
class CompletionWanted:
    """Has the player completed the event, ever or in the window that is current now?"""

    event_key: str
    in_current_window: bool

    def record(self) -> list[str | bool]:
        return [self.event_key, self.in_current_window]


def facts_wanted(condition: Condition | None) -> Iterator[CompletionWanted]:
    """Every fact that judging `condition` may need."""
    if condition is None:
        return
    match condition.type:
        case "not":
            yield from facts_wanted(condition.condition)
        case "all" | "any":
            for part in condition.conditions:
                yield from facts_wanted(part)
        case "completed_event_at_least_once":
            yield CompletionWanted(condition.event_key, condition.within == CURRENT_WINDOW)


def failing(condition: Condition | None, facts: Collection[CompletionWanted]) -> Condition | None:
    """The innermost condition that fails, or None if the gate is open. `facts` are those that hold."""
    if condition is None or _holds(condition, facts):
        return None
    if condition.type == "all":
        return next(found for part in condition.conditions if (found := failing(part, facts)) is not None)
    return condition


def _holds(condition: Condition, facts: Collection[CompletionWanted]) -> bool:
    match condition.type:
        case "not":
            return not _holds(condition.condition, facts)
        case "all":
            return all(_holds(part, facts) for part in condition.conditions)
        case "any":
            return any(_holds(part, facts) for part in condition.conditions)
        case "completed_event_at_least_once":
            return CompletionWanted(condition.event_key, condition.within == CURRENT_WINDOW) in facts
    raise LookupError(f"the condition '{condition.type}' does not run yet")
