"""Simulated players: their dice, what they see, and how a game adds its own (R-47)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import behaving, runner, scenario

from kraty_actors import Dice, Move, Seen, register_strategy
from kraty_actors.simulation.built_in import BUILT_IN, steady
from kraty_actors.simulation.run import play
from kraty_actors.simulation.strategies import STRATEGIES, StrategyFault


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    with behaving(runner=runner):
        yield


# -- dice


def test_dice_are_cut_from_one_documented_hash():
    prefix = hashlib.sha256(b"7\0player 3").digest()
    block = hashlib.shake_256(prefix + (0).to_bytes(8, "big")).digest(8)
    dice = Dice(7, "player 3")
    assert dice.unit() == int.from_bytes(block[:4], "big") / 2**32
    assert dice.between(10, 20) == 10 + 10 * int.from_bytes(block[4:], "big") / 2**32


def test_dice_go_on_beyond_one_block_without_repeating():
    dice = Dice(1, "player 1")
    assert len({dice.unit() for _ in range(100)}) == 100


@given(seed=st.integers(0, 2**53 - 1), bound=st.integers(1, 2**32))
def test_whole_numbers_stay_below_their_bound(seed: int, bound: int):
    dice = Dice(seed, "player 1")
    assert all(0 <= dice.below(bound) < bound for _ in range(20))


def test_whole_numbers_are_as_likely_as_one_another():
    dice = Dice(1, "player 1")
    counts = [0] * 6
    for _ in range(6000):
        counts[dice.below(6)] += 1
    assert all(850 < count < 1150 for count in counts)
    assert sum(dice.chance(0.25) for _ in range(4000)) in range(850, 1150)


@pytest.mark.parametrize("bound", [0, -1, 2**32 + 1])
def test_a_number_that_cannot_be_drawn_is_refused(bound: int):
    with pytest.raises(ValueError, match="cannot be drawn"):
        Dice(1, "player 1").below(bound)


def test_what_never_and_what_always_happens():
    dice = Dice(1, "player 1")
    assert not any(dice.chance(0) for _ in range(100))
    assert all(dice.chance(1) for _ in range(100))


# -- what they see


def test_a_player_sees_the_event_the_attempt_and_the_time():
    seen_by_one: list[Seen] = []

    def watcher(seen: Seen, dice: Dice) -> Move | None:
        if seen.player == 2:
            return Move.write(60, {"laps": 1}) if seen.playing else None if seen.attempts else Move.start(1800)
        seen_by_one.append(seen)
        if not seen.playing:
            return None if seen.attempts else Move.start(3600)
        return Move.write(60, {"laps": 1.5})

    with behaving(watcher=watcher):
        play(scenario(2, "watcher", attempt={"durationSeconds": 7200}))
    before, started, written, after = seen_by_one
    assert (before.elapsed, before.length, before.remaining, before.playing) == (0, 86_400, 86_400, False)
    assert (started.elapsed, started.remaining, started.playing, started.attempts) == (3600, 7200, True, 1)
    assert (started.writes, dict(started.values), started.score, started.rank) == (0, {"laps": 0}, 0, 2)
    assert (written.elapsed, written.writes, dict(written.values)) == (3660, 1, {"laps": 1.5})
    assert (written.score, written.rank, written.remaining) == (1.5, 2, 7140)
    assert (after.playing, after.completed, after.attempts, dict(after.values)) == (False, 1, 1, {})
    assert after.event.key == "race"
    assert 0 <= after.skill < 1
    assert (after.skill, after.temper) == (before.skill, before.temper)


def test_a_player_sees_why_a_write_was_refused_r48():
    codes: list[str | None] = []

    def cheat(seen: Seen, dice: Dice) -> Move | None:
        if not seen.playing:
            return None if seen.attempts else Move.start(1)
        codes.append(seen.refused)
        return Move.write(60, {"laps": 2}) if len(codes) < 3 else None

    guard = {"key": "max_metric_jump", "params": {"metricKey": "laps", "maxDelta": 1, "verdict": "reject"}}
    with behaving(cheat=cheat):
        run = play(scenario(1, "cheat", antiCheat={"validators": [guard]}))
    assert codes == [None, "anti_cheat_rejected", "anti_cheat_rejected"]
    assert (run.writes, run.flagged, run.refused) == (0, 2, {"anti_cheat_rejected": 2})


def test_attributes_place_players_and_open_gates_r19():
    cohorts = {"mode": "grouped", "cohortBy": "country", "capacity": 100}
    gate = {"type": "player_attribute", "key": "country", "op": "ne", "value": "US"}
    run = play(
        scenario(
            90,
            "runner",
            leaderboard=cohorts,
            entryRequirement=gate,
            attributes={"country": ["PT", "US", "NZ"]},
        )
    )
    assert len(run.boards) == 2
    assert run.refused["entry_requirement_failed"] == 90 - run.participants
    assert 40 < run.participants < 80


# -- a game's own


def test_a_name_stands_for_one_strategy():
    register_strategy("runner", runner)  # the same again is nothing
    with pytest.raises(ValueError, match="'steady' is there already"):
        register_strategy("steady", runner)
    with pytest.raises(ValueError, match="is no key"):
        register_strategy("very fast", runner)
    assert STRATEGIES["steady"] is steady
    assert list(STRATEGIES)[: len(BUILT_IN)] == list(BUILT_IN)


def test_an_unknown_strategy_is_named_with_those_that_are_known():
    with pytest.raises(StrategyFault, match="no behaviour 'hasty'; known: steady, casual"):
        play(scenario(1, "hasty"))


def _raises(seen: Seen, dice: Dice) -> Move | None:
    raise LookupError("no plan")


def _writes(metrics: Any) -> Any:
    return lambda seen, dice: Move.write(1, metrics) if seen.playing else Move.start(0)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (_raises, "a strategy failed: LookupError: no plan"),
        (lambda seen, dice: "run", "gives a Move .* not 'run'"),
        (lambda seen, dice: Move.start(-1), "after 0 seconds or more"),
        (lambda seen, dice: Move.start(math.nan), "after 0 seconds or more"),
        (lambda seen, dice: Move.start(math.inf), "after 0 seconds or more"),
        (_writes({"wings": 1}), "writes {'wings': 1}: "),
        (_writes({"laps": -1}), "writes {'laps': -1}: "),
        (_writes({"laps": True}), "writes {'laps': True}: "),
        (_writes({"laps": math.nan}), "writes {'laps': nan}: "),
        (_writes({"laps": "1"}), "writes {'laps': '1'}: "),
        (_writes({}), "writes {}: "),
        (_writes({"laps": 0}), "player 1 makes more than 10000 moves"),
        (lambda seen, dice: Move.write(0, {"laps": 1}), "player 1 makes more than 10000 moves"),
    ],
)
def test_what_no_player_can_do_is_told(strategy: Any, message: str):
    with behaving(odd=strategy), pytest.raises(StrategyFault, match=message):
        play(scenario(1, "odd"))
