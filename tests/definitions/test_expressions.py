"""The language of scores and of transitions: what it takes, and the tree that it makes of it (R-10, R-38)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_games import faults_of, game, race

from kraty_actors.definitions.expressions import (
    ARITHMETIC,
    COMPARISONS,
    Binary,
    Call,
    Constant,
    Name,
    Node,
    Unary,
    check_expression,
    parse_expression,
)
from kraty_actors.definitions.scalars import MAX_WHOLE

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
        ("a +\u00a0b", "'\u00a0' is no part"),
    ],
)
def test_r10_anything_else_is_a_fault(text: str, message: str):
    assert message in (check_expression(text, NAMES, "number") or "")


HOSTILE = [
    "score ** 999999999",
    "score ** score ** score",
    "9" * 500,
    "(" * 250 + "score" + ")" * 250,
    "-" * 500 + "score",
    "not " * 100 + "score",
    "max(" * 100 + "score" + ")" * 100,
    "+".join(["score"] * 64),
    "score.__class__.__mro__",
    "score[0]",
    "exec(score)",
    "min",
    "lambda: score",
    "score if score else 0",
    "score; score",
    "'score'",
    "0x10",
    "1e308",
    "1_000",
    "\u0661 + score",
    "\uff11 + score",
    "score\u00a0+ 1",
    "score + losses",
    "score + 1 #",
    "score == 1",
    "\n",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_r10_a_hostile_formula_is_a_fault_at_its_path(text: str):
    formula = {"type": "expression", "expression": text}
    assert list(faults_of(game(race(scoreFormula=formula)))) == ["events[0].scoreFormula.expression"]


@given(st.text(max_size=60) | st.text(alphabet="ab1.()+-*/<>=!, \t\nminaxotndflr_", max_size=60))
def test_r10_any_text_is_of_one_kind_or_a_fault(text: str):
    kinds = [kind for kind in ("number", "condition") if check_expression(text, NAMES, kind) is None]
    assert len(kinds) <= 1


def text_of(tree: Node) -> str:
    """A tree in brackets of its own."""
    match tree:
        case Constant(value):
            return str(value)
        case Name(name):
            return name
        case Unary(operator, operand):
            return f"({operator} {text_of(operand)})"
        case Binary(operator, left, right):
            return f"({text_of(left)} {operator} {text_of(right)})"
        case Call(function, arguments):
            return f"{function}({', '.join(map(text_of, arguments))})"


def _numbers(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    one = st.tuples(parts)
    return st.one_of(
        st.builds(Binary, st.sampled_from(ARITHMETIC), parts, parts),
        st.builds(Unary, st.just("-"), parts),
        st.builds(Call, st.sampled_from(["min", "max"]), several),
        st.builds(Call, st.sampled_from(["abs", "floor"]), one),
    )


def _conditions(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.builds(Binary, st.sampled_from(["and", "or"]), parts, parts) | st.builds(Unary, st.just("not"), parts)


constants = st.builds(Constant, st.integers(0, MAX_WHOLE) | st.sampled_from([0.5, 2.75]))
numbers = st.recursive(constants | st.builds(Name, st.sampled_from(NAMES)), _numbers, max_leaves=8)
comparisons = st.builds(Binary, st.sampled_from(COMPARISONS), numbers, numbers)
conditions = st.recursive(comparisons, _conditions, max_leaves=3)


@given(numbers | conditions)
def test_r10_a_tree_that_is_written_out_is_read_back(tree: Node):
    assert parse_expression(text_of(tree), NAMES, tree.kind) == tree


@pytest.mark.parametrize(
    ("text", "in_brackets"),
    [
        ("a + b * 2", "a + (b * 2)"),
        ("a - b - 2", "(a - b) - 2"),
        ("a / b / 2", "(a / b) / 2"),
        ("-a * b", "(-a) * b"),
        ("- -a - -b", "(-(-a)) - (-b)"),
    ],
)
def test_r10_signs_bind_as_in_school(text: str, in_brackets: str):
    assert parse_expression(text, NAMES, "number") == parse_expression(in_brackets, NAMES, "number")


@pytest.mark.parametrize(
    ("text", "in_brackets"),
    [
        ("not a > 1 and b < 2 or a == b", "((not (a > 1)) and (b < 2)) or (a == b)"),
        ("a > 1 or b > 1 and a > b", "(a > 1) or ((b > 1) and (a > b))"),
        ("a + 1 <= b * 2", "(a + 1) <= (b * 2)"),
    ],
)
def test_r38_words_bind_less_than_comparisons(text: str, in_brackets: str):
    assert parse_expression(text, NAMES, "condition") == parse_expression(in_brackets, NAMES, "condition")
