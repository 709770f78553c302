"""The arithmetic of a wallet, the same for every store."""

from __future__ import annotations

from collections.abc import Sequence

from kraty_persistence.errors import BalanceOutOfRange
from kraty_persistence.ports import MAX_BALANCE, Credit, GrantRow, LedgerRow

__all__ = ["credit_wallet"]


def credit_wallet(wallet: dict[str, int], grant: GrantRow, amounts: Sequence[Credit], now: int) -> list[LedgerRow]:
    """Add the amounts to the wallet, in place, and return the ledger row of each (R-40).

    Raises:
        BalanceOutOfRange: A balance would leave 0..2^53 - 1; throw the wallet away.
    """
    rows = []
    for n, credit in enumerate(amounts):
        balance = wallet.get(credit.currency, 0) + credit.amount
        if not 0 <= balance <= MAX_BALANCE:
            raise BalanceOutOfRange(f"{credit.currency}: the balance would be {balance}")
        wallet[credit.currency] = balance
        rows.append(
            LedgerRow(
                key=f"grant:{grant.id}:{n}",
                player=grant.player,
                currency=credit.currency,
                delta=credit.amount,
                balance=balance,
                reason="grant",
                source=grant.id,
                at=now,
            )
        )
    return rows
