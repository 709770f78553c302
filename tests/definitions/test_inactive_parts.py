"""What does not run yet is named, so that a price or a gate is never ignored."""

from __future__ import annotations

from typing import Any

import pytest
from small_games import example, game, load, race
from test_definition_faults import DAILY, lobby, pool, tiers, validator

from kraty_actors.definitions import inactive_parts, load_game

ATTRIBUTE = {"type": "player_attribute", "key": "level", "op": "exists"}

INACTIVE = [
    ({"rewardPolicy": tiers((1, None))}, "rewardPolicy.type", "reward policy 'rank_scaled'"),
    (
        {"rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "payout"}}},
        "rewardPolicy.type",
        "reward policy 'fixed_bundle'",
    ),
    (
        {"milestoneRewards": [{"key": "m", "metricKey": "score", "threshold": 1, "rewardBundleId": "payout"}]},
        "milestoneRewards",
        "milestone rewards",
    ),
    ({"entryCost": {"items": [{"key": "bullet", "quantity": 1}]}}, "entryCost", "entry cost"),
    ({"antiCheat": validator("max_metric_rate", maxPerSecond=1)}, "antiCheat.validators", "anti-cheat validators"),
]


@pytest.mark.parametrize(("changes", "path", "part"), INACTIVE, ids=[part for _, _, part in INACTIVE])
def test_an_event_that_needs_it_is_a_draft_with_a_warning(changes: dict[str, Any], path: str, part: str):
    loaded = load_game(game(race(**changes)))
    (found,) = inactive_parts(loaded.game.events[0])
    assert found.path == path
    assert found.message.startswith(f"this part does not run yet: {part}")
    assert found.message.endswith("the event is loaded as a draft")
    assert (f"events[0].{path}", found.message) in [(w.path, w.message) for w in loaded.warnings]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        example("trail_of_triumph"),
        {"leaderboard": lobby(fillStrategy="wait_full", sort="asc")},
        {"leaderboard": lobby(matchBy={"attribute": "skill", "maxDifference": 1})},
        {"leaderboard": lobby(matchmaking="external")},
        {"leaderboard": {"mode": "grouped"}},
        {"leaderboard": {"mode": "segmented"}},
        {"leaderboard": {"mode": "none"}},
        {"availability": {"mode": "personal", "durationSeconds": 60}},
        {"availability": {"mode": "local_calendar", "windows": [DAILY]}},
        {"contributesTo": ["weekly"]},
        {"attempt": {"replayableDuringWindow": True, "maxAttempts": 2, "maxDailyAttempts": 3}},
        {"entryCost": {}},
        {"scoreFormula": {"type": "product"}},
        {"scoreFormula": {"type": "expression", "expression": "score * 2"}},
        {"unlockCondition": ATTRIBUTE, "entryRequirement": {"type": "owns_item", "itemKey": "bullet"}},
        {"rewardPolicy": pool(scope="board", winnerPredicate={"type": "rank_at_most", "rank": 3})},
        {"antiCheat": {"validators": []}, "contributesTo": [], "metadata": {"a": 1}},
    ],
    ids=str,
)
def test_an_event_of_parts_that_run_has_no_such_warning(changes: dict[str, Any]):
    loaded = load(race(**changes))
    assert inactive_parts(loaded.game.events[0]) == []


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"grants": {"delivery": "auto"}}, "settings.grants.delivery"),
        ({"grants": {"ttlDays": 3}}, "settings.grants.ttlDays"),
    ],
)
def test_settings_that_do_not_run_are_named(settings: dict[str, Any], path: str):
    (warning,) = load(settings=settings).warnings
    assert warning.path == path
    assert warning.message.startswith("this part does not run yet")


def test_webhooks_do_not_run_yet():
    (warning,) = load(webhooks=[{"key": "w", "url": "https://a.example/", "secret": "s"}]).warnings
    assert warning.path == "webhooks"
