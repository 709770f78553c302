"""How a game adds validators of its own (R-49)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from kraty_actors.definitions import ValidatorParams
from kraty_actors.definitions.registration import define_validator
from kraty_actors.domain.validators.evidence import Evidence, Verdict

Function: TypeAlias = Callable[[Evidence, Any], Verdict | str | None]

FUNCTIONS: dict[str, Function] = {}
"""The validators of the game's own, by key."""


def register_validator(key: str, function: Function, params: type[ValidatorParams] | None = None) -> None:
    """Make a validator known to definitions, before any game is read.

    Args:
        key: what definitions call it, as `antiCheat.validators[].key`.
        function: takes the `Evidence` of a write and its parameters. It gives None if it has no objection, a reason,
            which counts as the `verdict` of its parameters (by default `flag`), or a `Verdict`. It must depend on
            nothing else: no clock, no chance, nothing that it remembers.
        params: its parameters; by default it takes nothing but `verdict`.

    Raises:
        ValueError: the key is no key, or is taken by another validator.
    """
    if FUNCTIONS.get(key, function) is not function:
        raise ValueError(f"the validator '{key}' is there already")
    define_validator(key, params or ValidatorParams)
    FUNCTIONS[key] = function
