"""The arithmetic of wallets and inventories, the same for every store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kraty_persistence.errors import BalanceOutOfRange, IdempotencyConflict, UnitRefused
from kraty_persistence.money_rows import MAX_BALANCE, Change, LedgerRow, ResourceKind

__all__ = [
    "Entry",
    "Purse",
    "Resource",
    "adjustment_key",
    "as_much_as_fits",
    "claim_key",
    "refund_key",
    "withdrawal",
]

Resource: TypeAlias = tuple[ResourceKind, str]
"""A currency or an item, with its key."""

Purse: TypeAlias = tuple[int, ResourceKind, str]
"""One balance: whose, and of what."""


def claim_key(grant_id: str) -> str:
    """Where the ledger keeps the claim of a grant."""
    return f"grant:{grant_id}"


def adjustment_key(key: str) -> str:
    """Where the ledger keeps an adjustment; no key of a caller can be taken for a claim's."""
    return f"adjust:{key}"


def refund_key(key: str) -> str:
    """Where the ledger keeps what was given back of a charge."""
    return f"refund:{key}"


@dataclass(frozen=True, slots=True)
class Entry:
    """Changes that go into the ledger together, once, and what the ledger says of each."""

    player: int
    changes: Sequence[Change]
    key: str
    reason: str
    source: str
    at: int

    def purses(self) -> list[Purse]:
        """The balances that it changes, in order of the changes."""
        return [(self.player, change.kind, change.key) for change in self.changes]

    def repeats(self, before: Sequence[Change]) -> bool:
        """Whether this was entered before, given what stands under its key.

        Raises:
            IdempotencyConflict: Something else stands there.
            UnitRefused: There is nothing to enter, so nothing would be remembered.
        """
        if not self.changes:
            raise UnitRefused("an adjustment without changes")
        if before and [*before] != [*self.changes]:
            raise IdempotencyConflict("the key was used before, for other changes")
        return bool(before)

    def apply(self, held: dict[Purse, int]) -> list[LedgerRow]:
        """Change the balances, in place and in order, and return the ledger's rows (R-40).

        Raises:
            BalanceOutOfRange: A balance would leave 0..2^53 - 1; throw `held` away.
        """
        return [self._row(part, change, held) for part, change in enumerate(self.changes)]

    def _row(self, part: int, change: Change, held: dict[Purse, int]) -> LedgerRow:
        kind, resource, delta = change.kind, change.key, change.delta
        have = held[self.player, kind, resource]
        balance = have + delta
        if not 0 <= balance <= MAX_BALANCE:
            raise BalanceOutOfRange(kind, resource, delta, have)
        held[self.player, kind, resource] = balance
        return LedgerRow(self.player, self.key, part, kind, resource, delta, balance, self.reason, self.source, self.at)


def as_much_as_fits(changes: Sequence[Change], held: Mapping[Resource, int]) -> list[Change]:
    """The changes in order, each cut so that its balance stays within 0..2^53 - 1; one may be left with 0."""
    now = dict(held)
    cut: list[Change] = []
    for change in changes:
        have = now[change.kind, change.key]
        balance = min(max(have + change.delta, 0), MAX_BALANCE)
        cut.append(Change(change.kind, change.key, balance - have))
        now[change.kind, change.key] = balance
    return cut


def withdrawal(credited: Sequence[Change], held: Mapping[Resource, int]) -> tuple[list[Change], list[Change]]:
    """What can be taken back of what was credited, and what cannot, as amounts above 0."""
    wanted = [Change(change.kind, change.key, -change.delta) for change in credited if change.delta > 0]
    pairs = list(zip(wanted, as_much_as_fits(wanted, held), strict=True))
    taken = [Change(cut.kind, cut.key, -cut.delta) for _, cut in pairs if cut.delta]
    owed = [Change(cut.kind, cut.key, cut.delta - want.delta) for want, cut in pairs if cut.delta != want.delta]
    return taken, owed
