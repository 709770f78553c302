"""The players that come with a simulation. They know nothing of a game but the definition of its event."""

from __future__ import annotations

from collections.abc import Mapping

from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.numbers import Number
from kraty_actors.simulation.dice import Dice
from kraty_actors.simulation.strategies import Move, Seen, register_strategy

SLOWEST_PACE, FASTEST_PACE = 300.0, 2.0
"""Seconds between two rounds of play, at an ordinary pace."""

ROUNDS_TO_TARGET = 40
"""About how many good rounds lead to a target that is larger than that."""

LAP = 120.0
"""The slowest result, where the lowest leads and a single one is asked for."""


def steady(seen: Seen, dice: Dice) -> Move | None:
    """Comes in the first half, plays at an even pace, and tries again a few times."""
    if not seen.playing:
        return _start(seen, dice, arrives=(0.0, 0.5), tries=3, pause=10)
    if seen.writes >= 200:
        return _leave(seen)
    return _play(seen, dice, pace=dice.between(0.8, 1.2), luck=0.4 + 0.4 * seen.skill)


def casual(seen: Seen, dice: Dice) -> Move | None:
    """Comes at any time, plays a little now and then, and soon has something else to do."""
    if not seen.playing:
        return _start(seen, dice, arrives=(0.0, 0.9), tries=1, pause=0)
    if seen.writes and dice.chance(0.08):
        return _leave(seen)
    return _play(seen, dice, pace=dice.between(0.5, 4.0), luck=0.3 + 0.3 * seen.skill)


def hardcore(seen: Seen, dice: Dice) -> Move | None:
    """Is there as soon as it opens, is good at it, and plays for as long as the rules allow."""
    if not seen.playing:
        return _start(seen, dice, arrives=(0.0, 0.05), tries=20, pause=2)
    if seen.writes >= 600:
        return _leave(seen)
    return _play(seen, dice, pace=dice.between(0.3, 0.7), luck=0.6 + 0.35 * seen.skill)


def streaky(seen: Seen, dice: Dice) -> Move | None:
    """Plays in bursts with long breaks, in which luck comes and goes."""
    if not seen.playing:
        return _start(seen, dice, arrives=(0.0, 0.7), tries=3, pause=30)
    if seen.writes >= 120:
        return _leave(seen)
    burst = seen.writes // 6
    pace = dice.between(10.0, 30.0) if seen.writes and seen.writes % 6 == 0 else dice.between(0.1, 0.4)
    return _play(seen, dice, pace=pace, luck=0.85 if (burst + seen.player) % 2 else 0.3)


def mixed(seen: Seen, dice: Dice) -> Move | None:
    """A crowd: of 100 players 60 are casual, 25 steady, 10 streaky and 5 hardcore."""
    if seen.temper < 0.6:
        return casual(seen, dice)
    if seen.temper < 0.85:
        return steady(seen, dice)
    return streaky(seen, dice) if seen.temper < 0.95 else hardcore(seen, dice)


BUILT_IN = {"steady": steady, "casual": casual, "hardcore": hardcore, "streaky": streaky, "mixed": mixed}

for _name, _strategy in BUILT_IN.items():
    register_strategy(_name, _strategy)


# -- what they have in common


def _pace(seen: Seen) -> float:
    """Seconds between two rounds: a longer attempt is played more slowly, up to a point."""
    length = min(seen.length, seen.event.attempt.duration_seconds or seen.length)
    return min(max(length / 200, FASTEST_PACE), SLOWEST_PACE)


def _start(seen: Seen, dice: Dice, *, arrives: tuple[float, float], tries: int, pause: float) -> Move | None:
    """The first attempt, or another one where that is allowed and of use."""
    if not seen.attempts:
        return Move.start(seen.length * dice.between(*arrives))
    if not seen.event.attempt.replayable_during_window or seen.attempts >= tries:
        return None
    return Move.start(_pace(seen) * pause * dice.between(0.5, 1.5))


def _leave(seen: Seen) -> Move | None:
    """Give up: a score attack is handed in, anything else runs out."""
    return Move.finish(_pace(seen)) if seen.writes and _is_score_attack(seen.event) else None


def _play(seen: Seen, dice: Dice, *, pace: float, luck: float) -> Move | None:
    """One round, good with the probability `luck`."""
    after = _pace(seen) * pace
    if seen.event.leaderboard.sort == "asc" and _is_score_attack(seen.event):
        return _lap(seen, dice, after)
    return Move.write(after, _round(seen.event, dice, is_good=dice.chance(luck)))


def _lap(seen: Seen, dice: Dice, after: float) -> Move:
    """Where the lowest leads there is one result, and then it is over."""
    if seen.writes:
        return Move.finish(1)
    seconds = 1 + int((LAP - 1) * (1 - 0.7 * seen.skill * dice.unit()))
    return Move.write(after, {metric.key: seconds for metric in seen.event.metrics}, "set")


def _round(event: EventDefinition, dice: Dice, *, is_good: bool) -> Mapping[str, Number]:
    """A good round brings every metric on; a bad one counts up what resets others, or else brings nothing."""
    resets = {metric.reset_on.metric_key for metric in event.metrics if metric.reset_on is not None}
    gains: dict[str, Number] = {}
    for metric in event.metrics:
        is_reset = metric.key in resets or metric.id in resets
        if is_good and not is_reset:
            gains[metric.key] = _gain(metric.target, dice)
        elif is_reset and not is_good:
            gains[metric.key] = 1
    return gains or {event.metrics[0].key: 0}


def _gain(target: float | None, dice: Dice) -> int:
    if target is None:
        return 10 + dice.below(91)
    if target <= ROUNDS_TO_TARGET:
        return 1
    return max(1, int(target / ROUNDS_TO_TARGET * dice.between(0.5, 1.5)))


def _is_score_attack(event: EventDefinition) -> bool:
    return all(metric.target is None for metric in event.metrics)
