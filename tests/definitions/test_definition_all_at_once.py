"""One fault never hides another, and never makes one up (R-3)."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from small_games import example, faults_of, game, load, race
from test_definition_faults import EVENT_FAULTS
from test_definition_shapes import REFUSED

from kraty_actors.definitions import DefinitionFaults, load_game

Path = tuple[str | int, ...]


def test_r3_a_bad_type_hides_no_reference_beside_it():
    event = race(
        metrics=[{"key": "streak", "target": "5", "resetOn": {"metricKey": "loses"}}, {"key": "losses", "cap": True}],
        rewardPolicy={"type": "jackpot"},
        unlockCondition={"type": "any", "conditions": [7, {"type": "owns_item", "itemKey": "sword", "quantity": 0}]},
        botBindings=[5, {"botId": "climbr", "count": "2"}],
        attempt={"maxAttempts": 2, "durationSeconds": None, "extra": 1},
    )
    assert list(faults_of(game(event))) == [
        "events[0].metrics[0].target",
        "events[0].metrics[0].resetOn.metricKey",
        "events[0].metrics[1].cap",
        "events[0].rewardPolicy.type",
        "events[0].unlockCondition.conditions[0]",
        "events[0].unlockCondition.conditions[1].itemKey",
        "events[0].unlockCondition.conditions[1].quantity",
        "events[0].botBindings[0]",
        "events[0].botBindings[1].botId",
        "events[0].botBindings[1].count",
        "events[0].attempt.maxAttempts",
        "events[0].attempt.extra",
    ]


def test_r3_elements_keep_their_numbers_when_others_are_at_fault():
    event = race(metrics=[1, {"key": "a"}, 2, {"key": "b", "resetOn": {"metricKey": "x"}}, 3])
    found = faults_of(game(event, race(key="two", contributesTo=[5, "a", 6]), race(key="race")))
    assert list(found) == [
        "events[0].metrics[0]",
        "events[0].metrics[2]",
        "events[0].metrics[3].resetOn.metricKey",
        "events[0].metrics[4]",
        "events[1].contributesTo[0]",
        "events[1].contributesTo[2]",
        "events[2].key",
    ]


def test_r3_what_follows_from_a_fault_is_not_told_as_another():
    """A name that could not be read may be the one that is missed; a target that is a text is still a target."""
    event = race(
        metrics=[
            {"key": "streak", "target": "5", "capAtTarget": True},
            {"key": "los ses"},
            {"key": "c", "resetOn": {"metricKey": "losses"}},
        ],
        leaderboard={"mode": "lobby_matched", "capacity": "10"},
        botBindings=[{"botId": "climber"}],
        type=3,
    )
    assert list(faults_of(game(event))) == [
        "events[0].metrics[0].target",
        "events[0].metrics[1].key",
        "events[0].leaderboard.capacity",
        "events[0].type",
    ]


def test_r3_definitions_without_a_readable_name_hide_no_other_fault_of_theirs():
    found = faults_of(game(race(key=None, attempt={"maxAttempts": 2}), bundles=[{"entries": [5]}], items=[]))
    assert sorted(found) == [
        "bundles[0].entries[0]",
        "bundles[0].key",
        "events[0].attempt.maxAttempts",
        "events[0].key",
    ]


@settings(deadline=None)
@given(st.lists(st.sampled_from(EVENT_FAULTS + REFUSED), min_size=2, max_size=4))
def test_r3_faults_in_different_fields_of_one_event_are_all_told(chosen: list[tuple[dict[str, Any], str, str]]):
    """Fields that others depend on are left alone: there, one fault may rightly speak for two."""
    apart: dict[str, tuple[dict[str, Any], str, str]] = {}
    for changes, path, message in chosen:
        if len(changes) == 1 and not changes.keys() & {"metrics", "availability", "leaderboard", "key", "type"}:
            apart[next(iter(changes))] = (changes, path, message)
    event = race()
    for changes, _, _ in apart.values():
        event |= changes
    if apart:
        found = faults_of(game(event))
        assert {f"events[0].{path}" for _, path, _ in apart.values()} <= found.keys()


def places(node: Any, path: Path = ()) -> list[Path]:
    here = [path]
    if isinstance(node, dict):
        here += [p for key, inner in node.items() for p in places(inner, (*path, key))]
    if isinstance(node, list):
        here += [p for i, inner in enumerate(node) for p in places(inner, (*path, i))]
    return here


def put(data: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    data = copy.deepcopy(data)
    node = data
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return data


def is_judged(data: object) -> bool:
    """Loaded, or refused with a reason for each fault."""
    try:
        load_game(data)
    except DefinitionFaults as refused:
        return bool(refused.faults) and all(fault.message for fault in refused.faults)
    return True


ANNOTATED = example("annotated")
PLACES = [path for path in places(ANNOTATED) if "metadata" not in path]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@settings(deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_r3_any_json_anywhere_is_loaded_or_refused(path: Path, value: Any):
    data = put(ANNOTATED, path, value)
    assert is_judged(data)


@settings(deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_r3_two_unknown_fields_are_both_told_wherever_they_stand(one: Path, other: Path):
    data, expected = copy.deepcopy(ANNOTATED), set()
    for path, name in ((one, "zz_one"), (other, "zz_other")):
        node = data
        for step in path:
            node = node[step]
        if isinstance(node, dict) and path[-1:] not in (("parameters",), ("states",)):
            node[name] = 1
            expected.add(name)
    if expected:
        assert {path.rpartition(".")[2] for path in faults_of(data)} == expected


@settings(deadline=None)
@given(JSON)
def test_r3_any_json_is_loaded_or_refused(data: Any):
    assert is_judged(data)


def test_a_sound_game_next_to_many_faulty_ones_loads_afterwards():
    """Nothing of a refused file is kept."""
    faults_of(game(race(metrics=7)))
    assert load(race()).game.events[0].key == "race"
