"""The JSON Schema of the game file (draft 2020-12), for editors and for who writes game files by program.

It says what a file looks like; what must agree across a file (references, tiers, seats) only `load_game` tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from kraty_actors.definitions.base import SPELLINGS, Model
from kraty_actors.definitions.blocks import PARAMS
from kraty_actors.definitions.game import GameFile

Schema = dict[str, Any]


def json_schema() -> Schema:
    """The schema of a game file; each object in it is described, and closed to unknown fields."""
    schema = GameFile.model_json_schema(by_alias=True, schema_generator=_Generator)
    for definition in (schema, *schema["$defs"].values()):
        _describe_tags(definition)
        _choose_params(definition)
        _allow_null(definition)
        _allow_spellings(definition)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # "Capattarget" helps nobody

    def encode_default(self, default: Any) -> Any:
        if isinstance(default, Model):
            return default.model_dump(mode="json", by_alias=True, exclude_none=True)
        return super().encode_default(default)

    def sort(self, value: Any, parent_key: str | None = None) -> Any:
        return value  # in the order of definition


def _fields(definition: Schema) -> Iterator[tuple[str, Schema]]:
    yield from list(definition.get("properties", {}).items())


def _describe_tags(definition: Schema) -> None:
    """What tells an alternative from the others is described by what that alternative does."""
    for _, field in _fields(definition):
        if "description" not in field:
            field["description"] = definition["description"]


def _choose_params(definition: Schema) -> None:
    """The parameters of a block are those of the block that stands beside them."""
    if "block" not in definition.get("properties", {}):
        return
    definition["properties"]["params"] = {"description": "The block's parameters.", "type": "object"}
    definition["allOf"] = [
        {
            "if": {"properties": {"block": {"const": block}}},
            "then": {"properties": {"params": {"$ref": f"#/$defs/{params.__name__}"}}},
        }
        for block, params in PARAMS.items()
    ]


def _allow_null(definition: Schema) -> None:
    """`null` is the same as absent wherever a field may be absent."""
    required = definition.get("required", ())
    for name, field in _fields(definition):
        if name in required or {"type": "null"} in field.get("anyOf", ()):
            continue
        about = {word: field.pop(word) for word in ("default", "description", "examples") if word in field}
        either: Schema = {"anyOf": [field, {"type": "null"}]}
        definition["properties"][name] = either | about


def _allow_spellings(definition: Schema) -> None:
    """Fields that may be written otherwise stand under one of their names."""
    fields = definition.get("properties", {})
    for other, name in SPELLINGS.items():
        if name in fields:
            fields[other] = fields[name]
            definition["required"].remove(name)
            definition["oneOf"] = [{"required": [name]}, {"required": [other]}]
