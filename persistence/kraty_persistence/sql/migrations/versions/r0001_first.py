"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def index(name: str, table: str, columns: str, where: str | None = None) -> None:
    """An index, of some rows only if `where` says which; each database has its own word for false."""
    op.create_index(
        name,
        table,
        [sa.literal_column(column) if " " in column else column for column in columns.split(", ")],
        postgresql_where=None if where is None else sa.text(where),
        sqlite_where=None if where is None else sa.text(where.replace("IS false", "IS 0").replace("IS true", "IS 1")),
    )


def upgrade() -> None:
    op.create_table(
        "actors",
        sa.Column("no", ROW, autoincrement=False, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("covered", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("no"),
        sa.UniqueConstraint("id"),
    )
    index("actors_unfinished", "actors", "no", "finished IS false")
    op.create_table(
        "audit",
        sa.Column("number", ROW, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("actor_no", ROW, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("actor_no", "generation", "part"),
    )
    op.create_table(
        "history",
        sa.Column("actor_no", ROW, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("actor_no", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journal",
        sa.Column("place", ROW, autoincrement=False, nullable=False),
        sa.Column("actor_no", ROW, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_table(
        "meta",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("endpoint", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("error", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    index("outbox_dead", "outbox", "at DESC, id", "next_at IS NULL")
    index("outbox_due", "outbox", "endpoint, next_at, id", "next_at IS NOT NULL")
    op.create_table(
        "players",
        sa.Column("number", ROW, nullable=False),
        sa.Column("player_id", TEXT, nullable=False),
        sa.Column("participant_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("avatar", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("attributes", sa.LargeBinary(), nullable=False),
        sa.Column("banned", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("participant_id"),
        sa.UniqueConstraint("player_id"),
    )
    index("players_banned", "players", "number", "banned IS true")
    op.create_table(
        "anomalies",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("player", ROW, nullable=False),
        sa.Column("event_key", TEXT, nullable=False),
        sa.Column("window_id", TEXT, nullable=False),
        sa.Column("attempt_id", TEXT, nullable=False),
        sa.Column("validator", TEXT, nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["player"],
            ["players.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    index("anomalies_newest_first", "anomalies", "at DESC, id")
    index("anomalies_of_event", "anomalies", "event_key, at DESC, id")
    index("anomalies_of_player", "anomalies", "player, at DESC, id")
    op.create_table(
        "attempts",
        sa.Column("player", ROW, nullable=False),
        sa.Column("attempt_id", TEXT, nullable=False),
        sa.Column("event_key", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["player"],
            ["players.number"],
        ),
        sa.PrimaryKeyConstraint("player", "at", "attempt_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "balances",
        sa.Column("player", ROW, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("balance between 0 and 9007199254740991", name="balance_in_range"),
        sa.ForeignKeyConstraint(
            ["player"],
            ["players.number"],
        ),
        sa.PrimaryKeyConstraint("player", "currency"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "completions",
        sa.Column("player", ROW, nullable=False),
        sa.Column("event_key", TEXT, nullable=False),
        sa.Column("window_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["player"],
            ["players.number"],
        ),
        sa.PrimaryKeyConstraint("player", "event_key", "window_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "grants",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("player", ROW, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("contents", sa.LargeBinary(), nullable=False),
        sa.Column("source_kind", TEXT, nullable=False),
        sa.Column("source_ref", TEXT, nullable=True),
        sa.Column("parent", TEXT, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("lapse_reported", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["player"],
            ["players.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    index("grants_newest_first", "grants", "player, created_at DESC, id")
    index("grants_of_parent", "grants", "parent", "parent IS NOT NULL")
    index("grants_of_source", "grants", "source_ref, created_at, id", "source_ref IS NOT NULL")
    index(
        "grants_to_lapse",
        "grants",
        "expires_at, id",
        "expires_at IS NOT NULL AND claimed_at IS NULL AND withdrawn_at IS NULL AND lapse_reported IS false",
    )
    op.create_table(
        "inventory",
        sa.Column("player", ROW, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity between 0 and 9007199254740991", name="quantity_in_range"),
        sa.ForeignKeyConstraint(
            ["player"],
            ["players.number"],
        ),
        sa.PrimaryKeyConstraint("player", "item"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leagues",
        sa.Column("player", ROW, nullable=False),
        sa.Column("event_key", TEXT, nullable=False),
        sa.Column("league", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["player"],
            ["players.number"],
        ),
        sa.PrimaryKeyConstraint("player", "event_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger",
        sa.Column("number", ROW, nullable=False),
        sa.Column("player", ROW, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("resource", TEXT, nullable=False),
        sa.Column("delta", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["player"],
            ["players.number"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("player", "key", "part"),
    )
    index("ledger_newest_first", "ledger", "player, number DESC")
