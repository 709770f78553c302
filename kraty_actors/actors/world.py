"""What everything that can be asked of one game stands on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import anyio

from kraty_actors.actors.cell import Respond
from kraty_actors.actors.dossiers import Dossiers
from kraty_actors.actors.effects import GrantTerms
from kraty_actors.actors.loop import ActorLoop, answer_to
from kraty_actors.actors.players import Players
from kraty_actors.actors.purses import Purses
from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.calendar_messages import GetCatalogue
from kraty_actors.domain.catalogue import Catalogue, EventView, Library, WindowView
from kraty_actors.domain.conditions import NOTHING_WANTED, Wanted
from kraty_actors.domain.ids import CALENDAR
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.rules import Rules
from kraty_persistence import Store


class World:
    """The store, the actors, who the players are, and the calendar's latest picture."""

    def __init__(self, store: Store, loop: ActorLoop, library: Library) -> None:
        self.store = store
        self.loop = loop
        self.library = library
        self.players = Players(store)
        self.dossiers = Dossiers(store)
        self.purses = Purses(self.dossiers)
        self.catalogue = Catalogue.empty()
        self.listed: Sequence[EventView] = ()
        """The events that players may see."""
        self.wanted = NOTHING_WANTED
        """All that their gates ask about a player."""
        self._catalogue_changed = anyio.Event()

    def now_ms(self) -> int:
        return self.loop.now_ms()

    # -- the catalogue

    async def catalogue_at(self, now: int) -> Catalogue:
        """The catalogue with all windows that are due, which the calendar opens before it answers."""
        due_at = self.catalogue.due_at
        if due_at is not None and due_at <= now:
            await self.read_catalogue()
        return self.catalogue

    async def read_catalogue(self) -> None:
        """Take over the newest picture, in the moment of the answer, so that none overwrites a newer one."""

        def ask(respond: Respond) -> None:
            def take(reply: object) -> None:
                self.take_catalogue(reply)
                respond(reply)

            self.loop.ask(CALENDAR, GetCatalogue(), take)

        await answer_to(ask)

    def ask_for_catalogue(self) -> None:
        """It has changed: take it over as soon as the calendar answers."""
        self.loop.ask(CALENDAR, GetCatalogue(), self.take_catalogue)

    def take_catalogue(self, reply: object) -> None:
        if isinstance(reply, Catalogue):
            self.catalogue = reply
            self.loop.recorder.terms = GrantTerms.of(reply.game)
            self.listed = [one for one in reply.events.values() if one.state in ("scheduled", "live")]
            self.wanted = Wanted.by_all(rules.wanted for rules in self._rules_in_play())
            self._catalogue_changed.set()
            self._catalogue_changed = anyio.Event()

    async def catalogue_change(self) -> None:
        """Wait for the next picture."""
        await self._catalogue_changed.wait()

    def _rules_in_play(self) -> Iterator[Rules]:
        for event in self.listed:
            yield event.rules
            for window in event.windows:
                if not window.is_closed and window.revision != event.rules.revision:
                    yield self.library.rules(window.event_key, window.revision)

    def event(self, event_key: str) -> EventView | Refusal:
        found = self.catalogue.events.get(event_key)
        return Refusal("not_found", f"no event '{event_key}'") if found is None else found

    def rules(self, window: WindowView) -> Rules:
        """The rules that the window plays by."""
        return self.library.rules(window.event_key, window.revision)

    def rules_event(self, window: WindowView) -> EventDefinition:
        """The event as the window plays it."""
        return self.rules(window).event
