"""A revision holds the bundles that its event pays, so that a window pays what stood when it opened (R-5, R-41)."""

from __future__ import annotations

from typing import Any

import pytest
from calendar_play import ALWAYS, Play, hourly
from playing import event, frozen, thawed
from rolling import amounts, bundle, cash

from kraty_actors.definitions import GameFile
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.loot import Bundles, roll
from kraty_actors.domain.rules import Rules

FIXED = {"type": "fixed_bundle", "parameters": {"rewardBundleId": "payout"}}
RANKED = {
    "type": "rank_scaled",
    "parameters": {
        "tiers": [
            {"fromRank": 11, "rewardBundleId": "rest"},
            {"fromRank": 1, "toRank": 1, "rewardBundleId": "B-1"},
            {"fromRank": 2, "toRank": 4, "rewardBundleId": "payout"},
        ]
    },
}
MILESTONES = [
    {"key": "three", "metricKey": "points", "threshold": 3, "rewardBundleId": "payout"},
    {"key": "four", "metricKey": "points", "threshold": 4, "entries": [cash(4)]},
]
BUNDLES = Bundles([bundle("payout", cash(500)), bundle("best", cash(1000), id="B-1"), bundle("rest", cash(1))])


def _rules(**fields: Any) -> Rules:
    return Rules(1, event(**fields), [], [], None, BUNDLES)


def _paid(entries: Any) -> list[int]:
    return amounts([roll(entries, "g1")])


def _putting(play: Play, *bundles: dict[str, Any], **fields: Any) -> int:
    """Put an event with these bundles around it; its revision then."""
    play.game["bundles"] = list(bundles)
    play.put(race={"availability": ALWAYS, **fields})
    return play.view("race").rules.revision


def _payout(amount: int, key: str = "payout", **fields: Any) -> dict[str, Any]:
    return {"key": key, "entries": [cash(amount)], **fields}


def test_r41_bundles_are_found_by_key_and_by_id():
    game = GameFile.model_validate({"gameId": "arena", "bundles": [_payout(500, id="B-9"), _payout(1, "other")]})
    bundles = Bundles.of(game)
    assert bundles["payout"] is bundles["B-9"] is game.bundles[0].entries
    assert bundles.bundle("B-9").key == "payout"
    assert (list(bundles), "B-9" in bundles, "nowhere" in bundles) == (["payout", "other"], True, False)
    with pytest.raises(KeyError):
        bundles["nowhere"]


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({}, []),
        ({"rewardPolicy": FIXED}, ["payout"]),
        ({"rewardPolicy": RANKED}, ["best", "payout", "rest"]),
        ({"milestoneRewards": MILESTONES}, ["payout"]),
    ],
    ids=["none", "fixed", "ranked", "milestones"],
)
def test_r5_a_revision_holds_the_bundles_that_the_event_pays_and_no_others(fields: dict[str, Any], keys: list[str]):
    rules = _rules(**fields)
    assert list(rules.bundles) == keys
    restored = Rules.restored(rules.dump())
    assert (restored.dump(), list(restored.bundles)) == (rules.dump(), keys)
    assert all(restored.bundles[key] == BUNDLES[key] for key in keys)


def test_r42_a_fixed_bundle_is_paid_for_completion_and_nothing_for_a_rank():
    rules = _rules(rewardPolicy=FIXED)
    assert _paid(rules.completion_entries) == [500]
    assert rules.rank_entries(1) is None
    assert _rules().completion_entries is None


def test_r42_a_rank_is_paid_by_its_tier_wherever_that_stands_and_nothing_in_a_gap():
    rules = _rules(rewardPolicy=RANKED)
    paid = {
        rank: entries and _paid(entries)
        for rank in (1, 2, 4, 5, 10, 11, 2**53)
        for entries in [rules.rank_entries(rank)]
    }
    assert paid == {1: [1000], 2: [500], 4: [500], 5: None, 10: None, 11: [1], 2**53: [1]}
    assert rules.completion_entries is None


def test_r44_a_milestone_pays_its_own_entries_or_its_bundle():
    rules = _rules(milestoneRewards=MILESTONES)
    assert [_paid(rules.milestone_entries(one)) for one in rules.event.milestone_rewards] == [[500], [4]]


@pytest.mark.parametrize(
    "fields", [{"rewardPolicy": FIXED}, {"milestoneRewards": MILESTONES}], ids=["policy", "milestone"]
)
def test_r5_an_edited_bundle_is_a_new_revision_of_the_events_that_pay_it(fields: dict[str, Any]):
    play = Play()
    assert _putting(play, _payout(500), **fields) == 1
    assert _putting(play, _payout(500), **fields) == 1
    assert _putting(play, _payout(600), **fields) == 2
    assert [window.revision for window in play.view("race").windows] == [1]
    assert [_paid(play.library.rules("race", n).bundles["payout"]) for n in (1, 2)] == [[500], [600]]


def test_r5_a_bundle_that_an_event_does_not_pay_is_nothing_to_it():
    play = Play()
    assert _putting(play, _payout(500), _payout(1, "other"), rewardPolicy=FIXED) == 1
    assert _putting(play, _payout(500), _payout(2, "other"), _payout(3, "new"), rewardPolicy=FIXED) == 1
    assert _putting(play, _payout(3, "new"), _payout(500), rewardPolicy=FIXED) == 1


def test_r5_a_calendar_that_comes_back_has_what_each_of_its_windows_pays():
    play = Play()
    _putting(play, _payout(500), rewardPolicy=FIXED)
    _putting(play, _payout(600), rewardPolicy=FIXED)
    library = Library()
    back = thawed(Calendar(library), frozen(play.calendar))
    assert [_paid(library.rules("race", n).completion_entries) for n in (1, 2)] == [[500], [600]]
    assert frozen(back) == frozen(play.calendar)


def test_r5_a_window_to_come_pays_what_stands_when_it_opens():
    play = Play()
    _putting(play, _payout(500), rewardPolicy=FIXED, availability=hourly("09:00", "10:00"))
    play.at(1)
    _putting(play, _payout(600), rewardPolicy=FIXED, availability=hourly("09:00", "10:00"))
    play.at(2)
    revisions = [window.revision for window in play.view("race").windows]
    assert [_paid(play.library.rules("race", n).completion_entries) for n in revisions] == [[500], [600]]
