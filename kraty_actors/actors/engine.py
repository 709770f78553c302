"""One game's actors, and the services through which everything is asked of them.

The gateway and the embedding API both stand on this. Operations on one attempt are handed on at once and answered
through `respond`, so that requests keep their order; those that join several actors are `async`, one service a subject.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup

from kraty_actors.actors.bans import Bans
from kraty_actors.actors.boards import Boards
from kraty_actors.actors.cell import Respond
from kraty_actors.actors.clock import Clock
from kraty_actors.actors.copies import Copies
from kraty_actors.actors.corrections import Corrections
from kraty_actors.actors.effects import Deliveries, GrantTerms
from kraty_actors.actors.entrance import Entrance
from kraty_actors.actors.explaining import Explaining
from kraty_actors.actors.figures import ActorFigures, LoopFigures, figures_of
from kraty_actors.actors.gates import Gates
from kraty_actors.actors.inquiries import Inquiries
from kraty_actors.actors.journal_key import own_sealer
from kraty_actors.actors.lapses import LOOK_EVERY_MS, Lapses
from kraty_actors.actors.listing import Listings
from kraty_actors.actors.lobbies import Lobbies
from kraty_actors.actors.loop import ActorLoop, Listener
from kraty_actors.actors.money import Money
from kraty_actors.actors.players import Players
from kraty_actors.actors.previews import Previews
from kraty_actors.actors.publishing import Publishing
from kraty_actors.actors.simulations import Simulations
from kraty_actors.actors.states import make_state
from kraty_actors.actors.steering import Steering
from kraty_actors.actors.world import World
from kraty_actors.domain.catalogue import Catalogue, Library
from kraty_actors.domain.contest_messages import Finish, GetAttempt, Write
from kraty_actors.domain.ids import CALENDAR, is_window, split_attempt
from kraty_actors.domain.outcome import Effect, Notice, Refusal
from kraty_actors.domain.window_messages import Invitation
from kraty_persistence import Reporter, Store, StoreError, StoreUnavailable

log = logging.getLogger(__name__)

Number = int | float


class Engine(Listener):
    """See the module. `opened` makes one that runs."""

    def __init__(self, store: Store, clock: Clock) -> None:
        library = Library()
        self._store = store
        self._loop = ActorLoop(store, clock, lambda actor_id: make_state(actor_id, library), roots=[CALENDAR])
        self._world = world = World(store, self._loop, library)
        gates = Gates(world)
        self.entrance = Entrance(world, gates)
        self.listings = Listings(world, gates)
        self.boards = Boards(world)
        self.lobbies = Lobbies(world)
        self.money = Money(world)
        self.previews = Previews(world)
        self.simulations = Simulations(world)
        self.bans = Bans(world)
        self.lapses = Lapses(world)
        self.publishing = Publishing(world)
        self.steering = Steering(world)
        self.inquiries = Inquiries(world)
        self.explanations = Explaining(store, now_ms=world.now_ms, library=library, sealer=lambda: self._loop.sealer)
        self.corrections = Corrections(
            store,
            Copies(store, library),
            world.players,
            world.purses,
            now_ms=world.now_ms,
            terms=lambda: self._loop.recorder.terms,
            forget=world.dossiers.forget,
        )
        self._loop.listener = self
        self._tasks: TaskGroup | None = None
        self.edge = Listener()

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        store: Store,
        clock: Clock,
        *,
        outside: tuple[Deliveries, Reporter] | None = None,
        journal_key: str | None = None,
    ) -> AsyncIterator[Engine]:
        """Recover everything that is stored, run, and write checkpoints when the block is left. `outside` is what
        `tell_outside` takes, for what happens during the recovery; `journal_key` the key of the journal's digests where
        it is not kept in the database.

        Raises:
            WrongKey: The journal has another key.
            AlteredJournal: The journal of something that still goes on is not what was written.
        """
        engine = cls(store, clock)
        store.taken = engine.give_up
        engine._loop.sealer = await own_sealer(store, journal_key)
        async with anyio.create_task_group() as tasks:
            engine._tasks = tasks
            if outside is not None:
                engine.tell_outside(*outside)
            tasks.start_soon(engine._loop.run)
            await engine._recover()
            yield engine
            await engine._loop.checkpoint_all()
            tasks.cancel_scope.cancel()

    async def _recover(self) -> None:
        await self._loop.recover([CALENDAR])
        await self._world.read_catalogue()
        sleeping = self._loop.let_sleep(await self._store.resting())
        names = [name for name in await self._store.unfinished() if name != CALENDAR and name not in sleeping]
        await self._loop.recover(names)
        await self.lobbies.recovered([name for name in names if is_window(name)])

    @property
    def players(self) -> Players:
        return self._world.players

    @property
    def catalogue(self) -> Catalogue:
        """The calendar's latest picture."""
        return self._world.catalogue

    @property
    def grant_terms(self) -> GrantTerms:
        """How grants reach players by now."""
        return self._loop.recorder.terms

    async def catalogue_change(self) -> None:
        """Wait for the next picture."""
        await self._world.catalogue_change()

    def now_ms(self) -> int:
        return self._loop.now_ms()

    def call_at(self, at: int, callback: Callable[[], None]) -> None:
        """Call back once the game's clock has come to `at` (ms)."""
        self._loop.call_at(at, callback)

    # -- what others outside are told

    def tell_outside(self, deliveries: Deliveries, reporter: Reporter) -> None:
        """From now on put into the outbox what these make of what happens, in the transaction of its cause (R-53)."""
        is_first = self._store.reporter is None
        self._loop.recorder.deliveries = deliveries
        self._store.reporter = reporter
        if is_first:
            self._look_for_lapses()

    def _look_for_lapses(self) -> None:
        now = self.now_ms()
        self._in_background(partial(self.lapses.look, now))
        self.call_at(now + LOOK_EVERY_MS, self._look_for_lapses)

    # -- what the loop tells, handed on to the edge

    def moved(self, actor_id: str) -> None:
        if actor_id == CALENDAR:
            self._world.ask_for_catalogue()
        else:
            self.edge.moved(actor_id)

    def finished(self, actor_id: str) -> None:
        self.edge.finished(actor_id)

    def happened(self, effect: Effect) -> None:
        self.figures.happened(effect)
        self._world.dossiers.happened(effect)

    def notice(self, notice: Notice) -> None:
        if notice.push == "invitation" and isinstance(notice.body, Invitation):
            for player in notice.players:
                self._in_background(partial(self._accept, player, notice.body))
            return
        self.lobbies.told(notice)
        self.edge.notice(notice)

    def _in_background(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._tasks is not None:
            self._tasks.start_soon(work)

    async def _accept(self, player: int, invitation: Invitation) -> None:
        """A seat in a lobby that began is paid for; where that fails the player can still start by themselves."""
        try:
            [row] = await self._store.players([player])
            declined = await self.entrance.accept(row, invitation)
        except StoreUnavailable:
            log.warning("a seat in %s waits to be paid for: the database does not answer", invitation.lobby_id)
            return
        if declined is not None:
            self.edge.notice(Notice("attempt.refused", (player,), declined))
            self.edge.flush()

    def flush(self) -> None:
        self.edge.flush()

    # -- attempts

    def write(
        self,
        player: int,
        attempt_id: str,
        metrics: dict[str, Number] | Number,
        mode: str,
        identity: int | str | None,
        respond: Respond,
    ) -> None:
        """One progress message, to its contest: `Written` or a `Refusal` (R-8)."""
        where = split_attempt(attempt_id)
        if where is None:
            respond(_no_attempt())
        else:
            self._loop.ask(where[0], Write(where[1], metrics, mode, identity, player), respond)

    def finish(self, player: int, attempt_id: str, respond: Respond) -> None:
        """End an attempt: `AttemptView` or a `Refusal` (R-12)."""
        where = split_attempt(attempt_id)
        if where is None:
            respond(_no_attempt())
        else:
            self._loop.ask(where[0], Finish(where[1], player), respond)

    def attempt(self, player: int, attempt_id: str, respond: Respond) -> None:
        """Read an attempt: `AttemptView` or a `Refusal`."""
        where = split_attempt(attempt_id)
        if where is None:
            respond(_no_attempt())
        else:
            self._loop.ask(where[0], GetAttempt(player, where[1]), respond)

    # -- how it stands

    @property
    def figures(self) -> LoopFigures:
        """What the actors have done so far."""
        return self._loop.figures

    def actors(self) -> Iterator[ActorFigures]:
        """Every actor in memory as it stands."""
        return figures_of(self._loop.cells)

    def is_healthy(self) -> bool:
        """Whether the last commit succeeded."""
        return self._store.failing_since is None and not self._loop.store_is_away

    def give_up(self, error: StoreError) -> None:
        """Stop: the store belongs to somebody else now, or is closed."""
        self._loop.give_up(error)


def _no_attempt() -> Refusal:
    return Refusal("not_found", "no such attempt")
