"""Game files as text: strict JSON, whose faults have a line or a path (R-3)."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_games import by_path, game, load, race

from kraty_actors.definitions import DefinitionFaults, load_game_text


def refused(text: str) -> dict[str, str]:
    with pytest.raises(DefinitionFaults) as raised:
        load_game_text(text)
    return by_path(raised.value.faults)


def test_text_loads_like_data():
    data = game(race())
    assert load_game_text(json.dumps(data)) == load(race())


def test_where_an_editor_finds_the_schema_is_no_part_of_the_game():
    text = json.dumps({"$schema": "./game.schema.json"} | game(race()))
    assert load_game_text(text).warnings == ()
    assert load_game_text(text).game.as_defined() == load(race()).game.as_defined()


@pytest.mark.parametrize("address", [7, "", ["./game.schema.json"]])
def test_where_an_editor_finds_the_schema_is_text(address: object):
    assert list(refused(json.dumps({"$schema": address} | game(race())))) == ["$schema"]


def test_only_the_file_as_a_whole_has_a_schema():
    event = race() | {"$schema": "./event.schema.json"}
    assert list(refused(json.dumps(game(event)))) == ["events[0].$schema"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "line 1 column 1"),
        ("{", "line 1 column 2"),
        ('{"gameId": "arena",\n  "events": [}', "line 2 column 14"),
        ("{'gameId': 'arena'}", "line 1 column 2"),
        ("// a comment\n{}", "line 1 column 1"),
        ('{"gameId": "arena"} {}', "line 1 column 21"),
    ],
)
def test_text_that_is_no_json_is_one_fault_at_its_line(text: str, path: str):
    assert list(refused(text)) == [path]


def test_a_key_that_is_there_twice_is_a_fault_at_its_path():
    metric = '{"key": "m", "cap": 1, "cap": 2, "cap": 3}'
    text = '{"gameId": "a", "events": [{"key": "x", "metrics": [' + metric + ']}], "gameId": "b"}'
    assert refused(text) == {"gameId": "is there twice", "events[0].metrics[0].cap": "is there twice"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("where", ['"seed": %s', '"timezone": %s', '"unknown": %s'])
def test_numbers_that_json_does_not_have_are_faults(number: str, where: str):
    assert len(refused('{"gameId": "a", "settings": {' + where % number + "}}")) == 1


def test_numbers_of_thousands_of_digits_are_a_fault():
    assert "too many digits" in refused('{"gameId": ' + "9" * 5_000 + "}")[""]


@pytest.mark.parametrize("levels", [100, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_a_fault(levels: int, opening: str, closing: str):
    text = '{"gameId": "a", "settings": ' + opening * levels + "1" + closing * levels + "}"
    assert any("deep" in message for message in refused(text).values())


def test_deep_nesting_hides_no_other_fault():
    condition = {"type": "all", "conditions": []}
    for _ in range(500):
        condition = {"type": "not", "condition": condition}
    found = refused(json.dumps(game(race(unlockCondition=condition, attempt={"maxAttempts": 2}))))
    assert "events[0].attempt.maxAttempts" in found
    assert sum("nested more than 32 levels deep" in message for message in found.values()) == 1


@settings(deadline=None)
@given(st.text())
def test_any_text_is_loaded_or_refused(text: str):
    assert refused(text)


@settings(deadline=None)
@given(st.data())
def test_a_file_that_was_cut_or_altered_is_loaded_or_refused(data: st.DataObject):
    text = json.dumps(game(race()))
    at = data.draw(st.integers(0, len(text)))
    altered = text[:at] + data.draw(st.text(max_size=2)) + text[at + data.draw(st.integers(0, 3)) :]
    with contextlib.suppress(DefinitionFaults):
        load_game_text(altered)
