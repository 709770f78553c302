"""The page about a simulation: one file that needs nothing else, well formed, and true to its figures (R-47)."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from scenes import POOL, behaving, runner, scenario

from kraty_actors.simulation.budget import Budget, judged
from kraty_actors.simulation.figures import Simulation, simulate
from kraty_actors.simulation.report import report
from kraty_actors.simulation.report.axes import Axis

LOBBIES: dict[str, Any] = {
    "leaderboard": {"mode": "lobby_matched", "capacity": 6, "fillTimeoutSeconds": 900},
    "botBindings": [{"botId": "climber", "count": 2}],
    "rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "lucky"}},
    "entryCost": {"currencies": [{"key": "cash", "amount": 50}]},
}
VOID = {"meta", "br", "hr"}


class Balanced(HTMLParser):
    """Counts what is opened and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "xlink:href", "onload")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _made(**fields: Any) -> Simulation:
    return simulate(scenario(30, runs=5, seed=2, **fields))


def _pictures(page: str) -> list[ET.Element]:
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


@pytest.mark.parametrize("fields", [LOBBIES, {"rewardPolicy": POOL}, {"leaderboard": {"mode": "none"}}])
def test_it_stands_by_itself(fields: dict[str, Any]):
    page = report([_made(**fields)], ["game.json"])
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert parser.fetched == []
    assert not re.search(r"<script|url\(|@import|https?://", page)
    assert page.isascii() or '<meta charset="utf-8">' in page
    assert _pictures(page)


def test_everything_is_drawn_within_its_picture():
    for picture in _pictures(report([_made(**LOBBIES)], ["game.json"])):
        _, _, width, height = map(float, picture.attrib["viewBox"].split())
        for part in picture.iter():
            for name, most in (
                ("x", width),
                ("x1", width),
                ("x2", width),
                ("y", height),
                ("y1", height),
                ("y2", height),
            ):
                assert -1 <= float(part.attrib.get(name, 0)) <= most + 1, part.attrib
            assert float(part.attrib.get("x", 0)) + float(part.attrib.get("width", 0)) <= width + 1
        assert "nan" not in ET.tostring(picture, "unicode").lower().split()


def test_bars_of_a_histogram_are_as_high_as_runs_are_many():
    with behaving(runner=runner):
        page = report([simulate(scenario(4, "runner", runs=8, rewardPolicy=POOL))], ["game.json"])
    paid = next(one for one in _pictures(page) if one.attrib["aria-label"].startswith("cash paid"))
    (bar,) = [part for part in paid.iter() if part.attrib.get("class") == "bar one"]
    grid = [float(part.attrib["y1"]) for part in paid.iter() if part.attrib.get("class") == "grid"]
    floor, top = max(grid), min(grid)
    marks = [float(text.text or 0) for text in paid.iter() if text.attrib.get("text-anchor") == "end" and text.text]
    assert float(bar.attrib["height"]) / (floor - top) == pytest.approx(8 / max(marks), abs=0.01)


def test_it_tells_of_budgets_and_of_what_was_assumed():
    made = _made(**LOBBIES, unlockCondition={"type": "owns_item", "itemKey": "bullet"})
    page = report([made], ["game.json"], [judged(made, Budget("cash", 10)), judged(made, Budget("gems", 10))])
    assert 'class="verdict over">over budget: cash' in page
    assert 'class="verdict within">within budget: gems' in page
    assert "unlockCondition: everybody passes owns_item bullet" in page
    assert made.fingerprint in page


def test_two_files_side_by_side_have_both_names_and_both_colours():
    pair = [_made(**LOBBIES), _made(**{**LOBBIES, "entryCost": None})]
    page = report(pair, ["before.json", "after.json"])
    assert page.count("before.json") >= 3
    assert "every figure of after.json" in page
    curves = [
        part.attrib["class"] for one in _pictures(page) for part in one.iter() if "curve" in part.get("class", "")
    ]
    assert {"curve one", "curve two"} <= set(curves)


def test_what_a_file_says_is_text_and_nothing_else():
    page = report([_made()], ["<b>&amp;.json", "x"][:1])
    pair = report([_made(), _made()], ["<b>a.json", '"><script>b.json'])
    for one in (page, pair):
        assert "<b>a" not in one
        assert "<script" not in one


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 7), (0, 950), (3, 3), (67_000, 88_000), (0, 0.35), (-20, 40)])
def test_an_axis_holds_its_values_and_marks_round_ones(low: float, high: float):
    axis = Axis.of(low, high, "share" if high < 1 else "count")
    assert axis.low <= low
    assert axis.high >= high
    assert 2 <= len(axis.ticks) <= 9
    steps = {round(second - first, 9) for first, second in zip(axis.ticks, axis.ticks[1:], strict=False)}
    assert len(steps) == 1
    assert f"{steps.pop():e}"[0] in "125"


def test_time_is_marked_in_hours():
    axis = Axis.of(0, 86_400, "seconds", snug=True)
    assert [tick / 3600 for tick in axis.ticks] == [0, 4, 8, 12, 16, 20, 24]
    assert axis.high == 86_400
