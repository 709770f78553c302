"""What the fields of operations are made of: names, numbers, instants, bags, and the base of all models.

Attributes are snake_case, wire fields camelCase. A field that is null is as good as absent, an unknown one is
a fault, and a whole number may come as 3 or as 3.0.
"""

import json
import re
from collections.abc import Sequence
from math import isfinite
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from kraty_protocol.codec import number
from kraty_protocol.limits import BAG_BYTES, ID_CHARS, MAX_WHOLE, SCALAR_CHARS, TEXT_CHARS
from kraty_protocol.shapes import parse_iso

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LAST_INSTANT_MS = 253_402_300_799_999


def fault(path: str, message: str) -> PydanticCustomError:
    """A fault that lies between fields; it is told at one of them."""
    return PydanticCustomError("fields", "{message}", {"path": path, "message": message})


def each_once(path: str, names: Sequence[str]) -> None:
    """Refuse a list that names one twice, at its second place."""
    seen: set[str] = set()
    for at, name in enumerate(names):
        if name in seen:
            raise fault(f"{path}[{at}]", f"'{name}' is named twice")
        seen.add(name)


def _whole(value: Any) -> Any:
    return number(value) if isinstance(value, float) else value


def _finite(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool) and -MAX_WHOLE <= value <= MAX_WHOLE:
        return number(value)
    raise PydanticCustomError("number", "a finite number within 2^53 - 1 of 0")


def _metric_value(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_WHOLE:
        return number(value)
    raise PydanticCustomError("metric_value", "a finite number of 0..2^53 - 1")


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | bool | int | float):
        raise PydanticCustomError("scalar", "text, a number, true or false")
    if isinstance(value, str) and len(value) > SCALAR_CHARS:
        raise PydanticCustomError("scalar", f"text of at most {SCALAR_CHARS} characters")
    # A greater whole float has no integer that could travel in its place.
    return number(_json(value)) if isinstance(value, float) and abs(value) <= MAX_WHOLE else _json(value)


def _json(value: Any) -> Any:
    """Refuse what MessagePack can carry and JSON cannot, or the other way round."""
    if isinstance(value, dict):
        for item in value.values():
            _json(item)
    elif isinstance(value, list):
        for item in value:
            _json(item)
    elif isinstance(value, bytes) or (isinstance(value, float) and not isfinite(value)):
        raise PydanticCustomError("json", "not JSON: binary data, NaN or an infinity")
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise PydanticCustomError("json", "a whole number over 64 bits")
    return value


def _small(bag: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(bag, ensure_ascii=False, separators=(",", ":")).encode()) > BAG_BYTES:
        raise PydanticCustomError("bag", f"at most {BAG_BYTES} bytes of JSON")
    return bag


def _instant(value: Any) -> int:
    if isinstance(value, str) and _RFC_3339.fullmatch(value):
        try:
            at_ms = parse_iso(value)
        except (ValueError, OverflowError):
            raise PydanticCustomError("instant", "no date and time that exists") from None
        if 0 <= at_ms <= _LAST_INSTANT_MS:
            return at_ms
    raise PydanticCustomError("instant", "an instant with a zone, such as 2026-11-22T20:00:00.000Z")


def _period(value: Any) -> Any:
    return value if value == "current" else _instant(value)


Id = Annotated[str, Field(min_length=1, max_length=ID_CHARS)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
PlayerId = Annotated[str, Field(pattern=r"^[^\p{Cc}]{1,64}$")]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS, pattern=r"^[^\p{Cc}]*$")]
Whole = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=MAX_WHOLE)]
Positive = Annotated[Whole, Field(ge=1)]
Finite = Annotated[int | float, PlainValidator(_finite)]
MetricValue = Annotated[int | float, PlainValidator(_metric_value)]
Scalar = Annotated[str | bool | int | float, PlainValidator(_scalar)]
Instant = Annotated[int, PlainValidator(_instant)]
"""Milliseconds since the Unix epoch; on the wire RFC 3339 with a zone, in the years 1970..9999."""
Period = Annotated[Literal["current"] | int, PlainValidator(_period)]
"""Of a shared board: the one that is open, or the one that began at an instant."""
Document = Annotated[dict[str, Any], AfterValidator(_json)]
Bag = Annotated[Document, AfterValidator(_small)]


class Fields(BaseModel):
    """The fields of one operation, beside `id` and `op`.

    Attributes:
        null_counts: Wire names of the fields in which null is a value of its own, not an absence.
    """

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)
    null_counts: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        optional = {field.alias for field in cls.model_fields.values()} - cls.null_counts
        return {key: value for key, value in given.items() if value is not None or key not in optional}


class ForPlayer(Fields):
    """Fields of an operation that one player does, or that is done to one player.

    Servers and operators name the player in `playerId`; for a player, whom the token names, it is an unknown
    field.
    """

    player_id: PlayerId | None = None


class Page(Fields):
    """A page of a list, newest first; `after` is the `next` of the page before."""

    limit: Annotated[Positive, Field(le=200)] = 50
    after: Id | None = None
