"""What the store has of a window beside its journals, against what was derived from these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from kraty_actors.actors.close_report import Closing
from kraty_actors.actors.copies import Copies
from kraty_actors.actors.derivation import Derived, grant_digest
from kraty_actors.actors.effects import ENTRY_COST
from kraty_actors.actors.player_books import PlayerBooks, split_books
from kraty_actors.actors.reckoning import grant_pages, left_out_of
from kraty_actors.domain.catalogue import Catalogue, Library
from kraty_actors.domain.outcome import Charged
from kraty_actors.domain.payouts import EVENT_COMPLETION, EVENT_MILESTONE, EVENT_WINDOW
from kraty_persistence import AnomalyRow, GrantRow, LedgerRow, Store

if TYPE_CHECKING:
    from kraty_actors.actors.proof import Proof

OURS = (EVENT_WINDOW, EVENT_COMPLETION, EVENT_MILESTONE)
"""Kinds of grants that only a window gives."""

PLAYERS_AT_ONCE = 200


async def compare_books(store: Store, library: Library, derived: Derived, catalogue: Catalogue, proof: Proof) -> None:
    """Compare grants, anomalies, charges and moves; what agrees is counted, what does not is told."""
    await _Books(store, library, derived, catalogue, proof).compare()


class _Books:
    def __init__(self, store: Store, library: Library, derived: Derived, catalogue: Catalogue, proof: Proof) -> None:
        self._store = store
        self._library = library
        self._derived = derived
        self._catalogue = catalogue
        self._proof = proof
        self._window_id = derived.window.id
        self._event_key = derived.window.floor.rules.event.key

    async def compare(self) -> None:
        await self._grants()
        await self._anomalies()
        await self._charges()
        await self._moves()

    def _is_newer(self, at: int) -> bool:
        """Whether it may have come about after the journals were read: while the window goes on it may."""
        return not self._derived.is_over and at >= self._derived.ended_at

    # -- grants

    async def _grants(self) -> None:
        left_out = await left_out_of(self._store, self._window_id)
        due = dict(self._derived.grants)
        async for row in self._stored_grants():
            digest = due.pop(row.id, None)
            if digest is None:
                if not left_out and not self._is_newer(row.created_at):
                    self._proof.differ(f"grant {row.id}: nothing accounts for it", row.player)
            elif digest != _digest(row):
                self._proof.differ(f"grant {row.id}: it is not what was due", row.player)
            else:
                self._proof.agreed["grants"] += 1
        for grant_id in due:
            self._proof.differ(f"grant {grant_id} was due, and is not there")
        if left_out:
            await self._correction(len(left_out))

    async def _stored_grants(self) -> AsyncIterator[GrantRow]:
        for within in (False, True):
            async for page in grant_pages(self._store, self._window_id, within=within):
                for row in page:
                    if row.source_kind in OURS:
                        yield row

    async def _correction(self, left_out: int) -> None:
        """What corrections gave and took is in no journal: it is what the boards come to without some players."""
        report = await Closing(
            self._store, Copies(self._store, self._library), self._derived.window, self._derived.ended_at
        ).report()
        for one in report.mismatches:
            self._proof.differ(f"grant {one.grant_id}, after a correction: {one.what}", one.player)
        self._proof.remarks.append(f"the window was corrected: {left_out} players were left out of it")

    # -- anomalies

    async def _anomalies(self) -> None:
        due = dict(self._derived.anomalies)
        async for row in self._stored_anomalies():
            found = due.pop(row.id, None)
            if found is None and not self._is_newer(row.at):
                self._proof.differ(f"anomaly {row.id} of {row.attempt_id}: nothing accounts for it", row.player)
            elif found is not None and found != row:
                self._proof.differ(f"anomaly {row.id} of {row.attempt_id}: it is not what was found", row.player)
            elif found is not None:
                self._proof.agreed["flags"] += 1
        for found in due.values():
            self._proof.differ(f"anomaly {found.id} of {found.attempt_id} was found, and is not there", found.player)

    async def _stored_anomalies(self) -> AsyncIterator[AnomalyRow]:
        """Newest first, back to the beginning of the window."""
        starts_at = self._derived.window.floor.opening.starts_at
        after: str | None = None
        while page := await self._store.anomalies(event_key=self._event_key, limit=1_000, after=after):
            for row in page:
                if row.window_id == self._window_id:
                    yield row
            if page[-1].at < starts_at:
                return
            after = page[-1].id

    # -- charges

    async def _charges(self) -> None:
        if not self._derived.window.floor.rules.costs:
            return
        players = sorted(self._derived.window.floor.members)
        while players:
            books = await self._store.books(players[0] - 1, PLAYERS_AT_ONCE)
            last = players[0] if books is None else books.last
            known = {one.player: one for one in split_books(books)}
            for player in [player for player in players if player <= last]:
                self._compare_charges(known.get(player, PlayerBooks(player)))
            players = [player for player in players if player > last]

    def _compare_charges(self, books: PlayerBooks) -> None:
        derived, player = self._derived, books.player
        name = f"entry:{self._window_id}"
        rows: dict[str, list[LedgerRow]] = {}
        for row in books.ledger:
            key = row.key.removeprefix("refund:")
            if (key == name or key.startswith(name + ":")) and not self._is_newer(row.at):
                rows.setdefault(row.key, []).append(row)
        for charge in derived.charges.get(player, ()):
            if _paid(charge, rows.pop(charge.charge, [])):
                self._proof.agreed["charges"] += 1
            else:
                self._proof.differ(f"{charge.charge} is not in the ledger as it was charged", player)
        for refund in derived.refunds.get(player, ()):
            if any(row.delta for row in rows.pop(f"refund:{refund.charge}", [])):
                self._proof.agreed["refunds"] += 1
            else:
                self._proof.differ(f"{refund.charge} was not given back", player)
        for key in rows:
            self._proof.differ(f"nothing accounts for {key} in the ledger", player)

    # -- leagues

    async def _moves(self) -> None:
        later = self._later_windows()
        for player, league in self._derived.moves.items():
            stands = await self._store.league(player, self._event_key)
            if stands == league:
                self._proof.agreed["moves"] += 1
            elif stands is None or not later:
                self._proof.differ(f"was moved to {league}, and stands in {stands}", player)

    def _later_windows(self) -> Sequence[str]:
        """Those that may have moved players on since."""
        event = self._catalogue.events.get(self._event_key)
        starts_at = self._derived.window.floor.opening.starts_at
        return [one.window_id for one in (event.windows if event else ()) if one.starts_at > starts_at]


def _digest(row: GrantRow) -> bytes:
    return grant_digest(row.player, row.kind, row.contents, row.source_kind, row.source_ref, row.parent, row.created_at)


def _paid(charge: Charged, rows: Sequence[LedgerRow]) -> bool:
    due = [(cost.kind, cost.key, -cost.amount, charge.source, charge.at, ENTRY_COST) for cost in charge.costs]
    return due == [(row.kind, row.resource, row.delta, row.source, row.at, row.reason) for row in rows]
