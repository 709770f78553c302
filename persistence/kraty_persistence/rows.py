"""The rows of a store: effects that come with a unit, and what is read back.

Players are internal numbers everywhere but in `PlayerRow`, the one row that joins a number to a person (R-57).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from kraty_persistence.money_rows import GrantRow, LedgerRow, MoneyEffect
from kraty_persistence.outbox_rows import Delivery

__all__ = [
    "AnomalyRow",
    "AttemptRow",
    "AuditEntry",
    "AuditRow",
    "Ban",
    "Books",
    "Completion",
    "Dossier",
    "Effect",
    "LeagueMove",
    "PlayerRow",
    "StoreStatistics",
]


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


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """Effect, and what is read back: an attempt of the player began, so that it is found again (R-51). One that is
    there is left as it is."""

    player: int
    attempt_id: str
    event_key: str
    at: int


@dataclass(frozen=True, slots=True)
class AnomalyRow:
    """Effect, and what is read back: a validator took exception to a write (R-50). An id that exists is left as it is.

    Attributes:
        verdict: What the validator said.
        outcome: What became of the write, by all validators together.
        snapshot: The metrics before and after, as bytes that only the caller understands.
    """

    id: str
    player: int
    event_key: str
    window_id: str
    attempt_id: str
    validator: str
    verdict: str
    outcome: str
    reason: str
    snapshot: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Ban:
    """Effect: the player is banned from now on, or no longer; the last one counts (R-51)."""

    player: int
    banned: bool


Effect: TypeAlias = MoneyEffect | Completion | LeagueMove | AuditEntry | AttemptRow | AnomalyRow | Ban | Delivery


@dataclass(frozen=True, slots=True)
class PlayerRow:
    """Who a player number is.

    Attributes:
        participant_id: The public name of the player in every board (R-28).
        attributes: What servers say of the player, as bytes that only they understand; empty if nothing.
        banned: Changed only by the effect `Ban`.
    """

    number: int
    player_id: str
    participant_id: str
    name: str | None = None
    avatar: str | None = None
    country: str | None = None
    attributes: bytes = b""
    banned: bool = False

    def changed(self, **given: Any) -> PlayerRow:
        """The row with what is given in place; None leaves a field as it is."""
        return replace(self, **{field: value for field, value in given.items() if value is not None})


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
class Books:
    """All that is written down of the money of some players, as it was at one moment.

    Attributes:
        last: The highest number of these players.
        grants: By player and id.
        ledger: By player, in the order in which it was written.
        attempts: By player and id.
    """

    last: int
    grants: tuple[GrantRow, ...]
    ledger: tuple[LedgerRow, ...]
    attempts: tuple[AttemptRow, ...]


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """How much is stored; `records` counts those not yet covered by a checkpoint."""

    actors: int
    unfinished: int
    records: int
    players: int
    grants: int
