"""`explain`: why a player stands where they stand."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import click

from kraty_actors.actors.chain import Sealer
from kraty_actors.actors.clock import SystemClock
from kraty_actors.actors.explaining import MOMENTS, Explaining
from kraty_actors.actors.journal_key import WrongKey, known_sealer
from kraty_actors.actors.players import Players
from kraty_actors.cli.database import backend_option, db_option, reading, told_in_one_line
from kraty_actors.cli.faults import give_up, import_modules, key_of, key_option
from kraty_actors.domain.outcome import Refusal
from kraty_actors.gateway.explained_picture import picture
from kraty_actors.gateway.explanations import explanation, lines, players_in
from kraty_persistence import Store


@click.command()
@click.argument("window")
@click.argument("player")
@click.option("--at", metavar="TIME", help="An instant, such as 2026-11-22T20:00:00Z; by default now, or the end.")
@db_option
@click.option("--last", default=MOMENTS, show_default=True, type=click.IntRange(1), help="How much of the history.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, as `events.explain` answers.")
@click.option(
    "--picture", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.svg", help="Draw it too."
)
@key_option
@click.option("--with", "modules", multiple=True, metavar="MODULE", help="Import what the game registers.")
@backend_option
def explain(
    window: str, player: str, at: str | None, db: str, last: int, as_json: bool, file: Path | None,
    key_file: Path | None, modules: tuple[str, ...], backend: str,
) -> None:  # fmt: skip
    """Show how PLAYER came to their place in WINDOW, from the journals.

    The board as it stood at a moment, what decided against the neighbours, and everything that happened to the player
    until then. The database is only read; a server may be running on it.
    """
    import_modules(modules)
    with told_in_one_line():
        made = anyio.run(_explained, db, window, player, _instant(at), last, key_of(key_file), backend=backend)
    if file is not None:
        _draw(file, picture(made))
    if as_json:
        click.echo(json.dumps(made, indent=2, ensure_ascii=False))
        return
    for line in lines(made):
        click.echo(line)


async def _explained(db: str, window: str, player: str, at: int | None, last: int, key: str | None) -> dict[str, Any]:
    async with reading(db) as store:
        sealer = await _sealer(store, key)
        explaining = Explaining(store, now_ms=SystemClock().now_ms, sealer=lambda: sealer)
        made = await explaining.explain(window, player, at, limit=last)
        if isinstance(made, Refusal):
            give_up(made.message)
        players = Players(store)
        await players.fetch(sorted(players_in(made)))
        return explanation(made, players)


async def _sealer(store: Store, key: str | None) -> Sealer | None:
    """Journals are checked where the key is at hand; whoever only wants an explanation need not have it."""
    try:
        return await known_sealer(store, key)
    except WrongKey:
        if key is not None:
            raise
        return None


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        give_up(f"--at: '{text}' is no instant: write it as 2026-11-22T20:00:00Z")
    return round(found.timestamp() * 1000)


def _draw(file: Path, drawn: str) -> None:
    try:
        file.write_text(drawn, "utf-8")
    except OSError as error:
        give_up(f"{file}: {error.strerror}")
