"""What only a running game could know is as the gates would have it, and said so (R-19, R-47)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scenes import behaving, game, scenario

from kraty_actors import Dice, Move, Seen
from kraty_actors.definitions import load_game
from kraty_actors.simulation.run import play
from kraty_actors.simulation.scenario import NeverOccurs, Population, Scenario

HERE = {"type": "completed_event_at_least_once", "eventKey": "race", "within": "current_window"}
RICH = {"type": "has_currency", "currencyKey": "cash", "amount": 10}
GUEST = {"type": "player_attribute", "key": "vip", "op": "exists"}


def _not(condition: Any) -> dict[str, Any]:
    return {"type": "not", "condition": condition}


def _all(*conditions: Any) -> dict[str, Any]:
    return {"type": "all", "conditions": conditions}


def _any(*conditions: Any) -> dict[str, Any]:
    return {"type": "any", "conditions": conditions}


@pytest.mark.parametrize(
    ("gate", "left"),
    [
        (RICH, None),
        (_not(RICH), None),
        (_not(_not(RICH)), None),
        (_not(HERE), _not(HERE)),
        (_all(RICH, _not(HERE)), _all(_not(HERE))),
        (_all(RICH, GUEST), None),
        (_any(RICH, HERE), None),
        (_not(_any(RICH, HERE)), _not(_any(HERE))),
        (_not(_all(RICH, HERE)), None),
        (_all(_any(RICH, HERE), _not(HERE)), _all(_not(HERE))),
        (HERE, HERE),
        (_all(), None),
        (_any(HERE), _any(HERE)),
    ],
)
def test_only_what_is_known_is_left_of_a_gate(gate: dict[str, Any], left: dict[str, Any] | None):
    found = scenario(1, entryRequirement=gate).rules.event.entry_requirement
    assert json.loads(json.dumps(found and found.as_defined())) == json.loads(json.dumps(left))


def test_what_is_assumed_is_said():
    made = scenario(
        1,
        unlockCondition=GUEST,
        entryRequirement=_all(RICH, _not(HERE), RICH),
        leaderboard={"mode": "segmented"},
        contributesTo=["weekly"],
    )
    assert made.assumptions == [
        "unlockCondition: everybody passes player_attribute vip",
        "entryRequirement: everybody passes has_currency cash",
        "everybody begins in the league bronze",
        "shared boards are left out",
        "every crate is opened",
    ]
    matched = {"mode": "lobby_matched", "capacity": 4, "matchBy": {"attribute": "skill", "maxDifference": 9}}
    alone = scenario(1, leaderboard=matched)
    assert "nobody has the attribute skill: all are placed alike" in alone.assumptions
    placed = scenario(1, leaderboard=matched, attributes={"skill": range(100)}, unlockCondition=GUEST)
    assert placed.assumptions == ["unlockCondition: everybody passes player_attribute vip", "every crate is opened"]


def test_who_has_completed_comes_in_no_more_where_the_gate_says_so():
    def again(seen: Seen, dice: Dice) -> Move | None:
        return Move.write(1, {"laps": 3}) if seen.playing else Move.start(60)

    with behaving(again=again):
        run = play(scenario(3, "again", entryRequirement=_all(RICH, _not(HERE)), attempt=REPLAY))
        free = play(scenario(3, "again", entryRequirement=RICH, attempt={**REPLAY, "maxAttempts": 4}))
    assert (run.attempts, run.refused) == (3, {"entry_requirement_failed": 3})
    assert (free.attempts, free.refused) == (12, {"max_attempts_reached": 3})


REPLAY = {"replayableDuringWindow": True}


def test_a_simulation_needs_a_window():
    past = {
        "mode": "recurring_windows",
        "windows": [{"startTime": "20:00", "durationSeconds": 60}],
        "endsAt": "2025-01-01T00:00:00Z",
    }
    over = {"mode": "personal", "durationSeconds": 60, "endsAt": "2025-01-01T00:00:00Z"}
    for availability in (past, over):
        with pytest.raises(NeverOccurs, match="race has no window"):
            play(scenario(1, availability=availability))
        assert play(scenario(1, availability=availability, not_before=1_700_000_000_000)).participants == 1


def test_a_draft_is_simulated_as_any_other():
    loaded = load_game(game(state="draft")).game
    assert play(Scenario(loaded, loaded.events[0], Population(3))).participants == 3
