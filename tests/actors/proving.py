"""Deriving a window again and comparing it with its store; and ways to change what is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgpack
from acting import START, StillClock

from kraty_actors.actors.chain import Chain, Sealer
from kraty_actors.actors.derivation import Derivation, Derived
from kraty_actors.actors.engine import Engine
from kraty_actors.actors.journal_key import known_sealer
from kraty_actors.actors.loop import answer_to
from kraty_actors.actors.proof import Proof, Prover
from kraty_actors.actors.records import DIGEST_BYTES
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.ids import is_window, window_of
from kraty_actors.domain.outcome import Refusal
from kraty_actors.opening import unwrapped
from kraty_persistence import Change as MoneyChange
from kraty_persistence import MemoryStore, Store

SECOND = 1_000
Records = list[bytes]
Change = Callable[[Records], int]
"""Changes the records of a journal; the number of the first that is not what was written there."""


async def proved(store: Store, window: str, key: str | None = None) -> tuple[Derived, Proof]:
    sealer = await known_sealer(store, key)
    prover = Prover(store, sealer, window)
    derived = await prover.prove(Derivation(store, sealer=sealer, watcher=prover), lambda _: None)
    assert derived is not None or prover.proof.difference_count
    return derived, prover.proof


def told(proof: Proof) -> list[str]:
    return [one.what for one in proof.differences]


def windows_in(store: MemoryStore) -> list[str]:
    return sorted(filter(is_window, store._actors))


def records_of(store: MemoryStore, actor: str) -> Records:
    return store._actors[actor].records


# -- ways to change a journal


def flip(number: int, at: int) -> Change:
    """One byte of a record, counted from its beginning, or with `at` below 0 from its end."""

    def change(records: Records) -> int:
        record = bytearray(records[number - 1])
        record[at] ^= 1
        records[number - 1] = bytes(record)
        return number

    return change


def drop_last(records: Records) -> int:
    records.pop()
    return len(records) + 1


def drop(number: int) -> Change:
    def change(records: Records) -> int:
        del records[number - 1]
        return number

    return change


def swap(number: int, other: int) -> Change:
    def change(records: Records) -> int:
        records[number - 1], records[other - 1] = records[other - 1], records[number - 1]
        return number

    return change


def recompute(actor: str, number: int, edit: Callable[[Any], None], key: bytes = b"a guess") -> Change:
    """Change a record's inputs and make the chain anew from there on, as well as it goes without the key."""

    def change(records: Records) -> int:
        chain = Chain(1, records[number - 2][-DIGEST_BYTES:])
        for at in range(number - 1, len(records)):
            plain = msgpack.unpackb(records[at][:-DIGEST_BYTES])
            if at == number - 1:
                edit(plain)
            records[at] = Sealer(key).add(chain, actor, at + 1, msgpack.packb(plain))
        return number

    return change


def strip(records: Records) -> int:
    """As if an older program had written all of it, which knew no digests."""
    for at, record in enumerate(records):
        records[at] = b"\x93\x01" + record[2:-DIGEST_BYTES]
    return len(records)


# -- a game with everything that is to be compared


GUARDED: dict[str, Any] = {
    "gameId": "proof",
    "settings": {"seed": 7},
    "currencies": [{"key": "cash"}],
    "items": [{"key": "arrow"}],
    "bots": [
        {"key": "climber", "names": ["Bea"], "behaviour": {"block": "random_step_with_fall"}},
        {
            "key": "pacer",
            "names": ["Pia"],
            "behaviour": {"block": "progress_linear", "params": {"durationSeconds": 90}},
        },
    ],
    "events": [
        {
            "key": "race",
            "availability": {"mode": "fixed", "startsAt": "2027-01-15T08:00:00Z", "endsAt": "2027-01-15T09:00:00Z"},
            "attempt": {"replayableDuringWindow": True},
            "metrics": [
                {"key": "points", "target": 10, "capAtTarget": True},
                {"key": "streak", "resetOn": {"metricKey": "losses"}, "scorePerUnit": 2},
                {"key": "losses", "scorePerUnit": 0},
            ],
            "leaderboard": {"mode": "global", "scoreAggregation": "best"},
            "botBindings": [{"botId": "climber"}, {"botId": "pacer"}],
            "entryCost": {"currencies": [{"key": "cash", "amount": 5}], "items": [], "chargePer": "attempt"},
            "milestoneRewards": [
                {
                    "key": "half",
                    "metricKey": "points",
                    "threshold": 5,
                    "entries": [{"type": "currency", "currencyKey": "cash", "amount": 3}],
                }
            ],
            "antiCheat": {"validators": [{"key": "max_metric_jump", "params": {"metricKey": "points", "maxDelta": 6}}]},
            "rewardPolicy": {
                "type": "shared_pool",
                "parameters": {
                    "pool": 100,
                    "currencyKey": "cash",
                    "winnerPredicate": {"type": "metric_at_least", "metricKey": "points", "threshold": 4},
                },
            },
        }
    ],
}


class Race:
    """One window of the race, played step by step."""

    def __init__(self, engine: Engine, store: Any, clock: StillClock) -> None:
        self.engine = engine
        self.store = store
        self.clock = clock
        self.attempts: dict[str, str] = {}
        self.window = ""

    async def start(self, name: str) -> str:
        player = await self.engine.players.resolve(name)
        view = await self.engine.entrance.start(player, "race", {})
        assert isinstance(view, AttemptView), view
        self.attempts[name], self.window = view.attempt_id, window_of(view.attempt_id)
        return view.attempt_id

    async def write(self, name: str, after_ms: int = 0, **metrics: int) -> object:
        self.clock.now += after_ms
        player = await self.engine.players.resolve(name)
        reply = await answer_to(
            partial(self.engine.write, player.number, self.attempts[name], dict(metrics), "increment", None)
        )
        assert not isinstance(reply, Refusal), reply
        return reply

    async def end(self) -> None:
        await self.engine.steering.finalize("race", self.window, who="op")

    @property
    def board(self) -> str:
        return f"{self.window}.1"


@asynccontextmanager
async def racing(
    store: Store | None = None, clock: StillClock | None = None, game: dict[str, Any] = GUARDED, **given: Any
) -> AsyncIterator[Race]:
    """A server with the game, on which everybody has some money."""
    store, clock = store or MemoryStore(), clock or StillClock(START + SECOND)
    with unwrapped():
        async with Engine.opened(store, clock, **given) as engine:
            await engine.publishing.put_game(game, who="file", is_file=True)
            for name in ("ann", "bob", "cat", "dan"):
                player = await engine.players.resolve(name)
                await engine.money.adjust(
                    player, MoneyChange("currency", "cash", 100), idempotency_key="gift", reason="gift", source="op"
                )
            yield Race(engine, store, clock)


async def played_to_its_end(store: Store | None = None, **given: Any) -> Race:
    """Ties, resets, a flag, completions, milestones, a replay, and a server that has stopped."""
    async with racing(store, **given) as race:
        for name in ("ann", "bob", "cat", "dan"):
            await race.start(name)
        await race.write("ann", points=3, streak=1)
        await race.write("bob", 3_200, points=5)
        await race.write("ann", 1_800, losses=1)
        await race.write("ann", 2_000, points=2)
        await race.write("cat", 1_000, points=7, streak=1)
        await race.write("cat", 1_000, points=4)
        await race.start("cat")
        await race.write("cat", 500, points=1)
        await race.end()
    return race
