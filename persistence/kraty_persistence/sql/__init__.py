"""The store in a database. `open_sql_store("sqlite:///game.db")` is all there is to it."""

from __future__ import annotations

from kraty_persistence.sql.store import SqlStore, open_sql_store

__all__ = ["SqlStore", "open_sql_store"]
