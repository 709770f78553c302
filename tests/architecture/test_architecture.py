"""The house keeps its layers, and its files keep its manners."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kraty_actors

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / "kraty_actors", ROOT / "protocol" / "kraty_protocol", ROOT / "persistence" / "kraty_persistence"]
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
DOMAIN = [path for path in MODULES if {"domain", "simulation"} & {*path.parts}]
TREES = {path: ast.parse(path.read_text()) for path in MODULES}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


every_module = pytest.mark.parametrize("path", MODULES, ids=short)
every_domain_module = pytest.mark.parametrize("path", DOMAIN, ids=short)


def test_the_layers_hold():
    """The contracts stand in pyproject.toml."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_name_of_the_package_is_at_home_somewhere():
    assert sorted(kraty_actors._HOMES) == sorted(kraty_actors.__all__) == dir(kraty_actors)
    for name in kraty_actors.__all__:
        assert getattr(kraty_actors, name).__name__ == name


def test_a_small_command_needs_no_database_and_no_loop():
    schema = "import sys; from kraty_actors.cli import main; main(['schema'], standalone_mode=False)"
    code = f"{schema}; sys.exit(len({{'sqlalchemy', 'trio', 'rich'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@every_module
def test_every_public_module_says_what_it_is(path: Path):
    if not path.stem.startswith("_") or (path.stem == "__init__" and path.read_text().strip()):
        assert ast.get_docstring(TREES[path]), "no docstring"


@every_module
def test_imports_are_absolute(path: Path):
    assert not [node.lineno for node in ast.walk(TREES[path]) if isinstance(node, ast.ImportFrom) and node.level]


@every_module
def test_data_is_guarded_by_errors_and_not_by_assert(path: Path):
    """`python -O` leaves an assert out."""
    assert not [node.lineno for node in ast.walk(TREES[path]) if isinstance(node, ast.Assert)]


@every_domain_module
def test_r36_nothing_is_iterated_in_the_order_of_a_set(path: Path):
    """That order differs between runs. Sorting a set, or asking what is in it, is fine."""
    assert not sorted(_iterations_over_sets(TREES[path]))


@every_domain_module
def test_r36_no_builtin_hash_and_no_clock_of_the_machine(path: Path):
    called = {ast.unparse(node.func) for node in ast.walk(TREES[path]) if isinstance(node, ast.Call)}
    assert not called & {"hash", "id", "datetime.now", "datetime.utcnow", "date.today", "open", "print", "input"}


def test_no_file_speaks_of_the_place_where_it_was_written():
    here = re.compile("|".join(["/" + "work/", r"\bSPEC" + r"\.md", r"\bshared" + "/", "PROTOCOL" + r"\.md"]))
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    texts = {name: (ROOT / name).read_bytes().decode("utf-8", "ignore") for name in names}
    assert [name for name, text in texts.items() if here.search(text)] == []


def test_the_check_for_sets_finds_them():
    sly = "a = {1, 2}\nfor x in a: pass\nb = [x for x in set(c)]\nlist({x for x in c})\nfor y in sorted(a): pass\n"
    assert sorted(_iterations_over_sets(ast.parse(sly))) == [2, 3, 4]
    attribute = "class A:\n    def f(self):\n        self.s: set[int] = set()\n        return tuple(self.s)\n"
    assert sorted(_iterations_over_sets(ast.parse(attribute))) == [4]


def _iterations_over_sets(tree: ast.Module) -> Iterator[int]:
    """Lines that loop over a set, as far as names and literals of the same scope tell."""
    attributes = {name for name in _bound_to_sets(tree) if "." in name}
    for scope in ast.walk(tree):
        if isinstance(scope, Function | ast.Module):
            names = attributes | set(_bound_to_sets(scope))
            for node in _within(scope):
                yield from (at.lineno for at in _looped_over(node) if _is_set(at) or ast.unparse(at) in names)


def _within(scope: ast.AST) -> Iterator[ast.AST]:
    """Everything in a scope but the functions inside it, which are scopes of their own."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, Function):
            yield node
            yield from _within(node)


def _looped_over(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield node.iter
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("list", "tuple", "enumerate", "iter", "map", "zip"):
        yield from node.args
    if isinstance(node, ast.Starred):
        yield node.value


def _bound_to_sets(scope: ast.AST) -> Iterator[str]:
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and _is_set(node.value):
            yield from map(ast.unparse, node.targets)
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).startswith(("set[", "frozenset[")):
            yield ast.unparse(node.target)


def _is_set(node: ast.expr) -> bool:
    is_call = isinstance(node, ast.Call) and ast.unparse(node.func) in ("set", "frozenset")
    return is_call or isinstance(node, ast.Set | ast.SetComp)
