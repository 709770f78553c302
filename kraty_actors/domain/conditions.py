"""Gates (R-19): a tree of conditions, judged on facts that were gathered before.

Judging is pure; whoever gathers the facts asks `facts_wanted` which ones, and answers from memory or an index.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeGuard

from kraty_actors.definitions import Condition, ConditionCompletedEvent
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Plain

CURRENT_WINDOW = "current_window"

Scalar = str | int | float | bool


class CompletionWanted(NamedTuple):
    """Has the player completed the event, ever or in the window that is current now?"""

    event_key: str
    in_current_window: bool


@dataclass(slots=True, frozen=True)
class Wanted:
    """What judging some conditions may need to know of a player, each once, in the order of the conditions."""

    completions: tuple[CompletionWanted, ...] = ()
    items: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == NOTHING_WANTED

    @classmethod
    def by_all(cls, several: Iterable[Wanted]) -> Wanted:
        """What any of them wants, each once."""
        wanting = [wanted for wanted in several if not wanted.is_empty]
        each = (dict.fromkeys(one for wanted in wanting for one in getattr(wanted, name)) for name in cls.__slots__)
        return cls(*map(tuple, each))


NOTHING_WANTED = Wanted()


@dataclass(slots=True, frozen=True)
class Facts:
    """What is known of a player when a gate is judged. What is missing is 0, not there, or did not happen."""

    completed: frozenset[CompletionWanted] = frozenset()
    items: Mapping[str, int] = field(default_factory=dict)
    balances: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    scores: Mapping[str, Number] = field(default_factory=dict)
    """The player's score now, by shared board on which they have a row."""

    def with_completion(self, event_key: str) -> Facts:
        """The same, and the player has completed that event: ever, and in its current window."""
        now = {CompletionWanted(event_key, in_current_window) for in_current_window in (False, True)}
        return replace(self, completed=self.completed | now)

    def record(self) -> dict[str, Plain]:
        """Plain data of what is there, in an order that depends on nothing else."""
        completed = [list(one) for one in sorted(self.completed)]
        mappings = {name: dict(sorted(getattr(self, name).items())) for name in _MAPPINGS}
        return {name: found for name, found in ({"completed": completed} | mappings).items() if found}

    @classmethod
    def restored(cls, plain: Mapping[str, Plain]) -> Facts:
        """What `record` gave."""
        completed = frozenset(CompletionWanted(*one) for one in plain.get("completed", ()))
        return cls(completed, **{name: plain[name] for name in _MAPPINGS if name in plain})


_MAPPINGS = ("items", "balances", "attributes", "scores")

NO_FACTS = Facts()


def facts_wanted(*conditions: Condition | None) -> Wanted:
    """Every fact that judging these conditions may need. It takes some microseconds: ask once for each revision."""
    completions: dict[CompletionWanted, None] = {}
    items: dict[str, None] = {}
    currencies: dict[str, None] = {}
    attributes: dict[str, None] = {}
    boards: dict[str, None] = {}
    for leaf in (leaf for condition in conditions if condition is not None for leaf in _leaves(condition)):
        match leaf.type:
            case "completed_event_at_least_once":
                completions[_completion(leaf)] = None
            case "owns_item":
                items[leaf.item_key] = None
            case "has_currency":
                currencies[leaf.currency_key] = None
            case "player_attribute":
                attributes[leaf.key] = None
            case "score_at_least":
                boards[leaf.board_key] = None
    return Wanted(tuple(completions), tuple(items), tuple(currencies), tuple(attributes), tuple(boards))


def failing(condition: Condition | None, facts: Facts) -> Condition | None:
    """The innermost condition that fails, or None if the gate is open."""
    if condition is None or _holds(condition, facts):
        return None
    if condition.type == "all":
        return next(found for part in condition.conditions if (found := failing(part, facts)) is not None)
    return condition


def _leaves(condition: Condition) -> Iterator[Condition]:
    match condition.type:
        case "not":
            yield from _leaves(condition.condition)
        case "all" | "any":
            for part in condition.conditions:
                yield from _leaves(part)
        case _:
            yield condition


def _completion(condition: ConditionCompletedEvent) -> CompletionWanted:
    return CompletionWanted(condition.event_key, condition.within == CURRENT_WINDOW)


def _holds(condition: Condition, facts: Facts) -> bool:
    match condition.type:  # by name: `isinstance` of a model of pydantic's takes longer than all of this
        case "not":
            return not _holds(condition.condition, facts)
        case "all":
            return all(_holds(part, facts) for part in condition.conditions)
        case "any":
            return any(_holds(part, facts) for part in condition.conditions)
        case "completed_event_at_least_once":
            return _completion(condition) in facts.completed
        case "owns_item":
            return facts.items.get(condition.item_key, 0) >= condition.quantity
        case "has_currency":
            return facts.balances.get(condition.currency_key, 0) >= condition.amount
        case "player_attribute":
            return _compares(facts.attributes.get(condition.key), condition.op, condition.value)
        case "score_at_least":
            score = facts.scores.get(condition.board_key)
            return score is not None and score >= condition.score


def _compares(attribute: Scalar | None, op: str, value: Any) -> bool:
    """Values of two kinds are never equal and never ordered, and an attribute that is not there is of no kind."""
    match op:
        case "exists":
            return attribute is not None
        case "eq":
            return _equal(attribute, value)
        case "ne":
            return not _equal(attribute, value)
        case "in":
            return any(_equal(attribute, one) for one in value)
    return _is_number(attribute) and _ORDERS[op](attribute, value)


def _equal(attribute: Scalar | None, value: Scalar) -> bool:
    return isinstance(attribute, bool) == isinstance(value, bool) and attribute == value


def _is_number(attribute: Scalar | None) -> TypeGuard[Number]:
    return isinstance(attribute, int | float) and not isinstance(attribute, bool)


_ORDERS = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}
