"""What the actors ask of a store. Payloads are opaque: the store orders, keeps and gives back bytes.

Every instant is whole milliseconds since the Unix epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from kraty_persistence.errors import StoreError
from kraty_persistence.money_ports import Grants, Outbox, Wallets
from kraty_persistence.outbox_rows import Reporter
from kraty_persistence.rows import (
    AnomalyRow,
    AttemptRow,
    AuditEntry,
    AuditRow,
    Books,
    Dossier,
    Effect,
    PlayerRow,
    StoreStatistics,
)

__all__ = ["Aside", "Done", "Store", "StoredActor", "StoredRecord", "Unit"]


@dataclass(frozen=True, slots=True)
class Aside:
    """Parts of a checkpoint to come, the first of which is its part `first`.

    What is laid aside counts for nothing until a checkpoint follows it; one that begins with part 0 begins anew.
    """

    first: int
    parts: tuple[bytes, ...]


@dataclass(slots=True)
class Unit:
    """What one actor hands over at once; it is stored as a whole or not at all.

    Attributes:
        actor: The actor's id.
        number: With a `record`: the batch's number, one above the journal's head (the first is 1). Without:
            the batch that the checkpoint covers, from the last checkpoint's to the head's.
        record: The batch as the actor will read it back on recovery.
        effects: Rows for others to read, which exist if and only if the unit does. A `Charge` that the player
            cannot pay refuses the unit with `BalanceOutOfRange`.
        checkpoint: The actor's whole state after batch `number`; it replaces the checkpoint before it, and
            recovery starts from it. The records that it covers stay, as history.
        checkpoint_follows: So many parts that were laid aside come before those of the `checkpoint`.
        aside: Parts to lay aside, in a unit without a record and a checkpoint.
        finished: The actor needs no recovery at start any more. It stays so, whatever later units say.
        can_wait: Nobody waits for it: units of other actors may be stored before it, though handed over later.
    """

    actor: str
    number: int
    record: bytes | None = None
    effects: tuple[Effect, ...] = ()
    checkpoint: tuple[bytes, ...] | None = None
    finished: bool = False
    can_wait: bool = False
    checkpoint_follows: int = 0
    aside: Aside | None = None


Done: TypeAlias = Callable[[StoreError | None], None]
"""Told the fate of a unit: None once it is durable, an error if it is certain not to be stored."""


@dataclass(frozen=True, slots=True)
class StoredActor:
    """What recovery starts from: the last checkpoint, and the records after it in order.

    `number` is the head: the highest batch number known, 0 for an actor never stored.
    """

    checkpoint: tuple[bytes, ...] = ()
    number: int = 0
    records: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One durable record of an actor. `place` is the store's own: where it goes on from there."""

    number: int
    record: bytes
    place: int = 0


class Store(Grants, Wallets, Outbox, Protocol):
    """Journal, results, money and players behind one door. Everything is called on the event loop's thread.

    Any method that waits may raise `StoreUnavailable`; those that write also `StoreTaken` and `StoreClosed`.

    Attributes:
        reporter: Asked about every ledger row that is written and every grant that is created, claimed or lapses;
            what it returns goes into the outbox in the same transaction (R-53). None reports nothing.
        posted: Called on the loop, after the commit, with the endpoints for which something became due, or may have.
        taken: Called on the loop when an owner that has nothing to write finds that another server owns the database.
    """

    reporter: Reporter | None
    posted: Callable[[Collection[str]], None] | None
    taken: Callable[[StoreError], None] | None

    @property
    def failing_since(self) -> float | None:
        """`time.monotonic()` of the first failed try since the last success; None while all is well."""

    # -- journal
    def submit(self, unit: Unit, done: Done) -> None:
        """Store a unit; never waits. `done` is called once on the loop's thread, in the order of submission (what can
        wait may come later than what cannot, and what nobody knows the fate of yet later than refusals behind it),
        perhaps before this returns. The units of one actor must carry consecutive numbers, else
        `JournalConflict`."""

    async def load(self, actor: str) -> StoredActor:
        """All that recovery of one actor needs; empty for an id that was never stored."""

    async def history(self, actor: str) -> Sequence[bytes]:
        """Every durable record of one actor in order, those covered by checkpoints too: the proof of what it
        did, and what a replay reads (R-57)."""

    async def history_page(
        self, actor: str, *, after: StoredRecord | None = None, limit: int = 1_000
    ) -> list[StoredRecord]:
        """The same, a page at a time: the next records behind the last one of the page before."""

    async def checkpoint(self, actor: str) -> StoredActor:
        """The last checkpoint of an actor and the number of the batch that it covers, without the records behind it;
        empty for one that has none."""

    async def unfinished(self) -> list[str]:
        """The actors that are stored and not finished, in the order in which they were first stored."""

    async def resting(self) -> dict[str, bytes]:
        """The unfinished actors whose checkpoint covers all that they have stored, each with the first part of it: all
        that need be known of an actor until somebody asks for it."""

    async def statistics(self) -> StoreStatistics:
        """Counts, for tools."""

    async def ping(self) -> None:
        """Answer if the database can be read, else raise."""

    # -- facts of the game that live beside the journal
    async def get_meta(self, key: str) -> str | None:
        """The value under a key."""

    async def set_meta(self, key: str, value: str, *, audited: AuditEntry | None = None) -> None:
        """Put a value under a key, and with it who did it, if that is given; durable on return. `epoch`
        is the store's own."""

    async def put_meta_once(self, key: str, value: str) -> str:
        """Put the value if there is none yet; return what stands."""

    # -- players
    async def resolve(self, player_id: str, mint: Callable[[], str]) -> PlayerRow:
        """The player's row; a new one takes its participant id from `mint()` and is durable on return."""

    async def put_player(
        self,
        number: int,
        *,
        attributes: bytes | None = None,
        name: str | None = None,
        avatar: str | None = None,
        country: str | None = None,
        audited: AuditEntry | None = None,
    ) -> PlayerRow:
        """Change what is given, None leaves a field as it is; the row as it is now, durable on return, and with it who
        did it, if that is given.

        Raises:
            UnitRefused: No player has this number.
        """

    async def players(self, numbers: Sequence[int]) -> list[PlayerRow]:
        """The rows of these numbers, in this order; unknown ones are left out."""

    async def find_player(self, player_id: str) -> PlayerRow | None:
        """By the game's own id."""

    async def find_participant(self, participant_id: str) -> PlayerRow | None:
        """By the public id."""

    async def completed(self, player: int, event_key: str, window_id: str | None = None) -> bool:
        """Whether the player ever completed the event: in that window, or in any (R-19)."""

    async def league(self, player: int, event_key: str) -> str | None:
        """Where the last move has put the player; None for one who was never moved (R-30)."""

    async def dossier(self, player: int) -> Dossier:
        """All that a listing needs of one player, in one read; empty for one of whom nothing is known (R-55)."""

    async def banned_players(self) -> list[int]:
        """The numbers of all players who are banned now, in order (R-51)."""

    # -- what operators look up
    async def attempts(self, player: int, *, limit: int = 50) -> list[AttemptRow]:
        """The player's attempts that began last, newest first; of the same instant, the greatest id first (R-51)."""

    async def books(self, after: int, limit: int) -> Books | None:
        """What is written down of the next `limit` players with numbers above `after`, read at one moment; None if
        there are no more."""

    async def anomalies(
        self, *, player: int | None = None, event_key: str | None = None, limit: int = 50, after: str | None = None
    ) -> list[AnomalyRow]:
        """A page of anomalies of a player, an event, both or all, newest first and then by id, beginning behind the
        anomaly `after` (R-51). An `after` that there is not gives an empty page."""

    async def audit(self, *, limit: int = 50, before: int | None = None) -> list[AuditRow]:
        """The audit trail, newest first; `before` is the number of the last row of the page before."""
