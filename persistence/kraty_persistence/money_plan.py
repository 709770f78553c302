"""What is to become of money and grants, judged in memory before any of it is written; the same for every store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from kraty_persistence.errors import BalanceOutOfRange, UnitRefused
from kraty_persistence.money import Entry, Purse, Resource, as_much_as_fits, claim_key, refund_key, withdrawal
from kraty_persistence.money_rows import (
    Change,
    Charge,
    GrantClaimed,
    GrantCreated,
    GrantLapsed,
    GrantRow,
    LedgerRow,
    MoneyEffect,
    NewGrant,
    Occurred,
    Refund,
    Withdrawn,
)
from kraty_persistence.outbox_rows import Delivery, Reporter

__all__ = ["Books", "MoneyPlan"]


class Books(Protocol):
    """How things stand."""

    def balance(self, purse: Purse) -> int:
        """How much there is; 0 if nothing is known of it."""

    def entered(self, player: int, key: str) -> Sequence[Change]:
        """What the ledger has under a key, in order; empty if nothing."""

    def has_grant(self, grant_id: str) -> bool:
        """Whether there is such a grant."""


class MoneyPlan:
    """Changes to the books under it, which stay as they are; the plan is itself books, as they will be.

    Attributes:
        balances: The new balances.
        ledger: Its new rows, in order.
        created: The new grants, by id; what is delivered at once is `claimed_at` then.
        claimed: Grants that were there and are claimed now.
        withdrawn: Ids of those that are withdrawn now.
        withdrawn_at: When that is.
        lapsed: Ids of those whose end was reported.
        deliveries: What the reporter wants delivered.
    """

    def __init__(self, books: Books, reporter: Reporter | None) -> None:
        self._books = books
        self._reporter = reporter
        self._entered: dict[tuple[int, str], Sequence[Change]] = {}
        self.balances: dict[Purse, int] = {}
        self.ledger: list[LedgerRow] = []
        self.created: dict[str, NewGrant] = {}
        self.claimed: list[GrantRow] = []
        self.withdrawn: list[str] = []
        self.withdrawn_at = 0
        self.lapsed: list[str] = []
        self.deliveries: list[Delivery] = []

    # -- books

    def balance(self, purse: Purse) -> int:
        found = self.balances.get(purse)
        return self._books.balance(purse) if found is None else found

    def entered(self, player: int, key: str) -> Sequence[Change]:
        return self._entered.get((player, key)) or self._books.entered(player, key)

    def has_grant(self, grant_id: str) -> bool:
        return grant_id in self.created or self._books.has_grant(grant_id)

    # -- changes

    def add(self, effects: Sequence[MoneyEffect]) -> None:
        """Plan what a unit does, in order.

        Raises:
            BalanceOutOfRange: A charge cannot be paid; the plan is as before.
            UnitRefused: The reporter failed; the plan is as before.
        """
        if self._reporter is None and (len(effects) == 1 or all(isinstance(effect, NewGrant) for effect in effects)):
            for effect in effects:  # all or nothing by themselves
                self._take(effect)
            return
        trial = MoneyPlan(self, self._reporter)
        for effect in effects:
            trial._take(effect)
        self._entered |= trial._entered
        self.balances |= trial.balances
        self.ledger += trial.ledger
        self.created |= trial.created
        self.deliveries += trial.deliveries

    def enter(self, entry: Entry) -> None:
        """Change balances, all of them or none.

        Raises:
            BalanceOutOfRange: One would leave its range; the plan is as before.
        """
        held = {purse: self.balance(purse) for purse in entry.purses()}
        rows = entry.apply(held)
        self.balances |= held
        self.ledger += rows
        self._entered[entry.player, entry.key] = entry.changes
        if self._reporter is not None:
            for row in rows:
                self._report(row)

    def create(self, new: NewGrant) -> None:
        """A grant, if there is none with its id; credited at once if it says so and the balances can take it."""
        if self.has_grant(new.id):
            return
        if new.claimed_at is None and new.deliver is not None and self._delivers(new):
            new = replace(new, claimed_at=new.created_at)
        self.created[new.id] = new
        if self._reporter is not None:
            row = new.as_row()
            self._report(GrantCreated(row))
            if row.claimed_at is not None:
                self._report(GrantClaimed(row))

    def claim(self, grant: GrantRow, changes: Sequence[Change], now: int) -> GrantRow:
        """Credit a grant that may be claimed, and return it as it will be.

        Raises:
            BalanceOutOfRange: A balance would leave its range; the plan is as before.
        """
        self.enter(_claim(grant, changes, now))
        row = replace(grant, claimed_at=now)
        self.claimed.append(row)
        self._report(GrantClaimed(row))
        return row

    def withdraw(self, grant: GrantRow, key: str, reason: str, source: str, now: int) -> Withdrawn:
        """Take back a grant that was not withdrawn before."""
        self.withdrawn.append(grant.id)
        self.withdrawn_at = now
        credited = self.entered(grant.player, claim_key(grant.id))
        taken, owed = withdrawal(credited, self._held(grant.player, credited))
        if taken:
            changes = [Change(change.kind, change.key, -change.delta) for change in taken]
            self.enter(Entry(grant.player, changes, f"{key}:{grant.id}", reason, source, now))
        return Withdrawn(grant.id, tuple(taken), tuple(owed))

    def lapse(self, grant: GrantRow) -> None:
        """Report that nobody claimed a grant in time."""
        self.lapsed.append(grant.id)
        self._report(GrantLapsed(grant))

    def _take(self, effect: MoneyEffect) -> None:
        match effect:
            case NewGrant():
                self.create(effect)
            case Charge(player, key, changes, reason, source, at):
                if not self.entered(player, key):
                    self.enter(Entry(player, changes, key, reason, source, at))
            case Refund(player, key, source, at):
                self._refund(player, key, source, at)

    def _refund(self, player: int, key: str, source: str, at: int) -> None:
        charged = self.entered(player, key)
        if charged and not self.entered(player, refund_key(key)):
            back = [Change(change.kind, change.key, -change.delta) for change in charged]
            changes = as_much_as_fits(back, self._held(player, back))
            self.enter(Entry(player, changes, refund_key(key), "refund", source, at))

    def _delivers(self, new: NewGrant) -> bool:
        try:
            self.enter(_claim(new, new.deliver or (), new.created_at))
        except BalanceOutOfRange:
            return False
        return True

    def _held(self, player: int, changes: Sequence[Change]) -> dict[Resource, int]:
        resources: list[Resource] = [(change.kind, change.key) for change in changes]
        return {resource: self.balance((player, *resource)) for resource in resources}

    def _report(self, occurred: Occurred) -> None:
        if self._reporter is None:
            return
        try:
            self.deliveries += self._reporter(occurred)
        except Exception as error:
            raise UnitRefused(f"the reporter failed: {error!r}") from error


def _claim(grant: GrantRow | NewGrant, changes: Sequence[Change], at: int) -> Entry:
    return Entry(grant.player, changes, claim_key(grant.id), "grant", grant.id, at)
