"""How long people waited, as a picture: over time, and for how many of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kraty_actors.bench.measured import Measured, Waits, percentile
from kraty_actors.simulation.report.axes import HEIGHT, WIDTH, Axis, Frame, text

COLOURS = ("#0969da", "#bc4c00", "#1a7f37", "#8250df")
NINES = (0.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9)
"""Percentiles at even distances: what is rare is as wide as what is usual."""

STYLE = """
svg { background: #ffffff; font: 11.5px sans-serif; } text { fill: #57606a; } .grid { stroke: #d8dee4; }
.axis, .tick { stroke: #57606a; } .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.faint { stroke-opacity: .45; stroke-dasharray: 4 3; }
"""


def picture(measured: Measured) -> str:
    """One SVG file that needs nothing but itself; a colour for each deed that was answered."""
    found = [(deed, waits) for deed, waits in measured.waits.items() if waits.ms]
    parts = [*_over_time(found, measured.seconds), *_moved(_by_percentile(found), HEIGHT), *_names(found)]
    size = f'viewBox="0 0 {WIDTH} {2 * HEIGHT + 24}" width="{WIDTH}" height="{2 * HEIGHT + 24}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="how long answers took">'
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>", ""])


def _over_time(found: Sequence[tuple[str, Waits]], seconds: float) -> Iterator[str]:
    """The median of each second, and above it, faint, its 99th percentile."""
    lines = [
        (colour, kind, [(second + 0.5, percentile(ms, percent)) for second, ms in waits.by_second()])
        for colour, (_, waits) in zip(COLOURS, found, strict=False)
        for percent, kind in ((50, ""), (99, " faint"))
    ]
    tallest = max((ms for _, _, points in lines for _, ms in points), default=1)
    frame = Frame(Axis.of(0, max(1, seconds), snug=True), _milliseconds(tallest), "seconds", "ms: p50, and faint p99")
    yield from frame.drawn()
    for colour, kind, points in lines:
        yield _curve(frame, points, colour, kind)


def _by_percentile(found: Sequence[tuple[str, Waits]]) -> Iterator[str]:
    curves = [
        (colour, [(float(at), percentile(ordered, percent)) for at, percent in enumerate(NINES)])
        for colour, ordered in zip(COLOURS, (sorted(waits.ms) for _, waits in found), strict=False)
    ]
    tallest = max((ms for _, points in curves for _, ms in points), default=1)
    places = Axis(0, len(NINES) - 1, ())
    frame = Frame(places, _milliseconds(tallest), "percentile", "ms")
    yield from frame.drawn()
    for at, percent in enumerate(NINES):
        yield text(frame.across(at), HEIGHT - 27, f"{percent:g}", "middle")
    for colour, points in curves:
        yield _curve(frame, points, colour, "")


def _milliseconds(tallest: float) -> Axis:
    return Axis.of(0, tallest, "milliseconds", most=5)


def _curve(frame: Frame, points: Sequence[tuple[float, float]], colour: str, kind: str) -> str:
    places = " L".join(f"{frame.across(x):.1f} {frame.down(y):.1f}" for x, y in points)
    return f'<path class="curve{kind}" stroke="{colour}" d="M{places}"/>'


def _moved(parts: Iterator[str], down: int) -> list[str]:
    return [f'<g transform="translate(0 {down})">', *parts, "</g>"]


def _names(found: Sequence[tuple[str, Waits]]) -> Iterator[str]:
    for at, (colour, (deed, _)) in enumerate(zip(COLOURS, found, strict=False)):
        x, y = 64 + at * 90, 2 * HEIGHT + 14
        yield f'<rect x="{x}" y="{y - 9}" width="11" height="11" rx="3" fill="{colour}"/>'
        yield text(x + 16, y, deed)
