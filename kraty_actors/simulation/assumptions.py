"""What a simulation takes for granted, since only a running game could know it, and says so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from kraty_actors.definitions import Condition, EventDefinition

Knows = Callable[[Condition], bool]


def with_gates_assumed(event: EventDefinition, attributes: Collection[str]) -> tuple[EventDefinition, list[str]]:
    """The event with gates that ask only what a simulation knows, and what is assumed of the rest.

    It knows who has completed this event in this window, and the `attributes` that players are given. Everything else
    is as the gate would have it, so that it never keeps anybody out (R-19).
    """

    def knows(leaf: Condition) -> bool:
        match leaf.type:
            case "completed_event_at_least_once":
                return leaf.event_key in (event.key, event.id)
            case "player_attribute":
                return leaf.key in attributes
        return False

    notes: list[str] = []
    changed: dict[str, Condition | None] = {}
    for name, said in (("unlock_condition", "unlockCondition"), ("entry_requirement", "entryRequirement")):
        gate: Condition | None = getattr(event, name)
        if gate is None:
            continue
        left = _assumed(gate, knows, wanted=True)
        changed[name] = None if isinstance(left, bool) else left
        notes += [f"{said}: everybody passes {_named(leaf)}" for leaf in _unknown(gate, knows)]
    return event.model_copy(update=changed), list(dict.fromkeys(notes))


def _assumed(condition: Condition, knows: Knows, *, wanted: bool) -> Condition | bool:
    """What is left of a condition if all that is not known is as it should be for the condition to be `wanted`."""
    match condition.type:
        case "not":
            inner = _assumed(condition.condition, knows, wanted=not wanted)
            return not inner if isinstance(inner, bool) else condition.model_copy(update={"condition": inner})
        case "all" | "any":
            parts = [_assumed(part, knows, wanted=wanted) for part in condition.conditions]
            is_all = condition.type == "all"
            if any(part is (not is_all) for part in parts):
                return not is_all
            left = tuple(part for part in parts if not isinstance(part, bool))
            if not left:
                return is_all
            return condition.model_copy(update={"conditions": left})
    return condition if knows(condition) else wanted


def _unknown(condition: Condition, knows: Knows) -> Iterator[Condition]:
    match condition.type:
        case "not":
            yield from _unknown(condition.condition, knows)
        case "all" | "any":
            for part in condition.conditions:
                yield from _unknown(part, knows)
        case _ if not knows(condition):
            yield condition


def _named(leaf: Condition) -> str:
    match leaf.type:
        case "completed_event_at_least_once":
            return f"{leaf.type} {leaf.event_key}"
        case "owns_item":
            return f"{leaf.type} {leaf.item_key}"
        case "has_currency":
            return f"{leaf.type} {leaf.currency_key}"
        case "player_attribute":
            return f"{leaf.type} {leaf.key}"
        case "score_at_least":
            return f"{leaf.type} {leaf.board_key}"
    return leaf.type
