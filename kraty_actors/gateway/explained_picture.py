"""A player's score and rank over time, as one SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from typing import Any

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, GAP, BOTTOM = 64, 24, 44, 40, 36
PANE = (HEIGHT - TOP - GAP - BOTTOM) // 2
SCORE, RANK, MARK = "#0969da", "#8250df", "#bc4c00"
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#57606a}.paper{fill:#ffffff}.axis{stroke:#b0b7be}"
    "@media(prefers-color-scheme:dark){.paper{fill:#0d1117}text{fill:#9198a1}.axis{stroke:#3d444d}}"
)

Map = dict[str, Any]


def picture(made: Map) -> str:
    """The picture of an explanation that travelled: above the score, below the rank, with a mark for each of the
    player's writes that was capped, reset or objected to."""
    curve = made["curve"]
    times = [_ms(one["at"]) for one in curve]
    first, last = (times[0], max(times[-1], times[0] + 1)) if times else (0, 1)

    def across(at: float) -> float:
        return LEFT + (at - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(_title(made))}</title><style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text x="{LEFT}" y="24">{escape(_title(made))}</text>',
    ]
    scores = [(at, float(one["score"])) for at, one in zip(times, curve, strict=True)]
    ranks = [(at, float(one["rank"])) for at, one in zip(times, curve, strict=True) if one["rank"] is not None]
    parts += _pane("score", scores, TOP, SCORE, across, is_upside_down=False)
    parts += _pane("rank", ranks, TOP + PANE + GAP, RANK, across, is_upside_down=True)
    for moment in made["history"]:
        at = _ms(moment["at"])
        if first <= at <= last and any(moment.get(name) for name in ("resets", "capped", "findings")):
            parts.append(
                f'<path d="M{across(at):.1f} {TOP + PANE}v-8" stroke="{MARK}" stroke-width="2">'
                f"<title>{escape(_mark(moment))}</title></path>"
            )
    if curve:
        parts.append(f'<text x="{LEFT}" y="{HEIGHT - 12}">{escape(_clock(curve[0]["at"]))}</text>')
        end = escape(_clock(curve[-1]["at"]))
        parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 12}" text-anchor="end">{end}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _pane(
    name: str,
    points: Sequence[tuple[int, float]],
    top: int,
    colour: str,
    across: Callable[[float], float],
    *,
    is_upside_down: bool,
) -> list[str]:
    """One curve in steps, for nothing happens between two points that anybody knows of; rank 1 is at the top."""
    low, high = min([one for _, one in points], default=0.0), max([one for _, one in points], default=1.0)
    if not is_upside_down:
        low = min(low, 0.0)
    span = high - low or 1.0

    def up(value: float) -> float:
        share = (value - low) / span
        return top + (share if is_upside_down else 1 - share) * PANE

    best, worst = (low, high) if is_upside_down else (high, low)
    made = [
        f'<path class="axis" d="M{LEFT} {top}V{top + PANE}H{WIDTH - RIGHT}" fill="none"/>',
        f'<text x="{LEFT - 8}" y="{top + 10}" text-anchor="end">{best:.10g}</text>',
        f'<text x="{LEFT - 8}" y="{top + PANE}" text-anchor="end">{worst:.10g}</text>',
        f'<text x="{LEFT + 6}" y="{top - 4}">{name}</text>',
    ]
    if points:
        path = f"M{across(points[0][0]):.1f} {up(points[0][1]):.1f}"
        path += "".join(f"H{across(at):.1f}V{up(value):.1f}" for at, value in points[1:])
        made.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return made


def _title(made: Map) -> str:
    own = made["self"]
    stands = "" if own is None else f": rank {own['rank']} of {made['total']} with {own['score']}"
    return f"{made['playerId']} in {made['eventKey']} at {_clock(made['at'])}{stands}"


def _mark(moment: Map) -> str:
    told = [f"{key} reset" for key in moment.get("resets", ())] + [f"{key} capped" for key in moment.get("capped", ())]
    told += [f"{one['verdict']} by {one['validatorKey']}" for one in moment.get("findings", ())]
    return f"{_clock(moment['at'])}: {', '.join(told)}"


def _clock(text: str) -> str:
    return text.replace("T", " ").removesuffix("Z").removesuffix(".000")


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
