"""Takes to one endpoint whatever is due for it. Nothing here is shared with other endpoints, so none delays another.

An endpoint that fails is left alone for a moment, a longer one with each failure in a row, and then tried with a single
delivery, until one arrives. Nothing is promised about order.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio

from kraty_actors.webhooks import backoff
from kraty_actors.webhooks.endpoints import Endpoint
from kraty_actors.webhooks.parcels import Names, Parcel, open_parcels
from kraty_actors.webhooks.sending import Answer
from kraty_actors.webhooks.signing import SIGNATURE_HEADER, body_of, signature
from kraty_persistence import DeliveryRow, Store, StoreClosed, StoreTaken, StoreUnavailable

log = logging.getLogger(__name__)

PARALLEL = 8
"""Deliveries under way to one endpoint at the same time."""

PAGE = 128
"""Deliveries read from the store at once."""

GATHER_SECONDS = 0.05
"""Between two times that the store is told what came of tries, so that it need not commit for each."""

LOOK_AGAIN_MS = 300_000
"""After which the store is asked in any case: nobody is told of a commit of which it was long unknown whether it was
one."""

STORE_RETRY_SECONDS = 0.25


class Time(Protocol):
    """The game's clock."""

    def now_ms(self) -> int: ...

    def call_at(self, at: int, callback: Callable[[], None]) -> None: ...


class Sends(Protocol):
    """What carries a body to an address."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Depot:
    """What all couriers of a game have in common."""

    game_id: str
    outbox: Store
    sender: Sends
    time: Time
    names: Names


@dataclass(frozen=True, slots=True)
class Failed:
    """A try in vain: what is to be written down."""

    row: DeliveryRow
    attempts: int
    next_at: int | None
    error: str


class Courier:
    """See the module. `run` ends after `stop`, once everything that was under way has its answer."""

    def __init__(self, endpoint: Endpoint, depot: Depot) -> None:
        self.endpoint = endpoint
        self._depot = depot
        self._time = depot.time
        self._began_at = self._time.now_ms()
        self._waiting: deque[Parcel] = deque()
        self._held: set[str] = set()
        """Ids of all that was read and of which the store does not know yet what came of it."""
        self._under_way = 0
        self._failures = 0
        """In a row: tries that were under way together count once."""
        self._rests_until = 0
        self._alarm_at = 0
        self._arrived: list[str] = []
        self._failed: list[Failed] = []
        self._bell = anyio.Event()
        self._ink = anyio.Event()
        self._is_stopping = self._is_over = False

    def wake(self) -> None:
        """Something may be due."""
        self._bell.set()

    def stop(self) -> None:
        """Take nothing more."""
        self._is_stopping = True
        self._bell.set()

    async def run(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write_down)
            while (parcel := await self._next()) is not None:
                self._under_way += 1
                tasks.start_soon(self._deliver, parcel, self._failures)
            self._is_over = True
            self._ink.set()

    # -- what is next

    async def _next(self) -> Parcel | None:
        """Wait for the next delivery that may be tried; None when all is over."""
        while self._under_way or not self._is_stopping:
            bell = self._bell = anyio.Event()
            if self._has_room() and (self._waiting or await self._read()):
                parcel = self._waiting.popleft()
                if not self._is_hopeless(parcel):
                    return parcel
            else:
                await bell.wait()
        return None

    def _has_room(self) -> bool:
        limit = 1 if self._failures else PARALLEL
        may_start = self._under_way < limit and len(self._held) <= 2 * PAGE
        return may_start and not self._is_stopping and self._time.now_ms() >= self._rests_until

    def _is_hopeless(self, parcel: Parcel) -> bool:
        """Give up without a try what could have been tried for a day, while the endpoint is failing, and what cannot
        be read."""
        row = parcel.row
        if parcel.data is None:
            self._fail(Failed(row, row.attempts, None, "cannot be read"))
        elif self._failures and self._waited_ms(row) >= backoff.GIVE_UP_MS:
            self._fail(Failed(row, row.attempts, None, row.error or "the endpoint failed for a day"))
        else:
            return False
        return True

    def _waited_ms(self, row: DeliveryRow) -> int:
        """For how long a delivery has been tried, or could have been since this program runs."""
        due_at = max(row.next_at or 0, self._began_at)
        return backoff.spent_ms(row.id, row.attempts) + max(0, self._time.now_ms() - due_at)

    async def _read(self) -> bool:
        """Read more; False if nothing is due."""
        now = self._time.now_ms()
        outbox = self._depot.outbox
        try:
            rows = await outbox.due(self.endpoint.key, now, PAGE + len(self._held))
            rows = [row for row in rows if row.id not in self._held][:PAGE]
            self._waiting.extend(await open_parcels(rows, self._depot.names))
            self._held.update(row.id for row in rows)
            if not rows:
                next_at = dict(await outbox.endpoints_due()).get(self.endpoint.key, now)
                self._set_alarm(now, min(next_at if next_at > now else now + LOOK_AGAIN_MS, now + LOOK_AGAIN_MS))
        except StoreUnavailable:
            await anyio.sleep(STORE_RETRY_SECONDS)
            self._bell.set()
        except (StoreTaken, StoreClosed):
            self._is_stopping = True
        return bool(self._waiting)

    def _set_alarm(self, now: int, at: int) -> None:
        """Look again then, if not before. What is due already is under way, and rings when it has its answer."""
        if not now < self._alarm_at <= at:
            self._alarm_at = at
            self._time.call_at(at, self.wake)

    # -- one try

    async def _deliver(self, parcel: Parcel, failures_before: int) -> None:
        row = parcel.row
        try:
            answer = await self._try(parcel)
        except Exception:  # a bug of ours in one delivery: the others, and the game, go on
            log.exception("a delivery of %s to %s failed", row.name, self.endpoint.key)
            answer = Answer(None, "internal error")
        self._under_way -= 1
        self._take(row, answer, failures_before)
        self._bell.set()

    async def _try(self, parcel: Parcel) -> Answer:
        row, endpoint = parcel.row, self.endpoint
        body = body_of(row.id, row.name, self._depot.game_id, row.at, row.attempts + 1, parcel.data or {})
        signed = signature(endpoint.secret, self._time.now_ms(), body)
        return await self._depot.sender.post(endpoint.url, body, {SIGNATURE_HEADER: signed})

    def _take(self, row: DeliveryRow, answer: Answer, failures_before: int) -> None:
        if answer.has_arrived:
            self._failures = self._rests_until = 0
            self._arrived.append(row.id)
            self._ink.set()
            return
        now = self._time.now_ms()
        asked = backoff.asked_ms(answer.retry_after, now)
        if self._failures == failures_before:
            self._failures += 1
            self._rest_until(now + max(backoff.rest_ms(self._failures), min(asked, backoff.LONGEST_REST_MS)))
        attempts = row.attempts + 1
        pause = backoff.pause_ms(row.id, attempts)
        is_over = self._waited_ms(row) + pause >= backoff.GIVE_UP_MS
        self._fail(Failed(row, attempts, None if is_over else now + max(pause, asked), answer.error))

    def _rest_until(self, at: int) -> None:
        self._rests_until = at
        self._time.call_at(at, self.wake)

    def _fail(self, failed: Failed) -> None:
        self._failed.append(failed)
        self._ink.set()

    # -- what came of it

    async def _write_down(self) -> None:
        """Tell the store, many at a time. What it does not hear of, it gives out again: at least once."""
        while not (self._is_over and not self._arrived and not self._failed):
            await self._ink.wait()
            self._ink = anyio.Event()
            arrived, failed = self._arrived, self._failed
            self._arrived, self._failed = [], []
            try:
                await self._tell(arrived, failed)
            except StoreUnavailable:
                self._arrived[:0], self._failed[:0] = arrived, failed
                await anyio.sleep(STORE_RETRY_SECONDS)
                self._ink.set()
                continue
            except (StoreTaken, StoreClosed):
                return
            self._held.difference_update(arrived, (one.row.id for one in failed))
            self._bell.set()
            if self._is_over:
                self._ink.set()
            else:
                await anyio.sleep(GATHER_SECONDS)

    async def _tell(self, arrived: Sequence[str], failed: Sequence[Failed]) -> None:
        outbox = self._depot.outbox
        if arrived:
            await outbox.delivered(arrived)
        for one in failed:
            await outbox.failed(one.row.id, attempts=one.attempts, next_at=one.next_at, error=one.error)
        dead = [one for one in failed if one.next_at is None]
        if dead:
            log.warning("gave up %d deliveries to %s: %s", len(dead), self.endpoint.key, dead[-1].error)
