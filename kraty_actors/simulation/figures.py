"""What many runs come to: each figure as a distribution over the runs, not only as its mean."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from kraty_actors.definitions import RewardPolicySharedPool
from kraty_actors.domain.numbers import Number, whole
from kraty_actors.simulation.run import Run, play
from kraty_actors.simulation.scenario import Scenario

STEPS = 48
"""Into how many parts the time is divided in which completions are counted."""

PLACES = 4
"""Decimals to which means and shares are rounded."""

QUANTILES = (5, 25, 50, 75, 95)


def quantile(ordered: Sequence[Number], percent: float) -> Number:
    """The smallest value that at least so many percent of the values do not exceed: always one that occurred.

    Args:
        ordered: at least one value, in rising order.
        percent: above 0, up to 100.
    """
    rank = math.ceil(Fraction(repr(percent)) * len(ordered) / 100)
    return ordered[max(rank, 1) - 1]


@dataclass(slots=True, frozen=True)
class Spread:
    """A figure over all runs, or over all of something. `values` are in rising order; there is at least one."""

    values: Sequence[Number]

    @classmethod
    def of(cls, values: Iterable[Number]) -> Spread | None:
        """None of no values."""
        ordered = sorted(values)
        return cls(ordered) if ordered else None

    @property
    def mean(self) -> Number:
        return rounded(Fraction(math.fsum(self.values)) / len(self.values))

    def at(self, percent: float) -> Number:
        """See `quantile`."""
        return quantile(self.values, percent)


def rounded(value: Fraction | float) -> Number:
    """To a few decimals, by exact arithmetic; whole numbers are whole."""
    return whole(float(round(Fraction(value), PLACES)))


@dataclass(slots=True, frozen=True)
class Payout:
    """What came and went of one currency, item or crate. `paid` and `income` have a value for each run; `sources` are
    means by what it was paid for."""

    kind: str
    key: str
    paid: Sequence[int]
    income: Sequence[int]
    sources: Sequence[tuple[str, Number]]

    @property
    def net(self) -> Sequence[int]:
        """What it costs the game: paid less income."""
        return [out - back for out, back in zip(self.paid, self.income, strict=True)]


@dataclass(slots=True, frozen=True)
class Moment:
    """How many attempts were completed so many `seconds` after the beginning."""

    seconds: Number
    completed: Spread


@dataclass(slots=True, frozen=True)
class LobbyFigures:
    """How lobbies filled. `started`, `never_started` and `full`, the share of the started ones without an empty seat,
    have a value for each run; `fill_seconds` and `humans` one for each lobby that started; `wait_seconds` one for each
    player who came into one."""

    started: Spread
    never_started: Spread
    full: Spread
    fill_seconds: Spread | None
    humans: Spread | None
    wait_seconds: Spread | None


@dataclass(slots=True, frozen=True)
class BotFigures:
    """What bots do to players. `human_wins` is, in each run, the share of boards with a player on which a player is
    first; `rank_with` and `rank_without` have the rank of every player, among all and among players alone;
    `places_lost` is the difference."""

    human_wins: Spread
    rank_with: Spread
    rank_without: Spread
    places_lost: Spread


@dataclass(frozen=True)
class Simulation:
    """All runs of a scenario, at least one."""

    scenario: Scenario
    runs: Sequence[Run]

    @property
    def fingerprint(self) -> str:
        """A digest of all that came of it."""
        return hashlib.sha256("".join(run.fingerprint for run in self.runs).encode()).hexdigest()[:32]

    def over_runs(self, figure: Callable[[Run], Number]) -> Spread:
        """A figure of each run."""
        return Spread(sorted(figure(run) for run in self.runs))

    # -- money

    @property
    def payouts(self) -> list[Payout]:
        """Everything that was paid or taken, or may have been: currencies, items, crates, each in order of keys."""
        found = {key: None for run in self.runs for key in (*run.paid, *run.income)}
        pool = self.pool
        if pool is not None:
            found["currency", pool[0]] = None
        ordered = sorted(found, key=lambda one: (("currency", "item", "crate").index(one[0]), one[1]))
        return [self._payout(kind, key) for kind, key in ordered]

    def payout(self, key: str) -> Payout | None:
        """What was paid of a currency, or of an item; a payout of nothing where the game knows it."""
        for kind, known in (("currency", self.scenario.game.currencies), ("item", self.scenario.game.items)):
            found = next((one.key for one in known if key in (one.key, one.id)), None)
            if found is not None:
                return self._payout(kind, found)
        return None

    def _payout(self, kind: str, key: str) -> Payout:
        sources = sorted({source for run in self.runs for source, *what in run.by_source if what == [kind, key]})
        means = [
            (source, rounded(Fraction(sum(run.by_source[source, kind, key] for run in self.runs), len(self.runs))))
            for source in sources
        ]
        paid = [run.paid[kind, key] for run in self.runs]
        return Payout(kind, key, paid, [run.income[kind, key] for run in self.runs], means)

    @property
    def pool(self) -> tuple[str, int] | None:
        """The currency and size of the pool that the event shares out, for each board or for the window."""
        policy = self.scenario.event.reward_policy
        if not isinstance(policy, RewardPolicySharedPool):
            return None
        return policy.parameters.currency_key, policy.parameters.pool

    # -- time

    @property
    def moments(self) -> list[Moment]:
        """Completions over time, from the beginning to the end."""
        horizon = Fraction(self.scenario.horizon)
        return [self._moment(rounded(horizon * step / STEPS)) for step in range(STEPS + 1)]

    def _moment(self, seconds: Number) -> Moment:
        return Moment(seconds, self.over_runs(lambda run: bisect_right(run.completions, seconds)))

    # -- lobbies and bots

    @property
    def lobbies(self) -> LobbyFigures | None:
        """None for an event without lobbies."""
        if self.scenario.event.leaderboard.mode != "lobby_matched":
            return None
        all_of_them = [lobby for run in self.runs for lobby in run.lobbies]
        started = [lobby for lobby in all_of_them if lobby.started_at is not None]
        return LobbyFigures(
            self.over_runs(lambda run: sum(lobby.started_at is not None for lobby in run.lobbies)),
            self.over_runs(lambda run: sum(lobby.started_at is None for lobby in run.lobbies)),
            self.over_runs(_full_lobbies),
            Spread.of(whole((lobby.started_at - lobby.since) / 1000) for lobby in started if lobby.started_at),
            Spread.of(lobby.humans for lobby in started),
            Spread.of(wait for run in self.runs for wait in run.waits),
        )

    @property
    def bots(self) -> BotFigures | None:
        """None for boards without bots, or without players."""
        ranks = [rank for run in self.runs for rank in run.ranks]
        if not self.scenario.event.bot_count or not ranks:
            return None
        return BotFigures(
            Spread(sorted(_human_wins(run) for run in self.runs if run.ranks)),
            Spread(sorted(rank for rank, _ in ranks)),
            Spread(sorted(among for _, among in ranks)),
            Spread(sorted(rank - among for rank, among in ranks)),
        )

    def share(self, part: Callable[[Run], int]) -> Spread:
        """Some of the players who took part, as a share of them, in each run."""
        return self.over_runs(lambda run: rounded(Fraction(part(run), run.participants or 1)))

    @property
    def refusals(self) -> list[tuple[str, Number]]:
        """How often players were refused something, as means by code."""
        codes = sorted({code for run in self.runs for code in run.refused})
        return [
            (code, rounded(Fraction(sum(run.refused[code] for run in self.runs), len(self.runs)))) for code in codes
        ]


def _full_lobbies(run: Run) -> Number:
    started = [lobby for lobby in run.lobbies if lobby.started_at is not None]
    return rounded(Fraction(sum(lobby.humans + lobby.bots >= lobby.capacity for lobby in started), len(started) or 1))


def _human_wins(run: Run) -> Number:
    boards = sum(among == 1 for _, among in run.ranks)
    return rounded(Fraction(sum(rank == 1 for rank, _ in run.ranks), boards))


def simulate(scenario: Scenario, done: Callable[[int], None] | None = None) -> Simulation:
    """Play all runs of a scenario. `done` is told after each how many are.

    Raises:
        StrategyFault: The strategy is not known, or did what no player can do.
        NeverOccurs: There is no window to play.
    """
    return Simulation(scenario, list(_played(scenario, done)))


def _played(scenario: Scenario, done: Callable[[int], None] | None) -> Iterator[Run]:
    for run in range(scenario.runs):
        played = play(scenario, run)
        yield played if run == 0 else played.without_details()
        if done is not None:
            done(run + 1)
