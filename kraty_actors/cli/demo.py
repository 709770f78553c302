"""`demo`: watch a window being played, closed and paid."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import anyio
import click
from rich.console import Console
from rich.live import Live

from kraty_actors.demo.ending import tell
from kraty_actors.demo.result import Result
from kraty_actors.demo.run import Demo
from kraty_actors.demo.scene import Screen
from kraty_actors.demo.screen import Lines, Picture, Silence
from kraty_actors.demo.setting import Setting


@click.command()
@click.option("--players", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option(
    "--seconds", type=click.IntRange(2, 3600), default=40, show_default=True, help="How long the window is open."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed is played the same way.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object, and nothing else.")
@click.option("--backend", type=click.Choice(["trio", "asyncio"]), default="trio", show_default=True)
def demo(players: int, seconds: int, seed: int, as_json: bool, backend: str) -> None:
    """Watch a window of Trail of Triumph: players and bots climb, the window closes, the pool is shared.

    Exit 1 if what was acknowledged, journalled and paid does not add up.
    """
    folder = Path(tempfile.mkdtemp(prefix="kraty-demo-"))
    setting = Setting(players, seconds, seed)
    console = Console()
    if as_json:
        result = _run(setting, folder, Silence(), backend)
        click.echo(json.dumps(result.plain()))
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            result = _run(setting, folder, Picture(live), backend)
        tell(console, result, folder)
    else:
        result = _run(setting, folder, Lines(console), backend)
        tell(console, result, folder)
    sys.exit(1 if result.disagreements() else 0)


def _run(setting: Setting, folder: Path, screen: Screen, backend: str) -> Result:
    return anyio.run(Demo(setting, folder, screen).run, backend=backend)
