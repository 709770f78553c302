"""Expressions as callables: each node of a tree becomes one closure over those below it (R-10, R-38).

Whole numbers are exact on the way, however large; only the result is clamped. What keeps a hostile expression
within the range of floats is `_MOST`, which a product or a quotient never passes.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce

from kraty_actors.definitions.expressions import Binary, Call, Constant, Name, Node, Unary, parse_expression
from kraty_actors.domain.numbers import VALUE_MAX, VALUE_MIN, Number, clamped

Values = Sequence[Number]
Numeric = Callable[[Values], Number]
Test = Callable[[Values], bool]

_LEAST, _MOST = -(2**900), 2**900
"""No step is further from 0 than this, but for sums, and 64 nodes cannot add these up to what no float holds."""
_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def compile_number(text: str, names: Sequence[str]) -> Numeric:
    """The expression as a function of values in the order of `names`, as `compile_tree` makes it.

    Raises:
        ExpressionFault: the text is no number over these names (R-10).
    """
    return compile_tree(parse_expression(text, names, "number"), names)


def compile_condition(text: str, names: Sequence[str]) -> Test:
    """The condition as a function of values in the order of `names`, each within +-(2^53 - 1).

    Raises:
        ExpressionFault: the text is no condition over these names (R-38).
    """
    return _test(parse_expression(text, names, "condition"), names)


def compile_tree(tree: Node, names: Sequence[str]) -> Numeric:
    """A tree of a number as a function of values in the order of `names`, each within +-(2^53 - 1).

    x / 0 is 0; the result is clamped to +-(2^53 - 1), and a whole one is an `int`.
    """
    inner = _numeric(tree, names)

    def result(values: Values) -> Number:
        value = inner(values)
        return value if value.__class__ is int and VALUE_MIN <= value <= VALUE_MAX else clamped(value)

    return result


def _numeric(node: Node, names: Sequence[str]) -> Numeric:
    match node:
        case Constant(value):
            return lambda values: value
        case Name(name):
            return operator.itemgetter(names.index(name))
        case Unary("-", operand):
            inner = _numeric(operand, names)
            return lambda values: -inner(values)
        case Binary("*", part, Constant(factor)) | Binary("*", Constant(factor), part):
            return _multiple(_numeric(part, names), factor)
        case Binary(sign, left, right):
            return _ARITHMETIC[sign](_numeric(left, names), _numeric(right, names))
        case Call("min" | "max" as function, arguments):
            return reduce(_OF_MANY[function], [_numeric(argument, names) for argument in arguments])
        case Call(function, (argument,)):
            return _applied(_OF_ONE[function], _numeric(argument, names))
    raise LookupError(f"no number: {node}")


def _test(node: Node, names: Sequence[str]) -> Test:
    match node:
        case Unary("not", operand):
            inner = _test(operand, names)
            return lambda values: not inner(values)
        case Binary("and", left, right):
            return _both(_test(left, names), _test(right, names))
        case Binary("or", left, right):
            return _either(_test(left, names), _test(right, names))
        case Binary(sign, left, right):
            return _comparison(_COMPARE[sign], _numeric(left, names), _numeric(right, names))
    raise LookupError(f"no condition: {node}")


def _both(left: Test, right: Test) -> Test:
    return lambda values: left(values) and right(values)


def _either(left: Test, right: Test) -> Test:
    return lambda values: left(values) or right(values)


def _comparison(compare: Callable[[Number, Number], bool], left: Numeric, right: Numeric) -> Test:
    return lambda values: compare(left(values), right(values))


def _sum(left: Numeric, right: Numeric) -> Numeric:
    return lambda values: left(values) + right(values)


def _difference(left: Numeric, right: Numeric) -> Numeric:
    return lambda values: left(values) - right(values)


def _multiple(part: Numeric, factor: Number) -> Numeric:
    """The commonest product, worth a call less."""

    def multiple(values: Values) -> Number:
        value = part(values) * factor
        return value if _LEAST <= value <= _MOST else _widest(value)

    return multiple


def _product(left: Numeric, right: Numeric) -> Numeric:
    def product(values: Values) -> Number:
        value = left(values) * right(values)
        return value if _LEAST <= value <= _MOST else _widest(value)

    return product


def _quotient(left: Numeric, right: Numeric) -> Numeric:
    def quotient(values: Values) -> Number:
        divisor = right(values)
        value = left(values) / divisor if divisor else 0
        return value if _LEAST <= value <= _MOST else _widest(value)

    return quotient


def _widest(value: Number) -> int:
    return _MOST if value > 0 else _LEAST


def _lesser(left: Numeric, right: Numeric) -> Numeric:
    def lesser(values: Values) -> Number:
        one, other = left(values), right(values)
        return one if one <= other else other

    return lesser


def _greater(left: Numeric, right: Numeric) -> Numeric:
    def greater(values: Values) -> Number:
        one, other = left(values), right(values)
        return one if one >= other else other

    return greater


def _applied(function: Callable[[Number], Number], inner: Numeric) -> Numeric:
    return lambda values: function(inner(values))


_ARITHMETIC = {"+": _sum, "-": _difference, "*": _product, "/": _quotient}
_OF_ONE: dict[str, Callable[[Number], Number]] = {"abs": abs, "floor": math.floor}
_OF_MANY = {"min": _lesser, "max": _greater}
