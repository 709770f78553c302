"""What a simulation came to, for people: tables on a terminal, lines in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.simulation.figures import Simulation, Spread
from kraty_actors.simulation.summary import Figure, Unit, summary, written
from kraty_actors.simulation.tally import FinalBoard, Place

TOP = 10
"""Rows of a board that are shown."""


def show(console: Console, made: Sequence[Simulation], names: Sequence[str]) -> None:
    """Print one simulation, or two side by side."""
    if not console.is_terminal:
        for line in _lines(made, names):
            click.echo(line)
        return
    console.print(_title(made[0]), markup=False, highlight=False)
    for table in _tables(made, names):
        console.print(table)
    for line in (*_assumed(made, names), *_fingerprints(made)):
        console.print(line, markup=False, highlight=False, style="dim")


def _title(made: Simulation) -> str:
    scenario = made.scenario
    population = scenario.population
    begins, ends = (iso_instant(at)[:16].replace("T", " ") for at in (scenario.span.starts_at, scenario.ends_at))
    who = f"{population.players:,} players ({population.behaviour})"
    return f"{scenario.event.key}: {who}, runs: {scenario.runs:,}, seed {scenario.seed}, {begins} to {ends} UTC"


# -- in a pipe


def _lines(made: Sequence[Simulation], names: Sequence[str]) -> Iterator[str]:
    """One fact a line, its name first."""
    yield _title(made[0])
    for group, rows in _groups(made):
        for name, figures in rows:
            if len(made) == 1:
                yield f"{group}: {name}: {_all_of(figures[0])}"
            else:
                yield f"{group}: {name}: {'; '.join(map(_named, names, figures))}"
    if len(made) == 1:
        for source, payout in _sources(made[0]):
            yield f"money: {source}: {payout}"
        for code, mean in made[0].refusals:
            yield f"refused: {code}: mean {written(mean)}"
        for board in made[0].runs[0].boards[:1]:
            for place in board.places[:TOP]:
                yield f"rank {place.rank}: {place.name}{_kind(place)}: {written(place.score)}"
    yield from _assumed(made, names)
    yield from _fingerprints(made)


def _all_of(figure: Figure | None) -> str:
    if figure is None:
        return "none"
    spread, unit = figure.spread, figure.unit
    if spread.values[0] == spread.values[-1]:
        return f"{written(spread.values[0], unit)} always"
    middle = ", ".join(f"p{percent} {written(spread.at(percent), unit)}" for percent in (5, 50, 95))
    ends = f"min {written(spread.values[0], unit)}, max {written(spread.values[-1], unit)}"
    return f"mean {written(spread.mean, unit)}, {middle}, {ends}"


def _named(name: str, figure: Figure | None) -> str:
    return f"{name} {'none' if figure is None else _range(figure.spread, figure.unit)}"


def _kind(place: Place) -> str:
    return " (bot)" if place.is_bot else ""


# -- on a terminal


def _tables(made: Sequence[Simulation], names: Sequence[str]) -> Iterator[Table]:
    yield _summary(made[0]) if len(made) == 1 else _comparison(made, names)
    if len(made) == 1:
        sources = list(_sources(made[0]))
        if sources:
            table = Table("paid for", "mean of a run", title="where it goes", title_justify="left")
            for source, mean in sources:
                table.add_row(Text(source), mean)
            yield table
        if made[0].refusals:
            table = Table("refused", "mean of a run", title="who was turned away", title_justify="left")
            for code, refused in made[0].refusals:
                table.add_row(code, written(refused))
            yield table
        yield from map(_standings, made[0].runs[0].boards[:1])


def _summary(made: Simulation) -> Table:
    table = Table("", "", title="over all runs", title_justify="left")
    for name in ("mean", "min", "p5", "p50", "p95", "max"):
        table.add_column(name, justify="right")
    table.add_column("of each")
    for group, rows in _groups([made]):
        table.add_section()
        for at, (name, (figure,)) in enumerate(rows):
            if figure is None:
                continue
            spread, unit = figure.spread, figure.unit
            values = (spread.mean, spread.values[0], *map(spread.at, (5, 50, 95)), spread.values[-1])
            cells = [written(value, unit) for value in values]
            table.add_row(group if at == 0 else "", Text(name), *cells, figure.of)
    return table


def _comparison(made: Sequence[Simulation], names: Sequence[str]) -> Table:
    table = Table("", "", title="mean (p5 to p95)", title_justify="left")
    for name in names:
        table.add_column(Text(name), justify="right")
    table.add_column("difference", justify="right")
    for group, rows in _groups(made):
        table.add_section()
        for at, (name, figures) in enumerate(rows):
            cells = ["–" if one is None else _range(one.spread, one.unit) for one in figures]
            table.add_row(group if at == 0 else "", Text(name), *cells, _difference(figures))
    return table


def _range(spread: Spread, unit: Unit) -> str:
    if spread.values[0] == spread.values[-1]:
        return written(spread.values[0], unit)
    low, high = spread.at(5), spread.at(95)
    return f"{written(spread.mean, unit)} ({written(low, unit)} to {written(high, unit)})"


def _difference(figures: Sequence[Figure | None]) -> str:
    before, after = figures
    if before is None or after is None or not before.spread.mean:
        return ""
    share = after.spread.mean / before.spread.mean - 1
    return "same" if not share else f"{share * 100:+.1f} %"


def _standings(board: FinalBoard) -> Table:
    title = f"the first board of the first run, {len(board.places):,} in all"
    table = Table(title=title, title_justify="left")
    table.add_column("rank", justify="right")
    table.add_column("who")
    table.add_column("score", justify="right")
    table.add_column("rank without bots", justify="right")
    for place in board.places[:TOP]:
        among = "" if place.rank_among_humans is None else str(place.rank_among_humans)
        table.add_row(str(place.rank), Text(place.name + _kind(place)), written(place.score), among)
    return table


# -- both


def _groups(made: Sequence[Simulation]) -> Iterator[tuple[str, list[tuple[str, list[Figure | None]]]]]:
    """The figures of one or two simulations, by group and name; None where one has no such figure."""
    found = [{(one.group, one.name): one for one in summary(each)} for each in made]
    order = dict.fromkeys(key for each in found for key in each)
    ranked = sorted(order, key=lambda key: ("players", "money", "lobbies", "bots").index(key[0]))
    for group, keys in groupby(ranked, key=lambda key: key[0]):
        yield group, [(name, [each.get((group, name)) for each in found]) for _, name in keys]


def _sources(made: Simulation) -> Iterator[tuple[str, str]]:
    for payout in made.payouts:
        for source, mean in payout.sources:
            yield f"{payout.key} for {source}", written(mean)


def _assumed(made: Sequence[Simulation], names: Sequence[str]) -> Iterable[str]:
    for one, name in zip(made, names, strict=True):
        where = f" ({name})" if len(made) > 1 else ""
        yield from (f"assumed{where}: {line}" for line in one.scenario.assumptions)


def _fingerprints(made: Sequence[Simulation]) -> Iterable[str]:
    return (f"fingerprint: {one.fingerprint}" for one in made)
