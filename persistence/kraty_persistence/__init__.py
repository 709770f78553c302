"""What survives: ports, the in-memory store that honours them, and SQL stores in `kraty_persistence.sql`."""

from __future__ import annotations

from kraty_persistence.errors import (
    BalanceOutOfRange,
    GrantExpired,
    JournalConflict,
    StoreClosed,
    StoreError,
    StoreTaken,
    StoreUnavailable,
    StoreUnusable,
    UnitRefused,
)
from kraty_persistence.memory import MemoryStore
from kraty_persistence.ports import (
    MAX_BALANCE,
    AuditEntry,
    AuditRow,
    Completion,
    Credit,
    Done,
    Effect,
    GrantRow,
    GrantStatus,
    LedgerRow,
    NewGrant,
    PlayerRow,
    Store,
    StoredActor,
    StoreStatistics,
    Unit,
)

__all__ = [
    "MAX_BALANCE",
    "AuditEntry",
    "AuditRow",
    "BalanceOutOfRange",
    "Completion",
    "Credit",
    "Done",
    "Effect",
    "GrantExpired",
    "GrantRow",
    "GrantStatus",
    "JournalConflict",
    "LedgerRow",
    "MemoryStore",
    "NewGrant",
    "PlayerRow",
    "Store",
    "StoreClosed",
    "StoreError",
    "StoreStatistics",
    "StoreTaken",
    "StoreUnavailable",
    "StoreUnusable",
    "StoredActor",
    "Unit",
    "UnitRefused",
]
