"""What a game adds to the language of definitions before its file is read (R-39)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field, create_model

from kraty_actors.definitions.anti_cheat import VALIDATORS, AntiCheat, Validator, ValidatorParams
from kraty_actors.definitions.base import Model
from kraty_actors.definitions.blocks import PARAMS, BlockParams
from kraty_actors.definitions.bots import (
    BehaviourSequence,
    BehaviourSingle,
    BehaviourStateMachine,
    BotDefinition,
    State,
    Step,
)
from kraty_actors.definitions.events import EventDefinition
from kraty_actors.definitions.game import GameFile
from kraty_actors.definitions.scalars import KEY

_WITH_BLOCKS = (Step, State, BehaviourSingle, BehaviourSequence, BehaviourStateMachine, BotDefinition, GameFile)
"""Whatever has a block somewhere in it, the inner before the outer."""

_WITH_VALIDATORS = (AntiCheat, EventDefinition, GameFile)
"""Whatever has a validator somewhere in it, the inner before the outer."""


def define_block(name: str, params: type[BlockParams]) -> None:
    """Let definitions name a block, with these parameters.

    Raises:
        ValueError: the name is taken by another block.
    """
    if PARAMS.setdefault(name, params) is not params:
        raise ValueError(f"the block '{name}' is there already")
    _learn_anew(_WITH_BLOCKS)


def forget_block(name: str) -> None:
    """Take a block out of the language again."""
    del PARAMS[name]
    _learn_anew(_WITH_BLOCKS)


def define_validator(key: str, params: type[ValidatorParams]) -> None:
    """Let events name a validator, with these parameters (R-49).

    Raises:
        ValueError: the key is no key, or is taken by another validator.
    """
    known = VALIDATORS.get(key)
    if known is not None:
        if known.model_fields["params"].annotation is params:
            return
        raise ValueError(f"the validator '{key}' is there already")
    if not re.fullmatch(KEY, key, re.ASCII):
        raise ValueError(f"{key!r} is no key: 1 to 64 letters, digits and _ . : - after a first letter or digit")
    only: Any = Literal[key]
    VALIDATORS[key] = create_model(
        f"Validator_{key}",
        __base__=Validator,
        __doc__="A validator of the game's own.",
        key=(only, ...),
        params=(params, Field(default_factory=dict, validate_default=True, description="Its parameters.")),
    )
    _learn_anew(_WITH_VALIDATORS)


def forget_validator(key: str) -> None:
    """Take a validator out of the language again."""
    del VALIDATORS[key]
    _learn_anew(_WITH_VALIDATORS)


def _learn_anew(holders: Iterable[type[Model]]) -> None:
    for model in holders:
        model.model_rebuild(force=True)
