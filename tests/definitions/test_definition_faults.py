"""Every fault of meaning has its path and says what would be right (R-3)."""

from __future__ import annotations

from typing import Any

import pytest
from small_games import faults_of, game, load, race

STREAK = [{"key": "streak", "target": 5}, {"key": "losses"}]
DAILY = {"startTime": "20:00", "durationSeconds": 3600}


def recurring(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"mode": "recurring_windows", "windows": list(rules), **more}


def pool(**more: Any) -> dict[str, Any]:
    return {"type": "shared_pool", "parameters": {"pool": 10, "currencyKey": "cash", **more}}


def tiers(*spans: tuple[int, int | None]) -> dict[str, Any]:
    listed = [{"fromRank": a, "toRank": b, "rewardBundleId": "payout"} for a, b in spans]
    return {"type": "rank_scaled", "parameters": {"tiers": listed}}


def validator(key: str, **params: Any) -> dict[str, Any]:
    return {"validators": [{"key": key, "params": {"metricKey": "score", **params}}]}


def lobby(capacity: int | None = 10, **more: Any) -> dict[str, Any]:
    return {"mode": "lobby_matched", "capacity": capacity, **more}


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"type": "has_currency", "currencyKey": "cash"}
    for _ in range(levels - 1):
        tree = {"type": "not", "condition": tree}
    return tree


EVENT_FAULTS = [
    # metrics
    ({"metrics": [{"key": "a", "capAtTarget": True}]}, "metrics[0].capAtTarget", "needs a target"),
    ({"metrics": [{"key": "a", "target": 5, "cap": 4}]}, "metrics[0].cap", "below the target, 5"),
    ({"metrics": [{"key": "a", "resetOn": {"metricKey": "a"}}]}, "metrics[0].resetOn.metricKey", "another metric"),
    (
        {"metrics": [*STREAK, {"key": "b", "resetOn": {"metricKey": "loses"}}]},
        "metrics[2].resetOn.metricKey",
        "no metric 'loses'; known: b, losses, streak",
    ),
    ({"metrics": [*STREAK, {"key": "streak"}]}, "metrics[2].key", "'streak' is taken"),
    ({"metrics": [*STREAK, {"key": "c", "id": "streak"}]}, "metrics[2].id", "'streak' is taken"),
    # type
    ({"type": "single_metric", "metrics": STREAK}, "type", "must be 'multi_metric'"),
    ({"type": "multi_metric"}, "type", "must be 'single_metric'"),
    # formula
    ({"scoreFormula": {"type": "expression", "expression": "scor + 1"}}, "scoreFormula.expression", "no name 'scor'"),
    ({"scoreFormula": {"type": "expression", "expression": "score > 1"}}, "scoreFormula.expression", "a number"),
    # attempts
    ({"attempt": {"maxAttempts": 2}}, "attempt.maxAttempts", "unless replayableDuringWindow"),
    # conditions
    ({"unlockCondition": nested(9)}, "unlockCondition", "9 levels, of at most 8"),
    ({"entryRequirement": {"type": "any", "conditions": [nested(1)] * 64}}, "entryRequirement", "65 nodes"),
    (
        {"entryRequirement": {"type": "owns_item", "itemKey": "sword"}},
        "entryRequirement.itemKey",
        "no item 'sword'; known: bullet, crate",
    ),
    (
        {"unlockCondition": {"type": "all", "conditions": [{"type": "has_currency", "currencyKey": "gems"}]}},
        "unlockCondition.conditions[0].currencyKey",
        "no currency 'gems'; known: cash",
    ),
    # cost
    (
        {"entryCost": {"currencies": [{"key": "cash", "amount": 1}, {"key": "cash", "amount": 2}]}},
        "entryCost.currencies[1].key",
        "'cash' is there twice",
    ),
    (
        {"entryCost": {"currencies": [{"key": "cash", "amount": 1}, {"key": "currency-1", "amount": 2}]}},
        "entryCost.currencies[1].key",
        "'currency-1' is there twice",
    ),
    (
        {"entryCost": {"items": [{"key": "bullet", "quantity": 1}, {"key": "bullet", "quantity": 1}]}},
        "entryCost.items[1].key",
        "'bullet' is there twice",
    ),
    ({"entryCost": {"items": [{"key": "sword", "quantity": 1}]}}, "entryCost.items[0].key", "no item 'sword'"),
    # availability
    (
        {"availability": {"mode": "fixed", "startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-02T00:00:00Z"}},
        "availability.endsAt",
        "after startsAt",
    ),
    (
        {"availability": recurring(DAILY, startsAt="2026-02-01T00:00:00Z", endsAt="2026-01-01T00:00:00Z")},
        "availability.endsAt",
        "after startsAt",
    ),
    (
        {"availability": recurring({**DAILY, "daysOfWeek": [1], "daysOfMonth": [1]})},
        "availability.windows[0].daysOfMonth",
        "must not stand together with daysOfWeek",
    ),
    (
        {"availability": recurring({**DAILY, "daysOfWeek": [1, 2, 1]})},
        "availability.windows[0].daysOfWeek[2]",
        "day 1 is there twice",
    ),
    ({"availability": recurring(DAILY, DAILY)}, "availability.windows[1]", "windows[0] does too"),
    (
        {"availability": recurring({**DAILY, "daysOfWeek": [1]}, {**DAILY, "daysOfMonth": [31]})},
        "availability.windows[1]",
        "starts at 20:00",
    ),
    (
        {"availability": recurring({**DAILY, "daysOfMonth": [-1]}, {**DAILY, "daysOfMonth": [30]})},
        "availability.windows[1]",
        "starts at 20:00",
    ),
    (
        {"availability": {"mode": "personal", "durationSeconds": 60}, "leaderboard": {"mode": "grouped"}},
        "leaderboard.mode",
        "must be 'global' or 'none' with availability 'personal'",
    ),
    (
        {"availability": {"mode": "local_calendar", "windows": [DAILY]}, "rewardPolicy": pool()},
        "rewardPolicy.type",
        "'shared_pool' has nobody to share with under availability 'local_calendar'",
    ),
    # boards and seats
    ({"leaderboard": {"mode": "lobby_matched"}}, "leaderboard.capacity", "required with mode 'lobby_matched'"),
    ({"leaderboard": lobby(1001)}, "leaderboard.capacity", "from 2 to 1000"),
    (
        {"leaderboard": lobby(10), "botBindings": [{"botId": "climber", "count": 10}]},
        "botBindings",
        "10 bots leave no seat for a player: capacity is 10",
    ),
    (
        {"leaderboard": {"mode": "grouped"}, "botBindings": [{"botId": "climber", "count": 50}]},
        "botBindings",
        "capacity is 50",
    ),
    ({"botBindings": [{"botId": "climber", "count": 600}] * 2}, "botBindings", "1200 bots on a board, of at most 1000"),
    (
        {"leaderboard": lobby(fillBots=True, fillStrategy="wait_full")},
        "leaderboard.fillBots",
        "must not stand together with fillStrategy",
    ),
    (
        {"leaderboard": {"mode": "segmented", "leagues": ["a", "b", "a"]}},
        "leaderboard.leagues[2]",
        "'a' is there twice",
    ),
    # bots
    ({"botBindings": [{"botId": "climbr"}]}, "botBindings[0].botId", "no bot 'climbr'; known: climber"),
    (
        {"botBindings": [{"botId": "climber", "identityPool": "folk"}]},
        "botBindings[0].identityPool",
        "no identity pool 'folk'; known: none",
    ),
    (
        {"metrics": [{"key": "score"}], "botBindings": [{"botId": "bot-1"}]},
        "botBindings[0].botId",
        "bot 'bot-1' needs target: no metric of the event has a target",
    ),
    # policies
    (
        {"rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "pay"}}},
        "rewardPolicy.parameters.rewardBundleId",
        "no bundle 'pay'; known: payout",
    ),
    ({"rewardPolicy": tiers((1, 3), (3, 5))}, "rewardPolicy.parameters.tiers[1].fromRank", "overlaps tiers[0]"),
    ({"rewardPolicy": tiers((1, None), (9, 9))}, "rewardPolicy.parameters.tiers[1].fromRank", "overlaps tiers[0]"),
    ({"rewardPolicy": tiers((2, 4), (1, 2))}, "rewardPolicy.parameters.tiers[0].fromRank", "overlaps tiers[1]"),
    ({"rewardPolicy": tiers((1, 1), (3, 2))}, "rewardPolicy.parameters.tiers[1].toRank", "below fromRank, 3"),
    ({"rewardPolicy": pool(currencyKey="gems")}, "rewardPolicy.parameters.currencyKey", "no currency 'gems'"),
    (
        {"rewardPolicy": pool(winnerPredicate={"type": "metric_at_least", "metricKey": "x", "threshold": 1})},
        "rewardPolicy.parameters.winnerPredicate.metricKey",
        "no metric 'x'; known: score",
    ),
    (
        {"rewardPolicy": pool(winnerPredicate={"type": "any", "conditions": [{"type": "completed"}] * 64})},
        "rewardPolicy.parameters.winnerPredicate",
        "65 nodes, of at most 64",
    ),
    # milestones
    (
        {"milestoneRewards": [{"key": "m", "metricKey": "x", "threshold": 1, "rewardBundleId": "payout"}]},
        "milestoneRewards[0].metricKey",
        "no metric 'x'",
    ),
    (
        {"milestoneRewards": [{"key": "m", "metricKey": "score", "threshold": 1}]},
        "milestoneRewards[0].rewardBundleId",
        "required, or entries instead",
    ),
    (
        {
            "milestoneRewards": [
                {
                    "key": "m",
                    "metricKey": "score",
                    "threshold": 1,
                    "rewardBundleId": "payout",
                    "entries": [{"type": "item", "itemKey": "bullet"}],
                }
            ]
        },
        "milestoneRewards[0].entries",
        "must not stand together with rewardBundleId",
    ),
    (
        {"milestoneRewards": [{"key": "m", "metricKey": "score", "threshold": 1, "rewardBundleId": "payout"}] * 2},
        "milestoneRewards[1].key",
        "'m' is taken by another",
    ),
    # validators
    (
        {"antiCheat": validator("max_metric_rate", maxPerSecond=1, metricKey="x")},
        "antiCheat.validators[0].params.metricKey",
        "no metric 'x'",
    ),
    ({"antiCheat": validator("max_metric_jump")}, "antiCheat.validators[0].params", "maxDelta, maxRatio or both"),
    (
        {"metrics": [{"key": "score"}], "antiCheat": validator("min_attempt_duration", minSeconds=1)},
        "antiCheat.validators[0].params.target",
        "metric 'score' has no target of its own",
    ),
    ({"antiCheat": validator("speed")}, "antiCheat.validators[0].key", "one of 'max_metric_rate', 'max_metric_jump'"),
]


@pytest.mark.parametrize(("changes", "path", "message"), EVENT_FAULTS, ids=[f"{p}-{m}" for _, p, m in EVENT_FAULTS])
def test_r3_an_event_at_fault_is_refused_with_the_path(changes: dict[str, Any], path: str, message: str):
    found = faults_of(game(race(**changes)))
    assert list(found) == [f"events[0].{path}"]
    assert message in found[f"events[0].{path}"]


def test_r3_all_these_faults_are_told_at_once():
    events = [race(**{**changes, "key": f"race-{i}"}) for i, (changes, _, _) in enumerate(EVENT_FAULTS)]
    assert list(faults_of(game(*events))) == [f"events[{i}].{path}" for i, (_, path, _) in enumerate(EVENT_FAULTS)]


@pytest.mark.parametrize(
    ("op", "value", "is_right"),
    [
        ("eq", "PT", True),
        ("ne", True, True),
        ("eq", [1], False),
        ("eq", None, False),
        ("lt", 5, True),
        ("gte", 5.5, True),
        ("gt", "5", False),
        ("lte", True, False),
        ("gt", 2**53, False),
        ("in", ["PT", 3], True),
        ("in", "PT", False),
        ("in", [[]], False),
        ("exists", None, True),
        ("exists", 1, False),
    ],
)
def test_r19_an_attribute_is_compared_with_what_the_operator_takes(op: str, value: Any, is_right: bool):
    event = race(unlockCondition={"type": "player_attribute", "key": "country", "op": op, "value": value})
    if is_right:
        load(event)
    else:
        assert list(faults_of(game(event))) == ["events[0].unlockCondition.value"]


def test_r30_a_seat_is_left_when_bots_are_one_fewer_than_the_capacity():
    event = race(leaderboard=lobby(50), botBindings=[{"botId": "climber", "count": 49}])
    assert load(event).game.events[0].human_seats == 1


def test_r19_conditions_of_just_the_permitted_size_load():
    load(race(unlockCondition=nested(8), entryRequirement={"type": "any", "conditions": [nested(1)] * 63}))
