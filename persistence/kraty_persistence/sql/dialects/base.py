"""What every database does in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from kraty_persistence.errors import StoreError

__all__ = ["BulkInsert", "Dialect", "Fence"]


class Dialect(Protocol):
    """One kind of database."""

    begin_anew: str
    """What to do where a database is of an older schema, or another program's."""

    driver_error: type[Exception]
    """The base of what the driver raises."""

    def create_engine(self, url: sa.URL, *, owner: bool, connections: int) -> sa.Engine:
        """An engine whose connections are durable on commit; nothing is opened yet.

        Its transactions read one moment of the database; those of a connection that is `for_writing` may write.

        Raises:
            StoreUnusable: The URL names no database that a store can live in.
        """

    def name(self, url: sa.URL) -> str:
        """What to call the database before people; no password is in it."""

    def for_writing(self, connection: sa.Connection) -> sa.Connection:
        """Let the connection's transactions write."""

    def alone(self, connection: sa.Connection) -> None:
        """Within a transaction begun for writing: let nobody else open the database until it ends."""

    def fence(self, epoch: str) -> Fence:
        """What the transactions of the owner who has opened the database with this epoch go through."""

    def bulk_insert(self, statement: sa.Insert, columns: Sequence[str]) -> BulkInsert:
        """See `kraty_persistence.sql.bulk`."""

    def is_outage(self, error: BaseException) -> bool:
        """Whether the world broke, so that the same transaction may succeed later."""

    def is_damage(self, error: BaseException) -> bool:
        """Whether what is stored cannot be read back: it will not mend by itself."""

    def cannot_open(self, error: BaseException, name: str) -> StoreError:
        """`StoreUnavailable` if the database may be opened later, else `StoreUnusable`; one plain line."""


class Fence(Protocol):
    """Makes sure that only the last who opened the database writes to it, and tells what is stored.

    Used by one thread. Each attempt to write either commits, and is told by `passed`, or raises.
    """

    def raise_it(self, connection: sa.Connection) -> None:
        """Within the transaction that takes the database over: from its commit on, nobody else passes."""

    def look(self, connection: sa.Connection) -> None:
        """Go nowhere, and only see whether one could.

        Raises:
            StoreTaken: Somebody has taken the database over.
        """

    def enter(self, connection: sa.Connection) -> None:
        """Go through, within a transaction begun; nobody takes the database over before it ends.

        Raises:
            StoreTaken: Somebody has.
        """

    def add_records(self, connection: sa.Connection, values: Sequence[int | bytes]) -> None:
        """Go through, insert rows of the journal and commit, all by one statement.

        This is the hot path. Each call of the driver gives the interpreter away, and a busy event loop may be
        long in giving it back: BEGIN, fence, INSERT and COMMIT took half as long again, under load.

        Args:
            connection: One that is not in a transaction.
            values: Those of the columns of all rows, one row after the other.

        Raises:
            StoreTaken: Another server owns the database.
        """

    def passed(self) -> None:
        """What went through is committed."""

    def leaves_doubt(self, error: BaseException) -> bool:
        """Whether an attempt that was told to commit, and has just failed so, may be stored or become so: if so,
        `was_stored` must be asked before anything else is tried."""

    def was_stored(self, connection: sa.Connection) -> bool:
        """Whether the attempt in doubt is stored. If not, it never will be from now on.

        Raises:
            StoreTaken: Another server owns the database.
        """


class BulkInsert(Protocol):
    """Inserts many rows, within the transaction begun."""

    columns: tuple[str, ...]
    """What a row consists of, in this order."""

    def write(self, connection: sa.Connection, values: Sequence[Any]) -> None:
        """`values` are those of all rows, one after the other."""
