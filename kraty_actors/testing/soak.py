"""Worlds without end: `python -m kraty_actors.testing.soak`.

It stops at the first seed that breaks a rule, and says how to play it again.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import click

from kraty_actors.testing.auditor import BrokenRule
from kraty_actors.testing.faults import CALM, Faults
from kraty_actors.testing.trial import Trial, run_trial

SECONDS_VARIABLE = "KRATY_SIMULATION_SECONDS"
"""How long fresh seeds are tried where nothing else is said."""

DEFAULT_SECONDS = 20.0


def replay_command(seed: int, *, calm: bool = False) -> str:
    """What plays a seed again, event for event."""
    return f"python -m kraty_actors.testing.soak --seed {seed} --count 1{' --calm' if calm else ''}"


def fresh_seconds() -> float:
    """How long fresh seeds are tried in a test."""
    return float(os.environ.get(SECONDS_VARIABLE, DEFAULT_SECONDS))


class Tally:
    """What all seeds so far came to."""

    def __init__(self) -> None:
        self.trials: list[Trial] = []
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def line(self) -> str:
        hours = sum(one.virtual_seconds for one in self.trials) / 3600
        windows, answers, ranks = (
            sum(getattr(one, name) for one in self.trials) for name in ("windows", "answers", "ranks")
        )
        faults = sum(one.crashes + one.restarts + one.outages for one in self.trials)
        seconds = max(self.seconds, 1e-9)
        return (
            f"{len(self.trials)} seeds, {windows} windows, {answers} answers and {ranks} ranks judged, "
            f"{faults} crashes, restarts and outages: "
            f"{hours / seconds:.2f} simulated hours a second, {60 * windows / seconds:.0f} windows a minute"
        )


def failure(seed: int, error: BaseException, *, calm: bool = False) -> str:
    """One failed seed, and the one command that plays it again."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    told = str(error) if isinstance(error, BrokenRule) else "".join(traceback.format_exception(error))
    return f"seed {seed}: {told}\nplay it again: {replay_command(seed, calm=calm)}"


def seeds_from(first: int | None) -> Iterator[int]:
    """From a seed on, or at random."""
    while True:
        yield secrets.randbits(40) if first is None else first
        first = None if first is None else first + 1


@click.command()
@click.option("--seed", type=int, help="The first seed; the next ones follow. Otherwise they are drawn.")
@click.option("--count", type=click.IntRange(1), help="How many seeds.")
@click.option("--minutes", type=click.FloatRange(0), help="How long; without --count, until it is stopped.")
@click.option("--calm", is_flag=True, help="Without faults.")
@click.option("--events", type=click.Path(path_type=Path), help="Write what happens in each seed into this folder.")
def main(seed: int | None, count: int | None, minutes: float | None, calm: bool, events: Path | None) -> None:
    """Play drawn worlds under faults, and judge every answer."""
    logging.disable(logging.CRITICAL)
    tally = Tally()
    for number, one in enumerate(seeds_from(seed), 1):
        kept: list[str] | None = None if events is None else []
        try:
            tally.trials.append(run_trial(one, CALM if calm else Faults(), events=kept))
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed is what is wanted
            click.echo(failure(one, error, calm=calm), err=True)
            sys.exit(1)
        finally:
            if events is not None and kept is not None:
                events.mkdir(parents=True, exist_ok=True)
                (events / f"{one}.txt").write_text("\n".join(kept), "utf-8")
        if number % 10 == 0:
            click.echo(tally.line())
        if number == count or (minutes is not None and tally.seconds >= minutes * 60):
            break
    click.echo(tally.line())


if __name__ == "__main__":
    main()
