"""`correct`: a window that is final, paid as it would have been without some players."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anyio
import click
from rich.console import Console
from rich.table import Table

from kraty_actors.cli.database import backend_option, corrections_of, owning, reading, told_in_one_line
from kraty_actors.cli.faults import give_up
from kraty_actors.cli.wording import amount, contents
from kraty_actors.client import ConnectionLost, Refused, connect
from kraty_actors.domain.outcome import Refusal
from kraty_actors.gateway import reports

WHO = "cli"
"""Who did it, in the audit trail."""

NOT_SERVED = "note: with --db no server may run on the database meanwhile: one that does is stopped"


@click.command()
@click.argument("window")
@click.option(
    "--without", "players", multiple=True, required=True, metavar="PLAYER", help="Who is left out; repeat it."
)
@click.option("--apply", is_flag=True, help="Do it. Without this it is only a plan.")
@click.option("--url", help="A running server, such as ws://127.0.0.1:8765/v1/socket.")
@click.option("--token", help="An operator's token, for --url.")
@click.option("--db", metavar="URL", help="The database itself, while nothing serves it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, as `windows.correct` answers.")
@backend_option
def correct(
    window: str, players: tuple[str, ...], apply: bool, url: str | None, token: str | None, db: str | None,
    as_json: bool, backend: str,
) -> None:  # fmt: skip
    """Say what WINDOW would have come to without some players: who moves, what is granted, what is taken back.

    With --apply it is done, once; to ask again finishes what broke off. What was spent already cannot be taken back: it
    is listed as owed. Ask a running server with --url, or open its database with --db while it is not served.
    """
    if token is not None and url is None:
        give_up("--token goes with --url")
    without = list(dict.fromkeys(players))
    if url is not None and db is None:
        made = _asked(url, token, window, without, apply, backend)
    elif db is not None and url is None:
        if apply:
            click.echo(NOT_SERVED, err=True)
        with told_in_one_line():
            made = anyio.run(_by_hand, db, window, without, apply, backend=backend)
    else:
        give_up("give --url WS, for a running server, or --db URL, for a database that nothing serves")
    if as_json:
        click.echo(json.dumps(made, indent=2, ensure_ascii=False))
    else:
        _show(made, window)


def _asked(url: str, token: str | None, window: str, without: list[str], apply: bool, backend: str) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with connect(url, token=token, role="operator", reconnect=False) as client:
            return await client.call("windows.correct", windowId=window, without=without, apply=apply)

    try:
        return anyio.run(ask, backend=backend)
    except Refused as refused:
        give_up(f"{window}: {refused.message}")
    except (OSError, ConnectionLost, ValueError) as error:
        give_up(f"{url}: {error}")


async def _by_hand(db: str, window: str, without: list[str], apply: bool) -> dict[str, Any]:
    async with (owning if apply else reading)(db) as store:
        corrections = await corrections_of(store)
        plan = await corrections.correct(window, without, apply=apply, who=WHO)
        if isinstance(plan, Refusal):
            give_up(f"{window}: {plan.message}")
        rows = reports.listed(plan, limit=len(plan.corrections))
        names = {row.number: row.player_id for row in await store.players(sorted({row.player for row in rows}))}
        return reports.correction(plan, rows, names)


# -- for people


def _show(made: dict[str, Any], window: str) -> None:
    console = Console()
    if console.is_terminal and made["plan"]:
        table = Table("player", "rank", "gets", "gives back", "owes", title=f"window {window}")
        for row in made["plan"]:
            cells = [row["playerId"], _move(row), *(_some(row[name]) for name in ("grant", "take", "owed"))]
            table.add_row(*map(amount, cells))
        console.print(table)
    else:
        for row in made["plan"]:
            click.echo("; ".join([f"{row['playerId']}: rank {_move(row)}", *_said(row)]))
    for line in _sums(made):
        click.echo(line)


def _move(row: dict[str, Any]) -> str:
    before, after = ("-" if rank is None else str(rank) for rank in (row["rankBefore"], row["rankAfter"]))
    return before if before == after else f"{before} -> {after}"


def _said(row: dict[str, Any]) -> Iterator[str]:
    for name, word in (("grant", "gets"), ("take", "gives back"), ("owed", "owes")):
        if row[name]:
            yield f"{word} {contents(row[name])}"


def _some(entries: list[dict[str, Any]]) -> str:
    return contents(entries) if entries else ""


def _sums(made: dict[str, Any]) -> Iterator[str]:
    yield f"players: {made['players']}, and {made['moved']} who stand higher"
    for name in ("granted", "taken", "owed"):
        yield f"{name}: {contents(made[name])}"
    if made["applied"]:
        yield "applied: yes"
    elif made["plan"]:
        yield "applied: no; with --apply it is done"
    else:
        yield "applied: there is nothing to do"
