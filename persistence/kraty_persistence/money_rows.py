"""The rows of money: grants, wallets, inventories and their ledger.

Players are internal numbers, and what a grant contains are bytes that only the caller understands (R-57).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeGuard, get_args

__all__ = [
    "MAX_BALANCE",
    "Adjusted",
    "Change",
    "Charge",
    "GrantClaimed",
    "GrantCreated",
    "GrantLapsed",
    "GrantRow",
    "GrantStatus",
    "LedgerFault",
    "LedgerRow",
    "MoneyEffect",
    "MoneyTotal",
    "NewGrant",
    "Occurred",
    "Refund",
    "ResourceKind",
    "Withdrawn",
    "touches_money",
]

MAX_BALANCE = 2**53 - 1
"""The largest whole number that every client language holds exactly."""

GrantStatus: TypeAlias = Literal["pending", "claimed", "expired"]

ResourceKind: TypeAlias = Literal["currency", "item"]
"""A wallet holds currencies, an inventory items."""


@dataclass(frozen=True, slots=True)
class Change:
    """What to add to one balance, or with a minus to take from it; whole."""

    kind: ResourceKind
    key: str
    delta: int


@dataclass(frozen=True, slots=True)
class NewGrant:
    """Effect: something a player has won. An id that exists already is left as it is (exactly once).

    Attributes:
        claimed_at: When it was claimed, if it comes claimed: what was in it was credited otherwise.
        deliver: What to credit at once (R-45): the grant is then claimed as it is created, or waits as any other if
            the balances cannot take it. None leaves it to be claimed.
    """

    id: str
    player: int
    kind: str
    contents: bytes
    source_kind: str
    source_ref: str | None
    parent: str | None
    created_at: int
    expires_at: int | None
    claimed_at: int | None = None
    deliver: tuple[Change, ...] | None = None

    def as_row(self) -> GrantRow:
        """The grant as it is stored."""
        return GrantRow(
            id=self.id,
            player=self.player,
            kind=self.kind,
            contents=self.contents,
            source_kind=self.source_kind,
            source_ref=self.source_ref,
            parent=self.parent,
            created_at=self.created_at,
            expires_at=self.expires_at,
            claimed_at=self.claimed_at,
        )


@dataclass(frozen=True, slots=True)
class Charge:
    """Effect: changes that are applied with the unit, all or none, once for each key of the player (R-20, R-21).

    A key that is in the ledger already is nothing. If a balance would leave its range, `BalanceOutOfRange` is the
    fate of the whole unit.

    Attributes:
        key: As it stands in the ledger; `grant:`, `adjust:` and `refund:` begin keys of the store's own.
    """

    player: int
    key: str
    changes: tuple[Change, ...]
    reason: str
    source: str
    at: int


@dataclass(frozen=True, slots=True)
class Refund:
    """Effect: gives back, once, what the ledger has under that key of a charge, if anything (R-26).

    What would take a balance past 2^53 - 1 is lost.
    """

    player: int
    key: str
    source: str
    at: int


MoneyEffect: TypeAlias = NewGrant | Charge | Refund

_MONEY = frozenset(get_args(MoneyEffect))


def touches_money(effect: object) -> TypeGuard[MoneyEffect]:
    """Whether an effect is one of these; by its class, for that is asked of every row."""
    return type(effect) in _MONEY


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant as stored. One that was withdrawn before it was claimed can not be claimed any more."""

    id: str
    player: int
    kind: str
    contents: bytes
    source_kind: str
    source_ref: str | None
    parent: str | None
    created_at: int
    expires_at: int | None
    claimed_at: int | None = None
    withdrawn_at: int | None = None

    def status(self, now: int) -> GrantStatus:
        """Where the grant stands at an instant; a claimed one never expires (R-45)."""
        if self.claimed_at is not None:
            return "claimed"
        is_over = self.withdrawn_at is not None or (self.expires_at is not None and now >= self.expires_at)
        return "expired" if is_over else "pending"


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
class Withdrawn:
    """What came of taking a grant back. Each change has what was taken, or is missing, as a plain amount above 0."""

    grant_id: str
    taken: tuple[Change, ...]
    owed: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class GrantCreated:
    """A grant is there that was not; `grant` is how it stands after its unit, perhaps claimed."""

    grant: GrantRow


@dataclass(frozen=True, slots=True)
class GrantClaimed:
    """A grant was claimed or delivered, or came claimed."""

    grant: GrantRow


@dataclass(frozen=True, slots=True)
class GrantLapsed:
    """Nobody claimed the grant in its time."""

    grant: GrantRow


Occurred: TypeAlias = LedgerRow | GrantCreated | GrantClaimed | GrantLapsed
"""What others may want to hear of, each told once."""


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """A balance that is not the sum of its ledger."""

    player: int
    kind: ResourceKind
    resource: str
    ledger_sum: int
    balance: int


@dataclass(frozen=True, slots=True)
class MoneyTotal:
    """How much there is of one resource with all players together, by the balances and by the ledger."""

    kind: ResourceKind
    resource: str
    balances: int
    ledger: int
