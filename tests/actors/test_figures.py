"""What is counted is what happened, however it is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kraty_actors.actors.figures import SECONDS, Histogram, kind_of
from kraty_actors.domain import ids

TIMES = st.lists(st.sampled_from([0.0, 0.0004, 0.0005, 0.001, 0.5, 3.0, 10.0, 11.0, 600.0]), max_size=50)


@given(TIMES)
def test_a_histogram_counts_what_is_at_most_each_bound(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    buckets = dict(histogram.buckets())
    for bound in SECONDS:
        assert buckets[str(bound)] == sum(value <= bound for value in values)
    assert buckets["+Inf"] == histogram.count == len(values)
    assert histogram.total == pytest.approx(sum(values))


@given(TIMES)
def test_what_began_is_counted_by_how_long_it_took(values: list[float]) -> None:
    one, other = Histogram(), Histogram()
    now = 2.0**20
    begun = [now - value for value in values]
    for at in begun:
        one.add(now - at)
    other.add_since(begun, now)
    assert other.buckets() == one.buckets()
    assert other.total == pytest.approx(one.total, abs=1e-6)


def test_an_actors_kind_shows_in_its_id() -> None:
    window = ids.window_id("race", 0)
    names = {
        ids.CALENDAR: "calendar",
        window: "window",
        ids.contest_id(window, 1): "contest",
        ids.board_id("weekly", 0): "shared_board",
        ids.player_windows_id("race"): "player_windows",
    }
    assert {name: kind_of(name) for name in names} == names
