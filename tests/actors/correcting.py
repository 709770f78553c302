"""A game that pays by rank, from pools and on the way; played to its end by as many as are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from acting import StillClock
from anyio.lowlevel import checkpoint

from kraty_actors.actors.corrections import Plan
from kraty_actors.actors.engine import Engine
from kraty_actors.actors.loop import answer_to
from kraty_actors.actors.records import unpack
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.ids import window_of
from kraty_actors.domain.window_messages import Report
from kraty_persistence import GrantRow, MemoryStore, Store, StoreUnavailable

Map = dict[str, Any]
Worth = Counter[tuple[str, str]]

CASH: Map = {"type": "currency", "currencyKey": "cash"}
BOX: Map = {"type": "crate", "crateItemKey": "box"}
TARGET = 10
POOL = 1000
TIERS = [(1, 1, "gold"), (2, 3, "silver"), (5, None, "bronze")]
"""Nobody is paid for rank 4."""


def pool(predicate: Map, scope: str = "window") -> Map:
    parameters = {"pool": POOL, "currencyKey": "cash", "winnerPredicate": predicate, "scope": scope}
    return {"type": "shared_pool", "parameters": parameters}


POLICIES: Mapping[str, Map] = {
    "tiers": {
        "type": "rank_scaled",
        "parameters": {
            "tiers": [{"fromRank": low, "toRank": high, "rewardBundleId": bundle} for low, high, bundle in TIERS]
        },
    },
    "completed": pool({"type": "completed"}),
    "first_three": pool({"type": "rank_at_most", "rank": 3}),
    "not_the_first": pool({"type": "not", "condition": {"type": "rank_at_most", "rank": 1}}, scope="board"),
    "bundle": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "gold"}},
}
MILESTONE: Map = {"key": "half", "metricKey": "points", "threshold": 5, "entries": [{**CASH, "amount": 3}]}


def game_of(*, delivery: str = "claim", capacity: int | None = None) -> Map:
    """An event for each policy, on one board or on boards of so many."""
    board = {} if capacity is None else {"leaderboard": {"mode": "grouped", "capacity": capacity}}
    return {
        "gameId": "arena",
        "settings": {"seed": 5, "grants": {"delivery": delivery}},
        "currencies": [{"key": "cash"}],
        "items": [{"key": "arrow"}, {"key": "box", "crateBundleId": "in_the_box"}],
        "bundles": [
            {"key": "gold", "entries": [{**CASH, "amount": 100}, BOX]},
            {"key": "silver", "entries": [{**CASH, "amount": {"min": 40, "max": 60}}]},
            {"key": "bronze", "entries": [{**CASH, "amount": 7}, {"type": "item", "itemKey": "arrow", "quantity": 2}]},
            {"key": "in_the_box", "entries": [{**CASH, "amount": 9}, {"type": "item", "itemKey": "arrow"}]},
        ],
        "bots": [{"key": "idler", "behaviour": {"block": "idle"}}],
        "events": [
            {
                "key": key,
                "metrics": [{"key": "points", "target": TARGET}],
                "rewardPolicy": policy,
                "milestoneRewards": [MILESTONE],
                "botBindings": [{"botId": "idler"}],
                **board,
            }
            for key, policy in POLICIES.items()
        ],
    }


class BreakingStore(MemoryStore):
    """Does so many direct changes more, and then none until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None

    def _spend(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise StoreUnavailable("the process died")
            self.left -= 1

    async def withdraw(self, *args: Any, **kwargs: Any) -> Any:
        self._spend()
        return await super().withdraw(*args, **kwargs)

    async def create_grants(self, *args: Any, **kwargs: Any) -> Any:
        self._spend()
        return await super().create_grants(*args, **kwargs)

    async def set_meta(self, *args: Any, **kwargs: Any) -> Any:
        self._spend()
        return await super().set_meta(*args, **kwargs)


class Played:
    """A window of `event` that is over. `attempts` are by player."""

    def __init__(self, engine: Engine, store: Store, clock: StillClock) -> None:
        self.engine = engine
        self.store = store
        self.clock = clock
        self.window = ""
        self.attempts: dict[str, str] = {}
        self.numbers: dict[str, int] = {}

    async def play(self, event: str, scores: Mapping[str, int]) -> None:
        """Everybody starts, then writes once, in this order; 0 is not to write at all."""
        for name in scores:
            player = await self.engine.players.resolve(name)
            self.numbers[name] = player.number
            view = await self.engine.entrance.start(player, event, {})
            assert isinstance(view, AttemptView)
            self.attempts[name] = view.attempt_id
        for name, score in scores.items():
            if score:
                await self.write(name, score)
        self.window = window_of(next(iter(self.attempts.values())))

    async def write(self, name: str, points: int) -> None:
        metrics: Any = {"points": points}
        write = partial(self.engine.write, self.numbers[name], self.attempts[name], metrics, "increment", None)
        await answer_to(write)

    async def end(self, event: str) -> None:
        await self.engine.steering.finalize(event, self.window, who="op")

    async def settle(self) -> None:
        """Until the window is over and everybody has nothing left to do."""
        while not isinstance(await self.engine.steering.report(self.window), Report):
            await checkpoint()
        for _ in range(40):
            await checkpoint()

    async def correct(self, *without: str, apply: bool = True) -> Plan:
        plan = await self.engine.corrections.correct(self.window, without, apply=apply, who="op")
        assert isinstance(plan, Plan), plan
        return plan

    async def grants(self, name: str) -> list[GrantRow]:
        return await self.store.grants(self.numbers[name], now=self.clock.now, limit=10_000)

    async def claim_all(self, name: str) -> None:
        for grant in await self.grants(name):
            if grant.claimed_at is None and grant.withdrawn_at is None:
                if grant.kind == "crate":
                    await self.engine.money.open_crate(grant.player, grant.id)
                else:
                    await self.engine.money.claim(grant.player, grant.id)

    async def standing(self, name: str, *kinds: str) -> Worth:
        """What stands granted, crates as crates, opened or not."""
        held: Worth = Counter()
        for grant in await self.grants(name):
            if grant.withdrawn_at is None and grant.source_kind in kinds:
                held.update(worth(unpack(grant.contents)))
        return held


@asynccontextmanager
async def played(
    event: str,
    scores: Mapping[str, int],
    *,
    store: Store | None = None,
    delivery: str = "claim",
    capacity: int | None = None,
) -> AsyncIterator[Played]:
    """Everybody has played, and the window is over."""
    store, clock = store or MemoryStore(), StillClock()
    async with Engine.opened(store, clock) as engine:
        await engine.publishing.put_game(game_of(delivery=delivery, capacity=capacity), who="file", is_file=True)
        scene = Played(engine, store, clock)
        await scene.play(event, scores)
        await scene.end(event)
        yield scene


def worth(entries: Sequence[Map]) -> Worth:
    held: Worth = Counter()
    for entry in entries:
        match entry["type"]:
            case "currency":
                held["currency", entry["currencyKey"]] += entry["amount"]
            case "item":
                held["item", entry["itemKey"]] += entry["quantity"]
            case "crate":
                held["crate", entry["crateItemKey"]] += entry["quantity"]
    return held
