"""What the pictures of these pages are drawn with: plain SVG, one sheet like the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

WIDTH = 720
PAPER, INK = "#ffffff", "#57606a"
BLUE, VIOLET, ORANGE, GREEN = "#0969da", "#8250df", "#bc4c00", "#1a7f37"


def text(x: float, y: float, words: str, anchor: str = "start", colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def sheet(about: str, height: float, parts: Sequence[str]) -> str:
    """A whole picture; `about` is what a screen reader says of it."""
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{about}"'
    paper = f'<rect width="{WIDTH}" height="{height}" rx="6" fill="{PAPER}"/>'
    return "\n".join([f'{head} font-family="sans-serif" font-size="12">', paper, *parts, "</svg>", ""])


def keep(folder: str, pictures: Mapping[str, str]) -> None:
    """Write pictures where their page shows them."""
    there = Path(__file__).with_name(folder)
    there.mkdir(exist_ok=True)
    for name, svg in pictures.items():
        there.joinpath(f"{name}.svg").write_text(svg, "utf-8")
