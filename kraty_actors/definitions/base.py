"""The base of every definition: what all of them share about absent fields, unknown fields and spelling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema


@dataclass
class Reading:
    """The context of one reading of a document.

    `models` remembers which model met which JSON object (by identity), so that a complaint about an unknown
    field can name the known ones. `recovering` lets required fields be absent: their documented example stands
    in, so that what lies beside a fault can still be judged.
    """

    recovering: bool = False
    models: dict[int, type[Model]] = field(default_factory=dict)


SPELLINGS = {"behavior": "behaviour"}
"""Fields that may be written otherwise."""


class Model(BaseModel):
    """A frozen piece of a definition. JSON is camelCase, unknown fields are refused, `null` is absent (R-1, R-2)."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        use_attribute_docstrings=True,
        defer_build=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _take_what_is_given(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict):
            return data
        given = {name: value for name, value in data.items() if value is not None}
        for other, name in SPELLINGS.items():
            if other in given and name not in given:
                given[name] = given.pop(other)
        if isinstance(info.context, Reading):
            info.context.models[id(data)] = cls
            if info.context.recovering:
                given |= cls._examples_of_required(given)
        return given

    @classmethod
    def _examples_of_required(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        return {
            info.alias: info.examples[0]
            for info in cls.model_fields.values()
            if info.is_required() and info.alias and info.examples and info.alias not in given
        }

    def as_defined(self) -> dict[str, Any]:
        """The JSON that the author wrote: camelCase, only what was given, aliases settled."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def has(self, *names: str) -> bool:
        """Whether the author gave all of these fields (attribute names)."""
        return self.model_fields_set.issuperset(names)


@dataclass(frozen=True)
class Ref:
    """Marks a field that names something defined elsewhere, by `key` or by `id`.

    Args:
        kind: the list that holds the definitions: `"bundles"`, `"metrics"`, ...
        optional: a name that leads nowhere is a warning, not a fault.
    """

    kind: str
    optional: bool = False


@dataclass(frozen=True)
class OneOf:
    """Marks a union of models that are told apart by a literal field, such as `type`.

    Unlike pydantic's own, it complains in one plain message, and the tags that it leaves in the location of an
    error wear angle brackets, which no field does, so that they can be taken out again.
    """

    field: str
    default: str | None = None

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {
            f"<{tag}>": handler.generate_schema(model)
            for model in self.models(union)
            for tag in get_args(model.model_fields[self.field].annotation)
        }
        known = ", ".join(f"'{tag[1:-1]}'" for tag in choices)
        return core_schema.tagged_union_schema(
            choices,
            self._tag,
            custom_error_type="one_of",
            custom_error_message="one of {known}",
            custom_error_context={"field": self.field, "known": known},
            serialization=core_schema.simple_ser_schema("any"),
        )

    def models(self, union: Any) -> Sequence[type[Model]]:
        """The alternatives, in the order in which a complaint lists them."""
        return get_args(union)

    def _tag(self, data: Any) -> str | None:
        if not isinstance(data, dict):
            return None
        tag = data.get(self.field)
        return f"<{self.default if tag is None else tag}>"
