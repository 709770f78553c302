"""One revision of an event, compiled for the state machines that play by it (R-5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice
from typing import Protocol

from kraty_actors.definitions import (
    BehaviourSingle,
    BotBinding,
    BotDefinition,
    EventDefinition,
    IdentityPool,
    Predicate,
    RandomStepWithFallParams,
    RewardPolicySharedPool,
)
from kraty_actors.domain.bots import BotIdentity, BotSeat
from kraty_actors.domain.chance import Chance
from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.scoring import Scoring

IDENTITY_TICK = 0
"""The tick whose draws choose names: bots' own ticks begin at 1."""


class Rules:
    """An event, the bots that it seats, and the pools that they take their names from; never changed once made."""

    def __init__(
        self,
        revision: int,
        event: EventDefinition,
        bots: Iterable[BotDefinition],
        pools: Iterable[IdentityPool],
        default_pool: str | None,
    ) -> None:
        self.revision = revision
        self.event = event
        self.scoring = Scoring(event)
        self.bots = {bot.id: bot for bot in bots}
        self.pools = {name: pool for pool in pools for name in (pool.id, pool.key)}
        self.default_pool = default_pool
        self.is_lobby = event.leaderboard.mode == "lobby_matched"
        self.has_board = event.leaderboard.mode != "none"
        self.ascending = event.leaderboard.sort == "asc"
        self.aggregation = event.leaderboard.score_aggregation
        self._by_reference = {name: bot for bot in self.bots.values() for name in (bot.id, bot.key)}

    @property
    def winner_predicate(self) -> Predicate | None:
        """Who shares the pool, for an event that pays one (R-43)."""
        policy = self.event.reward_policy
        return policy.parameters.winner_predicate if isinstance(policy, RewardPolicySharedPool) else None

    def bot_seats(self, chance: Chance, count: int | None = None) -> list[BotSeat]:
        """Every bound bot once, in the order of the bindings, or the first `count` of them; where there are more seats
        than that, further ones go round the bindings (R-31)."""
        bindings = self.event.bot_bindings
        bound = chain.from_iterable([binding] * binding.count for binding in bindings)
        plan = list(islice(chain(bound, cycle(bindings)), self.event.bot_count if count is None else count))
        draws = chance.draws(IDENTITY_TICK, len(plan))
        return [self._seat(binding, seat, draws[seat]) for seat, binding in enumerate(plan)]

    def _seat(self, binding: BotBinding, seat: int, draw: int) -> BotSeat:
        bot = self._by_reference[binding.bot_id]
        identity = self._identity(binding, bot, seat, draw)
        match bot.behaviour:
            case BehaviourSingle(params=RandomStepWithFallParams() as params):
                target = params.target if params.target is not None else self.event.largest_target
                return BotSeat.of(identity, target or 0, params.fall_chance, params.step)
        raise LookupError(f"the behaviour of the bot '{bot.key}' does not run yet")

    def _identity(self, binding: BotBinding, bot: BotDefinition, seat: int, draw: int) -> BotIdentity:
        named = binding.identity_pool or bot.identity_pool or (None if bot.names else self.default_pool)
        pool = self.pools.get(named) if named else None
        if pool is None:
            name = bot.names[draw % len(bot.names)] if bot.names else f"Bot {seat + 1}"
            return BotIdentity(name, bot.avatar, bot.country)
        return BotIdentity(
            pool.names[draw % len(pool.names)],
            bot.avatar or _pick(pool.avatars, draw),
            bot.country or _pick(pool.countries, draw),
        )

    def dump(self) -> Plain:
        return {
            "revision": self.revision,
            "event": self.event.as_defined(),
            "bots": [bot.as_defined() for bot in self.bots.values()],
            "pools": [pool.as_defined() for name, pool in self.pools.items() if name == pool.key],
            "defaultPool": self.default_pool,
        }

    @classmethod
    def restored(cls, plain: Mapping[str, Plain]) -> Rules:
        return cls(
            plain["revision"],
            EventDefinition.model_validate(plain["event"]),
            [BotDefinition.model_validate(bot) for bot in plain["bots"]],
            [IdentityPool.model_validate(pool) for pool in plain["pools"]],
            plain["defaultPool"],
        )


def _pick(choices: Sequence[str], draw: int) -> str | None:
    return choices[draw % len(choices)] if choices else None


class Rulebook(Protocol):
    """Where state machines find the rules that their window opened with."""

    def rules(self, event_key: str, revision: int) -> Rules:
        """The rules of one revision; it exists for as long as anything was ever played by it."""


@dataclass(slots=True, frozen=True)
class Span:
    """When something is open: `[starts_at, ends_at)`, in ms; no end for an `always` event."""

    starts_at: int
    ends_at: int | None
