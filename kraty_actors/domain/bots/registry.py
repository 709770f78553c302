"""Every block that runs, by name, and how a game adds its own (R-39)."""

from __future__ import annotations

from typing import Any

from kraty_actors.definitions import BlockParams
from kraty_actors.definitions.registration import define_block
from kraty_actors.domain.bots.at_writes import RandomStepWithFall
from kraty_actors.domain.bots.blocks import Block
from kraty_actors.domain.bots.following import MatchPlayerPace, TrackPosition
from kraty_actors.domain.bots.timed import Complete, CompleteAt, Idle, ProgressBurst, ProgressLinear, Quit, Wait

BLOCKS: dict[str, type[Block[Any]]] = {
    "idle": Idle,
    "wait": Wait,
    "progress_linear": ProgressLinear,
    "progress_burst": ProgressBurst,
    "track_position": TrackPosition,
    "match_player_pace": MatchPlayerPace,
    "complete_at": CompleteAt,
    "complete": Complete,
    "quit": Quit,
    "random_step_with_fall": RandomStepWithFall,
}


def register_block(name: str, block: type[Block[Any]], params: type[BlockParams]) -> None:
    """Make a block known to definitions and to bots, before any game is read.

    Args:
        name: what definitions call it.
        block: how it moves: a `TimedBlock`, a `FollowingBlock` or a `WriteBlock`.
        params: its parameters. `ends` says whether a sequence may go on after it; `aims_at` names the one that
            defaults to the event's largest metric target.

    Raises:
        ValueError: the name is taken by another block.
    """
    define_block(name, params)
    BLOCKS[name] = block
