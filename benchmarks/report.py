"""What was measured, for people and for programs."""

from __future__ import annotations

import json
import platform
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.contenders import ECHO_SANS_IO, ECHO_TRIO, Contender
from benchmarks.formulas import Cost
from benchmarks.load import Measured

WIDTH = 110  # columns, also where the output is piped and has no width of its own


@dataclass(slots=True)
class Row:
    """One server with one number of writes in flight: a measurement of each round, or why there is none."""

    contender: Contender
    in_flight: int
    rounds: list[Measured] = field(default_factory=list)
    failure: str | None = None

    def median(self, name: str) -> float:
        """The median of one figure over the rounds."""
        return float(statistics.median(getattr(measured, name) for measured in self.rounds))


def ratio(row: Row, echo: Contender, rows: list[Row]) -> float | None:
    """How a row's rate compares with that of an echo with as many in flight; None if either is missing."""
    for other in rows:
        if other.contender is echo and other.in_flight == row.in_flight and other.rounds and row.rounds:
            return row.median("acks_per_second") / other.median("acks_per_second")
    return None


def print_table(rows: list[Row], heading: str) -> None:
    """The medians, one line for each server and number in flight."""
    table = Table(title=heading, title_justify="left", box=SIMPLE)
    table.add_column("server")
    for column in ("in flight", "acks/s", "of (1)", "of (2)", "p50 ms", "p99 ms", "client"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(row.contender.title, str(row.in_flight), *_cells(row, rows))
    console = Console(width=WIDTH)
    console.print(table)
    console.print(f"(1) {ECHO_TRIO.title}   (2) {ECHO_SANS_IO.title}   medians over the rounds")
    for row in rows:
        if row.failure:
            console.print(f"{row.contender.title}, {row.in_flight} in flight:", row.failure, style="red", markup=False)


def print_formulas(costs: list[Cost]) -> None:
    """One line for each formula, and how it compares with the first one, `linear`."""
    table = Table(title="formulas over the same two metrics", title_justify="left", box=SIMPLE)
    table.add_column("formula")
    for column in ("score, ns", "of linear", "arithmetic of a write, ns", "of linear"):
        table.add_column(column, justify="right")
    for cost in costs:
        score, write = cost.score_ns / costs[0].score_ns, cost.write_ns / costs[0].write_ns
        table.add_row(cost.formula, f"{cost.score_ns:.0f}", f"{score:.2f}", f"{cost.write_ns:.0f}", f"{write:.2f}")
    Console(width=WIDTH).print(table)


def _cells(row: Row, rows: list[Row]) -> list[str]:
    if not row.rounds:
        return ["failed"]
    ratios = [ratio(row, echo, rows) for echo in (ECHO_TRIO, ECHO_SANS_IO)]
    return [
        f"{row.median('acks_per_second'):,.0f}",
        *("" if of_echo is None else f"{of_echo:.2f}" for of_echo in ratios),
        f"{row.median('p50_ms'):.2f}",
        f"{row.median('p99_ms'):.2f}",
        f"{row.median('client_busy'):.0%}",
    ]


def write_json(rows: list[Row], formulas: list[Cost], path: Path, settings: dict[str, object]) -> None:
    """Every round of every row, with the settings and the machine."""
    report = {
        "settings": settings,
        "machine": {"python": platform.python_version(), "platform": platform.platform()},
        "rows": [
            {
                "server": row.contender.name,
                "in_flight": row.in_flight,
                "acks_per_second": row.median("acks_per_second") if row.rounds else None,
                "of_echo_trio": ratio(row, ECHO_TRIO, rows),
                "of_echo_sans_io": ratio(row, ECHO_SANS_IO, rows),
                "rounds": [asdict(measured) for measured in row.rounds],
                "failure": row.failure,
            }
            for row in rows
        ],
        "formulas": [asdict(cost) for cost in formulas],
    }
    path.write_text(json.dumps(report, indent=2) + "\n")
