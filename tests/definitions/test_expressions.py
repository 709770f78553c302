"""The language of scores and of transitions, as far as it is checked (R-10, R-38)."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kraty_actors.definitions.expressions import check_expression

NAMES = ("a", "b", "lambda")


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "1.5",
        "a*10 - b",
        "-a + -(b / 2)",
        "max(a, b, 3) * abs(-a) - floor(b)",
        "lambda + 1",
        "((((a))))",
        " + ".join(["a"] * 32),
    ],
)
def test_r10_scores_are_arithmetic(text: str):
    assert check_expression(text, NAMES, "number") is None


@pytest.mark.parametrize(
    "text", ["a > 1", "a <= b and not b == 3 or a != 1", "not (a > 1 and b < 2)", "max(a, b) >= a + 1"]
)
def test_r38_ways_out_are_conditions(text: str):
    assert check_expression(text, NAMES, "condition") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ends too early"),
        ("a +", "ends too early"),
        ("a b", "does not go on with 'b'"),
        ("(a", "lacks a ')'"),
        ("c + 1", "no name 'c'; known: a, b, lambda"),
        ("a ** 2", "'*' stands where"),
        ("a // 2", "'/' stands where"),
        ("a % 2", "'%' is no part"),
        ("a.b", "'.' is no part"),
        ("'a'", "''' is no part"),
        ("a if b else 1", "does not go on with 'if'"),
        ("__import__(a)", "no name '__import__'"),
        ("abs(a, b)", "abs takes one number"),
        ("max()", "stands where a number"),
        ("min(a > 1, b)", "min takes numbers"),
        ("a > 1", "must be a number, and is a condition"),
        ("a < b < 3", "'<' stands between two numbers"),
        ("a and b", "'and' stands between two conditions"),
        ("-(a > 1)", "'-' stands before a number"),
        ("9007199254740992", "above 2^53 - 1"),
        ("9" * 400, "above 2^53 - 1"),
        ("+".join(["a"] * 33), "more than 64"),
        ("-" * 500 + "a", "more than 64"),
        ("(" * 33 + "a" + ")" * 33, "more than 32 deep"),
        ("1e5", "does not go on with 'e5'"),
        ("٣", "is no part"),
    ],
)
def test_r10_anything_else_is_a_fault(text: str, message: str):
    assert message in (check_expression(text, NAMES, "number") or "")


@settings(deadline=None)
@given(st.text(alphabet="ab1.()+-*/<>=!, minaxot", max_size=40))
def test_r10_any_text_is_judged_and_what_passes_is_plain_arithmetic(text: str):
    if check_expression(text, NAMES, "number") is None:
        ast.parse(text.strip(), mode="eval")
