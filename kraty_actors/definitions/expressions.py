"""The small language of score expressions and of state machines' transitions (R-10, R-38).

Numbers, names, `+ - * /`, unary minus, brackets, `min max abs floor`; conditions add comparisons and
`and or not`. Here it is only checked; nothing of it is ever evaluated as Python.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from kraty_actors.definitions.scalars import MAX_WHOLE

MAX_EXPRESSION = 512
MAX_NODES = 64
MAX_BRACKETS = 32

Kind = Literal["number", "condition"]

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(<=|>=|==|!=|[-+*/(),<>]))", re.ASCII)
_FUNCTIONS = {"min": None, "max": None, "abs": 1, "floor": 1}
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_POWERS: dict[str, int] = {"or": 1, "and": 2} | dict.fromkeys(_COMPARISONS, 4) | {"+": 5, "-": 5, "*": 6, "/": 6}
_NOT_POWER, _MINUS_POWER = 3, 7


class ExpressionFault(ValueError):
    """What is wrong with an expression, in plain English."""


def check_expression(text: str, names: Collection[str], kind: Kind) -> str | None:
    """What is wrong with an expression over these names, or None.

    Args:
        text: the expression.
        names: what it may speak of.
        kind: a score is a `"number"`, the way out of a state a `"condition"`.
    """
    try:
        found = _Checker(text, names).check()
    except ExpressionFault as fault:
        return str(fault)
    return None if found == kind else f"must be a {kind}, and is a {found}"


class _Checker:
    """A precedence climber that keeps only the kind of what it has read."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self._tokens = _tokens(text)
        self._names = names
        self._at = 0
        self._nodes = 0
        self._brackets = 0

    def check(self) -> Kind:
        kind = self._expression(0)
        if self._peek():
            raise ExpressionFault(f"does not go on with '{self._peek()}'")
        return kind

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, wanted: str) -> None:
        if self._take() != wanted:
            raise ExpressionFault(f"lacks a '{wanted}'")

    def _node(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ExpressionFault(f"has more than {MAX_NODES} numbers, names, operators and functions")

    def _expression(self, power: int) -> Kind:
        left = self._prefix()
        while _POWERS.get(self._peek(), -1) > power:
            operator = self._take()
            self._node()
            right = self._expression(_POWERS[operator])
            takes: Kind = "condition" if operator in ("and", "or") else "number"
            if (left, right) != (takes, takes):
                raise ExpressionFault(f"'{operator}' stands between two {takes}s")
            left = "number" if operator in "+-*/" else "condition"
        return left

    def _prefix(self) -> Kind:
        token = self._take()
        if token == "(":
            return self._bracketed()
        self._node()
        if token in ("not", "-"):
            return self._unary(token)
        if self._peek() == "(" and token in _FUNCTIONS:
            return self._call(token)
        if token in self._names:
            return "number"
        if token[:1].isdigit():
            if float(token) > MAX_WHOLE:
                raise ExpressionFault("holds a number above 2^53 - 1")
            return "number"
        raise ExpressionFault(self._complaint(token))

    def _complaint(self, token: str) -> str:
        if not token:
            return "ends too early"
        if token[0].isalpha() or token[0] == "_":
            return f"no name '{token}'; known: {', '.join(sorted(self._names))}"
        return f"'{token}' stands where a number or a name is due"

    def _bracketed(self) -> Kind:
        self._brackets += 1
        if self._brackets > MAX_BRACKETS:
            raise ExpressionFault(f"has brackets more than {MAX_BRACKETS} deep")
        kind = self._expression(0)
        self._expect(")")
        self._brackets -= 1
        return kind

    def _unary(self, operator: str) -> Kind:
        takes: Kind = "condition" if operator == "not" else "number"
        if self._expression(_NOT_POWER if operator == "not" else _MINUS_POWER) != takes:
            raise ExpressionFault(f"'{operator}' stands before a {takes}")
        return takes

    def _call(self, function: str) -> Kind:
        self._expect("(")
        arguments = [self._expression(0)]
        while self._peek() == ",":
            self._take()
            arguments.append(self._expression(0))
        self._expect(")")
        wanted = _FUNCTIONS[function]
        if "condition" in arguments or (wanted and len(arguments) != wanted):
            raise ExpressionFault(f"{function} takes {'one number' if wanted else 'numbers'}")
        return "number"


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ExpressionFault(f"'{text[at:].lstrip()[0]}' is no part of the language")
        tokens.append(match.group().lstrip())
        at = match.end()
    return tokens
