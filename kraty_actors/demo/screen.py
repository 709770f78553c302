"""Showing a scene: a live picture on a terminal, plain lines anywhere else."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kraty_actors.demo.players import WINS_IN_A_ROW
from kraty_actors.demo.scene import Scene
from kraty_protocol.shapes import Entry

WIDTH = 78
ROWS = 14
AROUND = 3
LINE_SECONDS = 5
NEW_YORK = ZoneInfo("America/New_York")


class Silence:
    """For who wants the result alone."""

    def show(self, scene: Scene) -> None:
        """Show nothing."""

    def say(self, scene: Scene, text: str) -> None:
        """Say nothing."""


class Lines:
    """A line for each thing that happens, and every few seconds one with the counters."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_at = 0

    def show(self, scene: Scene) -> None:
        """Write a line if one is due."""
        if scene.phase == "open" and scene.now >= self._next_at:
            self._next_at = scene.now + LINE_SECONDS * 1000
            self.say(scene, _counters_line(scene))

    def say(self, scene: Scene, text: str) -> None:
        """Write a line."""
        self._console.print(f"{_clock_face(scene.now)}  {text}", highlight=False, soft_wrap=True)


class Picture:
    """The watched lobby's board, the counters, and how much of the window is left."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, scene: Scene) -> None:
        """Draw it anew."""
        self._live.update(draw(scene), refresh=True)

    def say(self, scene: Scene, text: str) -> None:
        """What has happened shows in the picture."""
        self.show(scene)


def draw(scene: Scene) -> RenderableType:
    """A scene as a picture of 78 columns and 19 lines."""
    halves = Table.grid(padding=(0, 1), expand=True)
    halves.add_column(width=46)
    halves.add_column(ratio=1)
    halves.add_row(_board(scene), _counters(scene))
    return Panel(
        Group(_time(scene), Text(), halves),
        title="Trail of Triumph",
        subtitle=_prize(scene),
        width=WIDTH,
        padding=(0, 1),
    )


def _prize(scene: Scene) -> str:
    return f"{WINS_IN_A_ROW} wins in a row earn a share of {scene.pool:,} {scene.currency}"


def _time(scene: Scene) -> RenderableType:
    setting = scene.setting
    gone = scene.now - setting.opens_at
    line = Table.grid(padding=(0, 2), expand=True)
    line.add_column()
    line.add_column(ratio=1)
    line.add_column(justify="right")
    bar = ProgressBar(total=setting.seconds * 1000, completed=max(0, min(gone, setting.seconds * 1000)))
    line.add_row(f"New York [bold]{_clock_face(scene.now)}[/]", bar, _phase(scene))
    return line


def _phase(scene: Scene) -> Text:
    match scene.phase:
        case "waiting":
            return Text(f"opens in {max(0, scene.setting.opens_at - scene.now) / 1000:.0f} s", "yellow")
        case "open":
            return Text(f"closes in {max(0, scene.setting.closes_at - scene.now) / 1000:.0f} s", "green")
        case "settling":
            return Text("closing", "yellow")
        case "settled":
            return Text("paid", "bold green")


def _board(scene: Scene) -> RenderableType:
    table = Table(box=None, padding=(0, 1, 0, 0), title_justify="left", title_style="dim", show_header=False)
    table.title = f"the lobby of {scene.watched[1]}: 1 player, 49 bots" if scene.board else "no board yet"
    table.add_column(justify="right", width=3)
    table.add_column(width=18, no_wrap=True)
    table.add_column(width=10)
    table.add_column(width=8)
    for entry in _shown(scene):
        if entry is None:
            table.add_row("", "...")
            continue
        style = "bold cyan" if entry["kind"] == "player" else ""
        table.add_row(str(entry["rank"]), entry["name"], _streak(entry), entry["kind"], style=style)
    for _ in range(ROWS - table.row_count):
        table.add_row("")
    return table


def _shown(scene: Scene) -> list[Entry | None]:
    """The top rows; if the watched player is further down, their surroundings too, after a gap (None)."""
    entries = scene.board.entries if scene.board else []
    own = next((at for at, entry in enumerate(entries) if entry["participantId"] == scene.watched[0]), 0)
    if own < ROWS - 1:
        return [*entries[:ROWS]]
    around = min(own - AROUND, len(entries) - 2 * AROUND - 1)
    return [*entries[: ROWS - 2 * AROUND - 2], None, *entries[around : around + 2 * AROUND + 1]]


def _streak(entry: Entry) -> Text:
    wins = int(entry["score"])
    return Text.assemble(
        ("● " * wins, "green" if wins == WINS_IN_A_ROW else "yellow"), ("· " * (WINS_IN_A_ROW - wins), "dim")
    )


def _counters(scene: Scene) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="bold", width=7)
    table.add_column()
    for number, what in (
        (scene.connected, "players connected"),
        (scene.open_attempts, "attempts open"),
        (scene.completed, "completed"),
        (f"{scene.share:,}", f"{scene.currency} each" + (", so far" if scene.phase == "open" else "")),
        ("", ""),
        (scene.acknowledged, "writes acknowledged"),
        (f"{scene.per_second:.0f}", "a second"),
        (scene.journalled, "in the journal"),
    ):
        table.add_row(str(number), what)
    return Group(Text(), table)


def _counters_line(scene: Scene) -> str:
    line = (
        f"{scene.acknowledged} writes acknowledged ({scene.per_second:.0f}/s), {scene.journalled} in the journal, "
        f"{scene.open_attempts} attempts open, {scene.completed} completed"
    )
    own = scene.board.own if scene.board else None
    return f"{line}; {scene.watched[1]} is {own['rank']}. of {scene.board.total}" if own and scene.board else line


def _clock_face(now: int) -> str:
    return f"{datetime.fromtimestamp(now / 1000, NEW_YORK):%H:%M:%S}"
