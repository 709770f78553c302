"""Behaviours made ready to run: every composer is a set of states, each with a block and ways on (R-38).

`single` is one state. In a `sequence` each state leads to the next once its block is settled; in a `state_machine`
conditions lead on. They are made once for each revision of an event and shared by all its boards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from kraty_actors.definitions import BehaviourSequence, BehaviourSingle, BehaviourStateMachine, BotDefinition, Step
from kraty_actors.definitions.bots import Transition
from kraty_actors.definitions.checks.bots import EXPRESSION_NAMES
from kraty_actors.domain.bots.blocks import Block, FollowingBlock, TimedBlock
from kraty_actors.domain.bots.registry import BLOCKS
from kraty_actors.domain.expressions import compile_condition
from kraty_actors.domain.numbers import Number

TIMES = ("elapsedSeconds", "remainingSeconds", "stateSeconds", "ticks")
"""The names in conditions that change while nothing happens."""


@dataclass(slots=True, frozen=True)
class WayOut:
    """A transition: `holds` takes the values of `names`, in that order."""

    names: tuple[str, ...]
    holds: Callable[[Sequence[Number]], bool]
    to: int

    @classmethod
    def of(cls, transition: Transition, index: dict[str, int]) -> WayOut:
        spoken_of = re.findall(r"[A-Za-z]\w*", transition.when.expr)
        names = tuple(name for name in EXPRESSION_NAMES if name in spoken_of)
        return cls(names, compile_condition(transition.when.expr, names), index[transition.to])


@dataclass(frozen=True)
class State:
    """A block, the state to enter once it is settled, and the ways out by condition."""

    block: Block[Any]
    then: int | None = None
    ways_out: tuple[WayOut, ...] = ()

    @cached_property
    def watches(self) -> bool:
        """Whether it has to be looked at at every tick at which anything may have changed."""
        return bool(self.ways_out) or isinstance(self.block, FollowingBlock)

    @cached_property
    def moves_by_time_alone(self) -> bool:
        return isinstance(self.block, TimedBlock) and not self.ways_out

    @cached_property
    def is_curve(self) -> bool:
        """Whether its score changes with time before it is settled."""
        return isinstance(self.block, TimedBlock) and type(self.block).score is not TimedBlock.score

    @cached_property
    def is_restless(self) -> bool:
        """Whether time alone may open a way out."""
        return any(name in TIMES for way in self.ways_out for name in way.names)


@dataclass(frozen=True)
class Behaviour:
    """The states of one bot, and the first of them."""

    states: tuple[State, ...]
    initial: int = 0

    @cached_property
    def watches(self) -> bool:
        """Whether any of its states does."""
        return any(state.watches for state in self.states)

    @classmethod
    def of(cls, bot: BotDefinition, target: Number) -> Behaviour:
        """Ready to run in an event whose largest metric target is `target`, 0 without one."""
        match bot.behaviour:
            case BehaviourSingle() as only:
                return cls((State(_block(only, target)),))
            case BehaviourSequence(steps=steps):
                last = len(steps) - 1
                return cls(tuple(State(_block(s, target), i + 1 if i < last else None) for i, s in enumerate(steps)))
            case BehaviourStateMachine() as machine:
                return cls._of_machine(machine, target)

    @classmethod
    def _of_machine(cls, machine: BehaviourStateMachine, target: Number) -> Behaviour:
        index = {name: i for i, name in enumerate(machine.states)}
        states = (
            State(_block(state, target), ways_out=tuple(WayOut.of(way, index) for way in state.transitions))
            for state in machine.states.values()
        )
        return cls(tuple(states), index[machine.initial])


def _block(step: Step, target: Number) -> Block[Any]:
    aims_at = step.params.aims_at
    own = cast("Number | None", getattr(step.params, aims_at)) if aims_at else None
    return BLOCKS[step.block](step.params, target if own is None else own)
