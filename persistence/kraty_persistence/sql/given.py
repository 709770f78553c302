"""Lists of pairs as a table to join with: one parameter, so that the statement is always the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["as_pairs", "given_pairs"]


def given_pairs(name: str) -> sa.Subquery:
    """A table with the columns `number` and `text`, given under `name` as `as_pairs` writes it."""
    elements = _Elements(sa.bindparam(name, type_=sa.Text())).table_valued("value", name="given")
    number, text = _Number(elements.c.value), _Text(elements.c.value)
    return sa.select(number.label("number"), text.label("text")).subquery("wanted")


def as_pairs(pairs: Iterable[tuple[int, str]]) -> str:
    """What to hand in for `given_pairs`."""
    return json.dumps(list(pairs))


class _Elements(FunctionElement[Any]):
    """The elements of a JSON list, a row each."""

    name = "elements"
    inherit_cache = True


class _Number(FunctionElement[int]):
    """The first of a JSON pair."""

    type = sa.BigInteger()
    inherit_cache = True


class _Text(FunctionElement[str]):
    """The second of a JSON pair."""

    type = sa.Text()
    inherit_cache = True


def _argument(element: FunctionElement[Any], compiler: SQLCompiler) -> str:
    return str(compiler.process(element.clauses))


@compiles(_Elements, "sqlite")
def _sqlite_elements(element: _Elements, compiler: SQLCompiler, **_: Any) -> str:
    return f"json_each({_argument(element, compiler)})"


@compiles(_Elements, "postgresql")
def _postgresql_elements(element: _Elements, compiler: SQLCompiler, **_: Any) -> str:
    return f"json_array_elements(CAST({_argument(element, compiler)} AS json))"


@compiles(_Number, "sqlite")
def _sqlite_number(element: _Number, compiler: SQLCompiler, **_: Any) -> str:
    return f"json_extract({_argument(element, compiler)}, '$[0]')"


@compiles(_Number, "postgresql")
def _postgresql_number(element: _Number, compiler: SQLCompiler, **_: Any) -> str:
    return f"CAST({_argument(element, compiler)} ->> 0 AS bigint)"


@compiles(_Text, "sqlite")
def _sqlite_text(element: _Text, compiler: SQLCompiler, **_: Any) -> str:
    return f"json_extract({_argument(element, compiler)}, '$[1]')"


@compiles(_Text, "postgresql")
def _postgresql_text(element: _Text, compiler: SQLCompiler, **_: Any) -> str:
    return f"({_argument(element, compiler)} ->> 1)"
