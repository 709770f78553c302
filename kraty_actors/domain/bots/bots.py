"""The bots of one board (R-35 to R-38): pure functions of (seed, board, seat, the ordered inputs of the board).

Nobody wakes a board that nobody looks at. Whoever comes, with an input or a question, first brings its bots up to
date, and what comes of it does not depend on how often that was done. A bot that moves by a formula of time goes
straight to where it is now; ticks are taken one by one only while some bot looks at others, and something moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kraty_actors.domain.bots.blocks import FollowingBlock, WriteBlock
from kraty_actors.domain.bots.grid import NEVER, Grid
from kraty_actors.domain.bots.identities import BotIdentity, identities
from kraty_actors.domain.bots.seating import BotSeat, Seating
from kraty_actors.domain.bots.sight import Board, Sight
from kraty_actors.domain.chance import Chance
from kraty_actors.domain.numbers import Number
from kraty_actors.domain.outcome import Plain

IDENTITY_TICK = 0
"""The tick of chance that chooses names: those of writes begin at 1."""


class Bots:
    """The bots of one board, by seat.

    `values` are their scores. `reached` says at which moment each came to its score: moment = inputs of the board so
    far + ticks of the grid so far, which rises with all that happens on it.
    """

    __slots__ = (
        "_chance", "_due_at", "_due_tick", "_followers", "_identities", "_is_restless", "_latent", "_machines",
        "_machines_at_writes", "_plans", "_seating", "_until", "_writers", "_writes", "reached", "values",
    )  # fmt: skip

    def __init__(self, seats: Sequence[BotSeat], chance: Chance, grid: Grid, *, ascending: bool = False) -> None:
        self._plans = seats
        self._chance = chance
        self._seating = Seating(seats, chance, grid, ascending)
        self.values: list[Number] = self._seating.values
        self.reached: list[int] = self._seating.reached
        self._identities: list[BotIdentity] | None = None
        self._until, self._writes = grid.began_at, 0
        self._plan_after(0)

    # -- who is there

    def __len__(self) -> int:
        return len(self._plans)

    def identity(self, seat: int) -> BotIdentity:
        """Who sits there (R-35)."""
        if self._identities is None:
            draws = self._chance.draws(IDENTITY_TICK, len(self._plans))
            self._identities = identities([plan.persona for plan in self._plans], draws)
        return self._identities[seat]

    @property
    def standing(self) -> Sequence[int]:
        """The seats that have a row: all but those that quit or, where the lowest leads, only complete ones (R-28)."""
        return self._seating.standing

    @property
    def last_moved_tick(self) -> int:
        """The last tick at which time changed what others see, whenever somebody asked; 0 if none did."""
        return self._seating.last_moved_tick

    @property
    def next_step(self) -> int | None:
        """The next tick that has to be taken by itself, for bots that look at others; None if there are none such."""
        return self._due_tick if self._due_tick < NEVER and (self._followers or self._machines) else None

    def next_move_at(self, inputs: int) -> int | None:
        """The earliest instant, in ms, at which time may move a bot after so many inputs and no more; None: never."""
        self._heed(inputs)
        return self._due_at if self._due_at < NEVER else None

    # -- what happens

    def advance(self, until: int, inputs: int, board: Board) -> bool:
        """Take every tick up to the instant `until`, in ms, through which the board stayed at so many inputs.

        To be called before each input and each question. Whether others see a change.
        """
        if inputs != self._seating.inputs:
            self._heed(inputs)
        self._until = until
        return until >= self._due_at and self._take_ticks(self._seating.grid.tick_at(until), board)

    def wrote(self, moment: int, board: Board) -> bool:
        """A human's write was applied, at this moment: those who live by writes move once. Whether others see it."""
        self._writes += 1
        has_moved = False
        if self._writers:
            has_moved = self._step_writers(moment) and not self._seating.ascending
        if self._machines_at_writes:
            has_moved |= self._change_states_at_a_write(moment, board)
        return has_moved

    # -- inside

    def _heed(self, inputs: int) -> None:
        """After an input whoever looks at others looks again at the next tick."""
        seating = self._seating
        if inputs != seating.inputs:
            seating.inputs = inputs
            if self._followers or self._machines:
                self._plan(seating.grid.tick_at(self._until) + 1)

    def _step_writers(self, moment: int) -> bool:
        draws = self._chance.draws(self._writes, len(self._plans))
        has_moved = False
        for block, seats in self._writers:
            moved, rests = block.step_all(seats, draws, self.values, self.reached, moment)
            has_moved |= moved
            self._seating.is_sorted &= not rests
        if not self._seating.is_sorted:
            self._sort()
        return has_moved

    def _take_ticks(self, last: int, board: Board) -> bool:
        seating, sight = self._seating, Sight(self._seating, board)
        seating.has_shown = False
        while self._due_tick <= last:
            seating.has_stirred = False
            if self._followers or self._machines:
                tick = self._due_tick
                self._take_tick(tick, sight)
            else:
                tick = min([last, *map(seating.settles_at, self._latent)])
                seating.run(tick)
            self._plan_after(tick)
        return seating.has_shown

    def _take_tick(self, tick: int, sight: Sight) -> None:
        """All bots move at once, by the board as it was; then states change, by the board as it is."""
        seating = self._seating
        sight.look_at(tick)
        moves = [(seat, block.step(self.values[seat], sight, seating.luck(seat))) for seat, block in self._followers]
        seating.run(tick)
        for seat, score in moves:
            seating.place(seat, math.floor(score), tick)
        self._change_states(self._machines, tick, sight)

    def _change_states_at_a_write(self, moment: int, board: Board) -> bool:
        """States whose block has moved with the write may be left."""
        seating, sight = self._seating, Sight(self._seating, board)
        tick = seating.grid.tick_at(self._until)
        seating.inputs = moment - tick
        seating.has_shown, seating.has_stirred = False, True
        sight.look_at(tick)
        self._change_states(self._machines_at_writes, tick, sight)
        self._plan_after(tick)
        return seating.has_shown

    def _change_states(self, machines: Sequence[int], tick: int, sight: Sight) -> None:
        ways = [(seat, self._way_out(seat, sight)) for seat in machines if self._seating.plays(seat)]
        for seat, to in ways:
            if to is not None:
                self._seating.enter(seat, to, tick)

    def _way_out(self, seat: int, sight: Sight) -> int | None:
        for way in self._seating.state(seat).ways_out:
            if way.holds(sight.facts(way.names, seat)):
                return way.to
        return None

    def _plan_after(self, tick: int) -> None:
        """Find the next tick at which time may change anything."""
        seating = self._seating
        if not seating.is_sorted:
            self._sort()
        watches = self._followers or self._machines
        self._plan(tick + 1 if watches and (seating.has_stirred or self._is_restless) else seating.due())

    def _plan(self, tick: int) -> None:
        self._due_tick = tick
        self._due_at = self._seating.grid.instant_of(tick)

    def _sort(self) -> None:
        """Sort the seats by what moves them; those in a sequence that will come to look at others are latent."""
        seating = self._seating
        writers: dict[WriteBlock[Any], list[int]] = {}
        self._followers: list[tuple[int, FollowingBlock[Any]]] = []
        self._machines: list[int] = []
        self._machines_at_writes: list[int] = []
        self._latent: list[int] = []
        for seat in seating.playing:
            state = seating.state(seat)
            if isinstance(state.block, WriteBlock) and not state.block.rests(self.values[seat]):
                writers.setdefault(state.block, []).append(seat)
            if isinstance(state.block, FollowingBlock):
                self._followers.append((seat, state.block))
            if state.ways_out:
                self._machines.append(seat)
                if isinstance(state.block, WriteBlock):
                    self._machines_at_writes.append(seat)
            elif state.then is not None and seating.behaviour(seat).watches:
                self._latent.append(seat)
        self._writers = list(writers.items())
        self._is_restless = any(seating.state(seat).is_restless for seat in self._machines)
        seating.is_sorted = True

    # -- checkpoint

    def dump(self) -> list[Plain]:
        return [self._writes, self._seating.grid.tick_at(self._until), *self._seating.dump()]

    def restore(self, plain: list[Plain]) -> None:
        self._writes, tick, *seating = plain
        self._until = self._seating.grid.instant_of(tick)
        self._seating.restore(seating, tick)
        self._seating.has_stirred = True
        self._plan_after(tick)
