"""Anomalies as plain functions of a connection."""

from __future__ import annotations

import sqlalchemy as sa

from kraty_persistence.rows import AnomalyRow
from kraty_persistence.sql.tables import anomalies

_AT = sa.select(anomalies.c.at).where(anomalies.c.id == sa.bindparam("id"))


def listed(
    connection: sa.Connection, player: int | None, event_key: str | None, limit: int, after: str | None
) -> list[AnomalyRow]:
    query = sa.select(anomalies).order_by(anomalies.c.at.desc(), anomalies.c.id).limit(limit)
    if player is not None:
        query = query.where(anomalies.c.player == player)
    if event_key is not None:
        query = query.where(anomalies.c.event_key == event_key)
    if after is not None:
        at = connection.execute(_AT, {"id": after}).scalar()
        if at is None:
            return []
        query = query.where(anomalies.c.at <= at, (anomalies.c.at < at) | (anomalies.c.id > after))
    return [AnomalyRow(*row) for row in connection.execute(query)]
