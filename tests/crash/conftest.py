"""How often servers are killed, from which seeds, and the table of what that came to.

Every test that is marked `soak` runs once with the suite, in which some 50 servers are killed, and KRATY_CRASH_ROUNDS
times in `make soak`.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import astuple

import pytest
from crash_toll import NOTHING, ROUNDS, Toll

TOLLS = pytest.StashKey[defaultdict[str, Toll]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Fresh seeds, one a round; the test's id tells them. Give KRATY_CRASH_SEED to run one of them again."""
    if "seed" in metafunc.fixturenames:
        given = os.environ.get("KRATY_CRASH_SEED")
        chance = random.SystemRandom()
        metafunc.parametrize("seed", [int(given)] if given else [chance.randrange(2**32) for _ in range(ROUNDS)])


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[Toll], None]:
    """Adds a toll to the table that is printed at the end."""
    tolls = request.config.stash.setdefault(TOLLS, defaultdict(lambda: NOTHING))
    head, dash, _ = request.node.name.rpartition("-")
    name = head + "]" if dash else request.node.name
    return lambda toll: tolls.update({name: tolls[name] + toll})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tolls = config.stash.get(TOLLS, None)
    if not tolls:
        return
    total = sum(tolls.values(), NOTHING)
    terminalreporter.section("crashes")
    width = max(map(len, tolls))
    terminalreporter.line(f"{'':{width}}{'kills':>7}{'acknowledged':>14}{'recovered':>11}{'lost':>6}{'doubled':>9}")
    for name, toll in [*sorted(tolls.items()), ("in all", total)]:
        kills, acknowledged, recovered, lost, doubled = astuple(toll)
        terminalreporter.line(f"{name:{width}}{kills:7}{acknowledged:14}{recovered:11}{lost:6}{doubled:9}")
