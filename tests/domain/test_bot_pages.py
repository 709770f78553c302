"""The page about bots: a section for each block and composer, whose definition loads and whose picture is its curve."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from kraty_actors.definitions import BehaviourSequence, BehaviourSingle, BehaviourStateMachine, load_game
from kraty_actors.definitions.blocks import PARAMS

DOCS = Path(__file__).parents[2] / "docs"


def sections() -> dict[str, Any]:
    """The definition in each section that shows one."""
    parts = (DOCS / "bots.md").read_text("utf-8").split("\n## ")
    found = ((part.partition("\n")[0], re.findall(r"^```json\n(.*?)^```$", part, re.M | re.S)) for part in parts)
    return {title: json.loads(blocks[0]) for title, blocks in found if blocks and title.islower() and " " not in title}


def test_r38_drawing_again_gives_the_pictures_that_are_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(DOCS)
    drawing = importlib.import_module("bot_pictures")
    kept = {path.stem: path.read_text("utf-8") for path in (DOCS / "bots").glob("*.svg")}
    assert drawing.pictures() == kept


def test_r38_every_block_and_composer_has_a_section():
    behaviours = (BehaviourSingle, BehaviourSequence, BehaviourStateMachine)
    composers = {name for model in behaviours for name in get_args(model.model_fields["type"].annotation)}
    assert sections().keys() == PARAMS.keys() | composers


@pytest.mark.parametrize("name", sections())
def test_r38_the_definition_of_a_section_loads_and_shows_what_the_section_is_about(name: str):
    bot = sections()[name]
    events = [{"key": "race", "metrics": [{"key": "m"}], "botBindings": [{"botId": bot["key"]}]}]
    loaded = load_game({"gameId": "g", "bots": [bot], "events": events})
    behaviour = loaded.game.bots[0].behaviour
    assert name in (behaviour.type, *(step.block for step in loaded.game.bots[0].steps()))
