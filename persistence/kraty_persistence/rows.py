"""The rows of a store: effects that come with a unit, and what is read back.

Players are internal numbers everywhere but in `PlayerRow`, the one row that joins a number to a person (R-57).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

__all__ = [
    "MAX_BALANCE",
    "Adjusted",
    "AuditEntry",
    "AuditRow",
    "Change",
    "Completion",
    "Dossier",
    "Effect",
    "GrantRow",
    "GrantStatus",
    "LeagueMove",
    "LedgerRow",
    "NewGrant",
    "PlayerRow",
    "ResourceKind",
    "StoreStatistics",
]

MAX_BALANCE = 2**53 - 1
"""The largest whole number that every client language holds exactly."""

GrantStatus: TypeAlias = Literal["pending", "claimed", "expired"]

ResourceKind: TypeAlias = Literal["currency", "item"]
"""A wallet holds currencies, an inventory items."""


@dataclass(frozen=True, slots=True)
class NewGrant:
    """Effect: something a player has won. An id that exists already is left as it is (exactly once)."""

    id: str
    player: int
    kind: str
    contents: bytes
    source_kind: str
    source_ref: str | None
    parent: str | None
    created_at: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Completion:
    """Effect: the player has completed an attempt of the event in the window (R-19). A repeat is nothing."""

    player: int
    event_key: str
    window_id: str


@dataclass(frozen=True, slots=True)
class LeagueMove:
    """Effect: from now on the player is in this league of the event; the last move counts (R-30)."""

    player: int
    event_key: str
    league: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Effect: who changed what, and how it stood before and after."""

    at: int
    who: str
    action: str
    subject: str
    before: bytes | None = None
    after: bytes | None = None


Effect: TypeAlias = NewGrant | Completion | LeagueMove | AuditEntry


@dataclass(frozen=True, slots=True)
class PlayerRow:
    """Who a player number is.

    Attributes:
        participant_id: The public name of the player in every board (R-28).
        attributes: What servers say of the player, as bytes that only they understand; empty if nothing.
    """

    number: int
    player_id: str
    participant_id: str
    name: str | None = None
    avatar: str | None = None
    country: str | None = None
    attributes: bytes = b""

    def changed(self, **given: Any) -> PlayerRow:
        """The row with what is given in place; None leaves a field as it is."""
        return replace(self, **{field: value for field, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True)
class GrantRow(NewGrant):
    """A grant as stored."""

    claimed_at: int | None = None

    def status(self, now: int) -> GrantStatus:
        """Where the grant stands at an instant; a claimed one never expires (R-45)."""
        if self.claimed_at is not None:
            return "claimed"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "pending"


@dataclass(frozen=True, slots=True)
class Change:
    """What to add to one balance, or with a minus to take from it; whole."""

    kind: ResourceKind
    key: str
    delta: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One change of one balance (R-40). No two rows of a player have the same `key` and `part`.

    Attributes:
        key: What makes the change happen once; changes made together share it.
        part: The place of the change among those, from 0.
        resource: Key of the currency or item.
        balance: What there is after the change.
    """

    player: int
    key: str
    part: int
    kind: ResourceKind
    resource: str
    delta: int
    balance: int
    reason: str
    source: str
    at: int


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What came of an adjustment.

    Attributes:
        applied: False if it was applied before, under the same key.
        balances: For each change in order, the balance of its resource as it is now.
    """

    applied: bool
    balances: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that a listing asks of one player, as it was at one moment (R-19, R-30, R-55).

    Attributes:
        completed: Keys of the events that the player ever completed.
        balances: The wallet, by currency.
        inventory: Quantities, by item.
        leagues: The league, by key of the event.
    """

    completed: frozenset[str]
    balances: Mapping[str, int]
    inventory: Mapping[str, int]
    leagues: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AuditRow(AuditEntry):
    """An audit entry with its place in the trail."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """How much is stored; `records` counts those not yet covered by a checkpoint."""

    actors: int
    unfinished: int
    records: int
    players: int
    grants: int
