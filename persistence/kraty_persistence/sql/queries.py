"""Players, grants and wallets as plain functions of a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import sqlalchemy as sa

from kraty_persistence.errors import GrantExpired
from kraty_persistence.money import credit_wallet
from kraty_persistence.ports import (
    AuditRow,
    Credit,
    GrantRow,
    GrantStatus,
    LedgerRow,
    PlayerRow,
    StoreStatistics,
)
from kraty_persistence.sql.sqlite import insert_once, upsert
from kraty_persistence.sql.tables import (
    actors,
    audit,
    balances,
    completions,
    grants,
    journal,
    ledger,
    meta,
    players,
)

_PUT_META = upsert(meta, lambda new: {"value": new.value})
_PUT_META_ONCE = insert_once(meta)
_PUT_BALANCE = upsert(balances, lambda new: {"balance": new.balance})


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
        new = {"player_id": player_id, "participant_id": participant_id}
        added = connection.execute(sa.insert(players).returning(players.c.number), new)
        row = PlayerRow(added.scalar_one(), player_id, participant_id)
    return row


def set_profile(connection: sa.Connection, number: int, **given: str | None) -> None:
    changes = {key: value for key, value in given.items() if value is not None}
    if changes:
        connection.execute(sa.update(players).where(players.c.number == number).values(changes))


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


# -- grants and money


def grant(connection: sa.Connection, grant_id: str, player: int) -> GrantRow | None:
    query = sa.select(grants).where(grants.c.id == grant_id, grants.c.player == player)
    row = connection.execute(query).one_or_none()
    return None if row is None else GrantRow(*row)


def grants_of(
    connection: sa.Connection,
    player: int,
    now: int,
    status: GrantStatus | None,
    limit: int,
    after: str | None,
) -> list[GrantRow]:
    query = sa.select(grants).where(grants.c.player == player)
    if status is not None:
        query = query.where(_has_status(status, now))
    if after is not None:
        last = grant(connection, after, player)
        if last is None:
            return []
        older = grants.c.created_at < last.created_at
        query = query.where(older | ((grants.c.created_at == last.created_at) & (grants.c.id > last.id)))
    query = query.order_by(grants.c.created_at.desc(), grants.c.id).limit(limit)
    return [GrantRow(*row) for row in connection.execute(query)]


def _has_status(status: GrantStatus, now: int) -> sa.ColumnElement[bool]:
    open_ = grants.c.claimed_at.is_(None)
    match status:
        case "claimed":
            return ~open_
        case "expired":
            return open_ & (grants.c.expires_at <= now)
        case "pending":
            return open_ & (grants.c.expires_at.is_(None) | (grants.c.expires_at > now))


def claim(
    connection: sa.Connection, grant_id: str, player: int, now: int, amounts: Sequence[Credit]
) -> GrantRow | None:
    row = grant(connection, grant_id, player)
    if row is None or row.claimed_at is not None:
        return row
    if row.status(now) == "expired":
        raise GrantExpired(f"grant {grant_id} has expired")
    wallet = balances_of(connection, player)
    entries = credit_wallet(wallet, row, amounts, now)
    if entries:
        changed = {entry.currency for entry in entries}
        connection.execute(
            _PUT_BALANCE,
            [{"player": player, "currency": key, "balance": wallet[key]} for key in sorted(changed)],
        )
        connection.execute(sa.insert(ledger), [asdict(entry) for entry in entries])
    connection.execute(sa.update(grants).where(grants.c.id == grant_id).values(claimed_at=now))
    return replace(row, claimed_at=now)


def balances_of(connection: sa.Connection, player: int) -> dict[str, int]:
    query = sa.select(balances.c.currency, balances.c.balance).where(balances.c.player == player)
    return {row.currency: row.balance for row in connection.execute(query)}


def ledger_of(connection: sa.Connection, player: int, limit: int) -> list[LedgerRow]:
    columns = [column for column in ledger.c if column.name != "number"]
    query = sa.select(*columns).where(ledger.c.player == player).order_by(ledger.c.number.desc()).limit(limit)
    return [LedgerRow(*row) for row in connection.execute(query)]


def audit_trail(connection: sa.Connection, limit: int, before: int | None) -> list[AuditRow]:
    query = sa.select(audit).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.number < before)
    return [AuditRow(**row) for row in connection.execute(query).mappings()]
