"""Numbers that every client holds exactly: within +-(2^53 - 1), whole ones as `int`, and one zero."""

from __future__ import annotations

from kraty_actors.definitions.scalars import MAX_WHOLE

VALUE_MAX, VALUE_MIN = MAX_WHOLE, -MAX_WHOLE

Number = int | float


def clamped(value: Number) -> Number:
    """The nearest value within +-(2^53 - 1), as `whole` gives it."""
    if not VALUE_MIN <= value <= VALUE_MAX:
        return VALUE_MAX if value > 0 else VALUE_MIN
    return whole(value)


def whole(value: Number) -> Number:
    """3.0 is 3 and -0.0 is 0; what is not whole stays as it is."""
    if type(value) is float and value.is_integer():
        return int(value)
    return value
