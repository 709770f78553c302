"""The kinds of pictures in a report. Each has one or two series: of the file, and of the one that it is compared to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kraty_actors.domain.numbers import Number
from kraty_actors.simulation.figures import Moment, quantile
from kraty_actors.simulation.report.axes import BOTTOM, HEIGHT, TOP, WIDTH, Axis, Frame, picture, text
from kraty_actors.simulation.summary import Unit, written
from kraty_actors.simulation.tally import Place

BINS = 24

ROW, BARS_AT = 22, 190
"""Height of one bar that lies, and where it begins."""

COLOURS = ("one", "two")
"""The style of each series."""


@dataclass(slots=True, frozen=True)
class Line:
    """A value that is marked in a picture."""

    value: Number
    words: str
    kind: str


def histogram(
    label: str, series: Sequence[Sequence[Number]], lines: Sequence[Line], x_title: str, y_title: str,
    unit: Unit = "count",
) -> str:  # fmt: skip
    """How often values occur. Below the bars each single value is a thin mark, where there are not too many."""
    every = [value for values in series for value in values] + [line.value for line in lines]
    x = Axis.of(min(every), max(every), unit)
    width = (x.high - x.low) / BINS
    if unit == "count":
        width = max(1, -(-int(x.high - x.low) // BINS))
    bins = int(-(-(x.high - x.low) // width)) + 1
    x = Axis(x.low - width / 2, x.low + (bins - 0.5) * width, x.ticks, unit)
    counts = [_counts(values, x.low, width, bins) for values in series]
    frame = Frame(x, Axis.of(0, max(map(max, counts)), most=5), x_title, y_title)
    parts = list(frame.drawn())
    for kind, found in zip(COLOURS, counts, strict=False):
        parts += _bars(frame, found, width, kind)
    floor = HEIGHT - BOTTOM
    for kind, values in zip(COLOURS, series, strict=False):
        if len(values) <= 200:
            places = sorted({round(frame.across(value), 1) for value in values})
            parts += [f'<line class="rug {kind}" x1="{at}" x2="{at}" y1="{floor}" y2="{floor - 6}"/>' for at in places]
    parts += _marked(frame, lines)
    return picture(label, parts)


def _counts(values: Sequence[Number], low: float, width: float, bins: int) -> list[int]:
    counts = [0] * bins
    for value in values:
        counts[min(int((value - low) / width), bins - 1)] += 1
    return counts


def _bars(frame: Frame, counts: Sequence[int], width: float, kind: str) -> Iterator[str]:
    floor = HEIGHT - BOTTOM
    for at, count in enumerate(counts):
        if count:
            left, right = (frame.across(frame.x.low + step * width) for step in (at, at + 1))
            top = frame.down(count)
            yield (
                f'<rect class="bar {kind}" x="{left + 0.5:.1f}" y="{top:.1f}" width="{max(right - left - 1, 1):.1f}" '
                f'height="{floor - top:.1f}"/>'
            )


def _marked(frame: Frame, lines: Sequence[Line]) -> Iterator[str]:
    """Values with their names; names that would lie on one another go below one another."""
    ends: list[float] = []
    for line in sorted(lines, key=lambda one: one.value):
        x = frame.across(line.value)
        row = next((row for row, end in enumerate(ends) if end < x), len(ends))
        ends[row : row + 1] = [x + 6.2 * len(line.words) + 10]
        is_right = x + 6.2 * len(line.words) > WIDTH
        yield f'<line class="mark {line.kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        y = TOP + 10 + row * 13
        anchor = "end" if is_right else "start"
        yield text(x - 4 if is_right else x + 4, y, line.words, anchor, f"name {line.kind}")


def completions(label: str, series: Sequence[Sequence[Moment]]) -> str:
    """How many attempts are completed by when: the mean of all runs, and between which values 90 % of them lie."""
    end = max(moments[-1].seconds for moments in series)
    top = max(float(moments[-1].completed.at(95)) for moments in series)
    frame = Frame(Axis.of(0, end, "seconds", snug=True), Axis.of(0, top, most=5), "since the opening", "completed")
    parts = list(frame.drawn())
    for kind, moments in zip(COLOURS, series, strict=False):
        upper = [(one.seconds, one.completed.at(95)) for one in moments]
        lower = [(one.seconds, one.completed.at(5)) for one in reversed(moments)]
        parts.append(f'<path class="band {kind}" d="{_path(frame, [*upper, *lower])}Z"/>')
    for kind, moments in zip(COLOURS, series, strict=False):
        parts.append(_curve(frame, [(one.seconds, one.completed.mean) for one in moments], kind))
    return picture(label, parts)


def ranks(label: str, with_bots: Sequence[Number], without: Sequence[Number]) -> str:
    """Which share of players stands on a rank or above it: with the bots, and if there were none."""
    last = max(with_bots[-1], without[-1])
    frame = Frame(Axis.of(1, last, snug=True), Axis.of(0, 1, "share", most=5), "rank", "players on it or above")
    parts = list(frame.drawn())
    for kind, found in (("two", without), ("one", with_bots)):
        parts.append(_curve(frame, _steps(found, int(last)), kind))
    return picture(label, parts)


def _steps(found: Sequence[Number], last: int) -> list[tuple[Number, Number]]:
    every = max(1, last // 300)
    ranks = [*range(1, last + 1, every), last]
    return [(rank, bisect_right(found, rank) / len(found)) for rank in ranks]


def _curve(frame: Frame, points: Sequence[tuple[Number, Number]], kind: str) -> str:
    return f'<path class="curve {kind}" d="{_path(frame, points)}"/>'


def _path(frame: Frame, points: Sequence[tuple[Number, Number]]) -> str:
    return "M" + "L".join(f"{frame.across(x):.1f} {frame.down(y):.1f}" for x, y in points)


def lying_bars(label: str, rows: Sequence[tuple[str, Number]], other_rows: Sequence[tuple[str, Number]] = ()) -> str:
    """Values from a common beginning, one below the other, each with its name and number; the other ones have another
    colour."""
    every = [*((name, value, "one") for name, value in rows), *((name, value, "two") for name, value in other_rows)]
    top = max(float(value) for _, value, _ in every) or 1
    room = WIDTH - BARS_AT - 110
    parts = []
    for at, (name, value, kind) in enumerate(every):
        y, width = 4 + at * ROW, max(float(value), 0) / top * room
        parts.append(text(BARS_AT - 8, y + ROW / 2 + 4, _short(name, 28), "end"))
        parts.append(f'<rect class="bar {kind}" x="{BARS_AT}" y="{y + 3}" width="{width:.1f}" height="{ROW - 6}"/>')
        parts.append(text(BARS_AT + width + 6, y + ROW / 2 + 4, written(value)))
    return picture(label, parts, 8 + len(every) * ROW)


def standings(label: str, places: Sequence[Place]) -> str:
    """A final board: how long each row's bar is says how high its score is."""
    top = max((abs(float(place.score)) for place in places), default=0) or 1
    start, room, row = BARS_AT, WIDTH - BARS_AT - 100, 18
    parts = []
    for at, place in enumerate(places):
        y = 4 + at * row
        kind = "two" if place.is_bot else "one"
        width = abs(float(place.score)) / top * room
        parts.append(text(34, y + 12, f"{place.rank}", "end"))
        parts.append(text(start - 8, y + 12, _short(place.name, 24), "end"))
        parts.append(f'<rect class="bar {kind}" x="{start}" y="{y + 2}" width="{width:.1f}" height="{row - 5}"/>')
        parts.append(text(start + width + 6, y + 12, written(place.score)))
    return picture(label, parts, 8 + len(places) * row)


def quantile_lines(values: Sequence[Number], unit: Unit = "count", percents: Sequence[float] = (50, 95)) -> list[Line]:
    """The quantiles of some values, to be marked."""
    ordered = sorted(values)
    found = [(percent, quantile(ordered, percent)) for percent in percents]
    return [Line(value, f"p{written(percent)} {written(value, unit)}", "quantile") for percent, value in found]


def _short(words: str, longest: int) -> str:
    return words if len(words) <= longest else words[: longest - 1] + "…"
