"""Parts of statements that the databases spell differently. They are built once, for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["among", "insert_once", "json_list", "json_object", "upsert"]


def insert_once(table: sa.Table) -> Insert:
    """INSERT that leaves a row with the same primary key as it is."""
    return insert(table).on_conflict_do_nothing(index_elements=table.primary_key.columns)


def upsert(table: sa.Table, change: Callable[[Any], dict[str, Any]]) -> Insert:
    """INSERT that changes a row with the same primary key instead; `change` is given the refused row."""
    statement = insert(table)  # SQLite spells ON CONFLICT as PostgreSQL does
    return statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=change(statement.excluded))


def among(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """IN a list of any length, given under `name` as JSON, so that the statement is always the same."""
    return _Among(column, sa.bindparam(name, type_=sa.String()))


def json_object(key: sa.ColumnElement[str], value: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """All rows as the text of one JSON object."""
    return _JsonObject(key, value)


def json_list(value: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """All rows as the text of one JSON array."""
    return _JsonList(value)


class _Among(FunctionElement[Any]):
    name = "among"
    type = sa.types.NullType()  # a Boolean would be compared with 1 in SQLite, and then no index is taken
    inherit_cache = True


class _JsonObject(FunctionElement[str]):
    name = "json_object"
    type = sa.String()
    inherit_cache = True


class _JsonList(FunctionElement[str]):
    name = "json_list"
    type = sa.String()
    inherit_cache = True


def _parts(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> list[str]:
    return [compiler.process(part, **kw) for part in element.clauses]


@compiles(_Among, "sqlite")
def _among_in_sqlite(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = _parts(element, compiler, **kw)
    return f"{column} IN (SELECT given.value FROM json_each({values}) AS given)"


@compiles(_Among, "postgresql")
def _among_in_postgresql(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    """As an array, for which the planner takes an index however few rows it believes to be there."""
    column, values = _parts(element, compiler, **kw)
    is_text = isinstance(next(iter(element.clauses)).type, sa.String)
    value = 'given.value COLLATE "C"' if is_text else "CAST(given.value AS BIGINT)"
    rows = f"SELECT {value} FROM json_array_elements_text(CAST({values} AS JSON)) AS given(value)"
    return f"{column} = ANY(ARRAY({rows}))"


@compiles(_JsonObject, "sqlite")
def _object_in_sqlite(element: _JsonObject, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_object({', '.join(_parts(element, compiler, **kw))})"


@compiles(_JsonObject, "postgresql")
def _object_in_postgresql(element: _JsonObject, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(COALESCE(json_object_agg({', '.join(_parts(element, compiler, **kw))}), '{{}}') AS TEXT)"


@compiles(_JsonList, "sqlite")
def _list_in_sqlite(element: _JsonList, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array({', '.join(_parts(element, compiler, **kw))})"


@compiles(_JsonList, "postgresql")
def _list_in_postgresql(element: _JsonList, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(COALESCE(json_agg({', '.join(_parts(element, compiler, **kw))}), '[]') AS TEXT)"
