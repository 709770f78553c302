"""The end of a window (R-26, R-27): its contests close, are told what to pay, and then it is final, or cancelled.

All of it goes step by step, so that other actors keep answering when thousands of boards end at once, and every step
is an input, so a crash at any moment leaves nothing out and repeats nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from kraty_actors.domain.contest_messages import Close, Closed, Paid, Settle
from kraty_actors.domain.floor import Floor, parts
from kraty_actors.domain.ids import last_number
from kraty_actors.domain.outcome import Effect, Message, Notice, Outcome, Plain, Refunded
from kraty_actors.domain.pools import Pools
from kraty_actors.domain.window_messages import FinalReport, Report, WindowFinalized

CONTESTS_PER_STEP = 100
"""Contests told in one commit."""

REFUNDS_PER_STEP = 250
"""Players of a cancelled window who get their entry costs back in one commit."""

Stage = Literal["closing", "refunding", "settling", "over"]


class Ending:
    """One window that ended at `at`.

    `stage`: `closing` while contests are told and answer, `refunding` what was paid to enter a window that is
    cancelled, `settling` while contests are told to pay and have paid, then `over`. `is_held`: the window ended while
    it was paused, and settles only when somebody says so.
    """

    def __init__(self, floor: Floor, at: int, *, is_held: bool = False, is_cancelled: bool = False) -> None:
        self._floor = floor
        self._at = at
        self._is_held = is_held
        self.is_cancelled = is_cancelled
        self.stage: Stage = "closing"
        self._pools = Pools(floor.rules)
        self._untold = floor.close()
        self._open = set(floor.contests)
        self._refunded = 0
        self._payers: list[int] | None = None
        self._players = 0
        self._grants = 0
        self._paid: Counter[str] = Counter()

    @property
    def wake_at(self) -> int | None:
        is_told = not self._untold and bool(self._open) and self.stage in ("closing", "settling")
        is_waiting = is_told or (self.stage == "settling" and self._is_held)
        return None if is_waiting or self.stage == "over" else self._at

    def release(self) -> None:
        """It may settle, paused or not."""
        self._is_held = False

    def cancel(self) -> bool:
        """Nobody is paid and nobody moves; False if that has begun already."""
        is_free = self.stage == "closing" or (self.stage == "settling" and self._is_held)
        if self.is_cancelled or not is_free:
            return False
        self.is_cancelled, self._is_held = True, False
        if self.stage == "settling":
            self.stage = "refunding"
        return True

    def step(self, now: int) -> Outcome:
        """Go on."""
        match self.stage:
            case "closing":
                return self.close_more()
            case "refunding":
                return self._refund_more(now)
        return self._settle_more()

    # -- closing

    def close_more(self) -> Outcome:
        """Close the next contests. Players of a lobby see that it is closed, even if it never had a contest."""
        step = self._next_untold()
        floor = self._floor
        close = Close(self._at, self.is_cancelled)
        messages = [floor.message(number, close) for number in step if number in self._open]
        lobbies = [lobby for lobby in map(floor.lobby, step) if lobby is not None]
        notices = [floor.lobby_notice(lobby) for lobby in lobbies]
        notices += [Notice("lobby.closed", (), floor.lobby_view(lobby)) for lobby in lobbies]
        outcome = Outcome(traced=True, messages=messages, notices=notices)
        self._turn_over(outcome)
        return outcome

    def contest_closed(self, command: Closed) -> Outcome:
        """Or it has judged anew: that counts until the first of them has been told what is paid."""
        number = last_number(command.contest) or 0
        outcome = Outcome(traced=True)
        if self.stage == "closing" or len(self._untold) == len(self._floor.contests):
            self._pools.winners[number] = command.winners
        if self.stage == "closing":
            self._open.discard(number)
            self._turn_over(outcome)
        return outcome

    def _turn_over(self, outcome: Outcome) -> None:
        """Once the last contest has closed they are told to settle, all of them."""
        if self.stage == "closing" and not self._untold and not self._open:
            self.stage = "refunding" if self.is_cancelled else "settling"
            self._untold, self._open = list(self._floor.contests), set(self._floor.contests)
            if not self._open and self.stage == "settling" and not self._is_held:
                self._finish(outcome)

    def _next_untold(self) -> list[int]:
        step = self._untold[:CONTESTS_PER_STEP]
        del self._untold[:CONTESTS_PER_STEP]
        return step

    # -- cancelled

    def _refund_more(self, now: int) -> Outcome:
        """What was paid to enter is given back, once (R-26)."""
        floor = self._floor
        if self._payers is None:
            self._payers = list(floor.members) if floor.rules.costs else []
        players = self._payers
        effects: list[Effect] = []
        for player in players[self._refunded : self._refunded + REFUNDS_PER_STEP]:
            charges = range(1, floor.members[player].charges + 1)
            effects += [Refunded(player, floor.charge(nth), floor.window_id, now) for nth in charges]
        self._refunded += REFUNDS_PER_STEP
        outcome = Outcome(traced=True, effects=effects)
        if self._refunded >= len(players):
            self.stage = "settling"
            if not self._open:
                self._finish(outcome)
        return outcome

    # -- settling

    def _settle_more(self) -> Outcome:
        """Tell the next contests; of a cancelled window that they are final, and nothing is paid."""
        outcome = Outcome(traced=True)
        if not self._open:
            self._finish(outcome)
            return outcome
        shares = {number: 0 if self.is_cancelled else self._pools.share(number) for number in self._next_untold()}
        settle = [self._floor.message(number, Settle(share, self.is_cancelled)) for number, share in shares.items()]
        outcome.messages = settle
        return outcome

    def contest_paid(self, command: Paid) -> Outcome:
        self._open.discard(last_number(command.contest) or 0)
        self._players += command.players
        self._grants += command.grants
        self._paid.update(command.paid)
        outcome = Outcome(traced=True)
        if not self._open:
            self._finish(outcome)
        return outcome

    def _finish(self, outcome: Outcome) -> None:
        self.stage = "over"
        outcome.messages = [*outcome.messages, Message(self._floor.opening.owner, self._result())]
        state = "cancelled" if self.is_cancelled else "finalized"
        notices = [self._floor.state_notice(state)]
        report = self.report()
        if report is not None and not self.is_cancelled:
            final = FinalReport(self._floor.window_id, self._floor.rules.event.key, report)
            notices.append(Notice("window.finalized", (), final))
        outcome.notices = [*outcome.notices, *notices]
        outcome.finished = True

    def _result(self) -> WindowFinalized:
        floor = self._floor
        own = floor.members.get(floor.opening.player) if floor.opening.player is not None else None
        if own is None:
            return WindowFinalized(floor.window_id, self.is_cancelled)
        return WindowFinalized(floor.window_id, self.is_cancelled, own.day, own.started_today)

    def report(self) -> Report | None:
        """How it was settled; None until all of it is over."""
        if self.stage != "over":
            return None
        return Report(
            participants=self._floor.participants,
            winners=self._players,
            grants=self._grants,
            paid=dict(self._paid),
            remainder=0 if self.is_cancelled else self._pools.left(self._paid),
        )

    # -- checkpoint

    def dump(self) -> Plain:
        """All but the results."""
        paid = [self._players, self._grants, dict(self._paid)]
        stands = [self.stage, list(self._untold), sorted(self._open), self._refunded, paid]
        return [self._at, self._is_held, self.is_cancelled, *stands]

    def dump_results(self) -> Iterable[Plain]:
        """Parts with what the contests said."""
        return parts("winners", [[number, winners] for number, winners in self._pools.winners.items()])

    @classmethod
    def restored(cls, floor: Floor, plain: Plain, rows: Mapping[str, list[Plain]]) -> Ending:
        """What `dump` gave, on the floor as it was then, with the rows of all parts."""
        at, is_held, is_cancelled, stage, untold, still_open, refunded, (players, grants, paid) = plain
        ending = cls(floor, at, is_held=is_held, is_cancelled=is_cancelled)
        ending.stage, ending._untold, ending._open = stage, untold, set(still_open)
        ending._refunded, ending._players, ending._grants = refunded, players, grants
        ending._paid = Counter(paid)
        ending._pools.restore(dict(rows.get("winners", ())))
        return ending
