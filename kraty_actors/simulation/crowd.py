"""The simulated players: each asks their strategy what to do, does it, and lives with the answer."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial

from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.contest_messages import Finish, GetAttempt, Write
from kraty_actors.domain.lobby import LobbyView, Unmatched
from kraty_actors.domain.numbers import VALUE_MAX, Number
from kraty_actors.domain.outcome import Notice, Refusal
from kraty_actors.domain.window_messages import Admit, Invitation, Placed
from kraty_actors.simulation.guests import Guest
from kraty_actors.simulation.matchmaker import Matchmaker
from kraty_actors.simulation.scenario import Scenario
from kraty_actors.simulation.stage import Stage
from kraty_actors.simulation.strategies import Move, Strategy, StrategyFault
from kraty_actors.simulation.venues import Venue

MOVES_MAX = 10_000
"""Moves of one player in one run: more is a strategy that goes round in circles."""

OWN_FAULTS = ("invalid_metric", "validation_failed")
"""Refusals that only a strategy with a fault in it comes to."""


class Crowd:
    """See the module. `writes`, `refused` and `waits` are what becomes known nowhere else: applied writes, refusals by
    code, and for how many ms players waited for a lobby that started."""

    def __init__(
        self, scenario: Scenario, stage: Stage, venue: Venue, strategy: Strategy, seed: int, matchmaker_of: str
    ) -> None:
        self._scenario = scenario
        self._stage = stage
        self._venue = venue
        self._strategy = strategy
        self._matchmaker = Matchmaker(scenario, stage, matchmaker_of, self._start_again)
        self._guests = [Guest.of(scenario, n, seed) for n in range(1, scenario.population.players + 1)]
        board = scenario.event.leaderboard
        self._placed_by = scenario.placed_by
        self._costs = scenario.rules.costs
        self._waits_for_lobbies = board.mode == "lobby_matched"
        self.writes = 0
        self.refused: Counter[str] = Counter()
        self.waits: list[int] = []

    def arrive(self) -> None:
        """Everybody decides when to come."""
        for guest in self._guests:
            self._decide(guest)

    # -- what they do

    def _decide(self, guest: Guest) -> None:
        """Ask for the next move, and see to it that it is made in time."""
        now = self._stage.now
        seen = guest.sees(self._scenario, now, self._venue.ends_at(guest.number))
        try:
            move = self._strategy(seen, guest.dice)
        except Exception as error:
            raise StrategyFault(f"a strategy failed: {type(error).__name__}: {error}") from error
        if move is None:
            return
        guest.moves += 1
        if guest.moves > MOVES_MAX:
            raise StrategyFault(f"player {guest.number} makes more than {MOVES_MAX} moves")
        if not isinstance(move, Move) or not (isinstance(move.after, int | float) and 0 <= move.after < math.inf):
            raise StrategyFault(f"a strategy gives a Move after 0 seconds or more, or None, and not {move!r}")
        at = now + max(1, round(move.after * 1000))
        if at < self._scenario.ends_at or self._scenario.is_per_player:
            self._stage.at(at, partial(self._make, guest, move, guest.attempts))

    def _make(self, guest: Guest, move: Move, attempts: int) -> None:
        """Make a move, if it still makes sense."""
        if move.what == "start":
            if not guest.is_playing and guest.asked_at is None:
                self._start(guest)
        elif guest.is_playing and guest.attempts == attempts:
            (self._write if move.what == "write" else self._finish)(guest, move)
        else:
            self._decide(guest)

    def _start(self, guest: Guest, *, announce: bool = False) -> None:
        window_id = self._venue.enter(guest.number)
        if window_id is None:
            return
        answer = self._stage.call(window_id, self._admission(guest, announce=announce))
        match answer:
            case Placed():
                attempt = self._stage.call(answer.contest_id, GetAttempt(guest.number))
                if isinstance(attempt, AttemptView) and not guest.is_playing:
                    self._begin(guest, attempt)
            case LobbyView() | Unmatched():
                guest.asked_at = self._stage.now if guest.asked_at is None else guest.asked_at
                if isinstance(answer, Unmatched):
                    self._matchmaker.seek(guest.number)
            case Refusal():
                self._turned_away(guest, answer)

    def _start_again(self, player: int) -> None:
        """There is a lobby now for somebody who waited for one."""
        self._start(self._guests[player - 1])

    def _admission(self, guest: Guest, *, announce: bool) -> Admit:
        short = None
        if self._costs and not guest.can_pay:
            cost = self._costs[0]
            short = [cost.key, cost.amount, 0]
        trait = guest.attributes.get(self._placed_by) if self._placed_by is not None else None
        return Admit(guest.number, guest.facts, trait=trait, short=short, announce=announce)

    def _turned_away(self, guest: Guest, refusal: Refusal) -> None:
        """Whoever has used up the day comes back on the next one; anybody else does not try again."""
        self.refused[refusal.code] += 1
        resets_at = refusal.details.get("resetsAt")
        if isinstance(resets_at, int) and resets_at < self._scenario.ends_at:
            self._stage.at(resets_at, partial(self._make, guest, Move.start(0), guest.attempts))

    def _write(self, guest: Guest, move: Move) -> None:
        guest.seq += 1
        write = Write(guest.serial, _as_sent(move), move.mode, guest.seq, guest.number)
        answer = self._stage.call(guest.contest, write)
        if isinstance(answer, Written):
            self.writes += 1
            guest.wrote(answer)
        elif isinstance(answer, Refusal):
            if answer.code in OWN_FAULTS:
                raise StrategyFault(f"a strategy writes {dict(move.metrics)!r}: {answer.message}")
            self.refused[answer.code] += 1
            guest.refused = answer.code
        self._decide(guest)

    def _finish(self, guest: Guest, _move: Move) -> None:
        self._stage.call(guest.contest, Finish(guest.serial, guest.number))
        self._decide(guest)

    def _begin(self, guest: Guest, attempt: AttemptView) -> None:
        if self._waits_for_lobbies:
            self.waits.append(0 if guest.asked_at is None else self._stage.now - guest.asked_at)
        guest.begins(attempt)
        self._decide(guest)

    # -- what they hear

    def hear(self, notice: Notice) -> None:
        """A push to players."""
        match notice.push:
            case "attempt.started" if isinstance(notice.body, AttemptView):
                guest = self._guests[notice.body.player - 1]
                self._stage.at(self._stage.now, partial(self._begin, guest, notice.body))
            case "attempt.ended" if isinstance(notice.body, AttemptView):
                self._guests[notice.body.player - 1].ended(notice.body)
            case "invitation" if isinstance(notice.body, Invitation):
                for player in notice.players:
                    guest = self._guests[player - 1]
                    self._stage.at(self._stage.now, partial(self._start, guest))  # and pay: who cannot has no seat


def _as_sent(move: Move) -> dict[str, Number]:
    """The metrics of a write, as a server would take them (R-8)."""
    metrics = dict(move.metrics)
    fine = bool(metrics) and all(map(_is_value, metrics.values()))
    if not fine or move.mode not in ("increment", "set"):
        raise StrategyFault(f"a strategy writes {metrics!r}: some metrics, each a finite number of at least 0")
    return metrics


def _is_value(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= VALUE_MAX
