"""Where `statements` was before."""

from __future__ import annotations

from kraty_persistence.sql.statements import among, insert_once, upsert

__all__ = ["among", "insert_once", "upsert"]
