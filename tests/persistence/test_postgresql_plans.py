"""On PostgreSQL too every statement finds its rows by an index, and needs no sorting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from postgres_server import Database
from psycopg.types.numeric import Int8Dumper
from store_contract import a_grant, put
from test_query_plans import QUESTIONS

from kraty_persistence import Unit
from kraty_persistence.sql import SqlStore, open_sql_store

pytestmark = pytest.mark.anyio


@contextmanager
def traced(store: SqlStore) -> Iterator[dict[str, Any]]:
    """The statements that SQLAlchemy runs, each with its last values."""
    statements: dict[str, Any] = {}

    def trace(_: sa.Connection, __: object, statement: str, values: Any, *___: object) -> None:
        statements[statement] = values[0] if isinstance(values, list) else values

    sa.event.listen(store._engine, "before_cursor_execute", trace)
    yield statements
    sa.event.remove(store._engine, "before_cursor_execute", trace)


def plan(connection: psycopg.Connection[Any], statement: str, values: Any) -> list[str]:
    return [row[0] for row in connection.execute(f"EXPLAIN {statement}", values)]


async def test_rows_are_found_by_an_index(database: Database):
    """R-19, R-55. With so few rows the planner would read them all: it is told that this costs too much."""
    async with open_sql_store(database.url) as store:
        await store.resolve("ada", lambda: "public-ada")
        await put(store, Unit("a", 1, b"1", (a_grant(1),)))
        with traced(store) as statements:
            for ask in QUESTIONS.values():
                await ask(store)
    asked = {text: values for text, values in statements.items() if not text.startswith(("BEGIN", "COMMIT"))}
    assert len(asked) > len(QUESTIONS)
    with database.connected() as connection:
        connection.execute("SET enable_seqscan = off; SET enable_sort = off")
        connection.adapters.register_dumper(int, Int8Dumper)
        plans = {text: plan(connection, text, values) for text, values in asked.items()}
    bad = [text for text, steps in plans.items() if any("Seq Scan" in step or "Sort" in step for step in steps)]
    assert bad == []
