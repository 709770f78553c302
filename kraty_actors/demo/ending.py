"""The last lines: who won what, whether it adds up, and where to look further."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from kraty_actors.demo.result import Result

WINNERS_SHOWN = 10


def tell(console: Console, result: Result, folder: Path) -> None:
    """Print how the evening ended."""
    print_verdict(console, result)
    console.print(_look_further(result, folder), soft_wrap=True, highlight=False)


def print_verdict(console: Console, result: Result) -> None:
    """Print who won what, and whether it adds up."""
    report = result.report
    paid = report.winners * result.share
    console.print(_payments(result))
    console.print(
        f"{report.winners} x {result.share:,} + {report.remainder} left over = {paid + report.remainder:,} "
        f"of {result.pool:,} {result.currency}",
        f"{result.acknowledged:,} writes acknowledged, {result.journalled:,} in the journal on disk",
        sep="\n",
    )
    for fault in result.disagreements():
        console.print(f"THIS DOES NOT FIT: {fault}", style="bold red")


def _payments(result: Result) -> Table | str:
    if not result.payments:
        return "nobody made it: nothing was paid"
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("winner", width=12)
    table.add_column("grants", justify="right")
    table.add_column("in the wallet", justify="right")
    for one in result.payments[:WINNERS_SHOWN]:
        table.add_row(one.name, str(one.grants), f"{one.amount:,} {result.currency}")
    if len(result.payments) > WINNERS_SHOWN:
        table.add_row(f"and {len(result.payments) - WINNERS_SHOWN} more", "", "")
    return table


def _look_further(result: Result, folder: Path) -> str:
    winner = result.payments[0].player_id if result.payments else "player-0001"
    program = _program()
    return f"""
To look further, serve the same database again (Ctrl-C stops it):
  {program} serve --game {folder}/game.json --db sqlite:///{folder}/game.db --insecure-dev
and in another terminal ask it:
  {program} call windows.list eventKey=trail_of_triumph
  {program} call boards.read leaderboardId={result.board_id} limit=5
  {program} call grants.list playerId={winner}
  {program} call wallet.get playerId={winner}
"""


def _program() -> str:
    """What to type for this program: from a clone it is not on the PATH."""
    if shutil.which("kraty-actors"):
        return "kraty-actors"
    beside = Path(sys.executable).with_name("kraty-actors")
    return os.path.relpath(beside) if beside.is_file() else f"{sys.executable} -m kraty_actors"
