"""Every documented example loads unchanged (R-2)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from small_games import example, game, race

from kraty_actors.definitions import load_event, load_game, load_game_text

DOCS = Path(__file__).parents[2] / "docs" / "events.md"
BUNDLE = {"key": "payout", "entries": [{"type": "item", "itemKey": "bullet_basic", "quantity": 5}]}
ROUND_ABOUT = {"items": [{"key": "bullet_basic"}], "bundles": [BUNDLE]}


@pytest.mark.parametrize("name", ["trail_of_triumph", "bounty_hunt"])
def test_r2_whole_events_load(name: str):
    event = load_game(game(example(name), **ROUND_ABOUT)).game.events[0]
    assert event.as_defined() == example(name)


@pytest.mark.parametrize("name", ["contributes_to", "anti_cheat", "metadata"])
def test_r2_fragments_of_events_load(name: str):
    event = load_game(game(race(**example(name)))).game.events[0]
    assert event.as_defined() == race(**example(name)) | {"availability": event.availability.as_defined()}


def test_r2_the_annotated_game_file_loads():
    loaded = load_game(example("annotated"))
    assert [bot.key for bot in loaded.game.bots] == ["climber", "pacer", "stalker"]
    assert loaded.game.settings.default_identity_pool == "people"
    assert loaded.game.events[0].reward_policy.type == "shared_pool"


def test_the_worked_example_has_neither_faults_nor_warnings_and_runs():
    assert load_game(game(example("trail_of_triumph"))).warnings == ()


def test_r5_an_event_given_back_as_defined_is_the_same_event():
    loaded = load_game(example("annotated")).game
    for event in loaded.events:
        assert load_event(event.as_defined(), loaded).event == event
        assert json.loads(json.dumps(event.as_defined())) == event.as_defined()


def _blocks() -> list[str]:
    return re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL)


@pytest.mark.parametrize("block", _blocks())
def test_the_examples_of_the_documentation_load(block: str):
    data = json.loads(block)
    loaded = load_game_text(block) if "gameId" in data else load_game(game(race(**data)))
    assert loaded.game.events


def test_the_documentation_names_every_field_of_an_event_and_its_parts():
    from kraty_actors.definitions import AttemptRules, EntryCost, EventDefinition, Leaderboard, Metric, Milestone

    text = DOCS.read_text()
    for model in (EventDefinition, Metric, AttemptRules, Leaderboard, Milestone, EntryCost):
        for info in model.model_fields.values():
            assert f"`{info.alias}`" in text, (model.__name__, info.alias)
