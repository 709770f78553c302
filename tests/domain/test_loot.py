"""What entries come to when they are rolled: ends, shapes, crates, and the same for the same key (R-41)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rolling import BULLETS, amounts, bundle, cash, entries, rolled, table

from kraty_actors.definitions.rewards import EntryCrate, EntryCurrency, EntryItem, EntryTable, PlainEntry, Range
from kraty_actors.domain.ids import digest_id
from kraty_actors.domain.loot import Loot, grants_of, roll

GOLDEN = json.loads((Path(__file__).parent / "loot_golden.json").read_text())
CRATE = {"type": "crate", "crateItemKey": "wooden"}


# -- fixed entries


def test_r41_what_is_fixed_comes_as_a_grant_holds_it_and_is_not_sampled():
    defined = entries(cash(500), {**BULLETS, "quantity": 5, "parameters": {"skin": ["red"]}}, BULLETS)
    loot = roll(defined, "g1")
    assert loot.entries == [
        {"type": "currency", "currencyKey": "cash", "amount": 500},
        {"type": "item", "itemKey": "bullet", "quantity": 5, "parameters": {"skin": ["red"]}},
        {"type": "item", "itemKey": "bullet", "quantity": 1, "parameters": {}},
    ]
    assert (loot.crates, loot.sampled) == ([], False)


def test_r41_what_can_come_out_in_one_way_only_is_not_sampled():
    certain = entries(cash({"min": 7, "max": 7}, chance=1), table([3], rolls={"min": 2, "max": 2, "step": 5}))
    loot = roll(certain, "g1")
    assert (amounts([loot]), loot.sampled) == ([7, 1, 1], False)


def test_r41_chance_counts_as_sampled_even_where_it_gives_nothing():
    loots = rolled(entries(cash(5, chance=0.5)), 50)
    assert {len(loot.entries) for loot in loots} == {0, 1}
    assert all(loot.sampled for loot in loots)


# -- ranges


@pytest.mark.parametrize(
    ("drawn", "values"),
    [
        ({"min": 1, "max": 6}, [1, 2, 3, 4, 5, 6]),
        ({"min": 100, "max": 1000, "step": 100}, list(range(100, 1001, 100))),
        ({"min": 3, "max": 4}, [3, 4]),
        ({"min": 0, "max": 2**53 - 1, "step": 2**53 - 1}, [2**53 - 1]),  # and 0, which gives no entry
    ],
)
def test_r41_a_range_gives_each_of_its_steps_and_both_its_ends(drawn: dict[str, int], values: list[int]):
    assert sorted(set(amounts(rolled(entries(cash(drawn)), 400)))) == values


def test_r41_ranges_give_quantities_of_items_crates_and_rolls_too():
    drawn = {"min": 0, "max": 2}
    items = rolled(entries({**BULLETS, "quantity": drawn}), 100)
    assert {sum(entry["quantity"] for entry in loot.entries) for loot in items} == {0, 1, 2}
    crates = rolled(entries({**CRATE, "quantity": drawn}), 100)
    assert {len(loot.crates) for loot in crates} == {0, 1, 2}
    tables = rolled(entries(table([1], rolls=drawn)), 100)
    assert {len(loot.entries) for loot in tables} == {0, 1, 2}


def test_r41_what_comes_to_nothing_leaves_no_entry():
    nothing = entries(cash({"min": 0, "max": 0}), {**BULLETS, "quantity": {"min": 0, "max": 0}})
    assert roll(nothing, "g1") == Loot([], [], sampled=False)


# -- crates and grants


def test_r41_each_crate_is_a_grant_of_its_own_beside_the_reward():
    loot = roll(entries(cash(5), {**CRATE, "quantity": 2}, {**CRATE, "crateItemKey": "iron"}), "g1")
    assert loot.crates == ["wooden", "wooden", "iron"]
    reward, *crates = grants_of(loot, grant_id="g1", player=7, source_kind="event_window", source_ref="w1", at=1_000)
    assert (reward.grant_id, reward.kind, reward.parent) == ("g1", "reward", None)
    assert reward.entries == [{"type": "currency", "currencyKey": "cash", "amount": 5}]
    assert [pay.entries for pay in crates] == [
        [{"type": "crate", "crateItemKey": name, "quantity": 1}] for name in ("wooden", "wooden", "iron")
    ]
    assert [pay.grant_id for pay in crates] == [digest_id("g", "g1", "crate", n) for n in range(3)]
    assert {(pay.kind, pay.parent) for pay in crates} == {("crate", "g1")}
    assert {(pay.player, pay.source_kind, pay.source_ref, pay.at) for pay in (reward, *crates)} == {
        (7, "event_window", "w1", 1_000)
    }


def test_r41_a_reward_of_crates_alone_or_of_nothing_is_still_a_grant():
    common: dict[str, Any] = {"player": 7, "source_kind": "event_completion", "source_ref": "w1.1.1", "at": 5}
    assert [pay.kind for pay in grants_of(Loot(crates=["wooden"]), grant_id="g1", **common)] == ["reward", "crate"]
    assert [pay.entries for pay in grants_of(Loot(), grant_id="g1", **common)] == [[]]


# -- the same on every machine


def test_r41_the_chance_of_a_key_is_shake_256_in_64_bit_words():
    """The words of `printf 'loot\\0g1\\0\\0\\0\\0\\0\\0\\0\\0' | openssl dgst -shake256 -xoflen 24`, in order: of
    0 .. 2^53 - 2 each is taken modulo their number."""
    words = [0xD06EE1A7581D1900, 0x499E49D373F82C9B, 0xE36DAE2FEACE53D5]
    drawn = [cash({"min": 1, "max": 2**53 - 1})] * 3
    assert amounts([roll(entries(*drawn), "g1")]) == [1 + word % (2**53 - 1) for word in words]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_r41_the_rolls_of_these_keys_are_these_on_every_python(case: dict[str, Any]):
    defined = bundle("payout", *case["entries"]).entries
    for key, pinned in case["rolls"].items():
        loot = roll(defined, key)
        assert [loot.entries, loot.crates] == pinned, key


# -- whatever is defined

_whole = st.integers(1, 2**53 - 1)


@st.composite
def _ranges(draw: st.DrawFn, most: int) -> dict[str, int]:
    low, step = draw(st.integers(0, most)), draw(st.integers(1, most))
    return {"min": low, "max": low + step * draw(st.integers(0, (most - low) // step)), "step": step}


_amounts = st.one_of(_whole, _ranges(2**53 - 1))
_few = st.one_of(st.integers(1, 5), _ranges(5))
_chances = st.floats(0, 1, exclude_min=True)
_weights = st.one_of(st.integers(1, 2**53 - 1), st.floats(0, 2**53 - 1, exclude_min=True))
_plain = st.one_of(
    st.builds(lambda amount, chance: cash(amount, chance=chance), _amounts, _chances),
    st.builds(lambda quantity, chance: {**BULLETS, "quantity": quantity, "chance": chance}, _amounts, _chances),
    st.builds(lambda quantity, chance: {**CRATE, "quantity": quantity, "chance": chance}, _few, _chances),
)
_tables = st.builds(
    lambda lines, rolls: {
        "type": "table",
        "rolls": rolls,
        "weightedEntries": [{"weight": weight, "entry": entry} for weight, entry in lines],
    },
    st.lists(st.tuples(_weights, _plain), min_size=1, max_size=4),
    _few,
)
_bundles = st.lists(st.one_of(_plain, _tables), min_size=1, max_size=4)


def _fits(got: int, amount: int | Range) -> bool:
    if isinstance(amount, Range):
        return amount.min <= got <= amount.max and (got - amount.min) % amount.step == 0
    return got == amount


def _gives(line: PlainEntry, entry: dict[str, Any]) -> bool:
    match line:
        case EntryCurrency():
            return entry["type"] == "currency" and _fits(entry["amount"], line.amount)
        case EntryItem():
            return entry["type"] == "item" and _fits(entry["quantity"], line.quantity)
        case _:
            return False


def _most(amount: int | Range) -> int:
    return amount.max if isinstance(amount, Range) else amount


@given(_bundles, st.text(st.characters(codec="utf-8"), max_size=20))
def test_r41_the_same_key_rolls_the_same_within_what_is_defined(defined: list[dict[str, Any]], key: str):
    bound = entries(*defined)
    loot = roll(bound, key)
    assert roll(entries(*defined), key) == loot
    lines = [
        (line, times)
        for entry in bound
        for times, inner in (
            [(_most(entry.rolls), [one.entry for one in entry.weighted_entries])]
            if isinstance(entry, EntryTable)
            else [(1, [entry])]
        )
        for line in inner
    ]
    assert all(any(_gives(line, entry) for line, _ in lines) for entry in loot.entries)
    assert all(entry.get("amount", entry.get("quantity")) > 0 for entry in loot.entries)
    assert len(loot.entries) <= sum(times for _, times in lines)
    assert len(loot.crates) <= sum(
        _most(line.quantity) * times for line, times in lines if isinstance(line, EntryCrate)
    )


@given(_bundles, st.integers(0, 5), st.integers(0, 2**30))
def test_r41_certain_entries_come_whatever_stands_around_them(defined: list[dict[str, Any]], at: int, key: int):
    """The number of crates and every amount of what is fixed is exact, in the order of definition."""
    with_certain = [*defined[:at], cash(424_242), {**CRATE, "crateItemKey": "sure", "quantity": 3}, *defined[at:]]
    loot = roll(entries(*with_certain), str(key))
    assert {"type": "currency", "currencyKey": "cash", "amount": 424_242} in loot.entries
    assert loot.crates.count("sure") == 3
    before = roll(entries(*with_certain[: len(defined[:at]) + 2]), str(key))
    assert loot.entries[: len(before.entries)] == before.entries
