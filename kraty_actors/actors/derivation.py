"""A window derived again from the journals alone (R-57): its boards, flags, grants, charges and moves.

Its contests are played one after the other and a page of records at a time, so that memory holds one board, and of each
grant a few words. The work is done in a thread: whoever else runs on the loop goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b

import anyio.to_thread

from kraty_actors.actors.chain import Sealer
from kraty_actors.actors.effects import anomaly_row
from kraty_actors.actors.playback import Input, Playback, history_pages
from kraty_actors.actors.records import pack
from kraty_actors.actors.takings import Amounts, amounts_of
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.calendar_messages import GetCatalogue
from kraty_actors.domain.catalogue import Catalogue, Library
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import Open
from kraty_actors.domain.ids import CALENDAR, is_window
from kraty_actors.domain.outcome import Charged, Effect, Flagged, MovedLeague, Outcome, Pay, Refunded, State
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import OpenWindow
from kraty_persistence import AnomalyRow, Store, StoredRecord


class Watcher:
    """What somebody wants to know of the actors that are played; each method is called in a thread but for `begin`."""

    async def begin(self, playback: Playback) -> None:
        """An actor is about to be played."""

    def seen(self, playback: Playback, each: Input, outcome: Outcome) -> None:
        """An input was played."""

    def recorded(self, playback: Playback) -> None:
        """A whole record was played."""

    def ended(self, playback: Playback) -> None:
        """There are no more records of it."""


@dataclass(slots=True)
class Derived:
    """What the journals of a window come to.

    Attributes:
        contests: Their ids, in the order in which they were opened.
        has_begun: Whether the window was seen to open; before that it can be asked nothing.
        ended_at: When the last record was written that was read (ms).
        grants: By id, what each holds in 16 bytes (`grant_digest`).
        moves: The league to which each player was moved.
    """

    window: Window
    contests: list[str] = field(default_factory=list)
    has_begun: bool = False
    records: int = 0
    inputs: int = 0
    ended_at: int = 0
    grants: dict[str, bytes] = field(default_factory=dict)
    paid: Amounts = field(default_factory=Counter)
    anomalies: dict[str, AnomalyRow] = field(default_factory=dict)
    charges: dict[int, list[Charged]] = field(default_factory=dict)
    refunds: dict[int, list[Refunded]] = field(default_factory=dict)
    moves: dict[int, str] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether all of it is final."""
        return self.window.stage in ("finalized", "cancelled")

    def take(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Pay():
                    self.grants[effect.grant_id] = digest_of(effect)
                    self.paid.update(amounts_of([effect.entries]))
                case Flagged():
                    self.anomalies[effect.anomaly_id] = anomaly_row(effect)
                case Charged():
                    self.charges.setdefault(effect.player, []).append(effect)
                case Refunded():
                    self.refunds.setdefault(effect.player, []).append(effect)
                case MovedLeague():
                    self.moves[effect.player] = effect.league


def digest_of(pay: Pay) -> bytes:
    """Which grant it is, in short."""
    contents = pack(list(pay.entries))
    return grant_digest(pay.player, pay.kind, contents, pay.source_kind, pay.source_ref, pay.parent, pay.at)


def grant_digest(
    player: int, kind: str, contents: bytes, source_kind: str, source_ref: str | None, parent: str | None, at: int
) -> bytes:
    return blake2b(pack([player, kind, contents, source_kind, source_ref, parent, at]), digest_size=16).digest()


class Derivation:
    """See the module. With a `sealer` the digests are checked on the way. A `library` that has all rules already saves
    the calendar; with `until` windows are played up to that instant (ms).

    Every method may raise `AlteredJournal`, and `UnknownFormat` where a newer program wrote.
    """

    def __init__(
        self,
        store: Store,
        *,
        sealer: Sealer | None = None,
        watcher: Watcher | None = None,
        library: Library | None = None,
        until: int | None = None,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._watcher = watcher or Watcher()
        self._until = until
        self.library = library or Library()

    async def calendar(self) -> Catalogue:
        """Play the calendar, which fills the library with every revision of the rules."""
        calendar = Calendar(self.library)
        await self._play(CALENDAR, calendar, Derived(Window(CALENDAR, self.library)))
        catalogue = calendar.apply(GetCatalogue(), 0).reply
        return catalogue if isinstance(catalogue, Catalogue) else Catalogue.empty()

    async def window(self, window_id: str) -> Derived | None:
        """Play the window itself, after the calendar; None if none of that id has opened."""
        if not is_window(window_id):
            return None
        derived = Derived(Window(window_id, self.library))
        await self._play(window_id, derived.window, derived)
        return derived if derived.has_begun else None

    async def boards(self, derived: Derived) -> AsyncIterator[Contest]:
        """Play the contests of a window that was played, and give each as it stands at the end."""
        for name in derived.contests:
            yield await self.board(derived, name)

    async def board(self, derived: Derived, name: str) -> Contest:
        """One of them."""
        contest = Contest(name, self.library)
        await self._play(name, contest, derived)
        return contest

    async def _play(self, name: str, state: State, derived: Derived) -> None:
        playback = Playback(name, state, self._sealer, until=None if name == CALENDAR else self._until)
        await self._watcher.begin(playback)
        async with aclosing(history_pages(self._store, name)) as pages:
            async for page in pages:
                await anyio.to_thread.run_sync(partial(self._play_page, playback, page, derived))
                if playback.is_past:
                    break
        derived.records += playback.number
        derived.inputs += playback.inputs
        derived.ended_at = max(derived.ended_at, playback.now)
        await anyio.to_thread.run_sync(self._watcher.ended, playback)

    def _play_page(self, playback: Playback, page: Sequence[StoredRecord], derived: Derived) -> None:
        watcher = self._watcher
        for record in page:
            for each, outcome in playback.play(record):
                if outcome.effects:
                    derived.take(outcome.effects)
                if isinstance(each.command, OpenWindow):
                    derived.has_begun = True
                if outcome.messages:
                    derived.contests += [one.to for one in outcome.messages if isinstance(one.command, Open)]
                watcher.seen(playback, each, outcome)
            if playback.is_past:
                return
            watcher.recorded(playback)
