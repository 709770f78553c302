"""Frames for pictures: from values to places on the paper, and the marks between them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from kraty_actors.domain.numbers import Number
from kraty_actors.simulation.summary import Unit, written

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 14, 44
_HOURS = (1, 2, 3, 4, 6, 12, 24, 48, 72, 168, 336, 720)
_MINUTES = (1, 2, 5, 10, 15, 20, 30)


@dataclass(slots=True, frozen=True)
class Axis:
    """Values from `low` to `high` on one side of a picture, with marks at `ticks`."""

    low: float
    high: float
    ticks: Sequence[float]
    unit: Unit = "count"

    @classmethod
    def of(cls, low: float, high: float, unit: Unit = "count", *, most: int = 6, snug: bool = False) -> Axis:
        """An axis that holds both; round values are marked. `snug` ends it where the values end."""
        if high <= low:
            high = low + 1
        step = _step((high - low) / most, unit)
        first = math.ceil(low / step - 1e-9) if snug else math.floor(low / step + 1e-9)
        last = math.floor(high / step + 1e-9) if snug else math.ceil(high / step - 1e-9)
        ticks = [at * step for at in range(first, last + 1)]
        return cls(low, high, ticks, unit) if snug else cls(ticks[0], ticks[-1], ticks, unit)

    def share(self, value: float) -> float:
        """Where the value stands between both ends, 0 to 1."""
        return (value - self.low) / (self.high - self.low)


@dataclass(slots=True, frozen=True)
class Frame:
    """A picture with two axes."""

    x: Axis
    y: Axis
    x_title: str
    y_title: str

    def across(self, value: float) -> float:
        return LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT)

    def down(self, value: float) -> float:
        return HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM)

    def drawn(self) -> Iterator[str]:
        """The marks, lines and titles."""
        for tick in self.y.ticks:
            y = self.down(tick)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield text(LEFT - 8, y + 4, written(_tidy(tick), self.y.unit), "end")
        floor = HEIGHT - BOTTOM
        for tick in self.x.ticks:
            x = self.across(tick)
            yield f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{floor}" y2="{floor + 4}"/>'
            yield text(x, floor + 17, written(_tidy(tick), self.x.unit), "middle")
        yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}"/>'
        yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, self.x_title, "middle", "title")
        middle = (TOP + HEIGHT - BOTTOM) / 2
        yield (
            f'<text class="title" text-anchor="middle" transform="translate(13 {middle:.0f}) rotate(-90)">'
            f"{escape(self.y_title)}</text>"
        )


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    """A line of text."""
    styled = f' class="{kind}"' if kind else ""
    return f'<text{styled} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def picture(label: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    """Parts of a picture, as SVG."""
    body = "\n".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">\n{body}\n</svg>'


def _step(least: float, unit: Unit) -> float:
    """The round distance of two marks that is at least this long."""
    if unit == "seconds" and least > 20:
        lengths = [60 * one for one in _MINUTES] + [3600 * one for one in _HOURS]
        found = next((one for one in lengths if one >= least), None)
        if found is not None:
            return found
    tens = 10.0 ** math.floor(math.log10(least))
    step = next(one for one in (tens, 2 * tens, 5 * tens, 10 * tens) if one >= least * 0.999999)
    return max(step, 1.0) if unit == "count" else step


def _tidy(value: float) -> Number:
    """Without what binary fractions add: 0.30000000000000004 is 0.3."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
