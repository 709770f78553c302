"""No roll of a bundle or a milestone that loads comes to more than a grant and a balance hold (R-40, R-41)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_games import SURROUNDINGS, bullets, cash, crates, drawn, faults_of, game, load, race

from kraty_actors.definitions import DefinitionFaults, load_entries
from kraty_actors.definitions.rewards import MAX_ROLLED
from kraty_actors.definitions.scalars import MAX_WHOLE
from kraty_actors.domain.loot import Bundles, roll


def bundles(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"bundles": [SURROUNDINGS["bundles"][0], {"key": "b", "entries": list(entries)}]}


@pytest.mark.parametrize(
    "entries",
    [
        [cash(MAX_WHOLE - 1), cash({"min": 0, "max": 1})],
        [cash(MAX_WHOLE), bullets(MAX_WHOLE)],
        [drawn(2, cash(2**52 - 1)), cash(1)],
        [drawn(1, cash(MAX_WHOLE), cash(5))],
        [crates(MAX_ROLLED), drawn(MAX_ROLLED, cash(1))],
        [drawn(MAX_ROLLED // 2, crates(2), crates(1), bullets(1))],
    ],
)
def test_r41_what_comes_to_no_more_than_there_is_room_for_loads(entries: list[dict[str, Any]]):
    load(race(), **bundles(*entries))


def test_r41_a_currency_is_one_by_its_key_and_by_its_id():
    faults = faults_of(game(race(), **bundles(cash(MAX_WHOLE), cash(1, "currency-1"))))
    assert faults == {"bundles[1].entries": "may come to 9007199254740992 of currency 'cash', of at most 2^53 - 1"}


def test_r44_the_entries_of_a_milestone_are_judged_like_those_of_a_bundle():
    milestone = {"key": "one", "metricKey": "score", "threshold": 1}
    crowded = race(milestoneRewards=[{**milestone, "entries": [crates(MAX_ROLLED + 1), cash(MAX_WHOLE), cash(1)]}])
    with pytest.raises(DefinitionFaults) as raised:
        load(crowded)
    assert [(fault.path, fault.message.split()[3]) for fault in raised.value.faults] == [
        ("events[0].milestoneRewards[0].entries", str(MAX_ROLLED + 1)),
        ("events[0].milestoneRewards[0].entries", str(MAX_WHOLE + 1)),
    ]


def _around(limit: int) -> st.SearchStrategy[Any]:
    fixed = st.sampled_from([1, limit // 3, limit // 2, limit - 1, limit])
    return fixed | fixed.map(lambda most: {"min": 0, "max": most})


_plain = st.one_of(
    st.builds(cash, _around(MAX_WHOLE), st.sampled_from(["cash", "currency-1"])),
    st.builds(bullets, _around(MAX_WHOLE)),
    st.builds(crates, _around(MAX_ROLLED)),
)
_tables = st.builds(lambda rolls, lines: drawn(rolls, *lines), _around(6), st.lists(_plain, min_size=1, max_size=3))


@given(st.lists(_plain | _tables, min_size=1, max_size=4), st.integers(0, 2**30))
def test_r41_whatever_loads_rolls_within_what_a_grant_and_a_balance_hold(entries: list[dict[str, Any]], seed: int):
    try:
        loaded = load(race(), **bundles(*entries)).game
    except DefinitionFaults:
        return
    for n in range(5):
        loot = roll(Bundles.of(loaded)["b"], f"{seed}-{n}")
        sums: Counter[str] = Counter()
        for entry in loot.entries:
            sums[entry["type"]] += entry.get("amount", 0) + entry.get("quantity", 0)
        assert max(sums.values(), default=0) <= MAX_WHOLE
        assert max(len(loot.entries), len(loot.crates)) <= MAX_ROLLED


# -- entries that a server gives


def test_r41_entries_that_a_server_gives_are_settled_to_keys():
    given = load_entries([cash(5, "currency-1"), crates({"min": 1, "max": 2})], load(race()).game)
    assert given == load(race(), **bundles(cash(5), crates({"min": 1, "max": 2}))).game.bundles[1].entries


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ([cash(0)], "entries[0].amount"),
        ([cash(-5)], "entries[0].amount"),
        ([cash(1.5)], "entries[0].amount"),
        ([cash(True)], "entries[0].amount"),
        ([cash("5")], "entries[0].amount"),
        ([cash(2**53)], "entries[0].amount"),
        ([cash(2**53 - 1), cash(1)], "entries"),
        ([crates(1_001)], "entries"),
        ([crates(2**53 - 1)], "entries"),
        ([cash(5, "gems")], "entries[0].currencyKey"),
        ([bullets(1), {**bullets(1), "itemKey": "sword"}], "entries[1].itemKey"),
        ([{**crates(1), "crateItemKey": "bullet"}], "entries[0].crateItemKey"),
        ([drawn(2**53 - 1, cash(1))], "entries"),
        ([{**cash(5), "note": "x"}], "entries[0].note"),
        ([{"type": "bundle"}], "entries[0].type"),
        ([], "entries"),
        ([cash(1)] * 65, "entries"),
        (None, "entries"),
        ("cash", "entries"),
        ({"cash": 5}, "entries"),
    ],
    ids=str,
)
def test_r41_entries_that_a_server_gives_are_refused_with_their_places(data: Any, path: str):
    with pytest.raises(DefinitionFaults) as raised:
        load_entries(data, load(race()).game)
    assert {fault.path for fault in raised.value.faults} == {path}
