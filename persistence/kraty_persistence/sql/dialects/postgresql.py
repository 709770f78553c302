"""All that is particular to PostgreSQL: its connections, transactions and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

from kraty_persistence.errors import StoreError, StoreUnavailable, StoreUnusable
from kraty_persistence.sql.dialects.base import BulkInsert, Dialect, Fence
from kraty_persistence.sql.dialects.postgresql_writes import CommitFence, ManyRows

__all__ = ["Postgresql"]

_URL = "write the URL as postgresql://user:password@host/game"

_DRIVER_ARGUMENTS = {
    "connect_timeout": 5,  # seconds
    "tcp_user_timeout": 10_000,  # milliseconds until what is sent must have arrived
    "keepalives_idle": 10,  # seconds
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "application_name": "kraty-actors",
}
"""A network that is gone is noticed within seconds. What the URL says goes before."""

_SETTINGS = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
SET idle_in_transaction_session_timeout = '10s';
SET lock_timeout = '5s';
"""
"""A commit is on the disk. A server that has vanished in the middle of a transaction holds nobody up."""

_OUTAGES = (
    "08",  # the connection
    "40",  # a deadlock, or a serialization failure
    "53",  # no disk, no memory, too many connections
    "57",  # an administrator, or a crash
    "58",  # input and output
    "25006",  # only for reading now
    "42501",  # a right was taken away
    "55P03",  # a lock is held for long
    "XX001",
    "XX002",  # corrupted
)
"""Beginnings of the codes of errors that are nobody's bug."""

_DAMAGE = ("XX001", "XX002")

_PASSING = (
    "starting up",
    "shutting down",
    "recovery",
    "not yet accepting",
    "not currently accepting",
    "too many",
    "remaining connection slots",
)
"""What a server says that refuses a connection for now: such refusals have no code."""

_ONE_OWNER_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('kraty-actors'))"


class Postgresql(Dialect):
    """A database of its own on a server for every store."""

    begin_anew = "begin with an empty database"
    driver_error: type[Exception] = psycopg.Error

    def create_engine(self, url: sa.URL, *, owner: bool, connections: int) -> sa.Engine:
        """Connections commit each statement by itself, but for the transactions that are begun."""
        if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
            raise StoreUnusable(f"no store for {url.drivername}: {_URL}")
        if not url.database:
            raise StoreUnusable(f"the store needs a database: {_URL}")
        engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={key: value for key, value in _DRIVER_ARGUMENTS.items() if key not in url.query},
            pool_size=connections,
            max_overflow=0,
            use_native_hstore=False,
        )

        def set_up(connection: psycopg.Connection[Any], _: object) -> None:
            connection.autocommit = True
            connection.prepared_max = 500
            for dumper in (Int8Dumper, Int8BinaryDumper):  # else a statement is prepared for every size of numbers
                connection.adapters.register_dumper(int, dumper)
            connection.execute(_SETTINGS)

        def begin(connection: sa.Connection) -> None:
            writes = connection.get_execution_options().get("for_writing")
            connection.exec_driver_sql("BEGIN" if writes else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

        sa.event.listen(engine, "connect", set_up)
        sa.event.listen(engine, "begin", begin)
        return engine

    def name(self, url: sa.URL) -> str:
        named = sa.URL.create("postgresql", host=url.host, port=url.port, database=url.database)
        return named.render_as_string()

    def for_writing(self, connection: sa.Connection) -> sa.Connection:
        return connection.execution_options(for_writing=True)

    def alone(self, connection: sa.Connection) -> None:
        connection.execute(sa.text(_ONE_OWNER_AT_A_TIME))

    def fence(self, epoch: str) -> Fence:
        return CommitFence(epoch)

    def bulk_insert(self, statement: sa.Insert, columns: Sequence[str]) -> BulkInsert:
        return ManyRows(statement, columns)

    def is_outage(self, error: BaseException) -> bool:
        cause = _cause(error)
        if not isinstance(cause, psycopg.Error):
            return False
        if cause.sqlstate is None:  # the driver's own words; of a connection, or of how it was used
            return isinstance(cause, psycopg.OperationalError)
        return cause.sqlstate.startswith(_OUTAGES)

    def is_damage(self, error: BaseException) -> bool:
        return getattr(_cause(error), "sqlstate", None) in _DAMAGE

    def cannot_open(self, error: BaseException, name: str) -> StoreError:
        cause = _cause(error)
        says = (str(cause).strip() or type(cause).__name__).splitlines()[0].strip()
        if self._may_open_later(cause, says):
            return StoreUnavailable(f"{name}: cannot be reached: {says}")
        return StoreUnusable(f"{name}: cannot be opened: {says}")

    def _may_open_later(self, cause: BaseException, says: str) -> bool:
        code = getattr(cause, "sqlstate", None)
        if code is not None:
            return self.is_outage(cause) and code != "42501"
        if "FATAL:" in says:
            return any(passing in says for passing in _PASSING)
        given = "no password" in says or "invalid " in says
        return isinstance(cause, psycopg.OperationalError) and not given


def _cause(error: BaseException) -> BaseException:
    return (error.orig or error) if isinstance(error, sa.exc.DBAPIError) else error
