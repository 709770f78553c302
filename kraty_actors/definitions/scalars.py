"""Numbers, texts and instants as definitions take them: exact types, one message that says what is right.

JSON has no dates and one kind of number, and Python takes `True` for 1; so each kind of scalar says here, once,
what it accepts, how it complains and how it looks in the JSON Schema.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, Strict
from pydantic_core import PydanticCustomError, core_schema

MAX_WHOLE = 2**53 - 1
"""The largest whole number that every JSON reader holds exactly."""
MAX_SECONDS = 100 * 366 * 86_400
"""A century: the longest duration that a definition may name."""
MAX_TEXT = 256
MAX_BAG_BYTES = 16 * 1024
KEY = r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}"
METRIC_KEY = r"[A-Za-z_][A-Za-z0-9_]{0,63}"

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_9999_MS = 253_370_764_800_000


def refuse(message: str) -> PydanticCustomError:
    """A fault with a message of ours: braces are taken literally."""
    return PydanticCustomError("definition", "{message}", {"message": message})


class Scalar:
    """A plain check with a JSON Schema beside it."""

    def check(self, value: Any) -> Any:
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self.json_schema()


@dataclass(frozen=True)
class Whole(Scalar):
    """A whole number from `low` to `high`; 3.0 is 3, true is not 1."""

    low: int = 0
    high: int = MAX_WHOLE

    def check(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise refuse(f"must be a whole number {self._range()}")
        return value

    def _range(self) -> str:
        return f"of at least {self.low}" if self.high == MAX_WHOLE else f"from {self.low} to {self.high}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Number(Scalar):
    """A finite number between the bounds, whole ones kept as `int`; `above` leaves the lower bound itself out."""

    low: float = -MAX_WHOLE
    high: float = MAX_WHOLE
    above: bool = False

    def check(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self._within(value):
            raise refuse(f"must be a number{self._range()}")
        return int(value) if float(value).is_integer() else value

    def _within(self, value: float) -> bool:
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def _range(self) -> str:
        if self.low == -MAX_WHOLE:
            return " within 2^53 - 1 of 0"
        low = f" above {self.low:g}" if self.above else f" of at least {self.low:g}"
        return low if self.high == MAX_WHOLE else f"{low} and at most {self.high:g}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "exclusiveMinimum" if self.above else "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Text(Scalar):
    """Text of a limited length without NUL or lone surrogates, of a given shape if there is a `pattern`."""

    longest: int = MAX_TEXT
    pattern: str | None = None
    shape: str = ""

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= self.longest or not is_valid_text(value):
            raise refuse(self._wanted())
        if self.pattern and not re.fullmatch(self.pattern, value, re.ASCII):
            raise refuse(self._wanted())
        return value

    def _wanted(self) -> str:
        return f"must be {self.shape}" if self.shape else f"must be text of 1 to {self.longest} characters"

    def json_schema(self) -> dict[str, Any]:
        bounds: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": self.longest}
        return bounds | ({"pattern": f"^{self.pattern}$"} if self.pattern else {})


def is_valid_text(text: str) -> bool:
    """Valid Unicode without NUL: what travels, and what every database holds."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


@dataclass(frozen=True)
class _Instant(Scalar):
    """RFC 3339 with a zone, as milliseconds since the Unix epoch; finer fractions are cut off."""

    def check(self, value: Any) -> int:
        if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
            raise refuse("must be an instant with a zone, such as 2026-11-22T20:00:00Z or ...+01:00")
        try:
            since = datetime.fromisoformat(value.upper()) - _EPOCH
        except (ValueError, OverflowError):
            raise refuse("is no date and time that exists") from None
        instant_ms = (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
        if not 0 <= instant_ms < _YEAR_9999_MS:
            raise refuse("must lie between the years 1970 and 9998")
        return instant_ms

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.check, serialization=core_schema.plain_serializer_function_ser_schema(iso_instant)
        )


def iso_instant(instant_ms: int) -> str:
    """Milliseconds since the epoch as ISO 8601 UTC with milliseconds: `2026-11-22T20:00:00.000Z`."""
    seconds, ms = divmod(instant_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{ms:03d}Z"


@dataclass(frozen=True)
class _Zone(Scalar):
    """The name of a time zone in the IANA database."""

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or not _is_zone(value):
            raise refuse("must be an IANA time zone, such as 'UTC' or 'America/New_York'")
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def plain_json(value: dict[str, Any]) -> dict[str, Any]:
    """A bag of JSON that any client can be sent: at most 16 KiB, with numbers and text that travel."""
    for part in _parts(value):
        if isinstance(part, float) and not math.isfinite(part):
            raise refuse("holds a number that is not finite")
        if isinstance(part, int) and not -(2**63) <= part < 2**64:
            raise refuse("holds a whole number beyond 64 bits")
        if isinstance(part, str) and not is_valid_text(part):
            raise refuse("holds text that is not valid Unicode or has a NUL in it")
        if not isinstance(part, str | int | float | dict | list | None):
            raise refuse(f"holds something that JSON does not know: {type(part).__name__}")
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_BAG_BYTES:
        raise refuse("must be at most 16 KiB of JSON")
    return value


def _parts(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)


@dataclass(frozen=True)
class _Name(Text):
    """A name for people: text, or `{"en": text}`."""

    def check(self, value: Any) -> str:
        return super().check(value["en"] if isinstance(value, dict) and value.keys() == {"en"} else value)

    def json_schema(self) -> dict[str, Any]:
        text = super().json_schema()
        english = {"type": "object", "properties": {"en": text}, "required": ["en"], "additionalProperties": False}
        return {"anyOf": [text, english]}


Flag = Annotated[bool, Strict()]
Instant = Annotated[int, _Instant()]
Zone = Annotated[str, _Zone()]
Seconds = Annotated[int, Whole(1, MAX_SECONDS)]
Ratio = Annotated[float, Number(0, 1)]
Key = Annotated[str, Text(64, KEY, "a key: 1 to 64 letters, digits and _ . : - after a first letter or digit")]
MetricKey = Annotated[str, Text(64, METRIC_KEY, "a metric key: 1 to 64 letters, digits and _, with no digit first")]
MetricName = Annotated[
    str,
    Text(
        64, r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}", "the key or the id of a metric: 1 to 64 letters, digits and _ . : -"
    ),
]
ShortText = Annotated[str, Text()]
Name = Annotated[str, _Name(shape=f'text of 1 to {MAX_TEXT} characters, or {{"en": text}}')]
Bag = Annotated[dict[str, Any], AfterValidator(plain_json)]
