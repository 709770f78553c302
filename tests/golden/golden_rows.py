"""A golden database on PostgreSQL, and all rows of any database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from postgres_server import Database

from kraty_persistence.sql import opening, upgrading


def rows_of(url: str) -> dict[str, list[Any]]:
    """All rows of all tables, in an order of their own."""
    engine, _ = opening.connect(url, owner=False, connections=1)
    try:
        with engine.connect() as connection:
            made = sa.MetaData()
            made.reflect(connection)
            return {
                table.name: sorted(map(repr, map(tuple, connection.execute(sa.select(table)))))
                for table in made.sorted_tables
            }
    finally:
        engine.dispose()


def restore(file: Path, schema: Database) -> None:
    engine, kind = opening.connect(schema.url, owner=True, connections=1)
    with (
        closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as golden,
        engine.connect() as connection,
        kind.for_writing(connection).begin(),
    ):
        [(revision,)] = golden.execute("SELECT version_num FROM alembic_version")
        command.upgrade(upgrading._config(connection), revision)
        made = sa.MetaData()
        made.reflect(connection)
        for table in made.sorted_tables:
            if table.name == "alembic_version":
                continue
            names = ", ".join(f'"{name}"' for name in table.c.keys())  # noqa: SIM118
            rows = [
                {
                    column.name: bool(value) if isinstance(column.type, sa.Boolean) else value
                    for column, value in zip(table.c, row, strict=True)
                }
                for row in golden.execute(f"SELECT {names} FROM {table.name}")
            ]
            if rows:
                connection.execute(sa.insert(table), rows)
            number = table.autoincrement_column
            if rows and number is not None and number.server_default is not None:
                last = max(row[number.name] for row in rows)
                connection.execute(
                    sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, number.name), last))
                )
    engine.dispose()
