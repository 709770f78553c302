"""Real servers on loopback, in this process, and the games that they serve."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from raw_peer import Map, Peer, dialled

from kraty_actors import Clock, Game, open_game
from kraty_actors.client import Client, connect
from kraty_actors.testing import ManualClock
from kraty_persistence import Store
from kraty_protocol.shapes import parse_iso

NOON = parse_iso("2026-06-02T12:00:00Z")
"""When the servers of the tests begin."""
WINDOW_ENDS = parse_iso("2026-06-03T00:00:00Z")
"""20:00 in New York: the trail's window of that day ends, the next begins."""

TRAIL: Map = {
    "key": "trail_of_triumph",
    "availability": {
        "mode": "recurring_windows",
        "timezone": "America/New_York",
        "windows": [{"startTime": "20:00", "durationSeconds": 86400, "daysOfWeek": [0, 1, 2, 3, 4, 5, 6]}],
    },
    "leaderboard": {"mode": "lobby_matched", "capacity": 50, "scoreAggregation": "best"},
    "attempt": {"durationSeconds": 86400, "replayableDuringWindow": True},
    "metrics": [
        {"key": "streak", "target": 5, "capAtTarget": True, "resetOn": {"metricKey": "losses"}},
        {"key": "losses"},
    ],
    "scoreFormula": {"type": "linear"},
    "entryRequirement": {
        "type": "not",
        "condition": {
            "type": "completed_event_at_least_once",
            "eventKey": "trail_of_triumph",
            "within": "current_window",
        },
    },
    "rewardPolicy": {
        "type": "shared_pool",
        "parameters": {
            "pool": 10000,
            "currencyKey": "cash",
            "winnerPredicate": {"type": "metric_at_least", "metricKey": "streak", "threshold": 5},
        },
    },
    "botBindings": [{"botId": "climber", "count": 49}],
}
"""The worked example."""

ATTACK: Map = {
    "key": "attack",
    "attempt": {"replayableDuringWindow": True},
    "metrics": [{"key": "points"}, {"key": "kills", "scorePerUnit": 10}],
}
"""A score attack on one board for all, without an end."""

RACE: Map = {
    "key": "race",
    "availability": {"mode": "fixed", "startsAt": "2026-06-02T00:00:00Z", "endsAt": "2026-06-03T00:00:00Z"},
    "metrics": [{"key": "laps", "target": 3}],
    "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 100, "currencyKey": "cash"}},
    "metadata": {"tier": "standard"},
}
"""One window from midnight to midnight UTC, with a target and a pool."""

LATER: Map = {
    "key": "later",
    "availability": {"mode": "fixed", "startsAt": "2026-07-01T00:00:00Z", "endsAt": "2026-07-02T00:00:00Z"},
    "metrics": [{"key": "laps"}],
}
"""What opens in a month."""


def game_of(*events: Mapping[str, Any], seed: int | None = 7, **more: Any) -> Map:
    """A game file with these events, one currency, and the worked example's bot."""
    return {
        "gameId": "arena",
        "settings": {"seed": seed, "limits": {"deltasPerSecond": 1000}},
        "currencies": [{"key": "cash"}, {"key": "gems"}],
        "bots": [{"id": "climber", "key": "climber", "behaviour": {"block": "random_step_with_fall"}}],
        "events": list(events),
        **more,
    }


@dataclass(frozen=True)
class Server:
    """A server that listens on loopback; `insecure_dev`, so that a hello may say whatever it likes."""

    game: Game
    port: int
    clock: ManualClock

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/socket"

    @property
    def connections(self) -> int:
        """How many peers the server believes to be connected."""
        return len(self.game._gateway._connections)

    @asynccontextmanager
    async def peer(
        self, player: str | None = None, *, role: str = "player", codec: str = "msgpack"
    ) -> AsyncIterator[Peer]:
        """A raw connection that has said hello."""
        async with dialled(self.port, codec=codec) as peer:
            who = {"role": role} if player is None else {"role": role, "playerId": player}
            peer.welcome = await peer.ok("hello", **who)
            yield peer

    def client(self, player: str, *, codec: Any = "msgpack") -> AbstractAsyncContextManager[Client]:
        """The project's own client, as a player."""
        return connect(self.url, player_id=player, codec=codec)


@asynccontextmanager
async def serving(
    game: Mapping[str, Any],
    *,
    store: str | Store = "memory:",
    clock: Clock | None = None,
    secrets: Sequence[str] = (),
    insecure_dev: bool = True,
    behind_proxy: str | None = None,
) -> AsyncIterator[Server]:
    """Serve a game until the block is left."""
    clock = clock or ManualClock(NOON)
    async with open_game(game, store=store, clock=clock, secrets=secrets, insecure_dev=insecure_dev) as opened:
        yield Server(opened, await opened.serve(port=0, behind_proxy=behind_proxy), clock)  # type: ignore[arg-type]


@asynccontextmanager
async def ann_plays(codec: str) -> AsyncIterator[tuple[Server, Peer, str]]:
    """Ann on a connection, with an attempt; whatever is tried, both have to be as they were at the end."""
    async with serving(game_of(TRAIL, ATTACK)) as server, server.peer("ann", codec=codec) as ann:
        started = await ann.ok("events.start", eventKey="attack")
        attempt_id = started["attempt"]["attemptId"]
        before = await ann.ok("attempts.get", attemptId=attempt_id)
        yield server, ann, attempt_id
        assert await ann.ok("attempts.get", attemptId=attempt_id) == before
