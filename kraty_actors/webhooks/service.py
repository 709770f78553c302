"""The webhooks of one game, from before it recovers until it is closed.

Which endpoints there are is kept in the store too, so that what happens during the next recovery is told as well.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskStatus

from kraty_actors.actors.engine import Engine
from kraty_actors.definitions import DefinitionFaults, GameFile
from kraty_actors.domain.catalogue import Catalogue
from kraty_actors.webhooks.courier import Depot
from kraty_actors.webhooks.endpoints import Endpoints, endpoints_of
from kraty_actors.webhooks.occurrences import Occurrences, Wanted
from kraty_actors.webhooks.sending import Sender
from kraty_actors.webhooks.worker import Worker
from kraty_persistence import Store, StoreError

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
        self._endpoints = Endpoints({}, {})
        self._kept: Wanted = {}
        self._is_telling = False
        self._change = anyio.Event()
        self._is_stopping = False

    async def recall(self) -> tuple[Any, Any] | None:
        """Listen for the endpoints that there were last time; what `Engine.opened` is to be given."""
        kept = await self._store.get_meta(META)
        if kept is None:
            return None
        wanted = json.loads(kept)
        self._kept = {key: None if events is None else frozenset(events) for key, events in wanted.items()}
        self.occurrences.listen(self._kept)
        self._is_telling = bool(self._kept)
        return (self.occurrences.rows_of, self.occurrences.report) if self._is_telling else None

    def check(self, game: GameFile | None) -> None:
        """See that every secret is there.

        Raises:
            DefinitionFaults: Those whose variable the environment does not have.
        """
        faults = endpoints_of(game, self._environ).faults
        if faults:
            raise DefinitionFaults(faults)

    @asynccontextmanager
    async def running(self, engine: Engine) -> AsyncIterator[None]:
        """Deliver, to the endpoints that the game has at any time, until the block is left."""
        self._engine = engine
        async with anyio.create_task_group() as tasks:
            await self._take_over(engine)
            watch = await tasks.start(self._watch, engine)
            tasks.start_soon(self._deliver, engine)
            try:
                yield
            finally:
                watch.cancel()
                self._is_stopping = True
                self._change.set()
        self._store.reporter = self._store.posted = None

    # -- which endpoints there are

    async def _watch(self, engine: Engine, *, task_status: TaskStatus[anyio.CancelScope]) -> None:
        seen = engine.catalogue.game
        with anyio.CancelScope() as scope:
            task_status.started(scope)
            while True:
                if engine.catalogue.game is seen:
                    await engine.catalogue_change()
                    continue
                seen = engine.catalogue.game
                await self._take_over(engine)
                self._change.set()

    async def _take_over(self, engine: Engine) -> None:
        found = endpoints_of(engine.catalogue.game, self._environ)
        if found.faults and found.faults != self._endpoints.faults:
            log.warning("deliveries wait: %s", "; ".join(map(str, found.faults)))
        self._endpoints = found
        if found.wanted == self._kept:
            return
        self._kept = found.wanted
        self.occurrences.listen(found.wanted)
        if found.wanted and not self._is_telling:
            self._is_telling = True
            engine.tell_outside(self.occurrences.rows_of, self.occurrences.report)
        try:
            plain = {key: None if events is None else sorted(events) for key, events in found.wanted.items()}
            await self._store.set_meta(META, json.dumps(plain))
        except StoreError as error:
            log.warning("the endpoints are written down later: %s", error)

    def _catalogue(self) -> Catalogue:
        return Catalogue.empty() if self._engine is None else self._engine.catalogue

    # -- delivering

    async def _deliver(self, engine: Engine) -> None:
        while not self._endpoints.ready:
            if self._is_stopping:
                return
            await self._next_change()
        game = engine.catalogue.game
        game_id = "" if game is None else game.game_id
        async with (
            Sender.opened(allow_private=self._allow_private) as sender,
            Worker.opened(Depot(game_id, self._store, sender, engine, self._names)) as worker,
        ):
            self._store.posted = worker.wake
            while not self._is_stopping:
                worker.serve(self._endpoints.ready)
                await self._next_change()

    async def _next_change(self) -> None:
        await self._change.wait()
        self._change = anyio.Event()

    async def _names(self, numbers: Collection[int]) -> Mapping[int, str]:
        """Who players are, from memory as far as they are there. Others are not kept there for this."""
        if not numbers or self._engine is None:
            return {}
        players = self._engine.players
        missing = set(players.missing(numbers))
        rows = [players.row(number) for number in numbers if number not in missing]
        rows += await self._store.players(list(missing)) if missing else []
        return {row.number: row.player_id for row in rows if row.player_id}
