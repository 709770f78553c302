"""`simulate`: whole windows of an event, before anybody plays it (R-47)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kraty_actors.cli.faults import give_up, import_modules, read_text, write_text
from kraty_actors.cli.population import attribute, budget
from kraty_actors.cli.simulated import show
from kraty_actors.definitions import DefinitionFaults, GameFile, load_game_text
from kraty_actors.definitions.scalars import Instant
from kraty_actors.simulation.budget import Budget, Judged, judged
from kraty_actors.simulation.figures import Simulation, simulate
from kraty_actors.simulation.plain import plain_simulation
from kraty_actors.simulation.report import report as report_page
from kraty_actors.simulation.scenario import MONDAY, NeverOccurs, Population, Scenario
from kraty_actors.simulation.strategies import STRATEGIES, StrategyFault

OVER_BUDGET = 1
"""The exit code where more would be paid than was allowed."""

PLAYERS_MAX, RUNS_MAX, HOURS_MAX = 100_000, 100_000, 24 * 366
_INSTANT: TypeAdapter[int] = TypeAdapter(Instant)


@click.command("simulate")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("event")
@click.option("--players", type=click.IntRange(1, PLAYERS_MAX), default=100, show_default=True, help="How many come.")
@click.option("--runs", type=click.IntRange(1, RUNS_MAX), default=20, show_default=True, help="How many windows.")
@click.option("--seed", type=click.IntRange(0, 2**53 - 1), default=0, show_default=True, help="The root of all chance.")
@click.option("--behaviour", default="mixed", show_default=True, metavar="NAME", help="How they play.")
@click.option("--afford", type=click.FloatRange(0, 1), default=1.0, help="The share of players who can pay to enter.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=A,B|LOW..HIGH", help="What players may have.")
@click.option("--from", "since", metavar="INSTANT", help="The first window from then on. Default 2026-01-05T00:00:00Z.")
@click.option(
    "--hours",
    type=click.FloatRange(0.01, HOURS_MAX),
    default=24,
    show_default=True,
    help="How long an event without an end is open, and players come who have windows of their own.",
)
@click.option("--compare", type=click.Path(path_type=Path), metavar="OTHER_FILE", help="The same with another file.")
@click.option("--budget", "budgets", multiple=True, metavar="CURRENCY=AMOUNT", help="Exit 1 if more is paid.")
@click.option(
    "--quantile",
    type=click.FloatRange(0, 100, min_open=True),
    default=95,
    show_default=True,
    help="In how many percent of the runs the budget is to hold.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--report", type=click.Path(path_type=Path), metavar="OUT.html", help="Write a page with pictures.")
@click.option("--with", "modules", multiple=True, metavar="MODULE", help="Import what the game registers.")
def simulate_command(
    file: Path, event: str, players: int, runs: int, seed: int, behaviour: str, afford: float,
    attributes: tuple[str, ...], since: str | None, hours: float, compare: Path | None, budgets: tuple[str, ...],
    quantile: float, as_json: bool, report: Path | None, modules: tuple[str, ...],
) -> None:  # fmt: skip
    """Play whole windows of EVENT of a game file with simulated players and say what would come of them.

    The rules, the bots and the payouts are the real ones; time is virtual. The same seed gives the same result. It
    needs no server and no database. Exit 1 if a --budget is exceeded.
    """
    import_modules(modules)
    if behaviour not in STRATEGIES:
        give_up(f"--behaviour: no '{behaviour}'; known: {', '.join(STRATEGIES)}")
    population = Population(players, behaviour, dict(map(attribute, attributes)), afford)
    begins = _instant(since)
    limits = [budget(text, quantile) for text in budgets]

    def scenario(of: Path) -> Scenario:
        game = _load(of)
        found = game.event(event)
        if found is None:
            give_up(f"{of}: no event '{event}'; known: {', '.join(one.key for one in game.events) or 'none'}")
        return Scenario(game, found, population, runs, seed, begins, round(hours * 3600))

    scenarios = [(path, scenario(path)) for path in (file, compare) if path is not None]
    _check_budgets(file, scenarios[0][1].game, limits)
    made = [_simulated(path, one) for path, one in scenarios]
    verdicts = [judged(made[0], limit) for limit in limits]
    names = [path.name for path, _ in scenarios]
    if report is not None:
        write_text(report, report_page(made, names, verdicts), option="--report: ")
    if as_json:
        click.echo(json.dumps(_plain(made, verdicts), indent=2, ensure_ascii=False))
    else:
        show(Console(), made, names)
    _judge(verdicts, quiet=as_json)


def _load(file: Path) -> GameFile:
    try:
        return load_game_text(read_text(file)).game
    except DefinitionFaults as faults:
        give_up(*(f"{file}: {fault}" for fault in faults.faults))


def _instant(text: str | None) -> int:
    if text is None:
        return MONDAY
    try:
        return _INSTANT.validate_python(text)
    except ValidationError as error:
        give_up(f"--from: '{text}' {error.errors()[0]['msg']}")


def _check_budgets(file: Path, game: GameFile, limits: Sequence[Budget]) -> None:
    known = [one.key for one in (*game.currencies, *game.items)]
    for limit in limits:
        if limit.key not in known:
            give_up(f"--budget: {file} has no currency or item '{limit.key}'; known: {', '.join(known) or 'none'}")


def _simulated(path: Path, scenario: Scenario) -> Simulation:
    try:
        with _progress(path.name, scenario.runs) as done:
            return simulate(scenario, done)
    except (StrategyFault, NeverOccurs) as error:
        give_up(error)


@contextmanager
def _progress(name: str, runs: int) -> Iterator[Callable[[int], None] | None]:
    """A bar for whoever waits at a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"simulating {name}", total=runs)
        yield lambda done: bar.update(task, completed=done)


def _plain(made: Sequence[Simulation], verdicts: Sequence[Judged]) -> object:
    plain = plain_simulation(made[0])
    if len(made) > 1:
        plain = {"simulation": plain, "compared": plain_simulation(made[1])}
    if verdicts:
        plain["budgets"] = [
            {
                "key": one.budget.key,
                "amount": one.budget.amount,
                "quantile": one.budget.percent,
                "paid": one.paid,
                "exceeded": one.is_over,
            }
            for one in verdicts
        ]
    return plain


def _judge(verdicts: Sequence[Judged], *, quiet: bool) -> None:
    for one in verdicts:
        if one.is_over or not quiet:
            click.echo(str(one), err=one.is_over)
    if any(one.is_over for one in verdicts):
        sys.exit(OVER_BUDGET)
