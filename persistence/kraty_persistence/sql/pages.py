"""What actors have left behind, read a little at a time, whatever is written meanwhile."""

from __future__ import annotations

import sqlalchemy as sa

from kraty_persistence.ports import StoredActor, StoredRecord
from kraty_persistence.sql.tables import actors, checkpoints, history, journal

__all__ = ["history_page", "read_checkpoint", "resting"]

_ACTOR = sa.select(actors.c.no, actors.c.covered, actors.c.generation).where(actors.c.id == sa.bindparam("name"))
_IS_OLD = (history.c.actor_no == sa.bindparam("no")) & (history.c.number > sa.bindparam("number"))
_IS_NEW = (
    (journal.c.place > sa.bindparam("place"))
    & (journal.c.actor_no == sa.bindparam("no"))
    & (journal.c.number > sa.bindparam("number"))
)
_OLD = sa.select(history.c.number, history.c.record).where(_IS_OLD).order_by(history.c.number)
_NEW = sa.select(journal.c.number, journal.c.record, journal.c.place).where(_IS_NEW).order_by(journal.c.place)
_OLD = _OLD.limit(sa.bindparam("limit"))
_NEW = _NEW.limit(sa.bindparam("limit"))
_IS_PART = (checkpoints.c.actor_no == sa.bindparam("no")) & (checkpoints.c.generation == sa.bindparam("generation"))
_PARTS = sa.select(checkpoints.c.data).where(_IS_PART).order_by(checkpoints.c.part)

_HAS_MORE = sa.select(journal.c.actor_no).join(actors, actors.c.no == journal.c.actor_no)
_HAS_MORE = _HAS_MORE.where(journal.c.number > actors.c.covered)
_RESTING = (
    sa.select(actors.c.id, checkpoints.c.data)
    .join(
        checkpoints,
        (checkpoints.c.actor_no == actors.c.no)
        & (checkpoints.c.generation == actors.c.generation)
        & (checkpoints.c.part == 0),
    )
    .where(actors.c.finished.is_(False), actors.c.no.not_in(_HAS_MORE))
)


def history_page(connection: sa.Connection, name: str, after: StoredRecord | None, limit: int) -> list[StoredRecord]:
    """The next records of an actor, in order. Where some moved from the log to the history just now there may be a
    gap between the two; at the second look there is none."""
    start = after or StoredRecord(0, b"")
    found = connection.execute(_ACTOR, {"name": name}).one_or_none()
    if found is None:
        return []
    page = _look(connection, found.no, start, limit)
    if any(one.number != number for number, one in enumerate(page, start.number + 1)):
        page = _look(connection, found.no, start, limit)
    return page


def _look(connection: sa.Connection, no: int, after: StoredRecord, limit: int) -> list[StoredRecord]:
    old = connection.execute(_OLD, {"no": no, "number": after.number, "limit": limit})
    page = [StoredRecord(number, record, after.place) for number, record in old]
    if len(page) < limit:
        last = page[-1] if page else after
        given = {"no": no, "number": last.number, "place": last.place, "limit": limit - len(page)}
        page += [StoredRecord(*row) for row in connection.execute(_NEW, given)]
    return page


def read_checkpoint(connection: sa.Connection, name: str) -> StoredActor:
    """The checkpoint that counts, and how far it goes."""
    found = connection.execute(_ACTOR, {"name": name}).one_or_none()
    if found is None:
        return StoredActor()
    parts = connection.execute(_PARTS, {"no": found.no, "generation": found.generation})
    return StoredActor(tuple(parts.scalars()), found.covered)


def resting(connection: sa.Connection) -> dict[str, bytes]:
    """The unfinished actors with nothing behind their checkpoints, each with the first part of that."""
    return {row.id: row.data for row in connection.execute(_RESTING)}
