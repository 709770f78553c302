"""Players, what is known of them, and facts of the game, as plain functions of a connection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kraty_persistence.errors import UnitRefused
from kraty_persistence.rows import AuditRow, Dossier, PlayerRow, StoreStatistics
from kraty_persistence.sql.sqlite import insert_once, upsert
from kraty_persistence.sql.tables import (
    actors,
    audit,
    balances,
    completions,
    grants,
    inventory,
    journal,
    leagues,
    meta,
    players,
)

_PUT_META = upsert(meta, lambda new: {"value": new.value})
_PUT_META_ONCE = insert_once(meta)


# -- facts of the game


def get_meta(connection: sa.Connection, key: str) -> str | None:
    value: str | None = connection.execute(sa.select(meta.c.value).where(meta.c.key == key)).scalar()
    return value


def set_meta(connection: sa.Connection, key: str, value: str) -> None:
    connection.execute(_PUT_META, {"key": key, "value": value})


def put_meta_once(connection: sa.Connection, key: str, value: str) -> str:
    connection.execute(_PUT_META_ONCE, {"key": key, "value": value})
    return get_meta(connection, key) or ""


def unfinished(connection: sa.Connection) -> list[str]:
    query = sa.select(actors.c.id).where(actors.c.finished.is_(False)).order_by(actors.c.no)
    return list(connection.execute(query).scalars())


def statistics(connection: sa.Connection) -> StoreStatistics:
    def count(table: sa.FromClause, *where: sa.ColumnElement[bool]) -> int:
        return connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar() or 0

    return StoreStatistics(
        actors=count(actors),
        unfinished=count(actors, actors.c.finished.is_(False)),
        records=count(journal.join(actors, actors.c.no == journal.c.actor_no), journal.c.number > actors.c.covered),
        players=count(players),
        grants=count(grants),
    )


# -- players


def add_player(connection: sa.Connection, player_id: str, participant_id: str) -> PlayerRow:
    """The player's row, which is new if nobody was quicker."""
    row = find_player(connection, players.c.player_id == player_id)
    if row is None:
        new = {"player_id": player_id, "participant_id": participant_id, "attributes": b""}
        added = connection.execute(sa.insert(players).returning(players.c.number), new)
        row = PlayerRow(added.scalar_one(), player_id, participant_id)
    return row


def put_player(connection: sa.Connection, number: int, **given: str | bytes | None) -> PlayerRow:
    here = players.c.number == number
    row = find_player(connection, here)
    if row is None:
        raise UnitRefused(f"no player {number}")
    changes = {field: value for field, value in given.items() if value is not None}
    if changes:
        connection.execute(sa.update(players).where(here).values(changes))
    return row.changed(**given)


def find_player(connection: sa.Connection, where: sa.ColumnElement[bool]) -> PlayerRow | None:
    row = connection.execute(sa.select(players).where(where)).one_or_none()
    return None if row is None else PlayerRow(*row)


def players_of(connection: sa.Connection, numbers: Sequence[int]) -> list[PlayerRow]:
    found: dict[int, PlayerRow] = {}
    for start in range(0, len(numbers), 500):
        query = sa.select(players).where(players.c.number.in_(numbers[start : start + 500]))
        found.update((row.number, PlayerRow(*row)) for row in connection.execute(query))
    return [found[number] for number in numbers if number in found]


def completed(connection: sa.Connection, player: int, event_key: str, window_id: str | None) -> bool:
    query = sa.select(1).where(completions.c.player == player, completions.c.event_key == event_key)
    if window_id is not None:
        query = query.where(completions.c.window_id == window_id)
    return connection.execute(query.limit(1)).scalar() is not None


def league(connection: sa.Connection, player: int, event_key: str) -> str | None:
    query = sa.select(leagues.c.league).where(leagues.c.player == player, leagues.c.event_key == event_key)
    found: str | None = connection.execute(query).scalar()
    return found


def dossier(connection: sa.Connection, player: int) -> Dossier:
    """One row of JSON: with a row for each thing the interpreter would be lent to the event loop as often."""
    events = sa.select(completions.c.event_key).where(completions.c.player == player).distinct().subquery()
    parts: list[sa.ColumnElement[Any]] = [
        sa.select(sa.func.json_group_array(events.c.event_key)).scalar_subquery(),
        *(_held_object(table, player) for table in (balances, inventory)),
        _object(leagues.c.event_key, leagues.c.league).where(leagues.c.player == player).scalar_subquery(),
    ]
    completed, *rest = (json.loads(part) for part in connection.execute(sa.select(*parts)).one())
    return Dossier(frozenset(completed), *rest)


def _held_object(table: sa.Table, player: int) -> sa.ColumnElement[Any]:
    held = _object(table.c.resource, table.c.amount)
    return held.where(table.c.player == player, table.c.amount > 0).scalar_subquery()


def _object(key: sa.ColumnElement[str], value: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(sa.func.json_group_object(key, value))


# -- what operators did


def audit_trail(connection: sa.Connection, limit: int, before: int | None) -> list[AuditRow]:
    query = sa.select(audit).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.number < before)
    return [AuditRow(**row) for row in connection.execute(query).mappings()]
