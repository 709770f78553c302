"""Throw-away copies of windows and contests, made from what is stored: nothing that is done to them is ever written."""

from __future__ import annotations

from kraty_actors.actors.cell import Cell
from kraty_actors.actors.recovery import restore
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.calendar_messages import GetCatalogue
from kraty_actors.domain.catalogue import Catalogue, Library
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.ids import CALENDAR, is_window
from kraty_actors.domain.outcome import State
from kraty_actors.domain.window import Window
from kraty_persistence import Store


class Copies:
    """See the module. `library` has the rules by which everything was played; `catalogue` shows the game's events."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store = store
        self._library = library

    @classmethod
    async def of_database(cls, store: Store) -> tuple[Copies, Catalogue]:
        """Of a database that nobody may be serving; and the game in it, as it stands.

        Raises:
            UnknownFormat: Something was written by a newer program.
        """
        copies = cls(store, Library())
        calendar = Calendar(copies._library)
        await copies._read(calendar, CALENDAR)
        catalogue = calendar.apply(GetCatalogue(), 0).reply
        return copies, catalogue if isinstance(catalogue, Catalogue) else Catalogue.empty()

    def ever_cost(self, event_key: str) -> bool:
        """Whether a start in an event was ever to be paid for (R-20)."""
        return any(rules.costs for rules in self._library.revisions(event_key))

    async def window(self, window_id: str) -> Window | None:
        """A window as it stands; None if none of that id has opened."""
        found = await self.window_and_words(window_id)
        return None if found is None else found[0]

    async def window_and_words(self, window_id: str) -> tuple[Window, Cell] | None:
        """A window, with what it has said to others and what they may not have heard yet."""
        if not is_window(window_id):
            return None
        window = Window(window_id, self._library)
        cell = await self._read(window, window_id)
        return None if cell is None else (window, cell)

    async def contest(self, contest_id: str) -> Contest | None:
        """A contest as it stands; None if none of that id was opened."""
        contest = Contest(contest_id, self._library)
        return None if await self._read(contest, contest_id) is None else contest

    async def _read(self, state: State, actor_id: str) -> Cell | None:
        stored = await self._store.load(actor_id)
        if not stored.number:
            return None
        cell = Cell(actor_id)
        await restore(cell, state, stored)
        return cell
