"""The tables. Actors have a small number inside, so that a journal row is little more than its record."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kraty_persistence.money_rows import MAX_BALANCE

__all__ = [
    "MAY_LAPSE",
    "REVISION",
    "actors",
    "alembic_version",
    "anomalies",
    "attempts",
    "audit",
    "balances",
    "checkpoints",
    "completions",
    "grants",
    "history",
    "inventory",
    "journal",
    "leagues",
    "ledger",
    "meta",
    "metadata",
    "outbox",
    "players",
]

REVISION = "0001"
"""The newest of `migrations`, which lead to the same tables as these here."""

metadata = sa.MetaData()

_Row = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself only for INTEGER
Text = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")  # ordered by code points, as everywhere else


def _index_where(name: str, where: sa.ColumnElement[bool], *columns: sa.ColumnElement[Any]) -> None:
    """An index of some rows only; a question finds it if it says the same."""
    sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


alembic_version = sa.Table(
    "alembic_version", metadata, sa.Column("version_num", sa.String(32), primary_key=True)
)  # in Alembic's own words
alembic_version.primary_key.name = "alembic_version_pkc"

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", Text, primary_key=True),
    sa.Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

actors = sa.Table(
    "actors",
    metadata,
    sa.Column("no", _Row, primary_key=True, autoincrement=False),
    sa.Column("id", Text, nullable=False, unique=True),
    sa.Column("covered", sa.BigInteger, nullable=False),  # the last batch that the checkpoint holds
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),  # of the checkpoint that counts
)
_index_where("actors_unfinished", actors.c.finished.is_(False), actors.c.no)

# A log in the order of writing, of all that no checkpoint covers yet. With a key of (actor, number) each record of
# a commit would dirty a page of its own: measured for 64 actors, 2.3 ms a commit against 0.7 ms. Where an actor's
# records lie is kept in memory (`journal.Heads`) and read back at opening.
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("place", _Row, primary_key=True, autoincrement=False),
    sa.Column("actor_no", _Row, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("record", sa.LargeBinary, nullable=False),
)

# The records that a checkpoint covers move here little by little, so that opening reads only what is left of the log.
history = sa.Table(
    "history",
    metadata,
    sa.Column("actor_no", _Row, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("record", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("actor_no", _Row, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

players = sa.Table(
    "players",
    metadata,
    sa.Column("number", _Row, primary_key=True),
    sa.Column("player_id", Text, nullable=False, unique=True),
    sa.Column("participant_id", Text, nullable=False, unique=True),
    sa.Column("name", Text),
    sa.Column("avatar", Text),
    sa.Column("country", Text),
    sa.Column("attributes", sa.LargeBinary, nullable=False),
    sa.Column("banned", sa.Boolean, nullable=False),
)
_index_where("players_banned", players.c.banned.is_(True), players.c.number)

completions = sa.Table(
    "completions",
    metadata,
    sa.Column("player", _Row, sa.ForeignKey(players.c.number), primary_key=True),
    sa.Column("event_key", Text, primary_key=True),
    sa.Column("window_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

leagues = sa.Table(
    "leagues",
    metadata,
    sa.Column("player", _Row, sa.ForeignKey(players.c.number), primary_key=True),
    sa.Column("event_key", Text, primary_key=True),
    sa.Column("league", Text, nullable=False),
    sqlite_with_rowid=False,
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("player", _Row, sa.ForeignKey(players.c.number), nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("contents", sa.LargeBinary, nullable=False),
    sa.Column("source_kind", Text, nullable=False),
    sa.Column("source_ref", Text),
    sa.Column("parent", Text),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("claimed_at", sa.BigInteger),
    sa.Column("withdrawn_at", sa.BigInteger),
    sa.Column("lapse_reported", sa.Boolean, nullable=False),
)
sa.Index("grants_newest_first", grants.c.player, grants.c.created_at.desc(), grants.c.id)
_OF_SOURCE = (grants.c.source_ref, grants.c.created_at, grants.c.id)  # by time, so that new ones are neighbours
_index_where("grants_of_source", grants.c.source_ref.is_not(None), *_OF_SOURCE)
_index_where("grants_of_parent", grants.c.parent.is_not(None), grants.c.parent)

MAY_LAPSE = (
    grants.c.expires_at.is_not(None)
    & grants.c.claimed_at.is_(None)
    & grants.c.withdrawn_at.is_(None)
    & grants.c.lapse_reported.is_(False)
)
"""Grants that are to be reported once their time is over."""

_index_where("grants_to_lapse", MAY_LAPSE, grants.c.expires_at, grants.c.id)


def _holdings(name: str, resource: str, amount: str) -> sa.Table:
    """What players have, of one kind; in Python its columns are `player`, `resource` and `amount`."""
    return sa.Table(
        name,
        metadata,
        sa.Column("player", _Row, sa.ForeignKey(players.c.number), primary_key=True),
        sa.Column(resource, Text, primary_key=True, key="resource"),
        sa.Column(amount, sa.BigInteger, nullable=False, key="amount"),
        sa.CheckConstraint(f"{amount} between 0 and {MAX_BALANCE}", name=f"{amount}_in_range"),
        sqlite_with_rowid=False,
    )


balances = _holdings("balances", resource="currency", amount="balance")
inventory = _holdings("inventory", resource="item", amount="quantity")

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("number", _Row, primary_key=True),
    sa.Column("player", _Row, sa.ForeignKey(players.c.number), nullable=False),
    sa.Column("key", Text, nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("resource", Text, nullable=False),
    sa.Column("delta", sa.BigInteger, nullable=False),
    sa.Column("balance", sa.BigInteger, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("source", Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("player", "key", "part"),
)
sa.Index("ledger_newest_first", ledger.c.player, ledger.c.number.desc())

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", _Row, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("who", Text, nullable=False),
    sa.Column("action", Text, nullable=False),
    sa.Column("subject", Text, nullable=False),
    sa.Column("before", sa.LargeBinary),
    sa.Column("after", sa.LargeBinary),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("player", _Row, sa.ForeignKey(players.c.number)),
    sa.Column("attempt_id", Text),
    sa.Column("event_key", Text, nullable=False),
    sa.Column("at", sa.BigInteger),
    sa.PrimaryKeyConstraint("player", "at", "attempt_id"),
    sqlite_with_rowid=False,
)

anomalies = sa.Table(
    "anomalies",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("player", _Row, sa.ForeignKey(players.c.number), nullable=False),
    sa.Column("event_key", Text, nullable=False),
    sa.Column("window_id", Text, nullable=False),
    sa.Column("attempt_id", Text, nullable=False),
    sa.Column("validator", Text, nullable=False),
    sa.Column("verdict", Text, nullable=False),
    sa.Column("outcome", Text, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("snapshot", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
sa.Index("anomalies_newest_first", anomalies.c.at.desc(), anomalies.c.id)
sa.Index("anomalies_of_player", anomalies.c.player, anomalies.c.at.desc(), anomalies.c.id)
sa.Index("anomalies_of_event", anomalies.c.event_key, anomalies.c.at.desc(), anomalies.c.id)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("endpoint", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", sa.BigInteger),  # none: it was given up
    sa.Column("error", Text, nullable=False),
)
_index_where("outbox_due", outbox.c.next_at.is_not(None), outbox.c.endpoint, outbox.c.next_at, outbox.c.id)
_index_where("outbox_dead", outbox.c.next_at.is_(None), outbox.c.at.desc(), outbox.c.id)
