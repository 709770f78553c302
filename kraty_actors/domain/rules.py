"""One revision of an event, compiled for the state machines that play by it (R-5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, cycle, islice
from typing import Protocol

from kraty_actors.definitions import (
    BotBinding,
    BotDefinition,
    Entry,
    EventDefinition,
    GameFile,
    IdentityPool,
    Milestone,
    Predicate,
    RewardPolicyFixedBundle,
    RewardPolicyRankScaled,
    RewardPolicySharedPool,
    stored,
)
from kraty_actors.definitions.rewards import Tier
from kraty_actors.domain.bots import Behaviour, BotSeat, Persona
from kraty_actors.domain.conditions import Wanted, facts_wanted
from kraty_actors.domain.loot import Bundles
from kraty_actors.domain.outcome import Cost, Plain
from kraty_actors.domain.periods import BoardRules
from kraty_actors.domain.prizes import Tiers, asks_for_ranks
from kraty_actors.domain.scoring import Scoring
from kraty_actors.domain.validators import Guard


class Rules:
    """An event, the bots that it seats, the pools that they take their names from, and the bundles that it pays; never
    changed once made."""

    def __init__(
        self,
        revision: int,
        event: EventDefinition,
        bots: Iterable[BotDefinition],
        pools: Iterable[IdentityPool],
        default_pool: str | None,
        bundles: Bundles | None = None,
    ) -> None:
        self.revision = revision
        self.event = event
        self.scoring = Scoring(event)
        self.bots = {bot.id: bot for bot in bots}
        self.pools = {name: pool for pool in pools for name in (pool.id, pool.key)}
        self.default_pool = default_pool
        self.bundles = (bundles or Bundles()).of_event(event)
        self.is_lobby = event.leaderboard.mode == "lobby_matched"
        self.has_board = event.leaderboard.mode != "none"
        self.ascending = event.leaderboard.sort == "asc"
        self.aggregation = event.leaderboard.score_aggregation
        self._by_reference = {name: bot for bot in self.bots.values() for name in (bot.id, bot.key)}

    @classmethod
    def of(cls, revision: int, event: EventDefinition, game: GameFile, bundles: Bundles | None = None) -> Rules:
        """An event as it stands in its game, with all that it refers to."""
        named = {binding.bot_id for binding in event.bot_bindings}
        bots = [bot for bot in game.bots if bot.id in named or bot.key in named]
        pools = game.settings.identity_pools if bots else ()
        default_pool = game.settings.default_identity_pool if bots else None
        return cls(revision, event, bots, pools, default_pool, bundles or Bundles.of(game))

    @property
    def winner_predicate(self) -> Predicate | None:
        """Who shares the pool, for an event that pays one (R-43)."""
        policy = self.event.reward_policy
        return policy.parameters.winner_predicate if isinstance(policy, RewardPolicySharedPool) else None

    @property
    def completion_entries(self) -> Sequence[Entry] | None:
        """What each completed attempt is paid at once, for an event that does so (R-42)."""
        policy = self.event.reward_policy
        if isinstance(policy, RewardPolicyFixedBundle):
            return self.bundles[policy.parameters.reward_bundle_id]
        return None

    @property
    def pays_each_board(self) -> bool:
        """Whether every board shares out a pool of its own (R-43)."""
        policy = self.event.reward_policy
        return isinstance(policy, RewardPolicySharedPool) and policy.parameters.scope == "board"

    @cached_property
    def winners_have_ranks(self) -> bool:
        """Whether who wins depends on ranks."""
        return self.winner_predicate is not None and asks_for_ranks(self.winner_predicate)

    @cached_property
    def costs(self) -> tuple[Cost, ...]:
        """What a start costs: currencies before items, in listed order (R-20)."""
        cost = self.event.entry_cost
        if cost is None:
            return ()
        currencies = [Cost("currency", one.key, one.amount) for one in cost.currencies]
        return (*currencies, *(Cost("item", one.key, one.quantity) for one in cost.items))

    @property
    def charges_each_attempt(self) -> bool:
        """Whether a replay costs again (R-21)."""
        return self.event.entry_cost is not None and self.event.entry_cost.charge_per == "attempt"

    def tier(self, rank: int) -> Tier | None:
        """The tier of a final rank, in an event that pays by rank and has one for it (R-42)."""
        return self._tiers.at(rank)

    def paid_ranks(self, standing: int) -> int:
        """How far down a board of so many rows anybody may be paid by rank."""
        return self._tiers.reach(standing)

    def rank_entries(self, rank: int) -> Sequence[Entry] | None:
        """What a final rank is paid, in an event that pays by rank and has a tier for it (R-42)."""
        tier = self._tiers.at(rank)
        return None if tier is None else self.bundles[tier.reward_bundle_id]

    def milestone_entries(self, milestone: Milestone) -> Sequence[Entry]:
        """What one of the event's milestones pays: its own entries, or a bundle's (R-44)."""
        if milestone.reward_bundle_id is not None:
            return self.bundles[milestone.reward_bundle_id]
        return milestone.entries or ()

    @cached_property
    def _tiers(self) -> Tiers:
        policy = self.event.reward_policy
        return Tiers(policy.parameters.tiers if isinstance(policy, RewardPolicyRankScaled) else ())

    @property
    def moving_places(self) -> tuple[int, int]:
        """How many places of a league go up, and how many go down, when a window is over (R-30)."""
        board = self.event.leaderboard
        up, down = (places.places if places else 0 for places in (board.promotion, board.relegation))
        return (up, down) if board.mode == "segmented" else (0, 0)

    @cached_property
    def guard(self) -> Guard:
        """Judges writes by the validators of this revision (R-48)."""
        return Guard(self.event)

    @cached_property
    def wanted(self) -> Wanted:
        """What the event's gates and its price need to know of a player (R-19, R-55)."""
        gates = facts_wanted(self.event.unlock_condition, self.event.entry_requirement)
        price = Wanted(
            items=tuple(cost.key for cost in self.costs if cost.kind == "item"),
            currencies=tuple(cost.key for cost in self.costs if cost.kind == "currency"),
        )
        return Wanted.by_all([gates, price])

    def bot_seats(self, count: int | None = None) -> list[BotSeat]:
        """Every bound bot once, in the order of the bindings, or the first `count` of them; where there are more seats
        than that, further ones go round the bindings (R-31)."""
        bindings = self.event.bot_bindings
        bound = chain.from_iterable([seat] * binding.count for seat, binding in zip(self._bound, bindings, strict=True))
        return list(islice(chain(bound, cycle(self._bound)), self.event.bot_count if count is None else count))

    @cached_property
    def _bound(self) -> list[BotSeat]:
        """What the seats of each binding are, for all boards."""
        return [self._seat(binding) for binding in self.event.bot_bindings]

    def _seat(self, binding: BotBinding) -> BotSeat:
        bot = self._by_reference[binding.bot_id]
        return BotSeat(Behaviour.of(bot, self.event.largest_target or 0), self._persona(binding, bot))

    def _persona(self, binding: BotBinding, bot: BotDefinition) -> Persona:
        named = binding.identity_pool or bot.identity_pool or (None if bot.names else self.default_pool)
        pool = self.pools.get(named) if named else None
        avatars, countries = (bot.avatar,) if bot.avatar else (), (bot.country,) if bot.country else ()
        if pool is None:
            return Persona(f"bot {bot.key}", bot.names or (), avatars, countries)
        return Persona(f"pool {pool.key}", pool.names, avatars or pool.avatars, countries or pool.countries)

    def dump(self) -> Plain:
        return {
            "revision": self.revision,
            "event": self.event.as_defined(),
            "bots": [bot.as_defined() for bot in self.bots.values()],
            "pools": [pool.as_defined() for name, pool in self.pools.items() if name == pool.key],
            "defaultPool": self.default_pool,
            "bundles": self.bundles.dump(),
        }

    @classmethod
    def restored(cls, plain: Mapping[str, Plain]) -> Rules:
        return cls(
            plain["revision"],
            stored(EventDefinition, plain["event"]),
            [stored(BotDefinition, bot) for bot in plain["bots"]],
            [stored(IdentityPool, pool) for pool in plain["pools"]],
            plain["defaultPool"],
            Bundles.restored(plain["bundles"]),
        )


class Rulebook(Protocol):
    """Where state machines find the rules that their window opened with."""

    def rules(self, event_key: str, revision: int) -> Rules:
        """The rules of one revision; it exists for as long as anything was ever played by it."""

    def board(self, key: str, revision: int) -> BoardRules:
        """The rules of one revision of a shared board (R-32)."""


@dataclass(slots=True, frozen=True)
class Span:
    """When something is open: `[starts_at, ends_at)`, in ms; no end for an `always` event."""

    starts_at: int
    ends_at: int | None
