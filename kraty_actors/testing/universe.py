"""A server, its network and its database, all of them by one clock and one seed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import anyio
import trio
from anyio.abc import ByteStream

from kraty_actors.actors.clock import LoopClock
from kraty_actors.client.client import Client, connect
from kraty_actors.client.link import ConnectionLost
from kraty_actors.game import Game, open_game
from kraty_actors.opening import GameSource, read_game, unwrapped
from kraty_actors.testing.faults import CALM, Faults
from kraty_actors.testing.flaky_store import FlakyStore
from kraty_actors.testing.network import Network, SimStream
from kraty_persistence import MemoryStore, StoreError
from kraty_protocol.limits import Role

URL = "ws://simulated:1/v1/socket"
JOURNAL_KEY = "simulated" * 8
NOON = 1_800_014_400_000
"""2027-01-15T12:00Z, a Friday: when a universe begins unless it is told otherwise."""

STEPS_MAX = 300
"""A crash comes within so many steps of tasks after its time."""

UNITS_MAX = 4
DOWN_SECONDS_MAX = 10.0
REDIAL_SECONDS = 0.5
HOUR_SECONDS = 3600.0

log = logging.getLogger(__name__)


class Universe(trio.abc.Instrument):
    """What a script of `simulate` gets.

    Attributes:
        rng: Chance for the script, drawn from the seed.
        disk: What the database holds; it outlives every crash.
        crashes, restarts, outages: How often these have happened.
        events: What happens is added here, where a list was given.
    """

    def __init__(
        self, game: GameSource, seed: int, faults: Faults, *, start_ms: int = NOON, events: list[str] | None = None
    ) -> None:
        self.seed = seed
        self.rng = self._chance("script")
        self.faults = faults
        self.disk = MemoryStore()
        self.clock = LoopClock(start_ms)
        self.crashes = self.restarts = self.outages = 0
        self.events = events
        self._definition: Mapping[str, Any] = read_game(game)
        self._network = Network(self._chance("network"), faults, self.tell)
        self._luck = self._chance("luck")
        self._digest = hashlib.sha256()
        self._store: FlakyStore | None = None
        self._game: Game | None = None
        self._life = trio.CancelScope()
        self._stop = anyio.Event()
        self._ready = anyio.Event()
        self._is_over = False
        self._steps_left = 0

    def _chance(self, what: str) -> Random:
        return Random(f"{self.seed}:{what}")

    # -- what scripts use

    def now_ms(self) -> int:
        """The universe's time."""
        return self.clock.now_ms()

    async def sleep_until_ms(self, at_ms: int) -> None:
        """Let virtual time pass."""
        await anyio.sleep(max(0, at_ms - self.now_ms()) / 1000)

    async def dial(self) -> ByteStream:
        """A connection to the server, for whoever takes a `Dial`."""
        return await self._network.dial()

    async def dial_safely(self) -> ByteStream:
        """The same by a connection that breaks only when the server dies."""
        return await self._network.dial(safely=True)

    @asynccontextmanager
    async def client(self, player_id: str | None = None, role: Role = "player") -> AsyncIterator[Client]:
        """The package's own client on the simulated network. It comes back by itself when a connection is lost; what
        must not be sent twice it raises as `ConnectionLost`."""
        async with AsyncExitStack() as stack:
            while True:
                try:
                    client = await stack.enter_async_context(
                        connect(URL, role=role, player_id=player_id, dial=self.dial)
                    )
                    break
                except (OSError, ConnectionLost):
                    await anyio.sleep(REDIAL_SECONDS)
            yield client

    @property
    def game(self) -> Game:
        """The game in the server of this moment.

        Raises:
            ConnectionError: The server is down.
        """
        if self._game is None:
            raise ConnectionError("the server is down")
        return self._game

    def tell(self, what: str) -> None:
        """Put something into the record by which two runs are compared."""
        line = f"{self.now_ms()} {what}"
        self._digest.update(line.encode())
        if self.events is not None:
            self.events.append(line)

    @property
    def digest(self) -> str:
        """Of all that happened so far: the same for the same seed."""
        return self._digest.hexdigest()

    # -- the life of servers

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Servers come and go until the block is left."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._servers)
            await self._ready.wait()
            with anyio.CancelScope() as bad_luck:
                async with anyio.create_task_group() as misfortunes:
                    misfortunes.start_soon(self._outages)
                    misfortunes.start_soon(self._crashes)
                    misfortunes.start_soon(self._restarts)
                    yield
                    bad_luck.cancel()
            self._is_over = True
            self._stop.set()

    async def calm(self) -> None:
        """From now on nothing goes wrong; return once a server stands."""
        self.faults = CALM
        self._network.is_calm = True
        self._steps_left = 0
        if self._store is not None:
            self._store.is_calm, self._store.is_away = True, False
            self._store.loses_answer, self._store.dies_after = False, None
        await self._ready.wait()

    async def restart(self) -> None:
        """Stop the server in good order, and wait for the next."""
        self.restarts += 1
        self.tell("server: stops")
        self._no_server()
        self._stop.set()
        await self._ready.wait()

    def crash(self) -> None:
        """The server's process dies, now: what its database has not committed is gone."""
        if self._store is None or self._store.is_dead:
            return
        self.crashes += 1
        self.tell("server: dies")
        self._steps_left = 0
        self._store.is_dead = True
        self._no_server()
        self._network.cut_all()
        self._life.cancel()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Count steps until a crash is due: between any two of them a process may die."""
        if self._steps_left:
            self._steps_left -= 1
            if not self._steps_left:
                self.crash()

    async def _servers(self) -> None:
        while not self._is_over:
            self._stop = anyio.Event()
            with trio.CancelScope() as self._life:
                try:
                    with unwrapped():
                        await self._serve()
                except StoreError as error:
                    self.tell(f"server: does not start: {type(error).__name__}")
            self._no_server()
            if not self._is_over:
                await anyio.sleep(self._luck.uniform(0.1, DOWN_SECONDS_MAX))

    def _no_server(self) -> None:
        self._game = self._network.accept = None
        if self._ready.is_set():  # else somebody waits for it already
            self._ready = anyio.Event()

    async def _serve(self) -> None:
        chance = self._chance(f"store:{self.crashes}:{self.restarts}")
        self._store = store = FlakyStore(self.disk, chance, self.faults, self.crash, self.tell)
        async with anyio.create_task_group() as beside:
            beside.start_soon(store.run)
            async with open_game(
                self._definition, store=store.as_store, clock=self.clock, insecure_dev=True, journal_key=JOURNAL_KEY
            ) as game:

                def accept(stream: SimStream) -> None:
                    beside.start_soon(game.handle, stream)

                self._game, self._network.accept = game, accept
                self.tell("server: serves")
                self._ready.set()
                await self._stop.wait()
                self._no_server()
            beside.cancel_scope.cancel()

    # -- misfortunes

    async def _outages(self) -> None:
        while await self._waited(self.faults.outages_per_hour):
            store = self._store
            if store is None or store.is_dead:
                continue
            self.outages += 1
            store.loses_answer = self._luck.random() < 0.5
            store.is_away = not store.loses_answer
            self.tell("store: goes away")
            await anyio.sleep(self._luck.uniform(0, self.faults.outage_seconds))
            store.loses_answer = store.is_away = False
            self.tell("store: is back")

    async def _crashes(self) -> None:
        while await self._waited(self.faults.crashes_per_hour):
            if self._store is not None and self._luck.random() < 0.4:
                self._store.dies_after = self._luck.randrange(UNITS_MAX)
            else:
                self._steps_left = self._luck.randrange(1, STEPS_MAX)

    async def _restarts(self) -> None:
        while await self._waited(self.faults.restarts_per_hour):
            if self._game is not None:
                await self.restart()

    async def _waited(self, per_hour: float) -> bool:
        """Wait for the next of what happens so often on average; False if it never does, or no more."""
        if not per_hour:
            return False
        await anyio.sleep(self._luck.expovariate(per_hour / HOUR_SECONDS))
        return self.faults is not CALM
