"""A view computes any delta from what it remembers (R-34), and what it remembers is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kraty_actors.gateway import hub
from kraty_actors.gateway.hub import View, ViewKey

KEY = ViewKey("board", 5, None, 0, ())
NAMES = [f"p{number}" for number in range(8)]


def rows(names: list[str]) -> list[dict[str, object]]:
    return [{"participantId": name, "score": len(names) - at, "rank": at + 1} for at, name in enumerate(names)]


def apply(copy: dict[str, dict[str, object]], delta: dict[str, object]) -> dict[str, dict[str, object]]:
    """A client's side of it, as the wire contract describes it."""
    kept = {name: row for name, row in copy.items() if name not in delta["removed"]}
    return kept | {row["participantId"]: row for row in delta["entries"]}


@given(st.lists(st.lists(st.sampled_from(NAMES), unique=True, max_size=5), min_size=2, max_size=12))
def test_r34_a_delta_from_any_version_gives_the_view_as_it_is(boards: list[list[str]]) -> None:
    view = View(KEY, "v1")
    copies = {}
    for version, names in enumerate(boards, 1):
        view.take(version, len(names), rows(names))
        copies[view.version] = {entry["participantId"]: entry for entry in view.entries()}
    for since, copy in copies.items():
        assert view.knows(since)
        assert apply(copy, view.delta(since)) == copies[view.version]


def test_r34_a_view_forgets_rows_that_left_long_ago_and_then_gives_no_delta(monkeypatch) -> None:
    monkeypatch.setattr(hub, "REMOVED_MAX", 10)
    view = View(KEY, "v1")
    for version in range(1, 50):
        view.take(version, 1, rows([f"p{version}"]))
        assert len(view.removed) <= 10
    assert not view.knows(1)
    assert view.knows(view.version)
    oldest = view.born
    copy = {f"p{oldest}": rows([f"p{oldest}"])[0]}
    assert apply(copy, view.delta(oldest)) == {"p49": rows(["p49"])[0]}


def test_r34_an_older_answer_of_the_board_changes_nothing() -> None:
    view = View(KEY, "v1")
    view.take(5, 2, rows(["p1", "p2"]))
    assert not view.take(4, 1, rows(["p3"]))
    assert [entry["participantId"] for entry in view.entries()] == ["p1", "p2"]
