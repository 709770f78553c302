"""Defaults and spellings, and what they come to (R-1, R-2, R-6, R-7, R-22, R-25, R-30)."""

from __future__ import annotations

from typing import Any

import pytest
from small_games import load, only_event, race
from test_definition_shapes import board, fixed, metric, window

from kraty_actors.definitions import EventDefinition, GameFile, Metric, load_event, load_game


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
