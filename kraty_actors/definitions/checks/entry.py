"""What stands before a start and beside a write: attempts, conditions, costs, validators (R-17..R-20, R-49)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kraty_actors.definitions.anti_cheat import ValidatorDuration, ValidatorJump
from kraty_actors.definitions.conditions import (
    MAX_LEVELS,
    MAX_NODES,
    Condition,
    ConditionPlayerAttribute,
)
from kraty_actors.definitions.events import CurrencyCost, EventDefinition, ItemCost
from kraty_actors.definitions.findings import Place
from kraty_actors.definitions.references import Names, Scope
from kraty_actors.definitions.rewards import Predicate
from kraty_actors.definitions.scalars import MAX_WHOLE, is_valid_text


def check_attempts(event: EventDefinition, place: Place) -> None:
    """Several attempts need replay; the one window of `always` deserves it."""
    rules, at = event.attempt, place / "attempt"
    if rules.replayable_during_window:
        return
    because = [at / "replayableDuringWindow"]
    if rules.max_attempts and rules.max_attempts > 1:
        (at / "maxAttempts").fault("must be 1 unless replayableDuringWindow is true", because)
    if event.availability.mode == "always":
        message = "the window of 'always' does not end, so that each player gets one attempt ever"
        (at / "replayableDuringWindow").warn(message)


def check_conditions(event: EventDefinition, place: Place) -> None:
    """Both gates are small enough, and compare what can be compared."""
    gates = (("unlockCondition", event.unlock_condition), ("entryRequirement", event.entry_requirement))
    for name, condition in gates:
        if condition is None:
            continue
        check_tree_size(condition, place / name)
        for node, at, _ in tree(condition, place / name):
            if isinstance(node, ConditionPlayerAttribute):
                _check_comparison(node, at)


def tree(root: Condition | Predicate, place: Place, level: int = 1) -> Iterator[tuple[Any, Place, int]]:
    """The nodes of a condition or a predicate with their places and levels, roots first."""
    yield root, place, level
    if hasattr(root, "condition"):
        yield from tree(root.condition, place / "condition", level + 1)
    for i, inner in enumerate(getattr(root, "conditions", ())):
        yield from tree(inner, place / "conditions" / i, level + 1)


def check_tree_size(root: Condition | Predicate, place: Place) -> None:
    """At most 8 levels and 64 nodes (R-19)."""
    levels = [level for _, _, level in tree(root, place)]
    if max(levels) > MAX_LEVELS:
        place.fault(f"has {max(levels)} levels, of at most {MAX_LEVELS}")
    if len(levels) > MAX_NODES:
        place.fault(f"has {len(levels)} nodes, of at most {MAX_NODES}")


def _check_comparison(node: ConditionPlayerAttribute, at: Place) -> None:
    value = at / "value"
    match node.op:
        case "exists" if node.value is not None:
            value.fault("must be absent with op 'exists'")
        case "in" if not isinstance(node.value, list) or not all(map(_is_scalar, node.value)):
            value.fault("must be a list of texts, numbers, true or false with op 'in'")
        case "eq" | "ne" if not _is_scalar(node.value):
            value.fault(f"must be a text, a number, true or false with op '{node.op}'")
        case "lt" | "lte" | "gt" | "gte" if isinstance(node.value, bool | str) or not _is_scalar(node.value):
            value.fault(f"must be a number with op '{node.op}'")


def _is_scalar(value: object) -> bool:
    match value:
        case bool():
            return True
        case int() | float():
            return -MAX_WHOLE <= value <= MAX_WHOLE
        case str():
            return is_valid_text(value)
        case _:
            return False


def check_costs(event: EventDefinition, place: Place, scope: Scope) -> None:
    """Nothing is charged twice in one cost."""
    if event.entry_cost:
        cost = place / "entryCost"
        _check_repeats(event.entry_cost.currencies, cost / "currencies", scope["currencies"])
        _check_repeats(event.entry_cost.items, cost / "items", scope["items"])


def _check_repeats(lines: Sequence[CurrencyCost | ItemCost], at: Place, names: Names) -> None:
    seen: dict[str, int] = {}
    for i, line in enumerate(lines):
        key = names.keys.get(line.key, line.key)
        if seen.setdefault(key, i) != i:
            (at / i / "key").fault(f"'{line.key}' is there twice", [at / seen[key] / "key"])


def check_validators(event: EventDefinition, place: Place) -> None:
    """Each validator has a limit to hold writes to."""
    for i, validator in enumerate(event.anti_cheat.validators):
        params = place / "antiCheat" / "validators" / i / "params"
        match validator:
            case ValidatorJump(params=limits) if limits.max_delta is None and limits.max_ratio is None:
                params.fault("give maxDelta, maxRatio or both", [params / "maxDelta", params / "maxRatio"])
            case ValidatorDuration(params=limits) if limits.target is None:
                _check_has_target(event, limits.metric_key, params / "target", place)


def _check_has_target(event: EventDefinition, name: str, target: Place, place: Place) -> None:
    for i, metric in enumerate(event.metrics):
        if name in (metric.key, metric.id) and metric.target is None:
            because = place / "metrics" / i / "target"
            target.fault(f"required, because metric '{name}' has no target of its own", [because])
