"""`preview`: what an event of a game file would pay for an outcome, before anybody plays it (R-46)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kraty_actors.actors.previews import Supposed, of_rules, rules_of
from kraty_actors.cli.faults import give_up, import_modules, read_text
from kraty_actors.cli.wording import contents
from kraty_actors.definitions import DefinitionFaults, EventDefinition, GameFile, RewardPolicySharedPool, load_game_text
from kraty_actors.domain.numbers import Number, whole
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.preview import Preview
from kraty_actors.gateway import reports

POSITIVE = click.IntRange(1, 2**53 - 1)
_DIGITS = re.compile(r"\d{1,17}", re.ASCII)
_DECIMAL = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("event")
@click.option("--metrics", multiple=True, metavar="METRIC=VALUE,...", help="Raw values at the end; 0 where not given.")
@click.option("--rank", type=POSITIVE, default=1, show_default=True, help="The player's place on the board.")
@click.option("--winners", type=POSITIVE, default=1, show_default=True, help="Among how many a pool is shared.")
@click.option("--seed", type=click.IntRange(0, 2**53 - 1), default=0, show_default=True, help="Rolls what is random.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, as `events.preview` answers.")
@click.option("--with", "modules", multiple=True, metavar="MODULE", help="Import what the game registers.")
def preview(
    file: Path, event: str, metrics: tuple[str, ...], rank: int, winners: int, seed: int, as_json: bool,
    modules: tuple[str, ...],
) -> None:  # fmt: skip
    """Say what EVENT of a game file would pay a player who ends with these metrics, on this rank.

    It needs no server and no database, and writes nothing.
    """
    import_modules(modules)
    game = _load(file)
    definition = game.event(event)
    if definition is None:
        give_up(f"{file}: no event '{event}'; known: {', '.join(one.key for one in game.events) or 'none'}")
    made = of_rules(rules_of(definition, game), Supposed(_values(metrics), rank, winners, seed))
    if isinstance(made, Refusal):
        give_up(f"--metrics: {made.message}")
    if as_json:
        click.echo(json.dumps(reports.preview(made), indent=2, ensure_ascii=False))
        return
    console = Console()
    if console.is_terminal:
        _show(console, made, definition)
    else:
        for line in _lines(made, definition):
            click.echo(line)


def _load(file: Path) -> GameFile:
    try:
        return load_game_text(read_text(file)).game
    except DefinitionFaults as faults:
        give_up(*(f"{file}: {fault}" for fault in faults.faults))


def _values(given: Sequence[str]) -> dict[str, Number]:
    values: dict[str, Number] = {}
    for part in (part.strip() for text in given for part in text.split(",")):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not name or not equals:
            give_up(f"--metrics: '{part}': write it as METRIC=VALUE,METRIC=VALUE")
        if name in values:
            give_up(f"--metrics: {name} is there twice")
        values[name] = _number(name, value)
    return values


def _number(name: str, text: str) -> Number:
    if _DIGITS.fullmatch(text):
        return int(text)
    value = float(text) if _DECIMAL.fullmatch(text) else math.inf
    if not math.isfinite(value):
        give_up(f"--metrics: {name}: '{text}' is no number of at least 0")
    return whole(value)


# -- for people


def _lines(made: Preview, event: EventDefinition) -> Iterator[str]:
    """One fact a line, its name first."""
    yield f"event: {event.key}"
    for key, capped in made.metrics.items():
        raw = made.metrics_raw[key]
        yield f"metric {key}: {capped}" + ("" if raw == capped else f" (raw {raw})")
    yield f"score: {made.score}"
    yield f"completed: {_yes(made.completed)}"
    for fired in made.milestones:
        yield f"milestone {fired.key}: {contents(fired.entries)}{_sampled(fired.sampled)}"
    for grant in made.grants:
        yield f"grant {grant.kind} {grant.source_kind}: {contents(grant.entries)}{_sampled(grant.sampled)}"
    yield from _remarks(made, event)


def _show(console: Console, made: Preview, event: EventDefinition) -> None:
    lines = [f"{event.key}: score {made.score}, completed: {_yes(made.completed)}", *_remarks(made, event)]
    metrics = Table("metric")
    metrics.add_column("counts", justify="right")
    metrics.add_column("raw", justify="right")
    for key, capped in made.metrics.items():
        metrics.add_row(key, str(capped), str(made.metrics_raw[key]))
    console.print(metrics)
    if made.milestones or made.grants:
        paid = Table("paid for", "as", "contents", "sampled")
        for fired in made.milestones:
            paid.add_row(f"milestone {fired.key}", "reward", Text(contents(fired.entries)), _yes(fired.sampled))
        for grant in made.grants:
            paid.add_row(grant.source_kind, grant.kind, Text(contents(grant.entries)), _yes(grant.sampled))
        console.print(paid)
    for line in lines:
        console.print(line, markup=False, highlight=False)


def _remarks(made: Preview, event: EventDefinition) -> Iterator[str]:
    policy, split = event.reward_policy, made.share
    if isinstance(policy, RewardPolicySharedPool) and split is not None:
        of = f"pool: {policy.parameters.pool} {policy.parameters.currency_key}, winners: {split.winners}"
        if split.share:
            yield f"{of}, each {split.share}, not paid {split.remainder}"
        else:
            yield f"{of}: less than 1 for each, nothing is paid"
    if not made.milestones and not made.grants:
        yield "nothing is paid"


def _sampled(sampled: bool) -> str:
    return " (sampled)" if sampled else ""


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
