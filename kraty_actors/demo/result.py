"""How an evening ended, and whether all who counted came to the same numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kraty_actors.demo.setting import Setting
from kraty_actors.domain.window_messages import Report


@dataclass(frozen=True, slots=True)
class Payment:
    """What one winner found: how many grants, and what the wallet holds after claiming them."""

    player_id: str
    name: str
    grants: int
    amount: int


@dataclass(slots=True)
class Result:
    """Counted three times over: by the server (`report`), by the players, and in the journal on disk.

    Attributes:
        acknowledged: Writes whose answer reached a player.
        journalled: Writes found in the database file after the server had stopped.
        standings: A digest of every lobby's final standings.
    """

    setting: Setting
    pool: int
    currency: str
    report: Report
    acknowledged: int
    window_id: str
    board_id: str = ""
    journalled: int = 0
    standings: str = ""
    payments: list[Payment] = field(default_factory=list)

    @property
    def share(self) -> int:
        """What each winner was paid."""
        return self.report.paid.get(self.currency, 0) // max(1, self.report.winners)

    def disagreements(self) -> list[str]:
        """What does not fit together; empty if all is well."""
        report, payments = self.report, self.payments
        checks = [
            (self.acknowledged == self.journalled, "writes acknowledged and writes journalled differ"),
            (
                report.winners * self.share + report.remainder == self.pool,
                "winners x share + remainder is not the pool",
            ),
            (sum(one.grants for one in payments) == report.winners, "grants and winners differ in number"),
            (all(one.amount == self.share for one in payments), "a winner was not paid one share"),
        ]
        return [fault for fits, fault in checks if not fits]

    def plain(self) -> dict[str, Any]:
        """The result as one JSON object."""
        return {
            "participants": self.report.participants,
            "winners": self.report.winners,
            "share": self.share,
            "remainder": self.report.remainder,
            "pool": self.pool,
            "currency": self.currency,
            "acknowledged": self.acknowledged,
            "journalled": self.journalled,
            "seed": self.setting.seed,
            "windowId": self.window_id,
            "standings": self.standings,
            "disagreements": self.disagreements(),
        }
