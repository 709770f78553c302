"""How a server stands at one moment: for `/metrics`, `stats` and who else wants to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from kraty_actors.actors.figures import ActorFigures
from kraty_actors.domain.catalogue import Catalogue
from kraty_actors.domain.ids import window_of
from kraty_actors.gateway.figures import PROGRESS
from kraty_actors.gateway.translate import Map
from kraty_protocol.shapes import iso

if TYPE_CHECKING:
    from kraty_actors.gateway.gateway import Gateway


APART_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Standing:
    """Times are in seconds, and everything else is a number of them.

    Attributes:
        waiting, deepest: Commands in all mailboxes, and in the fullest.
        in_flight: Batches that are not durable yet.
        lag: How long the oldest of them has waited.
    """

    connections: int
    unsent_bytes: int
    watchers: int
    views: int
    pressure: int
    loop_delay: float
    actors: list[ActorFigures]
    kinds: Counter[str]
    waiting: int
    deepest: int
    in_flight: int
    lag: float


def standing(gateway: Gateway) -> Standing:
    """Look at every connection, view and actor."""
    now = anyio.current_time()
    actors = list(gateway.engine.actors())
    return Standing(
        connections=len(gateway.connections),
        unsent_bytes=sum(connection.outbox.unsent_bytes for connection in gateway.connections),
        watchers=gateway.hub.watchers,
        views=gateway.hub.views,
        pressure=gateway.pressure.level(now),
        loop_delay=gateway.pressure.delay_seconds(now),
        actors=actors,
        kinds=Counter(actor.kind for actor in actors),
        waiting=sum(actor.mailbox for actor in actors),
        deepest=max((actor.mailbox for actor in actors), default=0),
        in_flight=sum(actor.in_flight for actor in actors),
        lag=max((actor.lag_seconds for actor in actors), default=0.0),
    )


@dataclass(slots=True)
class Rates:
    """How much each actor handled in a second, between two looks that are at least `APART_SECONDS` apart."""

    looked_at: float = 0.0
    handled: dict[str, int] = field(default_factory=dict)
    per_second: Mapping[str, float] = field(default_factory=dict)

    def look(self, actors: Iterable[ActorFigures], now: float) -> Mapping[str, float]:
        elapsed = now - self.looked_at
        if elapsed < APART_SECONDS:
            return self.per_second
        before, self.handled, self.looked_at = self.handled, {actor.id: actor.handled for actor in actors}, now
        known = {name: count - before.get(name, 0) for name, count in self.handled.items()} if before else {}
        # one that was read back from the store meanwhile has counted anew
        self.per_second = {name: (more if more >= 0 else self.handled[name]) / elapsed for name, more in known.items()}
        return self.per_second


def stats_report(gateway: Gateway, limit: int) -> Map:
    """The answer to `stats`."""
    at, now, figures = anyio.current_time(), standing(gateway), gateway.figures
    per_second = gateway.rates.look(now.actors, at)
    watchers = gateway.hub.watchers_by_board()
    keys = _Keys(gateway.engine.catalogue)

    def busy(actor: ActorFigures) -> tuple[float, ...]:
        waits = actor.mailbox + actor.in_flight
        return waits, per_second.get(actor.id, 0.0), watchers.get(actor.id, 0), actor.handled

    return {
        "serverTime": iso(gateway.engine.now_ms()),
        "uptimeSeconds": round(at - gateway.opened_at, 3),
        "storeUp": gateway.engine.is_healthy(),
        "connections": now.connections,
        "unsentBytes": now.unsent_bytes,
        "watchers": now.watchers,
        "views": now.views,
        "answered": sum(histogram.count for histogram in figures.seconds.values()),
        "writes": figures.seconds[PROGRESS].count,
        "refused": figures.refused.total(),
        "shed": figures.shed.total(),
        "pressure": now.pressure,
        "loopDelaySeconds": round(now.loop_delay, 6),
        "waiting": now.waiting,
        "inFlight": now.in_flight,
        "journalLagSeconds": round(now.lag, 6),
        "total": len(now.actors),
        "actors": [
            {
                "actor": actor.id,
                "kind": actor.kind,
                "key": keys.of(actor),
                "mailbox": actor.mailbox,
                "inFlight": actor.in_flight,
                "lagSeconds": round(actor.lag_seconds, 6),
                "batches": actor.batches,
                "handled": actor.handled,
                "perSecond": round(per_second[actor.id], 3) if actor.id in per_second else None,
                "watchers": watchers.get(actor.id, 0),
            }
            for actor in sorted(now.actors, key=busy, reverse=True)[:limit]
        ],
    }


class _Keys:
    """Which event or shared board an actor belongs to."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._windows = catalogue.windows
        self._boards = {_board_of(board.current_id): board.key for board in catalogue.boards.values()}
        self._players = {event.player_windows: event.event.key for event in catalogue.events.values()}

    def of(self, actor: ActorFigures) -> str | None:
        if actor.kind == "shared_board":
            return self._boards.get(_board_of(actor.id))
        if actor.kind == "player_windows":
            return self._players.get(actor.id)
        window = self._windows.get(window_of(actor.id))
        return window.event_key if window is not None else None


def _board_of(period_id: str) -> str:
    return period_id.rpartition("-")[0]
