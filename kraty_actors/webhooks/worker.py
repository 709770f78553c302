"""Delivers what the outbox holds: one courier for each endpoint, each in a task of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from kraty_actors.webhooks.courier import Courier, Depot
from kraty_actors.webhooks.endpoints import Endpoint

STOP_SECONDS = 2.0
"""How long a stop waits for answers; what has none by then is delivered again after the next start."""


class Worker:
    """See the module. `opened` makes one that runs."""

    def __init__(self, depot: Depot, tasks: TaskGroup) -> None:
        self._depot = depot
        self._tasks = tasks
        self._couriers: dict[str, Courier] = {}
        self._running = 0
        self._all_ended = anyio.Event()

    @classmethod
    @asynccontextmanager
    async def opened(cls, depot: Depot) -> AsyncIterator[Worker]:
        """Deliver until the block is left; then wait a moment for what is under way."""
        async with anyio.create_task_group() as tasks:
            worker = cls(depot, tasks)
            try:
                yield worker
            finally:
                with anyio.move_on_after(STOP_SECONDS, shield=True):
                    await worker._stop()
                tasks.cancel_scope.cancel()

    def serve(self, endpoints: Mapping[str, Endpoint]) -> None:
        """From now on these are the endpoints. What waits for others goes on waiting."""
        for key in list(self._couriers):
            if key not in endpoints:
                self._couriers.pop(key).stop()
        for key, endpoint in endpoints.items():
            courier = self._couriers.get(key)
            if courier is not None:
                courier.endpoint = endpoint
            else:
                self._couriers[key] = courier = Courier(endpoint, self._depot)
                self._running += 1
                self._tasks.start_soon(self._run, courier)

    def wake(self, endpoints: Iterable[str] | None = None) -> None:
        """Something was put into the outbox for these endpoints, or for any."""
        for key in self._couriers if endpoints is None else endpoints:
            courier = self._couriers.get(key)
            if courier is not None:
                courier.wake()

    async def _run(self, courier: Courier) -> None:
        try:
            await courier.run()
        finally:
            self._running -= 1
            self._all_ended.set()

    async def _stop(self) -> None:
        self.serve({})
        while self._running:
            self._all_ended = anyio.Event()
            await self._all_ended.wait()
