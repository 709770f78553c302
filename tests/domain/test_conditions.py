"""What a gate asks for, and what it says (R-19)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playing import event

from kraty_actors.definitions import Condition
from kraty_actors.domain.conditions import NO_FACTS, CompletionWanted, Facts, Wanted, facts_wanted, failing

NAMES = ["a", "b"]
names = st.sampled_from(NAMES)
scalars = st.sampled_from(["DE", "", 1, 2, 2.5, -1, True, False])
small = st.integers(1, 3)


def leaf(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


orders = st.sampled_from(["lt", "lte", "gt", "gte"])
leaves = st.one_of(
    leaf("completed_event_at_least_once", eventKey=names, within=st.sampled_from(["lifetime", "current_window"])),
    leaf("owns_item", itemKey=names, quantity=small),
    leaf("has_currency", currencyKey=names, amount=small),
    leaf("score_at_least", boardKey=names, score=st.sampled_from([-1, 0, 1.5, 2])),
    leaf("player_attribute", key=names, op=st.just("exists")),
    leaf("player_attribute", key=names, op=st.sampled_from(["eq", "ne"]), value=scalars),
    leaf("player_attribute", key=names, op=st.just("in"), value=st.lists(scalars, max_size=2)),
    leaf("player_attribute", key=names, op=orders, value=st.sampled_from([0, 1, 2.5])),
)


def grown(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = leaf("all", conditions=st.lists(parts, max_size=3)) | leaf("any", conditions=st.lists(parts, max_size=3))
    return several | leaf("not", condition=parts)


trees = st.recursive(leaves, grown, max_leaves=6)
counts = st.dictionaries(names, st.integers(0, 3))
some_facts = st.builds(
    Facts,
    st.frozensets(st.builds(CompletionWanted, names, st.booleans())),
    counts,
    counts,
    st.dictionaries(names, scalars),
    st.dictionaries(names, st.sampled_from([-2, 0, 1.5, 7])),
)


def condition(node: dict[str, Any]) -> Condition:
    gate = event(entryRequirement=node).entry_requirement
    assert gate is not None
    return gate


def same(one: Any, other: Any) -> bool:
    """JSON's equality: numbers are not booleans."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def truth(node: dict[str, Any], facts: Facts) -> bool:
    """The tree read as logic, as it is written in JSON."""
    match node:
        case {"type": "not", "condition": inner}:
            return not truth(inner, facts)
        case {"type": "all", "conditions": parts}:
            return all(truth(part, facts) for part in parts)
        case {"type": "any", "conditions": parts}:
            return any(truth(part, facts) for part in parts)
        case {"type": "completed_event_at_least_once"}:
            return CompletionWanted(node["eventKey"], node["within"] == "current_window") in facts.completed
        case {"type": "owns_item"}:
            return facts.items.get(node["itemKey"], 0) >= node["quantity"]
        case {"type": "has_currency"}:
            return facts.balances.get(node["currencyKey"], 0) >= node["amount"]
        case {"type": "score_at_least", "boardKey": board}:
            return board in facts.scores and facts.scores[board] >= node["score"]
        case {"type": "player_attribute", "key": key, "op": op}:
            return compared(key in facts.attributes, facts.attributes.get(key), op, node.get("value"))
    raise AssertionError(node)


def compared(is_there: bool, attribute: Any, op: str, value: Any) -> bool:
    if op in ("exists", "ne"):
        return is_there if op == "exists" else not (is_there and same(attribute, value))
    if op in ("eq", "in"):
        return is_there and any(same(attribute, one) for one in (value if op == "in" else [value]))
    if not is_there or isinstance(attribute, bool | str):
        return False
    return {"lt": attribute < value, "lte": attribute <= value, "gt": attribute > value, "gte": attribute >= value}[op]


def only(facts: Facts, wanted: Wanted) -> Facts:
    """What an engine would have gathered of these facts."""
    return Facts(
        facts.completed & set(wanted.completions),
        {key: facts.items[key] for key in wanted.items if key in facts.items},
        {key: facts.balances[key] for key in wanted.currencies if key in facts.balances},
        {key: facts.attributes[key] for key in wanted.attributes if key in facts.attributes},
        {key: facts.scores[key] for key in wanted.boards if key in facts.scores},
    )


@given(trees, some_facts)
def test_r19_gates_read_as_logic_and_ask_for_every_fact_that_they_need(node: dict[str, Any], facts: Facts):
    gate = condition(node)
    opens = truth(node, facts)
    assert (failing(gate, facts) is None) == opens
    assert (failing(gate, only(facts, facts_wanted(gate))) is None) == opens
    assert (failing(gate, Facts.restored(facts.record())) is None) == opens


@given(some_facts)
def test_r19_facts_come_back_from_their_record_whatever_the_order_they_were_gathered_in(facts: Facts):
    assert Facts.restored(facts.record()) == facts
    turned = Facts(facts.completed, *(dict(reversed(named.items())) for named in mappings(facts)))
    assert repr(turned.record()) == repr(facts.record())


def mappings(facts: Facts) -> list[Any]:
    return [facts.items, facts.balances, facts.attributes, facts.scores]


def test_r19_the_record_holds_what_is_there_and_nothing_else():
    done = Facts(frozenset({CompletionWanted("b", False), CompletionWanted("a", True)}), items={"key": 2})
    assert done.record() == {"completed": [["a", True], ["b", False]], "items": {"key": 2}}
    assert NO_FACTS.record() == {}


def test_r19_each_fact_is_wanted_once_in_the_order_of_the_conditions():
    first = condition({"type": "owns_item", "itemKey": "sword"})
    parts = [
        {"type": "has_currency", "currencyKey": "gems"},
        {"type": "owns_item", "itemKey": "key"},
        {"type": "not", "condition": {"type": "owns_item", "itemKey": "sword", "quantity": 2}},
        {"type": "score_at_least", "boardKey": "weekly", "score": 1},
        {"type": "player_attribute", "key": "level", "op": "exists"},
        {"type": "completed_event_at_least_once", "eventKey": "race"},
    ]
    wanted = facts_wanted(first, None, condition({"type": "any", "conditions": parts}))
    assert wanted == Wanted((CompletionWanted("race", False),), ("sword", "key"), ("gems",), ("level",), ("weekly",))
    assert not wanted.is_empty


def test_r19_no_gate_is_open_and_asks_for_nothing():
    assert failing(None, NO_FACTS) is None
    assert facts_wanted(None, condition({"type": "all", "conditions": []})).is_empty


def test_r19_the_innermost_failing_condition_is_named():
    missing = {"type": "completed_event_at_least_once", "eventKey": "b"}
    had = {"type": "completed_event_at_least_once", "eventKey": "a"}
    gate = condition({"type": "all", "conditions": [had, {"type": "all", "conditions": [missing]}]})
    failed = failing(gate, NO_FACTS.with_completion("a"))
    assert failed is not None
    assert failed.as_defined() == missing


def test_r19_a_completion_counts_for_ever_and_for_the_current_window():
    facts = Facts(items={"key": 1}).with_completion("race")
    assert facts.items == {"key": 1}
    for within in ("lifetime", "current_window"):
        node = {"type": "completed_event_at_least_once", "eventKey": "race", "within": within}
        assert failing(condition(node), facts) is None


@pytest.mark.parametrize(
    ("attribute", "op", "value", "holds"),
    [
        (7, "gte", 7, True),
        (7, "gt", 7, False),
        (6.5, "lt", 7, True),
        ("7", "gte", 1, False),
        ("7", "lt", 1, False),
        ("7", "eq", 7, False),
        ("7", "ne", 7, True),
        (7.0, "eq", 7, True),
        (True, "eq", 1, False),
        (True, "eq", True, True),
        (True, "gte", 0, False),
        (False, "in", [0, "", False], True),
        (False, "in", [0, ""], False),
        (False, "exists", None, True),
        (None, "exists", None, False),
        (None, "eq", "DE", False),
        (None, "ne", "DE", True),
        (None, "lt", 5, False),
        (None, "gte", 0, False),
        (None, "in", ["DE"], False),
    ],
)
def test_r19_attributes_by_hand(attribute: Any, op: str, value: Any, holds: bool):
    node = {"type": "player_attribute", "key": "level", "op": op, "value": value}
    facts = NO_FACTS if attribute is None else Facts(attributes={"level": attribute})
    assert (failing(condition(node), facts) is None) == holds
