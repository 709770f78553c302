"""Whether the books of a whole game balance (R-20, R-40, R-45): every balance against its ledger, every grant against
what it has credited, every entry cost against the attempt that it paid for.

It only reads, a few players at a time, and may do so while the game is served: what one moment shows and the next
explains is no fault.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from kraty_actors.actors.cell import Cell
from kraty_actors.actors.copies import Copies
from kraty_actors.actors.player_books import PlayerBooks, charges_in, faults_of, split_books
from kraty_actors.domain.contest_messages import Seat
from kraty_actors.domain.floor import Floor
from kraty_actors.domain.ids import window_of
from kraty_persistence import MoneyTotal, Store

PLAYERS_AT_ONCE = 200
"""Players whose books are read together."""

FAULTS_MAX = 1_000
"""Faults that are told one by one; more are only counted."""


@dataclass(slots=True, frozen=True)
class Fault:
    """Something that does not add up, of a player or of all (None)."""

    player: int | None
    what: str


@dataclass(slots=True)
class Audit:
    """What was looked at, how much there is of everything, and what is wrong: nothing, if `fault_count` is 0."""

    players: int = 0
    grants: int = 0
    ledger_rows: int = 0
    windows: int = 0
    totals: list[MoneyTotal] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0

    def find(self, player: int | None, what: str) -> None:
        self.fault_count += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(player, what))


@dataclass(slots=True)
class _Entered:
    """Who paid to enter a window how often, and how many attempts of theirs began in it; 20 bytes a player."""

    players: array[int] = field(default_factory=lambda: array("q"))
    charges: array[int] = field(default_factory=lambda: array("l"))
    attempts: array[int] = field(default_factory=lambda: array("l"))

    def add(self, player: int, charges: int, attempts: int) -> None:
        self.players.append(player)
        self.charges.append(charges)
        self.attempts.append(attempts)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return zip(self.players, self.charges, self.attempts, strict=True)


class Auditor:
    """Reads everything once."""

    def __init__(self, store: Store, copies: Copies) -> None:
        self._store = store
        self._copies = copies
        self._ever_cost: dict[str, bool] = {}
        self._entered: dict[str, _Entered] = {}
        self._audit = Audit()

    async def audit(self) -> Audit:
        """See the module."""
        for fault in await self._store.ledger_faults():
            what = f"{fault.resource}: the ledger comes to {fault.ledger_sum}, the balance is {fault.balance}"
            self._audit.find(fault.player, what)
        self._audit.totals = await self._store.money_totals()
        async for books in self._all_books():
            self._audit.players += 1
            self._audit.grants += len(books.grants)
            self._audit.ledger_rows += len(books.ledger)
            for what in faults_of(books):
                self._audit.find(books.player, what)
            self._enter(books)
        for window_id, entered in sorted(self._entered.items()):
            await self._check_window(window_id, entered)
        return self._audit

    async def _all_books(self) -> AsyncIterator[PlayerBooks]:
        after = 0
        while (books := await self._store.books(after, PLAYERS_AT_ONCE)) is not None:
            for one in split_books(books):
                yield one
            after = books.last

    async def _books_of(self, player: int) -> PlayerBooks:
        books = await self._store.books(player - 1, 1)
        return next((one for one in split_books(books) if one.player == player), PlayerBooks(player))

    # -- entry costs

    def _enter(self, books: PlayerBooks) -> None:
        charges = Counter(window for window, _ in charges_in(books))
        attempts = Counter(window_of(row.attempt_id) for row in books.attempts)
        for row in books.attempts:
            # A window that was free to enter need not be read.
            if not self._costs(row.event_key) and not charges[window_of(row.attempt_id)]:
                del attempts[window_of(row.attempt_id)]
        for window in charges.keys() | attempts.keys():
            self._entered.setdefault(window, _Entered()).add(books.player, charges[window], attempts[window])

    def _costs(self, event_key: str) -> bool:
        if event_key not in self._ever_cost:
            self._ever_cost[event_key] = self._copies.ever_cost(event_key)
        return self._ever_cost[event_key]

    async def _check_window(self, window_id: str, entered: _Entered) -> None:
        """The window is read after the ledger, so it knows of every charge that is there."""
        found = await self._copies.window_and_words(window_id)
        if found is None:
            for player, charges, _ in entered:
                self._audit.find(player, f"{charges} charges for window {window_id}, which there is not")
            return
        self._audit.windows += 1
        window, cell = found
        floor = window.floor
        unpaid = {player: member.charges for player, member in floor.members.items() if member.charges}
        for player, charges, attempts in entered:
            owed = unpaid.pop(player, 0)
            if (charges, min(attempts, owed)) != (owed, owed):
                await self._look_again(player, floor, cell)
        for player in unpaid:
            await self._look_again(player, floor, cell)

    async def _look_again(self, player: int, floor: Floor, cell: Cell) -> None:
        """The books are read after the window now, so they have every charge of it, and perhaps more."""
        books = await self._books_of(player)
        member = floor.members.get(player)
        owed = 0 if member is None else member.charges
        charges = sum(1 for window, _ in charges_in(books) if window == floor.window_id)
        attempts = sum(1 for row in books.attempts if window_of(row.attempt_id) == floor.window_id)
        on_the_way = sum(1 for one in cell.unheard.values() if one.command in (Seat(player), Seat(player, True)))
        if charges > owed:
            await self._unless_newer(player, floor.window_id, charges)
        if charges < owed:
            self._audit.find(player, f"{owed} paid starts in window {floor.window_id}, and {charges} charges for them")
        if attempts + on_the_way < owed:
            what = f"{owed} paid starts in window {floor.window_id}, and {attempts} attempts for them"
            self._audit.find(player, what)

    async def _unless_newer(self, player: int, window_id: str, charges: int) -> None:
        """A player may have paid for another start since the window was read."""
        found = await self._copies.window(window_id)
        member = None if found is None else found.floor.members.get(player)
        owed = 0 if member is None else member.charges
        if charges > owed:
            self._audit.find(player, f"{charges} charges for window {window_id}, and {owed} paid starts for them")
