"""What Alembic runs around a migration: it goes on the connection, and in the transaction, of whoever asks."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
