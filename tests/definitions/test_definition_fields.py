"""Every field of every definition refuses what is of another kind or out of any range, and says which field it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from kraty_actors.definitions import Model

KINDS: dict[str, list[Any]] = {
    "flag": [True, False],
    "number": [-(2**53), -7.5, -1, 0, 0.5, 1, 60, 2**53 - 1],
    "text": ["", "a", "a b\n", "\ud800", "12:00", "2026-01-01T00:00:00Z", "UTC", "https://a.example/"],
    "list": [[], [[]], ["a"], [5]],
    "object": [{}, {"zz": 1}, {"key": None}],
}
OUT_OF_RANGE = [2**53, -(2**53), 10**400, float("nan"), float("inf"), -float("inf")]
NOT_JSON = [b"a", object()]
NO_DEFAULT = "default_factory_not_called"
"""What follows for a field whose default is taken from the one at fault. Nobody is told of it."""

TAKES_ANYTHING = {("ConditionPlayerAttribute", "value")}
"""What an attribute is compared with; which kinds are right depends on the operator, and is judged with it."""


def models(model: type[Model] = Model) -> Iterator[type[Model]]:
    for inner in model.__subclasses__():
        yield inner
        yield from models(inner)


def fields() -> list[Any]:
    own = {model for model in models() if model.__module__.startswith("kraty_actors.") and model.__name__[0] != "_"}
    found = sorted(own, key=lambda model: model.__name__)
    every = [(model, info) for model in found for info in model.model_fields.values()]
    return [
        pytest.param(model, info, id=f"{model.__name__}.{info.alias}")
        for model, info in every
        if (model.__name__, info.alias) not in TAKES_ANYTHING
    ]


def sound(model: type[Model]) -> dict[str, Any]:
    """What the model takes: all that has an example, and the tag that it is told by."""
    infos = model.model_fields.values()
    examples = {str(info.alias): info.examples[0] for info in infos if info.examples}
    tags = {str(info.alias): _tag(info) for info in infos if info.is_required() and not info.examples}
    return tags | examples


def _tag(info: FieldInfo) -> Any:
    assert info.annotation is not None
    return info.annotation.__args__[0]  # type: ignore[union-attr]


def takes(model: type[Model], field: str, value: Any) -> bool:
    """Whether the value is taken; what refuses it is the field, and nothing beside it."""
    blamed = set()
    try:
        model.model_validate({**sound(model), field: value})
    except ValidationError as refused:
        blamed = {error["loc"][0] for error in refused.errors() if error["type"] != NO_DEFAULT}
    assert blamed <= {field}, value
    return not blamed


@pytest.mark.parametrize(("model", "info"), fields())
def test_r3_a_field_takes_values_of_one_kind(model: type[Model], info: FieldInfo):
    taken = [kind for kind, values in KINDS.items() if any(takes(model, str(info.alias), value) for value in values)]
    assert len(taken) <= 1


@pytest.mark.parametrize(("model", "info"), fields())
def test_r3_a_field_takes_no_number_out_of_range_and_nothing_that_is_no_json(model: type[Model], info: FieldInfo):
    assert [value for value in [*OUT_OF_RANGE, *NOT_JSON] if takes(model, str(info.alias), value)] == []
