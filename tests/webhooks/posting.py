"""A worker on a store in memory, a clock that is moved by hand, and endpoints that receivers play."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import anyio
from receiver import Heard

from kraty_actors.actors.records import pack
from kraty_actors.webhooks.courier import Depot
from kraty_actors.webhooks.endpoints import Endpoint
from kraty_actors.webhooks.sending import Limits, Sender
from kraty_actors.webhooks.worker import Worker
from kraty_persistence import Delivery, DeliveryRow, MemoryStore, StoreError, Unit

NOW = 1_700_000_000_000
SECRET = "whsec"
DAY = 24 * 3_600_000
PATIENCE_SECONDS = 20


class ManualTime:
    """Time that a test moves; alarms ring while it moves."""

    def __init__(self) -> None:
        self.now = NOW
        self._alarms: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self.moved = anyio.Event()

    def now_ms(self) -> int:
        return self.now

    def call_at(self, at: int, callback: Callable[[], None]) -> None:
        heapq.heappush(self._alarms, (at, next(self._order), callback))
        self._tell()

    def move_to(self, at: int) -> None:
        self.now = max(self.now, at)
        while self._alarms and self._alarms[0][0] <= self.now:
            heapq.heappop(self._alarms)[2]()

    async def until_called(self) -> None:
        """Wait until somebody wants to be called later than now."""
        with anyio.fail_after(PATIENCE_SECONDS):
            while not any(at > self.now for at, *_ in self._alarms):
                await self.moved.wait()

    async def next_alarm(self) -> int:
        """Wait for that, move there, and say when it is."""
        await self.until_called()
        at = min(at for at, *_ in self._alarms if at > self.now)
        self.move_to(at)
        return at

    def _tell(self) -> None:
        self.moved.set()
        self.moved = anyio.Event()


class WatchedStore(MemoryStore):
    """Says when something was written about deliveries."""

    def __init__(self) -> None:
        super().__init__()
        self.written = anyio.Event()
        self._units = 0

    async def delivered(self, ids: Sequence[str]) -> None:
        await super().delivered(ids)
        self._tell()

    async def failed(self, delivery_id: str, **what: Any) -> None:
        await super().failed(delivery_id, **what)
        self._tell()

    def rows(self) -> dict[str, DeliveryRow]:
        return dict(self._outbox)

    async def until(self, is_so: Callable[[dict[str, DeliveryRow]], bool]) -> dict[str, DeliveryRow]:
        with anyio.fail_after(PATIENCE_SECONDS):
            while not is_so(self.rows()):
                await self.written.wait()
        return self.rows()

    async def until_empty(self) -> None:
        await self.until(lambda rows: not rows)

    def put(self, *deliveries: Delivery) -> None:
        fates: list[StoreError | None] = []
        self._units += 1
        self.submit(Unit("cause", self._units, b"", deliveries), fates.append)
        assert fates == [None]

    def _tell(self) -> None:
        self.written.set()
        self.written = anyio.Event()


@dataclass
class Post:
    """All of it."""

    store: WatchedStore
    time: ManualTime
    worker: Worker
    names: dict[int, str] = field(default_factory=dict)

    def put(self, endpoint: str, *ids: str, data: Mapping[str, Any] | None = None, players: object = None) -> None:
        body = pack([data or {"n": 1}, players])
        self.store.put(*(Delivery(one, endpoint, "wallet.changed", self.time.now, body) for one in ids))
        self.worker.wake([endpoint])


@asynccontextmanager
async def post(urls: Mapping[str, str], *, limits: Limits | None = None) -> AsyncIterator[Post]:
    """A worker for these endpoints by key."""
    store, time, names = WatchedStore(), ManualTime(), {7: "ann", 8: "bob"}

    async def named(numbers: Collection[int]) -> Mapping[int, str]:
        return {number: names[number] for number in numbers if number in names}

    async with (
        Sender.opened(allow_private=True, limits=limits) as sender,
        Worker.opened(Depot("arena", store, sender, time, named)) as worker,
    ):
        worker.serve({key: Endpoint(key, url, SECRET.encode()) for key, url in urls.items()})
        yield Post(store, time, worker, names)


def verified(heard: Heard, secret: str = SECRET) -> dict[str, Any]:
    """The body, once its signature was verified, as a receiver would."""
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", heard.headers["x-signature"])
    assert found is not None
    expected = hmac.new(secret.encode(), found[1].encode() + b"." + heard.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(expected, found[2])
    body: dict[str, Any] = json.loads(heard.body)
    return body
