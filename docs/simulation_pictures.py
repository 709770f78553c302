"""Draws the picture of `docs/simulating.md` from the simulation on that page: `python docs/simulation_pictures.py`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from drawing import keep
from kraty_actors.definitions import load_game
from kraty_actors.simulation.figures import simulate
from kraty_actors.simulation.report import charts
from kraty_actors.simulation.scenario import Population, Scenario

PAGE = Path(__file__).with_name("simulating.md")
WIDTH, PANEL, TITLE = 640, 260, 34
STYLE = """
text { fill: #57606a; } .bar, .key { fill-opacity: .8; } .one { fill: #2563a8; } .two { fill: #d9822b; }
.grid { stroke: #e4e2dc; } .axis, .tick { stroke: #8c959f; } .curve { fill: none; stroke-width: 2.2; }
.curve.one { stroke: #2563a8; } .curve.two { stroke: #d9822b; } .band { fill-opacity: .16; }
.rug { stroke: #24292f; stroke-opacity: .55; } .mark { stroke: #24292f; stroke-dasharray: 4 3; }
.mark.budget { stroke: #b3261e; stroke-dasharray: none; stroke-width: 1.6; }
.name { font-weight: 600; fill: #24292f; paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
.name.budget { fill: #b3261e; } .head { fill: #24292f; font-size: 14px; font-weight: 600; }
"""


def pictures() -> dict[str, str]:
    """Every picture of the page, by its name."""
    return {"cup": cup()}


def cup() -> str:
    """What 50 runs of the event on the page pay, when attempts are completed, and what its bots do to players."""
    made = simulate(Scenario(*_event(), Population(100), runs=50))
    (cash, *_), bots = made.payouts, made.bots
    if bots is None:
        raise RuntimeError("the event on the page has bots")
    lines = [*charts.quantile_lines(cash.paid), charts.Line(4200, "budget 4,200", "budget")]
    panels = [
        ("cash paid", charts.histogram("cash", [cash.paid], lines, "cash paid in one run", "runs")),
        ("completed attempts over time: mean, and 90 % of the runs", charts.completions("time", [made.moments])),
        ("ranks of players: as it is (blue), without bots (orange)",
         charts.ranks("ranks", bots.rank_with.values, bots.rank_without.values)),
    ]  # fmt: skip
    height = len(panels) * (PANEL + TITLE) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="what 50 simulated windows come to" font-family="sans-serif" font-size="11.5">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>',
    ]
    for at, (title, drawn) in enumerate(panels):
        y = at * (PANEL + TITLE)
        parts.append(f'<text class="head" x="16" y="{y + 24}">{title}</text>')
        parts.append(drawn.replace("<svg ", f'<svg y="{y + TITLE}" width="{WIDTH}" height="{PANEL}" ', 1))
    return "\n".join([*parts, "</svg>", ""])


def _event() -> tuple[Any, Any]:
    block = re.search(r"<!-- file: game.json -->\n```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    if block is None:
        raise RuntimeError("the page has no game")
    game = load_game(json.loads(block[1])).game
    return game, game.events[0]


def main() -> None:
    """Write the pictures."""
    keep("simulations", pictures())


if __name__ == "__main__":
    main()
