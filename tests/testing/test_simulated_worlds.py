"""Drawn worlds under faults: a fixed set of seeds, and fresh ones for as long as `KRATY_SIMULATION_SECONDS` says."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from kraty_actors.testing.faults import CALM
from kraty_actors.testing.soak import Tally, failure, fresh_seconds, replay_command, seeds_from
from kraty_actors.testing.trial import run_trial

FIXED = [3, 7, 14, 104, 111, 5000]
"""Among them those in which the auditor, or the server, was once wrong."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Servers that die have a lot to say."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", FIXED)
def test_r56_a_world_under_faults_breaks_no_rule(seed: int) -> None:
    trial = run_trial(seed)
    assert trial.answers > 50
    assert trial.crashes + trial.outages > 0


def test_a_calm_world_breaks_no_rule_and_nothing_fails_in_it() -> None:
    trial = run_trial(7, CALM)
    assert (trial.crashes, trial.outages) == (0, 0)
    assert trial.ranks > 0


@pytest.mark.timeout(600)
def test_r56_fresh_worlds_break_no_rule() -> None:
    tally = Tally()
    for seed in seeds_from(None):
        try:
            tally.trials.append(run_trial(seed))
        except Exception as error:  # noqa: BLE001 -- the seed is what is wanted
            pytest.fail(failure(seed, error), pytrace=False)
        if tally.seconds >= fresh_seconds():
            break
    print(tally.line())


def test_the_same_seed_is_the_same_run_event_for_event_in_any_process() -> None:
    """Whatever the order of sets and the addresses of objects."""
    script = "import logging; logging.disable(50); from kraty_actors.testing.trial import run_trial; print({})"
    digest = "run_trial(5001).digest"
    told = [
        subprocess.run(
            [sys.executable, "-c", script.format(expression)],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for expression, salt in ((digest, "1"), (f"[object() for _ in range(99)] and {digest}", "2"))
    ]
    assert told[0] == told[1] != ""


def test_another_seed_is_another_run() -> None:
    assert run_trial(104).digest != run_trial(109).digest


def test_a_seed_that_fails_says_how_to_play_it_again() -> None:
    told = failure(12, AssertionError("a rule"), calm=True)
    assert told.endswith("play it again: python -m kraty_actors.testing.soak --seed 12 --count 1 --calm")
    assert replay_command(3) == "python -m kraty_actors.testing.soak --seed 3 --count 1"
