"""What an expression comes to, against Python's own arithmetic (R-10, R-38)."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kraty_actors.definitions.expressions import ExpressionFault
from kraty_actors.domain.expressions import compile_condition, compile_number
from kraty_actors.domain.numbers import VALUE_MAX, Number, whole

NAMES = ("a", "b")

Said = tuple[str, Callable[[Any], Any]]
"""An expression, and what it means for values `v`."""

leaves: st.SearchStrategy[Said] = st.one_of(
    st.sampled_from([("a", lambda v: v[0]), ("b", lambda v: v[1])]),
    st.sampled_from(["0", "1", "3", "0.5", "2.75", "1000000"]).map(lambda text: (text, lambda v: whole(float(text)))),
)


def binary(sign: str, left: Said, right: Said) -> Said:
    means: dict[str, Callable[[Any, Any], Any]] = {
        "+": lambda x, y: x + y,
        "-": lambda x, y: x - y,
        "*": lambda x, y: x * y,
        "/": lambda x, y: x / y if y else 0,
        "<": lambda x, y: x < y,
        "<=": lambda x, y: x <= y,
        ">": lambda x, y: x > y,
        ">=": lambda x, y: x >= y,
        "==": lambda x, y: x == y,
        "!=": lambda x, y: x != y,
        "and": lambda x, y: x and y,
        "or": lambda x, y: x or y,
    }
    return f"({left[0]} {sign} {right[0]})", lambda v: means[sign](left[1](v), right[1](v))


def called(function: Callable[..., Any], parts: list[Said]) -> Said:
    text = ", ".join(part for part, _ in parts)
    return f"{function.__name__}({text})", lambda v: function(*(mean(v) for _, mean in parts))


def extreme(function: Callable[[list[Any]], Any], parts: list[Said]) -> Said:
    text, _ = called(function, parts)
    return text, lambda v: function([mean(v) for _, mean in parts])


def grown(parts: st.SearchStrategy[Said]) -> st.SearchStrategy[Said]:
    return st.one_of(
        st.builds(binary, st.sampled_from("+-*/"), parts, parts),
        st.builds(extreme, st.sampled_from([min, max]), st.lists(parts, min_size=1, max_size=3)),
        st.builds(called, st.sampled_from([abs, math.floor]), st.lists(parts, min_size=1, max_size=1)),
        st.builds(lambda part: (f"-{part[0]}", lambda v: -part[1](v)), parts),
    )


numbers = st.recursive(leaves, grown, max_leaves=8)
comparisons = st.builds(binary, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers, numbers)
conditions = st.recursive(
    comparisons,
    lambda parts: st.one_of(
        st.builds(binary, st.sampled_from(["and", "or"]), parts, parts),
        st.builds(lambda part: (f"(not {part[0]})", lambda v: not part[1](v)), parts),
    ),
    max_leaves=3,
)
values = st.lists(
    st.one_of(st.integers(0, 20), st.integers(0, VALUE_MAX), st.integers(0, 99).map(lambda n: whole(n / 8))),
    min_size=2,
    max_size=2,
)


@given(numbers, values)
def test_r10_an_expression_is_arithmetic_with_a_clamped_result(said: Said, given_values: list[Number]):
    text, means = said
    score = compile_number(text, NAMES)(given_values)
    assert score == max(-VALUE_MAX, min(VALUE_MAX, means(given_values)))
    assert repr(score) == repr(whole(score))


@given(conditions, values)
def test_r38_a_condition_is_logic_over_comparisons(said: Said, given_values: list[Number]):
    text, means = said
    assert compile_condition(text, NAMES)(given_values) is bool(means(given_values))


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("8 - 4 - 2", 2),
        ("8 / 4 / 2", 1),
        ("7 / 2", 3.5),
        ("-2 * -3 - -1", 7),
        ("a / 0", 0),
        ("a / (b - b)", 0),
        ("0 * -1.5", 0),
        ("floor(-0.5)", -1),
        ("floor(7 / 2) * 2", 6),
        ("max(a, 6, b) - min(a, b)", 4),
        ("abs(b - a)", 3),
        ("0.5 * 4", 2),
        ("min(a)", 5),
    ],
)
def test_r10_by_hand(text: str, score: Number):
    assert repr(compile_number(text, NAMES)([5, 2])) == repr(score)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a > 1 and not b > 5 or a < b", True),
        ("not a > 1 or b == 2", True),
        ("not (a > 1 or b == 2)", False),
        ("a > 1 or a > b and b > 9", True),
        ("a / 0 == 0 and a != b", True),
        ("a * 2 >= 10 and b <= 1", False),
    ],
)
def test_r38_by_hand(text: str, holds: bool):
    assert compile_condition(text, NAMES)([5, 2]) is holds


def test_r10_only_the_result_is_clamped_and_what_is_whole_is_exact_on_the_way():
    most = [VALUE_MAX, 3]
    assert compile_number("a * a / a", NAMES)(most) == VALUE_MAX
    assert compile_number("a * b - a * b + 1", NAMES)(most) == 1
    assert compile_number("a * b + b - a * b", NAMES)(most) == 3
    assert compile_number("-a * b", NAMES)(most) == -VALUE_MAX


HUGE = " * ".join(["a"] * 30)
HOSTILE = [
    HUGE,
    HUGE + " * 0.5",
    HUGE + " / b",
    "-" + HUGE,
    f"floor({HUGE} * 0.1)",
    f"{HUGE} / 0.0000000000000000000000000001",
    "a * a * a * a * a * a * a * a * a * a * a * a - b * b * b * b * b * b * b * b * b * b * b * b",
    "0 * (" + " * ".join(["a"] * 25) + " * 0.3)",
    " / ".join(["a"] + ["b"] * 30),
    "1 / (" + " / ".join(["a"] + ["b"] * 28) + ")",
    "(a * a * a * a * a * a * a * a) * (a * a * a * a * a * a * a * a) + 0.1 * a * a * a",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_r10_no_values_make_a_score_that_is_not_finite_or_too_large(text: str):
    formula = compile_number(text, NAMES)
    for pair in product([0, 1, 0.5, 5e-324, 1e-300, 3.5, VALUE_MAX, VALUE_MAX / 3], repeat=2):
        score = formula(pair)
        assert -VALUE_MAX <= score <= VALUE_MAX, pair


@pytest.mark.parametrize("compiled", [compile_number, compile_condition])
@pytest.mark.parametrize("text", ["", "a **", "c", "a.b", "pow(a, 2)", "a == b == a", "__import__"])
def test_r10_what_is_not_in_the_language_is_not_compiled(compiled: Callable[..., Any], text: str):
    with pytest.raises(ExpressionFault):
        compiled(text, NAMES)
