"""How a server stands at one moment: for `/metrics`, `stats` and who else wants to know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from kraty_actors.actors.figures import ActorFigures

if TYPE_CHECKING:
    from kraty_actors.gateway.gateway import Gateway


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
