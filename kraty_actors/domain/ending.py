"""The end of a window (R-26, R-27): its contests close, what is due is written, and then it is final, or cancelled.

All of it goes step by step, so that other actors keep answering when thousands of boards end at once, and every step
is an input, so a crash at any moment leaves nothing out and repeats nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from kraty_actors.domain.contest_messages import Close, Closed, Settled
from kraty_actors.domain.floor import Floor, parts
from kraty_actors.domain.ids import last_number
from kraty_actors.domain.outcome import Message, Notice, Outcome, Pay, Plain
from kraty_actors.domain.settling import Settling
from kraty_actors.domain.window_messages import Report, WindowFinalized

CONTESTS_PER_STEP = 100
"""Contests told in one commit."""

Stage = Literal["closing", "settling", "telling", "over"]


class Ending:
    """One window that ended at `at`.

    `stage`: `closing` while contests are told and answer, `settling` while grants and moves are written, `telling`
    while contests hear that they are final, then `over`. `is_held`: the window ended while it was paused, and settles
    only when somebody says so.
    """

    def __init__(self, floor: Floor, at: int, *, is_held: bool = False, is_cancelled: bool = False) -> None:
        self._floor = floor
        self._at = at
        self._is_held = is_held
        self.is_cancelled = is_cancelled
        self.stage: Stage = "closing"
        self._settling = Settling(floor.window_id, floor.rules)
        self._untold = floor.close()
        self._unclosed = set(floor.contests)

    @property
    def wake_at(self) -> int | None:
        is_waiting = (self.stage == "closing" and not self._untold) or (self.stage == "settling" and self._is_held)
        return None if is_waiting or self.stage == "over" else self._at

    def release(self) -> None:
        """It may settle, paused or not."""
        self._is_held = False

    def cancel(self) -> bool:
        """Nobody is paid and nobody moves; False if that has begun already."""
        if self.is_cancelled or not (self.stage == "closing" or (self.stage == "settling" and self._is_held)):
            return False
        self.is_cancelled, self._is_held = True, False
        self._settling.forfeit()
        return True

    def step(self, now: int) -> Outcome:
        """Go on."""
        return self.close_more() if self.stage == "closing" else self._settle(now)

    # -- closing

    def close_more(self) -> Outcome:
        """Close the next contests. Players of a lobby see that it is closed, even if it never had a contest."""
        step = self._next_untold()
        floor = self._floor
        close = Close(self._at, self.is_cancelled)
        messages = [floor.message(number, close) for number in step if number in self._unclosed]
        notices = [floor.lobby_notice(lobby) for lobby in map(floor.lobby, step) if lobby is not None]
        self._settle_once_closed()
        return Outcome(traced=True, messages=messages, notices=notices)

    def contest_closed(self, command: Closed) -> Outcome:
        number = last_number(command.contest) or 0
        self._unclosed.discard(number)
        if not self.is_cancelled:
            self._settling.add(number, self._floor.placement.league_of(number), command)
        self._settle_once_closed()
        return Outcome(traced=True)

    def _settle_once_closed(self) -> None:
        if self.stage == "closing" and not self._untold and not self._unclosed:
            self.stage = "settling"

    def _next_untold(self) -> list[int]:
        step = self._untold[:CONTESTS_PER_STEP]
        del self._untold[:CONTESTS_PER_STEP]
        return step

    # -- settling

    def _settle(self, now: int) -> Outcome:
        """Write the next effects; after the last tell the contests, and after these whoever opened the window."""
        effects = self._settling.step(now)
        notices = [Notice("grant", (pay.player,), pay) for pay in effects if isinstance(pay, Pay)]
        outcome = Outcome(traced=True, effects=effects, notices=notices)
        if self.stage == "settling" and self._settling.is_done:
            self.stage, self._untold = "telling", list(self._floor.contests)
        if self.stage == "telling":
            outcome.messages = [self._floor.message(number, Settled()) for number in self._next_untold()]
            if not self._untold:
                self._finish(outcome)
        return outcome

    def _finish(self, outcome: Outcome) -> None:
        self.stage = "over"
        outcome.messages = [*outcome.messages, Message(self._floor.opening.owner, self._result())]
        outcome.notices = [
            *outcome.notices,
            self._floor.state_notice("cancelled" if self.is_cancelled else "finalized"),
        ]
        outcome.finished = True

    def _result(self) -> WindowFinalized:
        floor = self._floor
        own = floor.members.get(floor.opening.player) if floor.opening.player is not None else None
        if own is None:
            return WindowFinalized(floor.window_id, self.is_cancelled)
        return WindowFinalized(floor.window_id, self.is_cancelled, own.day, own.started_today)

    def report(self) -> Report | None:
        """How the pool was shared; None until all of it is over."""
        if self.stage != "over":
            return None
        return self._settling.report(sum(1 for member in self._floor.members.values() if member.attempts))

    # -- checkpoint

    def dump(self) -> Plain:
        """All but the results."""
        unclosed = sorted(self._unclosed)
        return [self._at, self._is_held, self.is_cancelled, self.stage, self._untold, unclosed, self._settling.written]

    def dump_results(self) -> Iterable[Plain]:
        """Parts with what the contests said."""
        return parts("results", self._settling.dump())

    @classmethod
    def restored(cls, floor: Floor, plain: Plain, rows: Mapping[str, list[Plain]]) -> Ending:
        """What `dump` gave, on the floor as it was then, with the rows of all parts."""
        at, is_held, is_cancelled, stage, untold, unclosed, written = plain
        ending = cls(floor, at, is_held=is_held, is_cancelled=is_cancelled)
        ending.stage, ending._untold, ending._unclosed = stage, untold, set(unclosed)
        ending._settling.restore(rows.get("results", ()), written)
        return ending
