"""The JSON Schema says what loads (R-2), as far as a schema can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from small_games import example, game, race

from kraty_actors.definitions import (
    AvailabilityRecurring,
    BotDefinition,
    EventDefinition,
    GameFile,
    Model,
    json_schema,
)

SCHEMA = json_schema()
OBJECTS = {"GameFile": SCHEMA, **SCHEMA["$defs"]}


def models(model: type[Model] = Model) -> Iterator[type[Model]]:
    for inner in model.__subclasses__():
        yield inner
        yield from models(inner)


def test_it_is_draft_2020_12_and_plain_json():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("name", OBJECTS)
def test_every_object_is_described_and_closed_to_unknown_fields(name: str):
    definition = OBJECTS[name]
    assert definition["additionalProperties"] is False
    assert name.startswith("_") or definition["description"]
    for field, schema in definition.get("properties", {}).items():
        assert schema.get("description"), f"{name}.{field}"
        assert "_" not in field


@pytest.mark.parametrize(
    ("model", "name"), [(EventDefinition, "metrics"), (GameFile, "gameId"), (BotDefinition, "key")]
)
def test_only_what_is_required_is_required(model: type[Model], name: str):
    assert name in OBJECTS[model.__name__]["required"]


def test_r1_what_may_be_absent_may_be_null():
    for name, definition in OBJECTS.items():
        optional = definition.get("properties", {}).keys() - set(definition.get("required", ()))
        for field in optional - {"behaviour", "behavior"}:
            assert {"type": "null"} in definition["properties"][field]["anyOf"], f"{name}.{field}"


@pytest.mark.parametrize("model", sorted(set(models()), key=lambda m: m.__name__), ids=lambda m: m.__name__)
def test_every_required_field_has_an_example_that_is_valid(model: type[Model]):
    """Examples stand in for what is at fault, so that the rest can be judged."""
    for info in model.model_fields.values():
        is_tag = info.is_required() and "Literal" in str(info.annotation) and not info.examples
        assert not info.is_required() or info.examples or is_tag, info.alias
    required = {i.alias: i.examples[0] for i in model.model_fields.values() if i.examples}
    tags = {
        i.alias: i.annotation.__args__[0] for i in model.model_fields.values() if i.is_required() and not i.examples
    }
    model.model_validate(required | tags)


@pytest.fixture
def validator() -> Any:
    return pytest.importorskip("jsonschema").Draft202012Validator(SCHEMA)


@pytest.mark.parametrize(
    "data",
    [
        example("annotated"),
        game(example("trail_of_triumph")),
        game(race(**example("anti_cheat")), race(**example("contributes_to"))),
        game(race(leaderboard={"mode": "global_segmented", "scoreAggregation": "last"}, name={"en": "Race"})),
        game(bots=[{"key": "b", "behavior": {"block": "wait", "params": {"seconds": 5}}}]),
        {"$schema": "./game.schema.json", **game(race())},
    ],
)
def test_what_loads_is_valid(validator: Any, data: Any):
    assert [error.json_path for error in validator.iter_errors(data)] == []


@pytest.mark.parametrize(
    "data",
    [
        game(race(colour="red")),
        game(race(metrics=[])),
        game(race(scheduleAheadDays=366)),
        game(race(metrics=[{"key": "a", "target": True}])),
        game(bots=[{"key": "b"}]),
        game(bots=[{"key": "b", "behaviour": {"block": "idle"}, "behavior": {"block": "idle"}}]),
        game(bots=[{"key": "b", "behaviour": {"block": "idle", "params": {"seconds": 5}}}]),
        {},
    ],
)
def test_what_is_of_another_shape_is_not_valid(validator: Any, data: Any):
    assert not validator.is_valid(data)


def test_the_time_zone_of_a_calendar_may_be_left_to_the_settings():
    assert not AvailabilityRecurring.model_fields["timezone"].is_required()
