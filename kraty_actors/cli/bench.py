"""`bench`: a load on a running server, and how long its answers take."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio
import click
from rich.box import SIMPLE
from rich.console import Console
from rich.live import Live
from rich.table import Table

from kraty_actors.bench.drive import Dial, NobodyPlays, Second, drive
from kraty_actors.bench.load import PLAYERS_MAX, RATE_MAX, SECONDS_MAX, Load, Unreadable, read_metric, read_mix
from kraty_actors.bench.measured import PERCENTILES, Measured, percentile
from kraty_actors.bench.picture import picture as drawn
from kraty_actors.cli.faults import give_up, secrets_of, write_text
from kraty_actors.client import ConnectionLost, Refused, connect
from kraty_actors.gateway.auth import sign
from kraty_actors.opening import unwrapped

TOO_SLOW = 1
"""The exit code where answers took longer than was allowed, or did not come."""

TOKEN_SPARE_SECONDS = 3_600
"""For coming and going."""

LATE_MS = 10.0
"""If the load itself was later than that, its figures say as much of the client as of the server."""


@click.command()
@click.argument("event")
@click.option("--url", default="ws://127.0.0.1:8765/v1/socket", show_default=True)
@click.option(
    "--players", type=click.IntRange(1, PLAYERS_MAX), default=64, show_default=True, help="With a connection each."
)
@click.option(
    "--watchers", type=click.IntRange(0, PLAYERS_MAX), default=0, help="Further connections that watch boards."
)
@click.option(
    "--rate", type=click.FloatRange(0.1, RATE_MAX), default=1_000, show_default=True, help="Requests a second."
)
@click.option("--seconds", type=click.FloatRange(1, SECONDS_MAX), default=10, show_default=True, help="Measured.")
@click.option("--warm-up", type=click.FloatRange(0, SECONDS_MAX), default=2, show_default=True, help="Seconds before.")
@click.option(
    "--mix", default="write=1", show_default=True, metavar="DEED=SHARE,...", help="Of write, read, list, ping."
)
@click.option(
    "--metric", "metrics", multiple=True, metavar="KEY=AMOUNT", help="What a write adds. Default: 1 of the first."
)
@click.option("--prefix", default="bench-", show_default=True, help="With what the names of players begin.")
@click.option("--secret-file", type=click.Path(path_type=Path), help="Signs their tokens; not for --insecure-dev.")
@click.option("--max-p99", type=click.FloatRange(0, min_open=True), metavar="MS", help="Exit 1 if writes take longer.")
@click.option("--picture", type=click.Path(path_type=Path), metavar="OUT.svg", help="Draw how long answers took.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--backend", type=click.Choice(["trio", "asyncio"]), default="trio", show_default=True)
def bench(
    event: str, url: str, players: int, watchers: int, rate: float, seconds: float, warm_up: float, mix: str,
    metrics: tuple[str, ...], prefix: str, secret_file: Path | None, max_p99: float | None, picture: Path | None,
    as_json: bool, backend: str,
) -> None:  # fmt: skip
    """Have players write to EVENT on a running server at a steady rate, and say how long the answers take.

    Every request is sent when it is due, whether or not those before it were answered, and its time counts from then
    on. The players are real ones of that game, so use a game made for it. Exit 1 if anything stays unanswered.
    """
    try:
        load = Load(
            event, players, watchers, rate, seconds, warm_up, read_mix(mix), dict(map(read_metric, metrics)), prefix
        )
    except Unreadable as error:
        give_up(error)
    with _looking_on(load, quiet=as_json) as tell:
        measured = _measured(url, load, _dial(url, secret_file, load), tell, backend)
    if picture is not None:
        write_text(picture, drawn(measured))
    if as_json:
        click.echo(json.dumps(measured.plain(), indent=2))
    else:
        _show(Console(), measured)
    _judge(measured, max_p99)


def _dial(url: str, secret_file: Path | None, load: Load) -> Dial:
    if secret_file is None:
        return lambda name: connect(url, player_id=name, reconnect=False)
    secret, *_ = secrets_of(secret_file)
    ttl = TOKEN_SPARE_SECONDS + int(load.warm_up + load.seconds)
    return lambda name: connect(url, token=sign(secret, "player", name, ttl), reconnect=False)


def _measured(url: str, load: Load, dial: Dial, tell: Callable[[Second], None], backend: str) -> Measured:
    try:
        with unwrapped():
            return anyio.run(partial(drive, load, dial, tell), backend=backend)
    except (OSError, ConnectionLost, ValueError, Refused) as error:
        give_up(f"{url}: {error}")
    except NobodyPlays as error:
        give_up(error)


# -- while it goes on


@contextmanager
def _looking_on(load: Load, *, quiet: bool) -> Iterator[Callable[[Second], None]]:
    """A table for whoever waits at a terminal, a line a second for anything else; both on standard error."""
    console = Console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with Live(console=console, transient=True) as live:
            yield lambda second: live.update(_table(second, load))
    else:
        yield lambda second: console.print(_line(second), highlight=False, soft_wrap=True)


def _line(second: Second) -> str:
    p50, p99 = percentile(second.ms, 50), percentile(second.ms, 99)
    return (
        f"{second.number} s: {second.answered:,} answers, {second.refused:,} refused, "
        f"{second.under_way:,} under way, p50 {_ms(p50)}, p99 {_ms(p99)}"
    )


def _table(second: Second, load: Load) -> Table:
    table = Table(box=SIMPLE, title=f"{second.number:.0f} of {load.warm_up + load.seconds:g} s", title_justify="left")
    for name in ("answers", "refused", "under way", "p50", "p99"):
        table.add_column(name, justify="right")
    waits = (_ms(percentile(second.ms, percent)) for percent in (50, 99))
    table.add_row(f"{second.answered:,}", f"{second.refused:,}", f"{second.under_way:,}", *waits)
    return table


# -- afterwards


def _show(console: Console, measured: Measured) -> None:
    table = Table(box=SIMPLE)
    table.add_column("deed")
    for name in ("asked", "answered", *(f"p{percent:g}" for percent in PERCENTILES), "max"):
        table.add_column(name, justify="right")
    for deed, waits in measured.waits.items():
        ordered = sorted(waits.ms)
        shown = [_ms(percentile(ordered, percent)) for percent in (*PERCENTILES, 100)]
        table.add_row(deed, f"{waits.asked:,}", f"{len(ordered):,}", *shown)
    console.print(table)
    for line in _lines(measured):
        console.print(line, highlight=False, soft_wrap=True)


def _lines(measured: Measured) -> Iterator[str]:
    load = measured.load
    yield f"{measured.rate:,.0f} answers a second; {load.rate:,.0f} were due"
    for deed, waits in measured.waits.items():
        for code, times in sorted(waits.refused.items()):
            yield f"{deed}: {code}, {times:,} times"
    if load.watchers:
        yield f"{measured.pushes / measured.seconds:,.0f} changes a second came to {load.watchers:,} watchers"
    if measured.mismatches:
        yield f"{measured.mismatches:,} copies of boards differed from what the server said they should be"
    if measured.retired:
        yield f"{measured.retired:,} players stopped writing: their attempts were over, and they could start no others"
    if measured.unanswered:
        yield f"{measured.unanswered:,} requests stayed without an answer"
    if measured.latest_ms > LATE_MS:
        yield (
            f"the client was up to {_ms(measured.latest_ms)} late, at {measured.client_share:.0%} of a core: "
            "with a lower --rate, or on another machine, the figures say more of the server"
        )


def _judge(measured: Measured, max_p99: float | None) -> None:
    found = percentile(sorted(measured.waits["write"].ms), 99) if "write" in measured.waits else math.nan
    if max_p99 is not None and not found <= max_p99:
        click.echo(f"too slow: p99 of writes is {_ms(found)}, allowed are {max_p99:g} ms", err=True)
        sys.exit(TOO_SLOW)
    if measured.unanswered or measured.mismatches:
        sys.exit(TOO_SLOW)


def _ms(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:,.1f} ms"
