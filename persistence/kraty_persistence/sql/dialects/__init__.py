"""Which database it is: everything that only one of them does is in the module of its name."""

from __future__ import annotations

from functools import cache

from kraty_persistence.sql.dialects.base import Dialect, Fence
from kraty_persistence.sql.dialects.sqlite import Sqlite

__all__ = ["URLS", "Dialect", "Fence", "dialect"]

URLS = "sqlite:///game.db or postgresql://user:password@host/game"


@cache
def dialect(name: str) -> Dialect | None:
    """That of a database by the name that begins its URLs, or that an engine calls it by; None if there is no store
    for it."""
    if name == "sqlite":
        return Sqlite()
    if name in ("postgresql", "postgres"):
        # Only here, for whoever needs no driver should not wait for it.
        from kraty_persistence.sql.dialects.postgresql import Postgresql

        return Postgresql()
    return None
