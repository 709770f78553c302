"""The arithmetic of wallets and inventories, the same for every store."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kraty_persistence.errors import BalanceOutOfRange, IdempotencyConflict, UnitRefused
from kraty_persistence.rows import MAX_BALANCE, Change, LedgerRow, ResourceKind

__all__ = ["Entry", "Holdings", "adjustment_key", "claim_key"]

Holdings: TypeAlias = MutableMapping[tuple[ResourceKind, str], int]
"""What a player has, or those parts of it that matter."""


def claim_key(grant_id: str) -> str:
    """Where the ledger keeps the claim of a grant."""
    return f"grant:{grant_id}"


def adjustment_key(key: str) -> str:
    """Where the ledger keeps an adjustment; no key of a caller can be taken for a claim's."""
    return f"adjust:{key}"


@dataclass(frozen=True, slots=True)
class Entry:
    """Changes that go into the ledger together, once, and what the ledger says of each."""

    player: int
    changes: Sequence[Change]
    key: str
    reason: str
    source: str
    at: int

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

    def apply(self, held: Holdings) -> list[LedgerRow]:
        """Change the balances, in place and in order, and return the ledger's rows (R-40).

        Raises:
            BalanceOutOfRange: A balance would leave 0..2^53 - 1; throw `held` away.
        """
        return [self._row(part, change, held) for part, change in enumerate(self.changes)]

    def balances(self, held: Holdings) -> tuple[int, ...]:
        """The balance behind each change."""
        return tuple(held.get((change.kind, change.key), 0) for change in self.changes)

    def _row(self, part: int, change: Change, held: Holdings) -> LedgerRow:
        kind, resource, delta = change.kind, change.key, change.delta
        have = held.get((kind, resource), 0)
        balance = have + delta
        if not 0 <= balance <= MAX_BALANCE:
            raise BalanceOutOfRange(kind, resource, delta, have)
        held[kind, resource] = balance
        return LedgerRow(self.player, self.key, part, kind, resource, delta, balance, self.reason, self.source, self.at)
