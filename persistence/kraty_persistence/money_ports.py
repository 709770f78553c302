"""What the actors ask of a store about grants, money and deliveries.

Every instant is whole milliseconds since the Unix epoch, UTC. Any method may raise `StoreUnavailable`; those that
write also `StoreTaken` and `StoreClosed`, and what they changed is durable on return.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kraty_persistence.money_rows import (
    Adjusted,
    Change,
    GrantRow,
    GrantStatus,
    LedgerFault,
    LedgerRow,
    MoneyTotal,
    NewGrant,
    Withdrawn,
)
from kraty_persistence.outbox_rows import DeliveryRow
from kraty_persistence.rows import AuditEntry

__all__ = ["Grants", "Outbox", "Wallets"]


class Grants(Protocol):
    """What players have won (R-45)."""

    async def grant(self, grant_id: str, player: int) -> GrantRow | None:
        """One grant; None if there is none or it is another player's."""

    async def grants(
        self,
        player: int,
        *,
        now: int,
        status: GrantStatus | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> list[GrantRow]:
        """A page of grants, newest first and then by id, beginning behind the grant `after`.

        `status` is judged at `now`. An `after` that the player does not have gives an empty page.
        """

    async def window_grants(self, window_id: str) -> list[GrantRow]:
        """Every grant whose `source_ref` is the window or begins with its id and a dot, as an attempt's does, and all
        that have one of these for an ancestor by `parent`; in order of id."""

    async def grants_from(
        self, source: str, *, within: bool = False, after: GrantRow | None = None, limit: int = 1_000
    ) -> list[GrantRow]:
        """A page of the grants whose `source_ref` is this, or `within` it: begins with it and a dot; by source,
        `created_at` and id, beginning behind the grant `after`."""

    async def grants_under(self, parents: Sequence[str]) -> list[GrantRow]:
        """The grants whose parent is one of these, by id."""

    async def create_grants(
        self, grants: Sequence[NewGrant], *, audited: AuditEntry | None = None
    ) -> tuple[GrantRow, bool]:
        """Create a reward and, behind it, its children, whose `parent` it is; once by the reward's id (R-41).

        Returns the reward, and whether it is new; then who did it is stored with it, where that is given.

        Raises:
            IdempotencyConflict: It is there already, and it or the children that came with it, which are those of
                the same source, had another player, kind or contents.
            UnitRefused: There is nothing to create, or no such player.
        """

    async def claim(
        self, grant_id: str, player: int, now: int, changes: Sequence[Change], grants: Sequence[NewGrant] = ()
    ) -> GrantRow | None:
        """Mark a grant claimed, apply the changes and create further grants, once: a claimed one is returned as it is
        (R-41, R-45).

        Returns None if there is no such grant of that player.

        Raises:
            GrantExpired: At `now` it was too late, or it was withdrawn.
            BalanceOutOfRange: A balance would leave 0..2^53 - 1; the grant stays unclaimed.
        """

    async def expire_grants(self, now: int, limit: int) -> int:
        """Report those whose time was over at `now` and that nobody claimed, each once, up to `limit`; how many."""

    async def withdraw(
        self, grant_ids: Sequence[str], *, key: str, reason: str, source: str, now: int
    ) -> list[Withdrawn]:
        """Take grants back, each once; one that was withdrawn before, or that there is not, is left out.

        Of a claimed one everything that was credited by its claim is taken while there is any of it; the rest is
        owed. In the ledger this stands under `key`, a colon and the grant's id.
        """


class Wallets(Protocol):
    """What players have, and how it came about (R-40)."""

    async def adjust(
        self, player: int, changes: Sequence[Change], *, key: str, reason: str, source: str, now: int
    ) -> Adjusted:
        """Apply the changes in order, all of them or none, once for each `key` of the player (R-20, R-40).

        Raises:
            BalanceOutOfRange: A balance would leave 0..2^53 - 1; says which. The key is not used up.
            IdempotencyConflict: The key was used before, for other changes.
            UnitRefused: No player has this number, or there are no changes.
        """

    async def balances(self, player: int) -> dict[str, int]:
        """The wallet: balance by currency, without those that are 0."""

    async def inventory(self, player: int) -> dict[str, int]:
        """What the player holds: quantity by item, without those that are 0."""

    async def ledger(self, player: int, *, limit: int = 50) -> list[LedgerRow]:
        """The latest changes of wallet and inventory, newest first."""

    async def ledger_faults(self) -> list[LedgerFault]:
        """Every balance that is not the sum of its ledger, by player, kind and resource: none, or something broke."""

    async def money_totals(self) -> list[MoneyTotal]:
        """How much there is of everything, by kind and resource."""


class Outbox(Protocol):
    """What waits to be delivered to somebody outside (R-53)."""

    async def due(self, endpoint: str, now: int, limit: int) -> list[DeliveryRow]:
        """What is to be tried by `now`, that whose turn came first before others."""

    async def endpoints_due(self) -> list[tuple[str, int]]:
        """Every endpoint that something waits for, with the instant of its next try."""

    async def delivered(self, ids: Sequence[str]) -> None:
        """Forget what has arrived."""

    async def failed(
        self, delivery_id: str, *, attempts: int, next_at: int | None, error: str, body: bytes | None = None
    ) -> None:
        """Write down a try in vain, and when to try again; None gives it up. A `body` replaces the one there was."""

    async def dead(self, limit: int = 50, after: str | None = None) -> list[DeliveryRow]:
        """What was given up, newest first and then by id, beginning behind the delivery `after`."""

    async def replay(self, ids: Sequence[str] | None, now: int, *, audited: AuditEntry | None = None) -> int:
        """Make dead ones due again as if never tried, all of them for None; how many there were. If there were any,
        who did it is stored with them, where that is given."""
