"""`top`: how a running server stands and which actors are busy, live."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import click
from anyio.abc import TaskStatus
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kraty_actors.cli.faults import give_up
from kraty_actors.client import ConnectionLost, Refused, connect
from kraty_actors.opening import unwrapped
from kraty_protocol.operator_shapes import ActorStats, ServerStats

REFUSED = 1
SHED = ("nothing", "listings", "new watches", "starts", "reads")
"""What is refused at each pressure, with what stands before it."""

COLUMNS = ("actor", "kind", "key", "commands/s", "mailbox", "in flight", "lag ms", "watchers", "handled")

Show = Callable[[ServerStats, float], None]
"""Shows a look at a server, and how many requests it answered a second since the look before."""


@click.command()
@click.option("--url", default="ws://127.0.0.1:8765/v1/socket", show_default=True)
@click.option("--token", help="An operator's. A server that runs with --insecure-dev needs none.")
@click.option("--interval", type=click.FloatRange(min=0.5), default=1.0, show_default=True, metavar="SECONDS")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="Actors that are shown.")
@click.option("--once", is_flag=True, help="Look for one interval, and end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--backend", type=click.Choice(["trio", "asyncio"]), default="trio", show_default=True)
def top(url: str, token: str | None, interval: float, limit: int, once: bool, as_json: bool, backend: str) -> None:
    """Show how a running server stands, and its busiest actors, again and again: a table on a terminal, else lines.

    Exit 1 if the server says no, 2 if it cannot be asked.
    """
    try:
        with _shown(as_json=as_json) as show:
            _run(backend, url, token, interval, limit, once, show)
    except Refused as refused:
        click.echo(f"error: {refused}", err=True)
        sys.exit(REFUSED)
    except (OSError, ConnectionLost, ValueError) as error:
        give_up(f"{url}: {error}")


def _run(backend: str, *args: Any) -> None:
    with unwrapped():
        anyio.run(_until_stopped, *args, backend=backend)


async def _until_stopped(*args: Any) -> None:
    """Look on until Ctrl-C or SIGTERM, which are no faults."""
    async with anyio.create_task_group() as tasks:
        await tasks.start(_stop, tasks.cancel_scope)
        await _top(*args)
        tasks.cancel_scope.cancel()


async def _stop(looking: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            looking.cancel()
            return


async def _top(url: str, token: str | None, interval: float, limit: int, once: bool, show: Show) -> None:
    async with connect(url, token=token, role="operator", reconnect=False) as client:
        before = await client.operator.stats(limit=limit)
        while True:
            await anyio.sleep(interval)
            stats = await client.operator.stats(limit=limit)
            elapsed = stats["uptimeSeconds"] - before["uptimeSeconds"]
            show(stats, (stats["answered"] - before["answered"]) / elapsed)
            if once:
                return
            before = stats


@contextmanager
def _shown(*, as_json: bool) -> Iterator[Show]:
    console = Console()
    if as_json:
        yield lambda stats, rate: click.echo(json.dumps({**stats, "answeredPerSecond": round(rate, 3)}))
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda stats, rate: live.update(picture(stats, rate), refresh=True)
    else:
        yield lambda stats, rate: click.echo("\n".join(lines(stats, rate)))


def picture(stats: ServerStats, rate: float) -> RenderableType:
    """A look as a table under two lines of figures."""
    table = Table(*COLUMNS, box=None, pad_edge=False, expand=True)
    for column in table.columns[3:]:
        column.justify = "right"
    for actor in stats["actors"]:
        is_waiting = actor["mailbox"] or actor["inFlight"]
        table.add_row(*_cells(actor), style="bold" if is_waiting else None)
    return Group(*(Text(line) for line in _figures(stats, rate)), Text(), table)


def lines(stats: ServerStats, rate: float) -> list[str]:
    """The same as plain lines."""
    return [*_figures(stats, rate), *("  ".join(_cells(actor)) for actor in stats["actors"])]


def _figures(stats: ServerStats, rate: float) -> list[str]:
    store = "up" if stats["storeUp"] else "AWAY"
    shed = f"{stats['shed']:,} (now: {SHED[stats['pressure']]})"
    return [
        f"{stats['serverTime']}  {rate:,.0f} requests/s  {stats['connections']:,} connections  "
        f"{stats['watchers']:,} watchers of {stats['views']:,} views  {stats['unsentBytes']:,} bytes unsent",
        f"store {store}  journal lag {stats['journalLagSeconds'] * 1000:.1f} ms  {stats['waiting']:,} commands wait  "
        f"{stats['total']:,} actors  refused {stats['refused']:,}  shed {shed}",
    ]


def _cells(actor: ActorStats) -> list[str]:
    rate = actor["perSecond"]
    return [
        actor["actor"],
        actor["kind"],
        actor["key"] or "-",
        "-" if rate is None else f"{rate:,.1f}",
        f"{actor['mailbox']:,}",
        f"{actor['inFlight']:,}",
        f"{actor['lagSeconds'] * 1000:.1f}",
        f"{actor['watchers']:,}",
        f"{actor['handled']:,}",
    ]
