"""What a store can refuse, by who must act.

StoreError
 +- StoreUnavailable    the world broke: nothing was stored, try again later
 +- StoreTaken          somebody else owns the store now: stop serving
 |   +- StoreSetBack    the database lacks what was acknowledged: stop, and have an operator look
 +- StoreClosed         this side closed it, or opened it for reading only
 +- StoreUnusable       it cannot be opened: an operator must change what was given
 +- JournalConflict     the actor's memory is out of step with its journal: recover it
 +- UnitRefused         a bug: what was handed in breaks a rule of the tables
 +- GrantExpired        the caller came too late
 +- BalanceOutOfRange   a balance would leave 0..2^53 - 1
 +- IdempotencyConflict the key was used before, for something else
"""

from __future__ import annotations

__all__ = [
    "BalanceOutOfRange",
    "GrantExpired",
    "IdempotencyConflict",
    "JournalConflict",
    "StoreClosed",
    "StoreError",
    "StoreSetBack",
    "StoreTaken",
    "StoreUnavailable",
    "StoreUnusable",
    "UnitRefused",
]


class StoreError(Exception):
    """Base of all. Whoever gets one may be sure that nothing of the refused work is stored."""


class StoreUnavailable(StoreError):
    """The database could not be reached or written within the store's patience (R-58).

    Only a store that is closed while its connection is broken cannot know what became of the last commit; the next who
    opens the database does.
    """


class StoreTaken(StoreError):
    """The epoch in the database is no longer ours: another server has opened it for serving."""

    def __init__(self, message: str = "another server has opened this database: this one must stop") -> None:
        super().__init__(message)


class StoreSetBack(StoreTaken):
    """Commits that were acknowledged are missing, as after a failover to a server that was behind."""

    def __init__(self) -> None:
        super().__init__("the database lacks commits that were acknowledged: this server must stop")


class StoreClosed(StoreError):
    """The store is closed for writing."""


class StoreUnusable(StoreError):
    """The database cannot be opened as a store. One plain line, without any password."""


class JournalConflict(StoreError):
    """A unit's number does not follow the journal's head: another owner wrote, or a unit before it failed."""


class UnitRefused(StoreError):
    """A row broke a rule of the tables, or code raised: a bug of the caller, kept as `__cause__`."""


class GrantExpired(StoreError):
    """The grant's time to live was over before it was claimed (R-45)."""


class BalanceOutOfRange(StoreError):
    """A balance would leave 0..2^53 - 1 (R-40).

    Attributes:
        kind: "currency" or "item".
        resource: Its key.
        needed: How much was to be taken away, or added.
        have: How much there is.
        short: True if there is not enough, False if it would be too much.
    """

    def __init__(self, kind: str, resource: str, delta: int, have: int) -> None:
        super().__init__(f"{resource}: the balance would be {have + delta}")
        self.kind = kind
        self.resource = resource
        self.needed = abs(delta)
        self.have = have
        self.short = delta < 0


class IdempotencyConflict(StoreError):
    """The key stands for other changes already; nothing was changed (R-40)."""
