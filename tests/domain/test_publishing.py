"""A game file read at every start, against what operators changed meanwhile."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kraty_actors.domain.publishing import LISTS, merge

Game = dict[str, Any]
KEYS = ["a", "b", "c"]


def definition(key: str, value: int) -> dict[str, Any]:
    return {"key": key, "name": str(value)}


@st.composite
def games(draw: st.DrawFn) -> Game:
    """A game with a few definitions in two of its lists, and perhaps settings."""
    game: Game = {"gameId": "arena"}
    for kind in ("bots", "events"):
        entries = draw(st.dictionaries(st.sampled_from(KEYS), st.integers(0, 2)))
        if entries:
            game[kind] = [definition(key, value) for key, value in entries.items()]
    if draw(st.booleans()):
        game["settings"] = {"seed": draw(st.integers(0, 2))}
    return game


def named(game: Game) -> dict[tuple[str, str], Any]:
    entries = {(kind, entry["key"]): entry for kind in LISTS for entry in game.get(kind, ())}
    return entries | ({("settings", "settings"): game["settings"]} if "settings" in game else {})


steps = st.lists(st.tuples(st.sampled_from(["file", "operator"]), games()), max_size=6)


@given(steps)
def test_each_definition_stands_as_the_last_who_said_something_new_put_it(done: list[tuple[str, Game]]):
    """The twin keeps, for each name, what stands and what the file said when it was last loaded."""
    standing: Game | None = None
    digests: dict[str, Any] = {}
    stands: dict[tuple[str, str], Any] = {}
    last_file: dict[tuple[str, str], Any] = {}
    for who, game in done:
        merged = merge(standing, copy.deepcopy(game), digests if who == "file" else {})
        said = named(game)
        known = last_file if who == "file" else {}
        new = {name for name in said if said[name] not in (known.get(name), stands.get(name))}
        stands |= {name: said[name] for name in new}
        assert {tuple(name) for name in merged.changed} == new
        assert len(merged.changed) == len(new)
        assert named(merged.game) == stands
        if who == "file":
            gone = last_file.keys() - said.keys()
            assert {fault.path for fault in merged.warnings} == {path(*name) for name in gone}
            last_file, digests = said, merged.file
        standing = merged.game


def path(kind: str, key: str) -> str:
    return "settings" if kind == "settings" else f"{kind}.{key}"


FILE = {"gameId": "arena", "events": [definition("daily", 1), definition("weekly", 1)]}


def test_an_operators_change_survives_a_restart_with_the_same_file():
    first = merge(None, FILE, {})
    put = merge(first.game, {"gameId": "arena", "events": [definition("daily", 2)]}, {})
    assert put.changed == [["events", "daily"]]
    again = merge(put.game, FILE, first.file)
    assert (again.changed, again.game, again.warnings) == ([], put.game, [])
    assert again.game["events"] == [definition("daily", 2), definition("weekly", 1)]


def test_an_older_file_is_a_change_and_a_shorter_one_a_warning():
    first = merge(None, FILE, {})
    second = merge(first.game, {"gameId": "arena", "events": [definition("daily", 2)]}, first.file)
    assert second.changed == [["events", "daily"]]
    assert [str(fault.path) for fault in second.warnings] == ["events.weekly"]
    assert second.game["events"] == [definition("daily", 2), definition("weekly", 1)]
    back = merge(second.game, FILE, second.file)
    assert back.game["events"] == FILE["events"]


def test_the_order_of_fields_says_nothing():
    first = merge(None, FILE, {})
    turned = {"gameId": "arena", "events": [dict(reversed(entry.items())) for entry in FILE["events"]]}
    assert merge(first.game, turned, first.file).changed == []
