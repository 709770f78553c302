"""What loads although its author should look at it (R-3)."""

from __future__ import annotations

from typing import Any

import pytest
from small_games import game, load, race, warnings_of
from test_definition_faults import DAILY, lobby, pool, recurring, tiers

from kraty_actors.definitions import load_event

BUNDLE = {"type": "fixed_bundle", "parameters": {"rewardBundleId": "payout"}}
MILESTONE = {"key": "m", "metricKey": "score", "threshold": 1, "rewardBundleId": "payout"}
REPLAY = {"replayableDuringWindow": True}
NOT_YET_WON = {"type": "not", "condition": {"type": "completed_event_at_least_once", "eventKey": "race"}}


def metric(**limits: Any) -> dict[str, Any]:
    return {"metrics": [{"key": "score", **limits}]}


WARNINGS = [
    # thresholds above the ceiling
    (
        metric(cap=3) | {"milestoneRewards": [{**MILESTONE, "threshold": 4}]},
        {"milestoneRewards[0].threshold": "above the ceiling of metric 'score', 3"},
    ),
    (
        metric(target=5, capAtTarget=True)
        | {"rewardPolicy": pool(winnerPredicate={"type": "metric_at_least", "metricKey": "score", "threshold": 6})},
        {"rewardPolicy.parameters.winnerPredicate.threshold": "above the ceiling of metric 'score', 5"},
    ),
    (metric(target=5) | {"milestoneRewards": [{**MILESTONE, "threshold": 6}]}, {}),
    # tiers
    ({"rewardPolicy": tiers((1, 1), (3, None))}, {"rewardPolicy.parameters.tiers[1].fromRank": "pays rank 2"}),
    (
        {"rewardPolicy": tiers((9, 9), (4, 4))},
        {
            "rewardPolicy.parameters.tiers[0].fromRank": "pays ranks 5 to 8",
            "rewardPolicy.parameters.tiers[1].fromRank": "pays ranks 1 to 3",
        },
    ),
    ({"rewardPolicy": tiers((2, 3), (1, 1), (4, None))}, {}),
    ({"rewardPolicy": tiers((1, 1)), "leaderboard": {"mode": "none"}}, {"rewardPolicy.type": "nobody has a rank"}),
    (
        {"rewardPolicy": pool(winnerPredicate={"type": "rank_at_most", "rank": 1}), "leaderboard": {"mode": "none"}},
        {"rewardPolicy.parameters.winnerPredicate.type": "nobody has a rank"},
    ),
    # stale contributions
    (
        {"contributesTo": ["weekly", "gone", "old"]},
        {"contributesTo[1]": "no shared board 'gone'; known: old, weekly", "contributesTo[2]": "'old' is archived"},
    ),
    # references that are false
    (
        {"unlockCondition": {"type": "completed_event_at_least_once", "eventKey": "gone"}},
        {"unlockCondition.eventKey": "no event 'gone'"},
    ),
    (
        {"entryRequirement": {"type": "score_at_least", "boardKey": "gone", "score": 1}},
        {"entryRequirement.boardKey": "no shared board 'gone'"},
    ),
    # overlaps
    (
        {"availability": recurring({**DAILY, "durationSeconds": 86_401})},
        {"availability.windows[0]": "starts before it has ended"},
    ),
    (
        {"availability": recurring(DAILY, {**DAILY, "startTime": "20:59"})},
        {"availability.windows[1]": "starts before windows[0] has ended"},
    ),
    (
        {
            "availability": recurring(
                {**DAILY, "daysOfMonth": [-1]}, {"startTime": "00:00", "durationSeconds": 60, "daysOfMonth": [1]}
            )
        },
        {},
    ),
    (
        {
            "availability": recurring(
                {**DAILY, "daysOfMonth": [28], "durationSeconds": 2 * 86_400}, {**DAILY, "daysOfMonth": [1]}
            )
        },
        {"availability.windows[1]": "starts before windows[0] has ended"},
    ),
    ({"availability": recurring({**DAILY, "durationSeconds": 86_400}, timezone="America/New_York")}, {}),
    # always
    (
        {"availability": {"mode": "always"}},
        {"attempt.replayableDuringWindow": "one attempt ever"},
    ),
    (
        {"availability": {"mode": "always"}, "attempt": REPLAY, "rewardPolicy": pool()},
        {"rewardPolicy.type": "'shared_pool' pays when a window closes"},
    ),
    (
        {"availability": {"mode": "always"}, "attempt": REPLAY, "rewardPolicy": tiers((1, None))},
        {"rewardPolicy.type": "'rank_scaled' pays when a window closes"},
    ),
    # farming
    ({"rewardPolicy": BUNDLE, "attempt": REPLAY}, {"rewardPolicy.type": "each replay pays again"}),
    ({"milestoneRewards": [MILESTONE], "attempt": REPLAY}, {"milestoneRewards[0].once": "each replay fires it again"}),
    ({"milestoneRewards": [{**MILESTONE, "once": "window"}], "attempt": REPLAY}, {}),
    ({"rewardPolicy": BUNDLE}, {}),
    ({"rewardPolicy": BUNDLE, "attempt": {**REPLAY, "maxAttempts": 3}}, {}),
    ({"rewardPolicy": BUNDLE, "attempt": {**REPLAY, "maxDailyAttempts": 3}}, {}),
    (
        {
            "rewardPolicy": BUNDLE,
            "attempt": REPLAY,
            "entryCost": {"currencies": [{"key": "cash", "amount": 1}], "chargePer": "attempt"},
        },
        {},
    ),
    (
        {"rewardPolicy": BUNDLE, "attempt": REPLAY, "entryCost": {"currencies": [{"key": "cash", "amount": 1}]}},
        {"rewardPolicy.type": "each replay pays again"},
    ),
    ({"rewardPolicy": BUNDLE, "attempt": REPLAY, "entryRequirement": NOT_YET_WON}, {}),
    ({"rewardPolicy": BUNDLE, "attempt": REPLAY, "unlockCondition": {"type": "all", "conditions": [NOT_YET_WON]}}, {}),
    # fields without use
    (
        {"leaderboard": {"mode": "global", "capacity": 5, "cohortBy": "country", "fillBots": True}},
        {
            "leaderboard.capacity": "is not used in mode 'global'",
            "leaderboard.cohortBy": "is not used in mode 'global'",
            "leaderboard.fillBots": "is not used in mode 'global'",
        },
    ),
    ({"leaderboard": {"mode": "none", "sort": "asc"}}, {"leaderboard.sort": "is not used in mode 'none'"}),
    ({"leaderboard": {"mode": "grouped", "leagues": ["a"]}}, {"leaderboard.leagues": "not used in mode 'grouped'"}),
    ({"leaderboard": {"mode": "segmented", "cohortBy": "c"}}, {"leaderboard.cohortBy": "in mode 'segmented'"}),
    ({"leaderboard": lobby(promotion={"places": 1})}, {"leaderboard.promotion": "not used in mode 'lobby_matched'"}),
    (
        {"leaderboard": lobby(matchmaking="external", fillTimeoutSeconds=3)},
        {"leaderboard.fillTimeoutSeconds": "is not used with external matchmaking"},
    ),
    ({"leaderboard": lobby(fillStrategy="fill_with_bots")}, {"leaderboard.fillStrategy": "empty seats stay empty"}),
    ({"leaderboard": lobby(fillBots=True)}, {"leaderboard.fillBots": "empty seats stay empty"}),
    ({"leaderboard": lobby(fillBots=True), "botBindings": [{"botId": "climber"}]}, {}),
    (
        {"leaderboard": lobby(fillStrategy="wait_full", fillTimeoutSeconds=3)},
        {"leaderboard.fillTimeoutSeconds": "is not used with fillStrategy 'wait_full'"},
    ),
    (
        {"leaderboard": {"mode": "none"}, "botBindings": [{"botId": "climber"}]},
        {"botBindings": "is not used in mode 'none'"},
    ),
]


@pytest.mark.parametrize(("changes", "expected"), WARNINGS, ids=[str(e) for _, e in WARNINGS])
def test_r3_it_loads_with_these_warnings_and_no_others(changes: dict[str, Any], expected: dict[str, str]):
    found = warnings_of(game(race(**changes)))
    assert found.keys() == {f"events[0].{path}" for path in expected}
    for path, message in expected.items():
        assert message in found[f"events[0].{path}"]


def test_r32_an_end_of_a_season_without_seasons_is_a_warning():
    board = {"key": "weekly", "resetCadence": "weekly", "seasonEndsAt": "2026-01-01T00:00:00Z"}
    assert list(warnings_of(game(leaderboards=[board]))) == ["leaderboards[0].seasonEndsAt"]


def test_r35_names_beside_a_pool_are_a_warning():
    bot = {"key": "b", "names": ["Rex"], "identityPool": "folk", "behaviour": {"block": "idle"}}
    settings = {"identityPools": [{"key": "folk", "names": ["Ada"]}]}
    assert list(warnings_of(game(bots=[bot], settings=settings))) == ["bots[0].names"]


def test_r3_duplicates_in_contributes_to_are_merged():
    boards = [{"key": "weekly", "id": "board-1"}, {"key": "all_time"}]
    event = race(contributesTo=["weekly", "all_time", "board-1", "gone", "weekly"])
    loaded = load(event, leaderboards=boards)
    assert loaded.game.events[0].contributes_to == ("weekly", "all_time", "gone")
    assert "events[0].contributesTo[3]" in [w.path for w in loaded.warnings]


def completed(*names: str, of: str = "all") -> dict[str, Any]:
    leaves = [{"type": "completed_event_at_least_once", "eventKey": name} for name in names]
    return leaves[0] if len(leaves) == 1 else {"type": of, "conditions": leaves}


A_FOR_C = "nobody can ever pass: 'a' asks for 'c' asks for 'b' asks for 'a'"
CIRCLES = [
    ([{"entryRequirement": completed("a")}], {"events[0].entryRequirement": "'a' asks for 'a'"}),
    (
        [
            {"unlockCondition": completed("free", "c")},
            {"entryRequirement": completed("a")},
            {"entryRequirement": completed("b-by-id")},
            {"unlockCondition": completed("a")},
        ],
        {
            "events[0].unlockCondition": A_FOR_C,
            "events[1].entryRequirement": "'b' asks for 'a' asks for 'c' asks for 'b'",
            "events[2].entryRequirement": "'c' asks for 'b' asks for 'a' asks for 'c'",
        },
    ),
    ([{"unlockCondition": completed("a", "free", of="any")}], {}),
    ([{"unlockCondition": completed("b", "c", of="any")}, {"unlockCondition": completed("a")}], {}),
    ([{"unlockCondition": {"type": "any", "conditions": []}}], {}),
    ([{"entryRequirement": {"type": "not", "condition": completed("a")}}], {}),
]


@pytest.mark.parametrize(("changes", "expected"), CIRCLES)
def test_r19_events_that_wait_for_each_other_are_a_warning(changes: list[dict[str, Any]], expected: dict[str, str]):
    keys = ["a", "b", "c", "waits", "free"]
    gates = changes + [{}] * (len(keys) - len(changes))
    events = [race(key=key, id=f"{key}-by-id", **gate) for key, gate in zip(keys, gates, strict=True)]
    found = warnings_of(game(*events))
    assert found.keys() == expected.keys()
    for path, message in expected.items():
        assert message in found[path]


def test_r19_an_event_that_closes_a_circle_is_warned_of_when_it_is_put():
    standing = load(race(key="a"), race(key="b", entryRequirement=completed("a"))).game
    (warning,) = load_event(race(key="a", entryRequirement=completed("b")), standing).warnings
    assert (warning.path, warning.message) == (
        "entryRequirement",
        "nobody can ever pass: 'a' asks for 'b' asks for 'a'",
    )


def crate(key: str, **more: Any) -> dict[str, Any]:
    return {"type": "crate", "crateItemKey": key, **more}


CRATES = [
    ({"a": [crate("a")]}, {"items[0].crateBundleId": "never ends: 'a' always holds 'a'"}),
    (
        {"a": [crate("b-by-id")], "b": [crate("a", quantity={"min": 1, "max": 2})], "c": [crate("a")]},
        {
            "items[0].crateBundleId": "never ends: 'a' always holds 'b' always holds 'a'",
            "items[1].crateBundleId": "never ends: 'b' always holds 'a' always holds 'b'",
        },
    ),
    ({"a": [crate("a", chance=0.5)]}, {}),
    ({"a": [crate("a", quantity={"min": 0, "max": 2})]}, {}),
    ({"a": [{"type": "table", "weightedEntries": [{"weight": 1, "entry": crate("a")}]}]}, {}),
    ({"a": [crate("b")], "b": [{"type": "item", "itemKey": "a"}]}, {}),
]


@pytest.mark.parametrize(("holds", "expected"), CRATES)
def test_r41_crates_that_never_end_are_a_warning(holds: dict[str, list[dict[str, Any]]], expected: dict[str, str]):
    items = [{"key": key, "id": f"{key}-by-id", "crateBundleId": f"in-{key}"} for key in holds]
    bundles = [{"key": f"in-{key}", "entries": entries} for key, entries in holds.items()]
    assert warnings_of(game(items=items, bundles=bundles)) == expected
