"""What a window leads to once all its contests are closed: grants, and moves between leagues (R-27, R-30, R-43)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kraty_actors.definitions import RewardPolicySharedPool
from kraty_actors.domain.contest_messages import Closed
from kraty_actors.domain.ids import grant_id
from kraty_actors.domain.outcome import MovedLeague, Pay, Plain
from kraty_actors.domain.prizes import PoolShare
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window_messages import Report

GRANTS_PER_STEP = 500
"""Grants and moves written in one commit while a window settles, so that other windows keep answering."""


@dataclass(slots=True)
class Result:
    """What one contest said when it closed, and of which league it was a division."""

    number: int
    league: str | None
    winners: list[int] = field(default_factory=list)
    promoted: list[int] = field(default_factory=list)
    relegated: list[int] = field(default_factory=list)


class Settling:
    """Collects what contests say, then hands out what is due step by step; `written` says how far that is."""

    def __init__(self, window_id: str, rules: Rules) -> None:
        self._window_id = window_id
        self._rules = rules
        self._results: list[Result] = []
        self._due: list[tuple[int, int, str] | MovedLeague] = []
        self._is_counted = False
        self.written = 0

    def add(self, number: int, league: str | None, closed: Closed) -> None:
        self._results.append(Result(number, league, closed.winners, closed.promoted, closed.relegated))

    def forfeit(self) -> None:
        """The window is cancelled: nobody has won or moves (R-26)."""
        self._results.clear()

    def step(self, now: int) -> list[Pay | MovedLeague]:
        """The next effects to write; those of one step stand in one commit with the input that led to them."""
        if not self._is_counted:
            self._due, self._is_counted = [*self._awards(), *self._moves()], True
        step = self._due[self.written : self.written + GRANTS_PER_STEP]
        self.written += len(step)
        return [one if isinstance(one, MovedLeague) else self._pay(*one, now) for one in step]

    @property
    def is_done(self) -> bool:
        return self._is_counted and self.written == len(self._due)

    # -- the shared pool

    def _pools(self) -> list[tuple[str, PoolShare, list[int]]]:
        """Each pool to share out: its slot, the shares, and the winners in order."""
        policy = self._rules.event.reward_policy
        if not isinstance(policy, RewardPolicySharedPool):
            return []
        pool = policy.parameters.pool
        if policy.parameters.scope == "board":
            return [(str(r.number), PoolShare.of(pool, len(r.winners)), r.winners) for r in self._results]
        winners = sorted({player for result in self._results for player in result.winners})
        return [("", PoolShare.of(pool, len(winners)), winners)]

    def _awards(self) -> Iterator[tuple[int, int, str]]:
        for slot, pool, winners in self._pools():
            if pool.share:
                yield from ((player, pool.share, slot) for player in winners)

    def _pay(self, player: int, amount: int, slot: str, at: int) -> Pay:
        entry = {"type": "currency", "currencyKey": self._currency, "amount": amount}
        name = grant_id(self._window_id, player, "shared_pool", slot)
        return Pay(name, player, [entry], "event_window", self._window_id, at)

    @property
    def _currency(self) -> str | None:
        policy = self._rules.event.reward_policy
        return policy.parameters.currency_key if isinstance(policy, RewardPolicySharedPool) else None

    def report(self, participants: int) -> Report:
        """How the pool was shared."""
        pools = [pool for _, pool, _ in self._pools()]
        shares = {pool.share for pool in pools if pool.winners}
        return Report(
            participants=participants,
            winners=sum(pool.winners for pool in pools),
            share=min(shares, default=0),
            remainder=sum(pool.remainder for pool in pools),
            paid=sum(pool.winners * pool.share for pool in pools),
            currency=self._currency,
        )

    # -- leagues

    def _moves(self) -> Iterator[MovedLeague]:
        """One league up, or down; who is in both goes up, and at the ends nobody moves on (R-30)."""
        event = self._rules.event
        leagues = event.leaderboard.leagues
        for result in self._results:
            if result.league is None:
                continue
            stands = leagues.index(result.league)
            up, down = min(stands + 1, len(leagues) - 1), max(stands - 1, 0)
            steps = dict.fromkeys(result.relegated, down) | dict.fromkeys(result.promoted, up)
            for player, moves_to in steps.items():
                if moves_to != stands:
                    yield MovedLeague(player, event.key, leagues[moves_to])

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        """For each contest a row `[number, league]`, then one for each player in it: `[what, player]`."""
        for result in self._results:
            yield [result.number, result.league]
            for what in ("winners", "promoted", "relegated"):
                yield from ([what, player] for player in getattr(result, what))

    def restore(self, rows: Iterable[Plain], written: int) -> None:
        self.written = written
        for first, second in rows:
            if isinstance(first, int):
                self._results.append(Result(first, second))
            else:
                getattr(self._results[-1], first).append(second)
