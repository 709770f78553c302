"""What a game adds to the language of definitions before its file is read (R-39)."""

from __future__ import annotations

from kraty_actors.definitions.blocks import PARAMS, BlockParams
from kraty_actors.definitions.bots import (
    BehaviourSequence,
    BehaviourSingle,
    BehaviourStateMachine,
    BotDefinition,
    State,
    Step,
)
from kraty_actors.definitions.game import GameFile

_HOLDERS = (Step, State, BehaviourSingle, BehaviourSequence, BehaviourStateMachine, BotDefinition, GameFile)
"""Whatever has a block somewhere in it, the inner before the outer."""


def define_block(name: str, params: type[BlockParams]) -> None:
    """Let definitions name a block, with these parameters.

    Raises:
        ValueError: the name is taken by another block.
    """
    if PARAMS.setdefault(name, params) is not params:
        raise ValueError(f"the block '{name}' is there already")
    _learn_blocks_anew()


def forget_block(name: str) -> None:
    """Take a block out of the language again."""
    del PARAMS[name]
    _learn_blocks_anew()


def _learn_blocks_anew() -> None:
    for model in _HOLDERS:
        model.model_rebuild(force=True)
