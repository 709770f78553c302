"""Types and ranges of every field (R-1, R-2)."""

from __future__ import annotations

from typing import Any

import pytest
from small_games import faults_of, game, race

WHOLE, TEXT, OBJECT, LIST, FLAG = (
    "must be a whole number",
    "must be",
    "must be an object",
    "must be a list",
    "true or false",
)


def board(**fields: Any) -> dict[str, Any]:
    return {"leaderboard": fields}


def metric(**fields: Any) -> dict[str, Any]:
    return {"metrics": [{"key": "score", **fields}]}


def window(**fields: Any) -> dict[str, Any]:
    rule = {"startTime": "20:00", "durationSeconds": 60, **fields}
    return {"availability": {"mode": "recurring_windows", "windows": [rule]}}


def fixed(starts_at: Any) -> dict[str, Any]:
    return {"availability": {"mode": "fixed", "startsAt": starts_at, "endsAt": "2030-01-01T00:00:00Z"}}


def milestone(**fields: Any) -> dict[str, Any]:
    return {"milestoneRewards": [{"key": "m", "metricKey": "score", "threshold": 1, "entries": [], **fields}]}


REFUSED = [
    ({"key": ""}, "key", "a key"),
    ({"key": "a b"}, "key", "a key"),
    ({"key": "x" * 65}, "key", "a key"),
    ({"key": "race\n"}, "key", "a key"),
    ({"key": "émile"}, "key", "a key"),
    ({"key": 5}, "key", "a key"),
    ({"key": None}, "key", "required"),
    ({"name": ""}, "name", "1 to 256 characters"),
    ({"name": "a\0b"}, "name", "1 to 256 characters"),
    ({"name": "\ud800"}, "name", "1 to 256 characters"),
    ({"name": {"pt": "Corrida"}}, "name", '{"en": text}'),
    ({"state": "live"}, "state", "must be 'draft'"),
    ({"type": "single"}, "type", "'single_metric' or 'multi_metric'"),
    ({"metrics": []}, "metrics", "at least 1"),
    ({"metrics": [{"key": f"m{i}"} for i in range(33)]}, "metrics", "at most 32"),
    ({"metrics": {"key": "score"}}, "metrics", LIST),
    ({"metrics": ["score"]}, "metrics[0]", OBJECT),
    ({"metrics": [None]}, "metrics[0]", OBJECT),
    ({"metrics": [{"key": "1st"}]}, "metrics[0].key", "a metric key"),
    ({"metrics": [{"key": "a-b"}]}, "metrics[0].key", "a metric key"),
    (metric(target=0), "metrics[0].target", "above 0"),
    (metric(target=True), "metrics[0].target", "above 0"),
    (metric(target="5"), "metrics[0].target", "above 0"),
    (metric(target=float("nan")), "metrics[0].target", "above 0"),
    (metric(target=float("inf")), "metrics[0].target", "above 0"),
    (metric(target=2**53), "metrics[0].target", "above 0"),
    (metric(target=10**400), "metrics[0].target", "above 0"),
    (metric(cap=-1), "metrics[0].cap", "above 0"),
    (metric(scorePerUnit="1"), "metrics[0].scorePerUnit", "within 2^53 - 1 of 0"),
    (metric(capAtTarget=1), "metrics[0].capAtTarget", FLAG),
    (metric(capAtTraget=True), "metrics[0].capAtTraget", "unknown field; did you mean capAtTarget?"),
    (metric(cap_at_target=True), "metrics[0].cap_at_target", "unknown field"),
    (metric(resetOn="losses"), "metrics[0].resetOn", OBJECT),
    (metric(resetOn={}), "metrics[0].resetOn.metricKey", "required"),
    ({"availability": {}}, "availability.mode", "required: one of 'always', 'fixed'"),
    ({"availability": {"mode": "sometimes"}}, "availability.mode", "must be one of 'always', 'fixed'"),
    ({"availability": "always"}, "availability", OBJECT),
    ({"availability": {"mode": "always", "windows": []}}, "availability.windows", "unknown field; known: mode"),
    (fixed("2026-01-01T00:00:00"), "availability.startsAt", "an instant with a zone"),
    (fixed("2026-01-01"), "availability.startsAt", "an instant with a zone"),
    (fixed(1_767_225_600_000), "availability.startsAt", "an instant with a zone"),
    (fixed("2026-02-30T00:00:00Z"), "availability.startsAt", "no date and time that exists"),
    (fixed("2026-01-01T00:00:60Z"), "availability.startsAt", "no date and time that exists"),
    (fixed("1969-12-31T23:59:59Z"), "availability.startsAt", "between the years 1970 and 9998"),
    (window(startTime="24:00"), "availability.windows[0].startTime", "00:00 to 23:59"),
    (window(startTime="8:00"), "availability.windows[0].startTime", "00:00 to 23:59"),
    (window(durationSeconds=0), "availability.windows[0].durationSeconds", WHOLE),
    (window(durationSeconds=1.5), "availability.windows[0].durationSeconds", WHOLE),
    (window(daysOfWeek=[7]), "availability.windows[0].daysOfWeek[0]", "from 0 to 6"),
    (window(daysOfWeek=[]), "availability.windows[0].daysOfWeek", "at least 1"),
    (window(daysOfMonth=[0]), "availability.windows[0].daysOfMonth[0]", "from 1 to 31, or -1"),
    (window(daysOfMonth=[1, 32]), "availability.windows[0].daysOfMonth[1]", "from 1 to 31, or -1"),
    (
        {"availability": {"mode": "recurring_windows", "timezone": "Mars/Olympus", "windows": [{}]}},
        "availability.timezone",
        "an IANA time zone",
    ),
    (board(mode="ladder"), "leaderboard.mode", "'global', 'grouped', 'segmented', 'lobby_matched' or 'none'"),
    (board(capacity=1), "leaderboard.capacity", "from 2 to"),
    (board(fillBots="yes"), "leaderboard.fillBots", FLAG),
    (board(sort="up"), "leaderboard.sort", "'desc' or 'asc'"),
    (board(scoreAggregation="mean"), "leaderboard.scoreAggregation", "'best', 'sum' or 'latest'"),
    (board(promotion={"places": 0}), "leaderboard.promotion.places", "at least 1"),
    (board(matchBy={"attribute": "skill", "maxDifference": -1}), "leaderboard.matchBy.maxDifference", "at least 0"),
    ({"attempt": {"durationSeconds": 0}}, "attempt.durationSeconds", WHOLE),
    ({"attempt": {"maxAttempts": 0}}, "attempt.maxAttempts", "at least 1"),
    ({"attempt": []}, "attempt", OBJECT),
    (
        {"scoreFormula": {"type": "cubic"}},
        "scoreFormula.type",
        "one of 'linear', 'best_metric', 'product', 'expression'",
    ),
    ({"scoreFormula": {"type": "expression"}}, "scoreFormula.expression", "required"),
    ({"contributesTo": ["a b"]}, "contributesTo[0]", "a key"),
    ({"botBindings": [{"botId": "climber", "count": 0}]}, "botBindings[0].count", "from 1 to 1000"),
    ({"rewardPolicy": {}}, "rewardPolicy.type", "required: one of 'none', 'fixed_bundle'"),
    ({"rewardPolicy": {"type": "fixed_bundle"}}, "rewardPolicy.parameters", "required"),
    ({"rewardPolicy": {"type": "none", "parameters": {"a": 1}}}, "rewardPolicy.parameters.a", "unknown field"),
    (
        {"rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 0.5, "currencyKey": "cash"}}},
        "rewardPolicy.parameters.pool",
        WHOLE,
    ),
    (milestone(), "milestoneRewards[0].entries", "at least 1"),
    (
        milestone(threshold=0, entries=[{"type": "item", "itemKey": "bullet"}]),
        "milestoneRewards[0].threshold",
        "above 0",
    ),
    ({"unlockCondition": {"type": "not"}}, "unlockCondition.condition", "required"),
    ({"unlockCondition": {"type": "all", "conditions": [5]}}, "unlockCondition.conditions[0]", OBJECT),
    ({"unlockCondition": {"type": "xor"}}, "unlockCondition.type", "must be one of 'not', 'all', 'any'"),
    ({"entryCost": {"currencies": [{"key": "cash", "amount": 0}]}}, "entryCost.currencies[0].amount", "at least 1"),
    ({"entryCost": {"chargePer": "day"}}, "entryCost.chargePer", "'window' or 'attempt'"),
    ({"metadata": []}, "metadata", OBJECT),
    ({"metadata": {"a": "x" * 16_384}}, "metadata", "16 KiB"),
    ({"metadata": {"a": [1, float("nan")]}}, "metadata", "not finite"),
    ({"metadata": {"a": 2**64}}, "metadata", "64 bits"),
    ({"metadata": {"a": ["\0"]}}, "metadata", "valid Unicode"),
    ({"metadata": {"a": b"x"}}, "metadata", "JSON does not know: bytes"),
    ({"scheduleAheadDays": 0}, "scheduleAheadDays", "from 1 to 365"),
    ({"scheduleAheadDays": 366}, "scheduleAheadDays", "from 1 to 365"),
    ({"colour": "red"}, "colour", "unknown field; known: key, id, name"),
]


@pytest.mark.parametrize(("changes", "path", "message"), REFUSED, ids=[f"{p}-{c}" for c, p, _ in REFUSED])
def test_r1_r2_a_field_of_another_shape_is_refused(changes: dict[str, Any], path: str, message: str):
    found = faults_of(game(race(**changes)))
    assert message in found[f"events[0].{path}"]


def test_r3_faults_of_shape_are_told_all_at_once():
    events = [race(**{"key": f"race-{i}", **changes}) for i, (changes, _, _) in enumerate(REFUSED)]
    found = faults_of(game(*events))
    assert {f"events[{i}].{path}" for i, (_, path, _) in enumerate(REFUSED)} <= found.keys()


GAME_REFUSED = [
    ({"gameId": None}, "gameId", "required"),
    ({"settings": {"seed": 1.5}}, "settings.seed", WHOLE),
    ({"settings": {"scheduleAheadDays": 400}}, "settings.scheduleAheadDays", "from 1 to 365"),
    ({"settings": {"botTickSeconds": 61}}, "settings.botTickSeconds", "from 1 to 60"),
    ({"settings": {"grants": {"delivery": "mail"}}}, "settings.grants.delivery", "'claim' or 'auto'"),
    ({"settings": {"identityPools": [{"key": "p", "names": []}]}}, "settings.identityPools[0].names", "at least 1"),
    ({"currencies": [{"key": "cash", "kind": "coin"}]}, "currencies[0].kind", "'currency' or 'progression'"),
    ({"bots": [{"key": "b"}]}, "bots[0].behaviour", "required"),
    ({"bots": [{"key": "b", "behaviour": {"block": "fly"}}]}, "bots[0].behaviour.block", "must be 'idle', 'wait'"),
    ({"bots": [{"key": "b", "behaviour": {"block": "wait"}}]}, "bots[0].behaviour.params.seconds", "required"),
    ({"bots": [{"key": "b", "behaviour": {"block": "idle", "params": []}}]}, "bots[0].behaviour.params", OBJECT),
    (
        {"bots": [{"key": "b", "behavior": {"block": "random_step_with_fall", "params": {"fallChanse": 1}}}]},
        "bots[0].behavior.params.fallChanse",
        "did you mean fallChance?",
    ),
    (
        {"bots": [{"key": "b", "behavior": {"block": "random_step_with_fall", "params": {"fallChance": 1.5}}}]},
        "bots[0].behavior.params.fallChance",
        "at least 0 and at most 1",
    ),
    (
        {"bots": [{"key": "b", "behavior": {"block": "idle"}, "behaviour": {"block": "idle"}}]},
        "bots[0].behavior",
        "is the same field as behaviour; give one of them",
    ),
    (
        {"bots": [{"key": "b", "behaviour": {"type": "loop", "block": "idle"}}]},
        "bots[0].behaviour.type",
        "must be one of 'single', 'sequence', 'state_machine'",
    ),
    ({"items": [{"key": "bullet"}], "bundles": [{"key": "b", "entries": []}]}, "bundles[0].entries", "at least 1"),
    (
        {
            "items": [{"key": "bullet"}],
            "bundles": [{"key": "b", "entries": [{"type": "currency", "currencyKey": "cash", "amount": 0}]}],
        },
        "bundles[0].entries[0].amount",
        "at least 1",
    ),
    (
        {
            "items": [{"key": "bullet"}],
            "bundles": [{"key": "b", "entries": [{"type": "item", "itemKey": "bullet", "chance": 0}]}],
        },
        "bundles[0].entries[0].chance",
        "above 0 and at most 1",
    ),
    (
        {
            "items": [{"key": "bullet"}],
            "bundles": [{"key": "b", "entries": [{"type": "item", "itemKey": "bullet", "quantity": {"min": 1}}]}],
        },
        "bundles[0].entries[0].quantity.max",
        "required",
    ),
    ({"webhooks": [{"key": "w", "url": "ftp://a", "secret": "s"}]}, "webhooks[0].url", "http or https"),
    (
        {"webhooks": [{"key": "w", "url": "http://a", "secret": "s", "events": ["x"]}]},
        "webhooks[0].events[0]",
        "must be",
    ),
    ({"leaderboards": [{"key": "w", "resetCadence": "hourly"}]}, "leaderboards[0].resetCadence", "'never', 'daily'"),
    ({"extra": 1}, "extra", "unknown field; known: gameId, settings"),
]


@pytest.mark.parametrize(("changes", "path", "message"), GAME_REFUSED, ids=[f"{p}-{m}" for _, p, m in GAME_REFUSED])
def test_r2_a_part_of_a_game_of_another_shape_is_refused(changes: dict[str, Any], path: str, message: str):
    found = faults_of(game(**changes))
    assert list(found) == [path]
    assert message in found[path]


@pytest.mark.parametrize("data", [None, [], "game", 5, True, float("nan")])
def test_r2_a_game_is_an_object(data: object):
    assert faults_of(data) == {"": "must be an object"}
