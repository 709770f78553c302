"""The webhooks of one game, from before it recovers until it is closed.

Which endpoints there are is known before whatever makes them stand is committed, and is kept in the store, so that
nothing that happens is missed: neither in the commit that opens the first window, nor while the next start recovers.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskStatus

from kraty_actors.actors.effects import Deliveries
from kraty_actors.actors.engine import Engine
from kraty_actors.definitions import GameFile
from kraty_actors.domain.catalogue import Catalogue
from kraty_actors.webhooks.courier import Depot
from kraty_actors.webhooks.endpoints import Endpoint, endpoints_of
from kraty_actors.webhooks.occurrences import Occurrences, Wanted
from kraty_actors.webhooks.sending import Sender
from kraty_actors.webhooks.worker import Worker
from kraty_persistence import Reporter, Store, StoreUnavailable

log = logging.getLogger(__name__)

META = "webhooks"


class Webhooks:
    """See the module. Where a game has no endpoint, nothing of it costs anything."""

    def __init__(self, store: Store, *, allow_private: bool, environ: Mapping[str, str] | None = None) -> None:
        self.occurrences = Occurrences(self._catalogue)
        self._store = store
        self._allow_private = allow_private
        self._environ = os.environ if environ is None else environ
        self._engine: Engine | None = None
        self._endpoints: Mapping[str, Endpoint] = {}
        self._wanted: Wanted = {}
        self._change = anyio.Event()
        self._is_stopping = False

    async def recall(self) -> tuple[Deliveries, Reporter] | None:
        """Listen for the endpoints that there were last time; what `Engine.opened` is to be given."""
        kept = await self._store.get_meta(META)
        for key, events in json.loads(kept or "{}").items():
            self._wanted = {**self._wanted, key: None if events is None else frozenset(events)}
        self.occurrences.listen(self._wanted)
        return (self.occurrences.rows_of, self.occurrences.report) if self._wanted else None

    def attach(self, engine: Engine) -> None:
        """Hear of every game before it stands; one whose secrets are not there never does."""
        self._engine = engine
        engine.publishing.before = self._expect

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver, to the endpoints that the game has at any time, until the block is left."""
        async with anyio.create_task_group() as tasks:
            watch = await tasks.start(self._watch)
            tasks.start_soon(self._deliver)
            try:
                yield
            finally:
                watch.cancel()
                self._is_stopping = True
                self._change.set()
        self._store.reporter = self._store.posted = None

    # -- which endpoints there are

    async def _expect(self, game: GameFile) -> None:
        """This game may stand from any moment on, or the one before may go on: listen for the endpoints of both."""
        await self._listen({**self._wanted, **_wanted_by(endpoints_of(game, self._environ))})

    async def _listen(self, wanted: Wanted) -> None:
        if wanted == self._wanted:
            return
        plain = {key: None if events is None else sorted(events) for key, events in wanted.items()}
        await self._store.set_meta(META, json.dumps(plain))
        was_telling, self._wanted = bool(self._wanted), wanted
        self.occurrences.listen(wanted)
        if not was_telling:
            self._running().tell_outside(self.occurrences.rows_of, self.occurrences.report)

    async def _take_over(self) -> None:
        """These are the endpoints now."""
        self._endpoints = endpoints_of(self._running().catalogue.game, self._environ)
        self._change.set()
        try:
            await self._listen(_wanted_by(self._endpoints))
        except StoreUnavailable as error:
            log.info("endpoints that are gone are forgotten later: %s", error)

    async def _watch(self, *, task_status: TaskStatus[anyio.CancelScope]) -> None:
        engine = self._running()
        with anyio.CancelScope() as scope:
            seen = engine.catalogue.game
            await self._take_over()
            task_status.started(scope)
            while True:
                if engine.catalogue.game is seen:
                    await engine.catalogue_change()
                else:
                    seen = engine.catalogue.game
                    await self._take_over()

    def _running(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("attach an engine first")
        return self._engine

    def _catalogue(self) -> Catalogue:
        return Catalogue.empty() if self._engine is None else self._engine.catalogue

    # -- delivering

    async def _deliver(self) -> None:
        """A game without endpoints needs neither connections nor tasks."""
        while not self._endpoints and not self._is_stopping:
            await self._next_change()
        engine = self._running()
        game = engine.catalogue.game
        if self._is_stopping or game is None:
            return
        async with (
            Sender.opened(allow_private=self._allow_private) as sender,
            Worker.opened(Depot(game.game_id, self._store, sender, engine, self._names)) as worker,
        ):
            self._store.posted = worker.wake
            while not self._is_stopping:
                worker.serve(self._endpoints)
                await self._next_change()

    async def _next_change(self) -> None:
        await self._change.wait()
        self._change = anyio.Event()

    async def _names(self, numbers: Collection[int]) -> Mapping[int, str]:
        """Who players are, from memory as far as they are there. Others are not kept there for this."""
        players = self._running().players
        missing = set(players.missing(numbers))
        rows = [players.row(number) for number in numbers if number not in missing]
        rows += await self._store.players(sorted(missing)) if missing else []
        return {row.number: row.player_id for row in rows if row.player_id}


def _wanted_by(endpoints: Mapping[str, Endpoint]) -> Wanted:
    return {key: endpoint.events for key, endpoint in endpoints.items()}
