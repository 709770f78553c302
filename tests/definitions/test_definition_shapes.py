"""Types, ranges, defaults and spellings of every field (R-1, R-2, R-6, R-7, R-22, R-24, R-30)."""

from __future__ import annotations

from typing import Any

import pytest
from small_games import faults_of, game, load, only_event, race

from kraty_actors.definitions import EventDefinition, GameFile, Metric, load_event, load_game

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


def test_r1_an_event_needs_a_key_and_one_metric_and_has_defaults_for_the_rest():
    event = load({"key": "run", "metrics": [{"key": "score"}]}).game.events[0]
    assert (event.id, event.name, event.type) == ("run", "run", "single_metric")
    assert event.availability.mode == "always"
    assert event.leaderboard.mode == "global"
    assert event.reward_policy.type == "none"
    assert event.score_formula.type == "linear"
    assert not event.attempt.replayable_during_window
    assert event.schedule_ahead_days is None
    assert (event.contributes_to, event.bot_bindings, event.milestone_rewards, event.metadata) == ((), (), (), {})


def test_r1_null_is_absent_everywhere():
    def with_nulls(model: type, given: dict[str, Any]) -> dict[str, Any]:
        return {info.alias: None for info in model.model_fields.values()} | given

    event = with_nulls(EventDefinition, {"key": "run", "metrics": [with_nulls(Metric, {"key": "score"})]})
    data = with_nulls(GameFile, {"gameId": "arena", "events": [event]})
    plain = {"gameId": "arena", "events": [{"key": "run", "metrics": [{"key": "score"}]}]}
    assert load_game(data) == load_game(plain)
    assert load_game(data).game.as_defined() == plain


def test_r25_nulls_within_metadata_are_kept():
    assert only_event(metadata={"banner": None}).as_defined()["metadata"] == {"banner": None}


def test_r2_other_spellings_mean_the_same():
    bots = [{"key": "b", "behavior": {"block": "idle"}, "name": {"en": "Rex"}}]
    loaded = load(race(leaderboard={"mode": "global_segmented", "scoreAggregation": "last"}), bots=bots).game
    assert loaded.bots[0].behaviour.type == "single"
    assert loaded.bots[0].name == "Rex"
    assert loaded.events[0].leaderboard.mode == "segmented"
    assert loaded.events[0].leaderboard.score_aggregation == "latest"


@pytest.mark.parametrize(("given", "strategy"), [(True, "fill_with_bots"), (False, "start_short")])
def test_r31_fill_bots_is_a_fill_strategy(given: bool, strategy: str):
    assert (
        only_event(leaderboard={"mode": "lobby_matched", "capacity": 2, "fillBots": given}).leaderboard.fill_strategy
        == strategy
    )


@pytest.mark.parametrize(
    ("text", "instant_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-03-08T01:00:00Z", 1_772_931_600_000),
        ("2026-03-07T20:00:00-05:00", 1_772_931_600_000),
        ("2026-03-08t01:00:00.001999z", 1_772_931_600_001),
    ],
)
def test_r22_instants_are_milliseconds_since_the_epoch(text: str, instant_ms: int):
    assert only_event(**fixed(text)).availability.starts_at == instant_ms


@pytest.mark.parametrize(("given", "kept"), [(5, 5), (5.0, 5), (2.5, 2.5), (2**53 - 1, 2**53 - 1)])
def test_r6_whole_values_are_whole_numbers(given: float, kept: float):
    target = only_event(**metric(target=given)).metrics[0].target
    assert target == kept
    assert type(target) is type(kept)


@pytest.mark.parametrize(
    ("limits", "ceiling"),
    [
        ({}, None),
        ({"cap": 7}, 7),
        ({"target": 5}, None),
        ({"target": 5, "capAtTarget": True}, 5),
        ({"target": 5, "cap": 9, "capAtTarget": True}, 5),
        ({"target": 5, "cap": 9}, 9),
    ],
)
def test_r6_the_ceiling_is_the_lower_of_cap_and_capped_target(limits: dict[str, Any], ceiling: float | None):
    assert only_event(**metric(**limits)).metrics[0].ceiling == ceiling


@pytest.mark.parametrize(
    ("limits", "per_unit"),
    [({}, 0), ({"scorePerUnit": -1}, -1), ({"target": 3}, 1), ({"cap": 3}, 1), ({"scorePerUnit": 0}, 0)],
)
def test_r7_a_mere_reset_trigger_scores_nothing_unless_it_says_so(limits: dict[str, Any], per_unit: float):
    event = only_event(metrics=[{"key": "streak", "resetOn": {"metricKey": "losses"}}, {"key": "losses", **limits}])
    assert [event.score_per_unit(m) for m in event.metrics] == [1, per_unit]


def test_r7_a_trigger_is_one_too_when_it_is_named_by_its_id():
    metrics = [{"key": "streak", "resetOn": {"metricKey": "m-2"}}, {"key": "losses", "id": "m-2"}]
    event = only_event(metrics=metrics)
    assert event.metrics[0].reset_on.metric_key == "losses"
    assert event.score_per_unit(event.metrics[1]) == 0


@pytest.mark.parametrize(
    ("board_fields", "seats"),
    [
        ({"mode": "global"}, None),
        ({"mode": "none"}, None),
        ({"mode": "segmented"}, None),
        ({"mode": "segmented", "capacity": 20}, 13),
        ({"mode": "grouped"}, 43),
        ({"mode": "lobby_matched", "capacity": 8}, 1),
    ],
)
def test_r30_human_seats_are_the_capacity_less_the_bots(board_fields: dict[str, Any], seats: int | None):
    bindings = [{"botId": "climber", "count": 3}, {"botId": "climber", "count": 4}]
    event = only_event(**board(**board_fields), botBindings=bindings)
    assert (event.bot_count, event.human_seats) == (7, seats)


def test_events_take_from_the_settings_what_they_leave_open():
    settings = {
        "timezone": "Europe/Lisbon",
        "scheduleAheadDays": 30,
        "lobby": {"fillTimeoutSeconds": 5, "fillStrategy": "wait_full"},
    }
    lobby = board(mode="lobby_matched", capacity=2)
    own = {"scheduleAheadDays": 2, **window(), **board(mode="lobby_matched", capacity=2, fillBots=True)}
    own["availability"]["timezone"] = "UTC"
    loaded = load(race(**window(), **lobby), race(key="own", **own), settings=settings).game
    common, special = loaded.events
    assert (loaded.timezone_of(common), loaded.schedule_ahead_days_of(common)) == ("Europe/Lisbon", 30)
    assert (loaded.timezone_of(special), loaded.schedule_ahead_days_of(special)) == ("UTC", 2)
    assert loaded.lobby_rules_of(common).model_dump() == {"fill_timeout_seconds": 5, "fill_strategy": "wait_full"}
    assert loaded.lobby_rules_of(special).model_dump() == {"fill_timeout_seconds": 5, "fill_strategy": "fill_with_bots"}


def test_references_by_id_are_settled_to_the_key():
    event = race(
        entryCost={"currencies": [{"key": "currency-1", "amount": 1}]},
        botBindings=[{"botId": "bot-1"}],
        metrics=[{"key": "score", "id": "m-1", "target": 3}],
        milestoneRewards=[{"key": "m", "metricKey": "m-1", "threshold": 1, "rewardBundleId": "payout"}],
    )
    loaded = load(event).game
    settled = loaded.events[0]
    assert settled.entry_cost.currencies[0].key == "cash"
    assert settled.bot_bindings[0].bot_id == "climber"
    assert settled.milestone_rewards[0].metric_key == "score"
    assert load_event(event, loaded).event == settled
    assert load_event(settled.as_defined(), loaded).event == settled


def test_r3_paths_of_one_event_start_at_the_event():
    from kraty_actors.definitions import DefinitionFaults

    loaded = load(race()).game
    with pytest.raises(DefinitionFaults) as raised:
        load_event(
            race(key="new", metrics=[{"key": "a", "resetOn": {"metricKey": "b"}}], botBindings=[{"botId": "x"}]), loaded
        )
    assert [f.path for f in raised.value.faults] == ["metrics[0].resetOn.metricKey", "botBindings[0].botId"]
    assert str(raised.value).startswith("metrics[0].resetOn.metricKey: no metric 'b'")


def test_r19_an_event_may_refer_to_itself():
    condition = {"type": "completed_event_at_least_once", "eventKey": "new"}
    unlock = {"type": "not", "condition": condition}
    loaded = load_event(race(key="new", unlockCondition=unlock), load(race()).game)
    assert loaded.warnings == ()


def test_definitions_cannot_be_changed():
    from pydantic import ValidationError

    event = only_event()
    with pytest.raises(ValidationError):
        event.name = "other"
