"""The small language of score expressions and of state machines' transitions (R-10, R-38).

Numbers, names, `+ - * /`, unary minus, brackets, `min max abs floor`; conditions add comparisons and
`and or not`. Text becomes a small tree, and nothing of it is ever evaluated as Python.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from kraty_actors.definitions.scalars import MAX_WHOLE

MAX_EXPRESSION = 512
MAX_NODES = 64
MAX_BRACKETS = 32

Kind = Literal["number", "condition"]

ARITHMETIC = ("+", "-", "*", "/")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(<=|>=|==|!=|[-+*/(),<>])|$)", re.ASCII)
_FUNCTIONS = {"min": None, "max": None, "abs": 1, "floor": 1}
_POWERS: dict[str, int] = {"or": 1, "and": 2} | dict.fromkeys(COMPARISONS, 4) | {"+": 5, "-": 5, "*": 6, "/": 6}
_NOT_POWER, _MINUS_POWER = 3, 7


@dataclass(slots=True, frozen=True)
class Constant:
    """A number; a whole one is an `int`. As text it is from 0 to 2^53 - 1."""

    value: int | float
    kind: ClassVar[Kind] = "number"


@dataclass(slots=True, frozen=True)
class Name:
    """A number that is only known later."""

    name: str
    kind: ClassVar[Kind] = "number"


@dataclass(slots=True, frozen=True)
class Unary:
    """`-` before a number or `not` before a condition."""

    operator: str
    operand: Node

    @property
    def kind(self) -> Kind:
        return "condition" if self.operator == "not" else "number"


@dataclass(slots=True, frozen=True)
class Binary:
    """One of `+ - * /`, of the comparisons, or `and` or `or`, between two of a kind."""

    operator: str
    left: Node
    right: Node

    @property
    def kind(self) -> Kind:
        return "number" if self.operator in ARITHMETIC else "condition"


@dataclass(slots=True, frozen=True)
class Call:
    """`min`, `max`, `abs` or `floor` of numbers."""

    function: str
    arguments: tuple[Node, ...]
    kind: ClassVar[Kind] = "number"


Node: TypeAlias = Constant | Name | Unary | Binary | Call


class ExpressionFault(ValueError):
    """What is wrong with an expression, in plain English."""


def parse_expression(text: str, names: Collection[str], kind: Kind) -> Node:
    """The tree of an expression over these names.

    Args:
        text: the expression.
        names: what it may speak of.
        kind: a score is a `"number"`, the way out of a state a `"condition"`.

    Raises:
        ExpressionFault: it is not in the language, has more than 64 nodes, or is of the other kind.
    """
    tree = _Parser(text, names).parse()
    if tree.kind != kind:
        raise ExpressionFault(f"must be a {kind}, and is a {tree.kind}")
    return tree


def check_expression(text: str, names: Collection[str], kind: Kind) -> str | None:
    """What is wrong with an expression over these names, or None."""
    try:
        parse_expression(text, names, kind)
    except ExpressionFault as fault:
        return str(fault)
    return None


class _Parser:
    """A precedence climber."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self._tokens = _tokens(text)
        self._names = names
        self._at = 0
        self._nodes = 0
        self._brackets = 0

    def parse(self) -> Node:
        tree = self._expression(0)
        if self._peek():
            raise ExpressionFault(f"does not go on with '{self._peek()}'")
        return tree

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, wanted: str) -> None:
        if self._take() != wanted:
            raise ExpressionFault(f"lacks a '{wanted}'")

    def _count_node(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ExpressionFault(f"has more than {MAX_NODES} numbers, names, operators and functions")

    def _expression(self, power: int) -> Node:
        left = self._prefix()
        while _POWERS.get(self._peek(), -1) > power:
            operator = self._take()
            self._count_node()
            right = self._expression(_POWERS[operator])
            takes: Kind = "condition" if operator in ("and", "or") else "number"
            if (left.kind, right.kind) != (takes, takes):
                raise ExpressionFault(f"'{operator}' stands between two {takes}s")
            left = Binary(operator, left, right)
        return left

    def _prefix(self) -> Node:
        token = self._take()
        if token == "(":
            return self._bracketed()
        self._count_node()
        if token in ("not", "-"):
            return self._unary(token)
        if self._peek() == "(" and token in _FUNCTIONS:
            return self._call(token)
        if token in self._names:
            return Name(token)
        if token[:1].isdigit():
            return self._constant(token)
        raise ExpressionFault(self._complaint(token))

    def _complaint(self, token: str) -> str:
        if not token:
            return "ends too early"
        if token[0].isalpha() or token[0] == "_":
            return f"no name '{token}'; known: {', '.join(sorted(self._names))}"
        return f"'{token}' stands where a number or a name is due"

    def _constant(self, token: str) -> Constant:
        value = float(token)
        if value > MAX_WHOLE:
            raise ExpressionFault("holds a number above 2^53 - 1")
        return Constant(int(value) if value.is_integer() else value)

    def _bracketed(self) -> Node:
        self._brackets += 1
        if self._brackets > MAX_BRACKETS:
            raise ExpressionFault(f"has brackets more than {MAX_BRACKETS} deep")
        tree = self._expression(0)
        self._expect(")")
        self._brackets -= 1
        return tree

    def _unary(self, operator: str) -> Unary:
        operand = self._expression(_NOT_POWER if operator == "not" else _MINUS_POWER)
        tree = Unary(operator, operand)
        if operand.kind != tree.kind:
            raise ExpressionFault(f"'{operator}' stands before a {tree.kind}")
        return tree

    def _call(self, function: str) -> Call:
        self._expect("(")
        arguments = [self._expression(0)]
        while self._peek() == ",":
            self._take()
            arguments.append(self._expression(0))
        self._expect(")")
        wanted = _FUNCTIONS[function]
        if any(argument.kind == "condition" for argument in arguments) or (wanted and len(arguments) != wanted):
            raise ExpressionFault(f"{function} takes {'one number' if wanted else 'numbers'}")
        return Call(function, tuple(arguments))


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ExpressionFault(f"'{text[at:].lstrip(string.whitespace)[:1]}' is no part of the language")
        tokens.append(match.group().lstrip())
        at = match.end()
    return tokens
