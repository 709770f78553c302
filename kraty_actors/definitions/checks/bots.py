"""Bots: behaviours that can run to their end, and targets for those that need one (R-38)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kraty_actors.definitions.blocks import PARAMS
from kraty_actors.definitions.bots import (
    BehaviourSequence,
    BehaviourStateMachine,
    BotDefinition,
    Step,
)
from kraty_actors.definitions.events import EventDefinition
from kraty_actors.definitions.expressions import check_expression
from kraty_actors.definitions.findings import Place
from kraty_actors.definitions.plain_english import listed

EXPRESSION_NAMES = (
    "elapsedSeconds",
    "remainingSeconds",
    "stateSeconds",
    "ticks",
    "score",
    "rank",
    "leaderScore",
    "target",
)


def check_bot(bot: BotDefinition, place: Place) -> None:
    """Every step and every state can be reached, and every way out can be read."""
    behaviour = place / "behaviour"
    if bot.names and bot.identity_pool:
        (place / "names").warn("is not used: the bot has an identity pool")
    match bot.behaviour:
        case BehaviourSequence(steps=steps):
            _check_sequence(steps, behaviour / "steps")
        case BehaviourStateMachine() as machine:
            _check_machine(machine, behaviour)


def _check_sequence(steps: Sequence[Step], at: Place) -> None:
    for i, step in enumerate(steps[:-1]):
        if not PARAMS[step.block].ends:
            (at / i / "block").fault(f"'{step.block}' never ends, so only the last step may be it")


def _check_machine(machine: BehaviourStateMachine, at: Place) -> None:
    states = at / "states"
    known, because = f"known: {listed(list(machine.states))}", [states]
    if machine.initial not in machine.states:
        (at / "initial").fault(f"no state '{machine.initial}'; {known}", because)
    for name, state in machine.states.items():
        for i, transition in enumerate(state.transitions):
            out = states / name / "transitions" / i
            if transition.to not in machine.states:
                (out / "to").fault(f"no state '{transition.to}'; {known}", because)
            fault = check_expression(transition.when.expr, EXPRESSION_NAMES, "condition")
            if fault:
                (out / "when" / "expr").fault(fault)


def missing_aim(bot: BotDefinition) -> str | None:
    """The parameter without which the bot aims for the event's largest metric target, if there is one."""
    for step in bot.steps():
        aim = PARAMS[step.block].aims_at
        if aim and getattr(step.params, aim) is None:
            return type(step.params).model_fields[aim].alias
    return None


def check_aims(event: EventDefinition, aims: dict[str, str], place: Place) -> None:
    """Bots that aim for the event's target are bound only to events that have one.

    Args:
        event: the event.
        aims: of each bot that needs a target, by any of its names, the parameter that it lacks.
        place: the event's.
    """
    if not event.is_score_attack:
        return
    because = list(_targets(event, place))
    for i, binding in enumerate(event.bot_bindings):
        if binding.bot_id in aims:
            message = f"bot '{binding.bot_id}' needs {aims[binding.bot_id]}: no metric of the event has a target"
            (place / "botBindings" / i / "botId").fault(message, because)


def _targets(event: EventDefinition, place: Place) -> Iterator[Place]:
    yield place / "metrics"
    for i in range(len(event.metrics)):
        yield place / "metrics" / i / "target"
