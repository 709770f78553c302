"""Players, what is known of them, and facts of the game, as plain functions of a connection.

The statements are built once: to build one takes longer than to run it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from kraty_persistence.errors import UnitRefused
from kraty_persistence.rows import AttemptRow, AuditEntry, AuditRow, Dossier, PlayerRow, StoreStatistics
from kraty_persistence.sql.statements import among, insert_once, json_list, json_object, upsert
from kraty_persistence.sql.tables import (
    actors,
    attempts,
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
_GET_META = sa.select(meta.c.value).where(meta.c.key == sa.bindparam("key"))

_ADD_PLAYER = sa.insert(players).returning(players.c.number)
_FIND_PLAYER = {
    column.name: sa.select(players).where(column == sa.bindparam("value"))
    for column in (players.c.number, players.c.player_id, players.c.participant_id)
}
_SOME_PLAYERS = sa.select(players).where(among(players.c.number, "numbers"))
_BANNED = sa.select(players.c.number).where(players.c.banned.is_(True)).order_by(players.c.number)

_PLAYER: sa.BindParameter[int] = sa.bindparam("player")
_EVENT: sa.BindParameter[str] = sa.bindparam("event_key")
_COMPLETED = sa.select(1).where(completions.c.player == _PLAYER, completions.c.event_key == _EVENT).limit(1)
_COMPLETED_IN_WINDOW = _COMPLETED.where(completions.c.window_id == sa.bindparam("window_id"))
_LEAGUE = sa.select(leagues.c.league).where(leagues.c.player == _PLAYER, leagues.c.event_key == _EVENT)


def _dossiers() -> sa.Select[Any]:
    """All of many players as one row of JSON: a row for each thing would lend the interpreter to the event loop as
    often. Each thing is named by its player and its key, with a blank between them."""

    def named(table: sa.FromClause, key: str) -> sa.ColumnElement[str]:
        return sa.cast(table.c.player, sa.Text) + " " + table.c[key]

    def object_of(table: sa.Table, key: str, value: str, *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
        pairs = sa.select(json_object(named(table, key), table.c[value]))
        return pairs.where(among(table.c.player, "players"), *where).scalar_subquery()

    events = sa.select(completions.c.player, completions.c.event_key).where(among(completions.c.player, "players"))
    found = events.distinct().subquery("found")
    return sa.select(
        sa.select(json_list(named(found, "event_key"))).scalar_subquery(),
        object_of(balances, "resource", "amount", balances.c.amount > 0),
        object_of(inventory, "resource", "amount", inventory.c.amount > 0),
        object_of(leagues, "event_key", "league"),
    )


_DOSSIERS = _dossiers()


# -- facts of the game


def get_meta(connection: sa.Connection, key: str) -> str | None:
    value: str | None = connection.execute(_GET_META, {"key": key}).scalar()
    return value


def set_meta(connection: sa.Connection, key: str, value: str, audited: AuditEntry | None = None) -> None:
    connection.execute(_PUT_META, {"key": key, "value": value})
    put_audited(connection, audited)


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
    row = find_player(connection, player_id=player_id)
    if row is None:
        new = {"player_id": player_id, "participant_id": participant_id, "attributes": b"", "banned": False}
        row = PlayerRow(connection.execute(_ADD_PLAYER, new).scalar_one(), player_id, participant_id)
    return row


def put_player(
    connection: sa.Connection, number: int, given: Mapping[str, Any], audited: AuditEntry | None
) -> PlayerRow:
    row = find_player(connection, number=number)
    if row is None:
        raise UnitRefused(f"no player {number}")
    changes = {field: value for field, value in given.items() if value is not None}
    if changes:
        connection.execute(sa.update(players).where(players.c.number == number).values(changes))
    put_audited(connection, audited)
    return row.changed(**given)


def find_player(connection: sa.Connection, **by: str | int) -> PlayerRow | None:
    """By the one column that is given."""
    [(column, value)] = by.items()
    row = connection.execute(_FIND_PLAYER[column], {"value": value}).one_or_none()
    return None if row is None else PlayerRow(*row)


def players_of(connection: sa.Connection, numbers: Sequence[int]) -> list[PlayerRow]:
    rows = connection.execute(_SOME_PLAYERS, {"numbers": json.dumps(list(numbers))})
    found = {row.number: PlayerRow(*row) for row in rows}
    return [found[number] for number in numbers if number in found]


def banned_players(connection: sa.Connection) -> list[int]:
    return list(connection.execute(_BANNED).scalars())


def completed(connection: sa.Connection, player: int, event_key: str, window_id: str | None) -> bool:
    query = _COMPLETED if window_id is None else _COMPLETED_IN_WINDOW
    given = {"player": player, "event_key": event_key, "window_id": window_id}
    return connection.execute(query, given).scalar() is not None


def league(connection: sa.Connection, player: int, event_key: str) -> str | None:
    found: str | None = connection.execute(_LEAGUE, {"player": player, "event_key": event_key}).scalar()
    return found


def dossiers(connection: sa.Connection, players: Sequence[int]) -> list[Dossier]:
    """The dossiers of these players, in this order."""
    row = connection.execute(_DOSSIERS, {"players": json.dumps(players)}).one()
    events, *rest = (json.loads(part) for part in row)
    completed: dict[int, list[str]] = {}
    for name in events:
        player, _, key = name.partition(" ")
        completed.setdefault(int(player), []).append(key)
    held, items, stands = (_by_player(found) for found in rest)
    return [
        Dossier(
            frozenset(completed.get(player, ())), held.get(player, {}), items.get(player, {}), stands.get(player, {})
        )
        for player in players
    ]


def _by_player(found: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """What stands under each player's number, by its key."""
    sorted_out: dict[int, dict[str, Any]] = {}
    for name, value in found.items():
        player, _, key = name.partition(" ")
        sorted_out.setdefault(int(player), {})[key] = value
    return sorted_out


# -- what operators did


def put_audited(connection: sa.Connection, entry: AuditEntry | None) -> None:
    """Who did what is done in this transaction, if that is to be kept."""
    if entry is not None:
        connection.execute(sa.insert(audit), asdict(entry))


def attempts_of(connection: sa.Connection, player: int, limit: int) -> list[AttemptRow]:
    query = sa.select(attempts).where(attempts.c.player == player)
    newest_first = query.order_by(attempts.c.at.desc(), attempts.c.attempt_id.desc()).limit(limit)
    return [AttemptRow(*row) for row in connection.execute(newest_first)]


def audit_trail(connection: sa.Connection, limit: int, before: int | None) -> list[AuditRow]:
    query = sa.select(audit).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.number < before)
    return [AuditRow(**row) for row in connection.execute(query).mappings()]
