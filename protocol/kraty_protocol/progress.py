"""The one hot message, checked by hand.

A progress write is most of what a game sends. Checking it here takes about a microsecond, its pydantic model
six times that. The verdicts are those of `kraty_protocol.messages.EventsProgress`, which the tests compare.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Literal, cast

from kraty_protocol.codec import number
from kraty_protocol.limits import ID_CHARS, MAX_WHOLE
from kraty_protocol.validation import InvalidFields, check_player_id

Mode = Literal["increment", "set"]

_KEYS = frozenset({"id", "op", "attemptId", "metrics", "metricValue", "mode", "seq", "idempotencyKey", "playerId"})


@dataclass(slots=True)
class Progress:
    """A progress write that may be applied as far as its form goes (R-8, R-15).

    Attributes:
        metrics: At least one metric with a finite value of 0..2^53 - 1, or None.
        metric_value: A value for the first metric of the event; given exactly if `metrics` is not.
        player_id: The player for whom a server or an operator writes; None from a player.
    """

    attempt_id: str
    metrics: dict[str, int | float] | None
    metric_value: int | float | None
    mode: Mode
    seq: int | None
    idempotency_key: str | None
    player_id: str | None

    @property
    def what(self) -> dict[str, int | float] | int | float:
        """What is written: values by metric, or the one value of the first metric."""
        return self.metrics if self.metrics is not None else cast("int | float", self.metric_value)

    @property
    def identity(self) -> int | str | None:
        """What tells a repetition from a new write: the seq, else the idempotency key, if there is one."""
        return self.seq if self.seq is not None else self.idempotency_key


def check_progress(role: str, frame: dict[str, Any]) -> Progress:
    """The fields of an `events.progress` frame, which it takes over (`id` and `op` are passed by).

    Raises:
        InvalidFields: For the first fault.
    """
    if not frame.keys() <= _KEYS:
        raise InvalidFields(next(key for key in frame if key not in _KEYS), "unknown field")
    get = frame.get
    player_id = None
    if role != "player" or "playerId" in frame:
        player_id = _player_id(role, frame)
    metrics, value = get("metrics"), get("metricValue")
    if metrics is not None:
        if value is not None:
            raise InvalidFields("metricValue", "only one of metrics and metricValue")
        _check_metrics(metrics)
    elif value is None:
        raise InvalidFields("metrics", "metrics or metricValue is required")
    else:
        value = _value("metricValue", value)
    seq, key, mode = get("seq"), get("idempotencyKey"), get("mode")
    if seq is not None:
        seq = _seq(seq)
        if key is not None:
            raise InvalidFields("idempotencyKey", "only one of seq and idempotencyKey")
    elif key is not None:
        key = _text("idempotencyKey", key)
    mode = "increment" if mode is None else _mode(mode)
    return Progress(_text("attemptId", get("attemptId")), metrics, value, mode, seq, key, player_id)


def _check_metrics(metrics: Any) -> None:
    if metrics.__class__ is not dict or not metrics:
        raise InvalidFields("metrics", "a map of at least one metric")
    for key, value in metrics.items():
        if value.__class__ is not int or not 0 <= value <= MAX_WHOLE:
            metrics[key] = _value(f"metrics.{key}", value)


def _value(path: str, value: Any) -> int | float:
    if (value.__class__ is int or value.__class__ is float) and 0 <= value <= MAX_WHOLE:  # false for NaN
        return number(value)
    raise InvalidFields(path, "a finite number of 0..2^53 - 1")


def _seq(value: Any) -> int:
    if value.__class__ is float:
        value = number(value)
    if value.__class__ is not int or not 1 <= value <= MAX_WHOLE:
        raise InvalidFields("seq", "a whole number of 1..2^53 - 1")
    return value


def _text(path: str, value: Any) -> str:
    if value.__class__ is not str or not 0 < len(value) <= ID_CHARS:
        raise InvalidFields(path, f"text of 1..{ID_CHARS} characters")
    return value


def _mode(value: Any) -> Mode:
    if value != "increment" and value != "set":
        raise InvalidFields("mode", "increment or set")
    return cast("Mode", value)


def _player_id(role: str, frame: dict[str, Any]) -> str:
    check_player_id(role, frame, required=True)
    value = _text("playerId", frame["playerId"])
    if any(unicodedata.category(char) == "Cc" for char in value):
        raise InvalidFields("playerId", "no control characters")
    return value
