"""The seats of one board: which state each is in since when, at what score, and how it moves with time (R-38)."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from kraty_actors.domain.bots.behaviours import Behaviour, State
from kraty_actors.domain.bots.blocks import FollowingBlock, TimedBlock
from kraty_actors.domain.bots.grid import NEVER, Grid
from kraty_actors.domain.bots.identities import Persona
from kraty_actors.domain.chance import DRAW_RANGE, Chance
from kraty_actors.domain.numbers import VALUE_MAX, Number
from kraty_actors.domain.outcome import Plain

LUCK_TICK = 1 << 63
"""The tick of chance that gives each seat the one draw that all its blocks know; no write comes to that number."""

PLAYS, FROZEN, GONE = range(3)


@dataclass(slots=True, frozen=True)
class BotSeat:
    """What a seat plays and who sits there; shared by all seats of a binding, on all boards."""

    behaviour: Behaviour
    persona: Persona


class Seating:
    """What `Bots` keeps for each seat.

    `inputs` is how many inputs the board has had. Whoever cares sets these to False and looks at them later:
    `has_stirred`, that a bot moved or changed its state; `has_shown`, that others see it; `is_sorted`, that each seat
    is still moved by the same things as before.
    """

    __slots__ = (
        "_due", "_entered", "_fate", "_luck", "_plans", "_settles", "_since", "_standing", "_state", "ascending",
        "grid", "has_shown", "has_stirred", "inputs", "is_sorted", "last_moved_tick", "reached", "values",
    )  # fmt: skip

    def __init__(self, plans: Sequence[BotSeat], chance: Chance, grid: Grid, ascending: bool) -> None:
        count = len(plans)
        self._plans, self.grid, self.ascending = plans, grid, ascending
        self.values: list[Number] = [0] * count
        self.reached: list[int] = [0] * count
        self.inputs = self.last_moved_tick = 0
        self.has_shown = self.has_stirred = self.is_sorted = False
        self._state, self._fate = bytearray(count), bytearray(count)
        self._entered, self._settles, self._due = (array("q", bytes(8 * count)) for _ in range(3))
        self._since: list[Number] = [0] * count
        self._luck = array("d", [draw / DRAW_RANGE for draw in chance.draws(LUCK_TICK, count)])
        self._standing: Sequence[int] | None = None
        for seat, plan in enumerate(plans):
            self.enter(seat, plan.behaviour.initial, 0)

    # -- reading

    @property
    def standing(self) -> Sequence[int]:
        """The seats that have a row (R-28), in their order."""
        if self._standing is None:
            fates = enumerate(self._fate)
            if self.ascending:
                self._standing = [seat for seat, fate in fates if fate == FROZEN]
            elif GONE in self._fate:
                self._standing = [seat for seat, fate in fates if fate != GONE]
            else:
                self._standing = range(len(self._fate))
        return self._standing

    @property
    def playing(self) -> list[int]:
        """The seats that are not final."""
        return [seat for seat, fate in enumerate(self._fate) if fate == PLAYS]

    def behaviour(self, seat: int) -> Behaviour:
        return self._plans[seat].behaviour

    def state(self, seat: int) -> State:
        """What a seat plays now."""
        return self._plans[seat].behaviour.states[self._state[seat]]

    def luck(self, seat: int) -> float:
        """The one draw of a seat, in 0..1."""
        return self._luck[seat]

    def seconds_in_state(self, seat: int, tick: int) -> Number:
        return self.grid.seconds(tick - self._entered[seat])

    def tracks(self, seat: int) -> bool:
        """Whether the row is left out by those who follow ranks."""
        block = self.state(seat).block
        return isinstance(block, FollowingBlock) and block.tracks

    def plays(self, seat: int) -> bool:
        """Whether the seat is not final."""
        return self._fate[seat] == PLAYS

    def due(self) -> int:
        """The first tick at which time by itself may move a seat; `NEVER` if it moves none."""
        return min(self._due, default=NEVER)

    def settles_at(self, seat: int) -> int:
        """The tick at which a seat is done with its state; `NEVER` if time does not tell."""
        return self._settles[seat]

    # -- moving

    def enter(self, seat: int, index: int, tick: int) -> None:
        """Begin a state at a tick, and pass through it, and those behind it, as far as they are done at once."""
        self._begin(seat, index, tick)
        self._run(seat, tick)

    def run(self, tick: int) -> None:
        """Take every seat that moves by time alone to where it is at a tick."""
        for seat, due in enumerate(self._due):
            if due <= tick:
                self._run(seat, tick)

    def place(self, seat: int, score: Number, tick: int) -> None:
        """Give a seat its score from a tick on."""
        score = min(score, VALUE_MAX)
        if score != self.values[seat]:
            self.values[seat] = score
            self.reached[seat] = self.inputs + tick
            self.has_stirred = True
            if not self.ascending:
                self._show(tick)

    def _begin(self, seat: int, index: int, tick: int) -> None:
        before = self.state(seat)
        self._state[seat], self._entered[seat], self._since[seat] = index, tick, self.values[seat]
        self._settles[seat] = self._end_of_state(seat)
        self._due[seat] = tick if self.state(seat).is_curve else self._settles[seat]
        self.has_stirred = True
        self.is_sorted = self.is_sorted and before.moves_by_time_alone and self.state(seat).moves_by_time_alone

    def _end_of_state(self, seat: int) -> int:
        block = self.state(seat).block
        seconds = block.settles_after(self._since[seat], self._luck[seat]) if isinstance(block, TimedBlock) else None
        return NEVER if seconds is None else self._entered[seat] + self.grid.ticks_in(seconds)

    def _run(self, seat: int, tick: int) -> None:
        while self._due[seat] <= tick:
            settles, score_at = self._settles[seat], self._curve(seat)
            has_moved = self._follow(seat, score_at, min(tick, settles))
            if settles <= tick:
                self._settle(seat, settles)
            elif has_moved:
                self._due[seat] = tick + 1  # it may well move on: to look then is cheaper than to find out now
            else:
                self._due[seat] = _next_change(score_at, self.values[seat], tick, settles)

    def _curve(self, seat: int) -> Callable[[int], Number]:
        """The seat's score by tick, while it is in its state."""
        block = cast("TimedBlock[Any]", self.state(seat).block)
        since, luck, entered, seconds = self._since[seat], self._luck[seat], self._entered[seat], self.grid.seconds
        return lambda tick: math.floor(block.score(seconds(tick - entered), since, luck))

    def _follow(self, seat: int, score_at: Callable[[int], Number], tick: int) -> bool:
        """Whether the seat has another score at a tick."""
        score = score_at(tick)
        if score == self.values[seat]:
            return False
        self.place(seat, score, _first(lambda at: score_at(at) == score, self._due[seat], tick))
        return True

    def _settle(self, seat: int, tick: int) -> None:
        state = self.state(seat)
        self._due[seat] = NEVER
        if isinstance(state.block, TimedBlock) and (state.block.freezes or state.block.leaves):
            self._finish(seat, GONE if state.block.leaves else FROZEN, tick)
        elif state.then is not None:
            self._begin(seat, state.then, tick)

    def _finish(self, seat: int, fate: int, tick: int) -> None:
        self._fate[seat] = fate
        self._standing = None
        self.has_stirred, self.is_sorted = True, False
        if self.ascending and fate == FROZEN:
            self.reached[seat] = self.inputs + tick
            self._show(tick)
        elif not self.ascending and fate == GONE:
            self._show(tick)

    def _show(self, tick: int) -> None:
        self.has_shown = True
        self.last_moved_tick = max(self.last_moved_tick, tick)

    # -- checkpoint

    def dump(self) -> list[Plain]:
        kept = [self.last_moved_tick, bytes(self._state), bytes(self._fate)]
        return [*kept, list(self.values), list(self.reached), list(self._entered), list(self._since)]

    def restore(self, plain: list[Plain], tick: int) -> None:
        """Take over what `dump` gave when all was up to date at that tick."""
        self.last_moved_tick, self._state[:], self._fate[:], self.values[:], self.reached[:], entered, since = plain
        self._entered, self._since = array("q", entered), since
        seats = range(len(self.values))
        self._settles = array("q", map(self._end_of_state, seats))
        self._due = array("q", [self._due_after(seat, tick) for seat in seats])
        self._standing, self.is_sorted = None, False

    def _due_after(self, seat: int, tick: int) -> int:
        settles = self._settles[seat] if self.plays(seat) else 0
        if settles <= tick:
            return NEVER
        return tick + 1 if self.state(seat).is_curve else settles


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first tick from `low` on from which it holds; `high`, at which it does, if none before."""
    return low if low == high else bisect_left(range(low, high), True, key=holds) + low


def _next_change(score_at: Callable[[int], Number], score: Number, tick: int, settles: int) -> int:
    """The first tick behind `tick` at which the score is another one; `settles` if none before."""
    step = 1
    while tick + step < settles and score_at(tick + step) == score:
        tick += step
        step *= 2
    return _first(lambda at: score_at(at) != score, tick + 1, min(tick + step, settles))
