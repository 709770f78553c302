"""pytest: tests that ask for `simulation_seed` run once for each seed. Load it with
`pytest_plugins = ["kraty_actors.testing.plugin"]`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from kraty_actors.testing.simulate import Simulated, simulate

DEFAULT_SEEDS = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kraty_actors", "simulations")
    group.addoption("--simulation-seeds", type=int, default=DEFAULT_SEEDS, help="seeds a simulated test is run with")
    group.addoption("--simulation-seed", type=int, default=None, help="this seed alone, as a failure named it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "simulation_seed" in metafunc.fixturenames:
        only = metafunc.config.getoption("--simulation-seed")
        seeds = range(metafunc.config.getoption("--simulation-seeds")) if only is None else [only]
        metafunc.parametrize("simulation_seed", seeds)


@pytest.fixture
def run_simulation(simulation_seed: int) -> Callable[..., Simulated]:
    """`simulate`, with this run's seed."""
    return partial(simulate, seed=simulation_seed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Under a failure stands the command that plays it again."""
    report = yield
    seed = getattr(item, "callspec", None) and item.callspec.params.get("simulation_seed")  # type: ignore[attr-defined]
    if report.failed and seed is not None:
        name = item.nodeid.partition("[")[0]
        report.sections.append(("simulation", f"play it again: pytest {name} --simulation-seed {seed}"))
    return report
