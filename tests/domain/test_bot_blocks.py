"""Every block and composer at points that the formulas give (R-37, R-38)."""

from __future__ import annotations

from typing import Any

import pytest
from bot_twin import BEGAN, BOARD, TICK_MS, People, seated
from playing import expected_draws

from kraty_actors.domain.bots import Bots

SEED = 7
LUCK = expected_draws(SEED, BOARD, 1 << 63, 1)[0] / 2**32
"""The one draw of the seat alone on its board."""


def block(name: str, **params: Any) -> dict[str, Any]:
    return {"block": name, "params": params}


def sequence(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"type": "sequence", "steps": list(steps)}


def machine(**states: dict[str, Any]) -> dict[str, Any]:
    return {"type": "state_machine", "initial": next(iter(states)), "states": states}


def when(expr: str, to: str) -> dict[str, Any]:
    return {"when": {"expr": expr}, "to": to}


def at(seconds: float) -> int:
    return BEGAN + round(seconds * 1000)


def told(behaviour: dict[str, Any], seconds: list[int], people: People | None = None, target: float = 0) -> list[Any]:
    """The scores of one bot at these seconds of its board; None where it has no row."""
    bots, scores = seated(behaviour, seed=SEED, target=target), []
    for moment in seconds:
        bots.advance(at(moment), 0, people or People())
        scores.append(bots.values[0] if 0 in bots.standing else None)
    return scores


JITTERED = 100 * (1 + 0.5 * (2 * LUCK - 1))
POINTS = [
    (block("idle"), [0, 50, 10**6], [0, 0, 0]),
    (block("wait", seconds=60), [0, 60, 10**6], [0, 0, 0]),
    (block("progress_linear", targetScore=400, durationSeconds=3600), [0, 900, 1795, 9999], [0, 100, 199, 400]),
    (block("progress_linear", targetScore=7, durationSeconds=3600), [510, 515, 3595], [0, 1, 6]),
    (block("progress_linear", targetScore=1000, durationSeconds=100, jitter=0.5), [20, 50, 150],
     [int(1000 * min(1, t / JITTERED)) for t in (20, 50, 150)]),
    (block("progress_burst", targetScore=500, durationSeconds=120), [30, 60, 65, 75, 999], [50, 100, 266, 500, 500]),
    (block("progress_burst", targetScore=100, durationSeconds=100, burstAt=0.2, burstSeconds=40, before=0.5),
     [10, 20, 40, 60], [25, 50, 75, 100]),
    (block("progress_burst", targetScore=100, durationSeconds=100, burstAt=0, burstSeconds=0), [0, 5], [100, 100]),
    (block("complete_at", seconds=600, score=42), [595, 600, 10**6], [0, 42, 42]),
    (block("complete_at", seconds=602, score=42), [600, 604, 605], [0, 0, 42]),
    (block("complete"), [0, 5, 10**6], [0, 0, 0]),
    (block("quit"), [0, 5, 10**6], [None, None, None]),
]  # fmt: skip


@pytest.mark.parametrize(("behaviour", "seconds", "scores"), POINTS, ids=lambda value: str(value)[:60])
def test_r38_blocks_that_time_moves(behaviour: dict[str, Any], seconds: list[int], scores: list[int]):
    assert told(behaviour, seconds) == scores


def test_r38_scores_are_whole_and_the_target_defaults_to_that_of_the_event():
    assert told(block("complete_at", seconds=5), [5], target=7.9) == [7]
    assert told(block("progress_linear", durationSeconds=10), [5, 10], target=7) == [3, 7]
    assert told(block("progress_burst", durationSeconds=10), [5, 10], target=10) == [2, 10]


PEOPLE = [90, 50, 20]
FOLLOWERS = [
    (block("track_position", targetRank=1), [0, 5, 10], [0, 90, 90]),
    (block("track_position", targetRank=2, offset=-1), [5], [49]),
    (block("track_position", targetRank=9, offset=0.5), [5], [20]),
    (block("track_position", targetRank=3, offset=-30), [5], [0]),
    (block("track_position", targetRank=1, maxStep=40), [5, 10, 15, 20], [40, 80, 90, 90]),
    (block("track_position", targetRank=1, maxStep=2.9), [5, 10], [2, 4]),
    (block("match_player_pace"), [0, 5, 10], [0, 90, 90]),
    (block("match_player_pace", ratio=0.55), [5], [49]),
    (block("match_player_pace", ratio=0.5, jitter=1), [5], [int(90 * 0.5 * 2 * LUCK)]),
    (block("match_player_pace", maxStep=60), [5, 10], [60, 90]),
]


@pytest.mark.parametrize(("behaviour", "seconds", "scores"), FOLLOWERS, ids=lambda value: str(value)[:60])
def test_r38_blocks_that_follow_others(behaviour: dict[str, Any], seconds: list[int], scores: list[int]):
    assert told(behaviour, seconds, People(list(PEOPLE))) == scores


def test_r38_who_follows_nobody_stays():
    assert told(block("track_position", targetRank=1), [5, 50]) == [0, 0]
    assert told(block("match_player_pace"), [5, 50]) == [0, 0]
    assert told(block("match_player_pace"), [5], People([-10])) == [0]


def test_r38_a_pacer_never_falls_and_a_tracker_does():
    people = People([30])
    bots = seated(block("match_player_pace"), block("track_position", targetRank=2))
    bots.advance(at(10), 0, people)
    assert bots.values == [30, 30]
    people.scores[0] = 10
    bots.advance(at(15), 1, people)
    assert bots.values == [30, 10]


def test_r38_trackers_do_not_see_each_other_and_see_other_bots_as_they_were():
    linear = block("progress_linear", targetScore=40, durationSeconds=20)
    tracker = block("track_position", targetRank=1)
    bots = seated(tracker, linear, tracker)
    seen = []
    for tick in range(1, 6):
        bots.advance(at(5 * tick), 0, People([5]))
        seen.append(list(bots.values))
    assert seen == [[5, 10, 5], [10, 20, 10], [20, 30, 20], [30, 40, 30], [40, 40, 40]]


def test_r38_a_tracker_on_a_board_of_lowest_scores_follows_its_order():
    bots = seated(block("track_position", targetRank=2), ascending=True)
    bots.advance(at(5), 0, People([30, 10, 20], ascending=True))
    assert bots.values == [20]
    assert bots.standing == []


def test_r38_a_step_begins_at_the_tick_at_which_the_one_before_is_done():
    behaviour = sequence(
        block("wait", seconds=60),
        block("wait", seconds=0),
        block("progress_linear", targetScore=100, durationSeconds=48),  # done at 108, on the grid at 110
        block("progress_linear", targetScore=40, durationSeconds=30),
        block("complete"),
    )
    assert told(behaviour, [60, 65, 105, 110, 125, 140, 999]) == [0, 10, 93, 100, 70, 40, 40]


def test_r38_a_step_that_is_at_its_target_already_is_passed():
    steps = [block("progress_linear", targetScore=10, durationSeconds=seconds) for seconds in (5, 900)]
    assert told(sequence(*steps, block("quit")), [0, 5]) == [0, None]


def test_r38_transitions_are_tried_in_order_after_each_tick_and_states_begin_anew():
    behaviour = machine(
        run={
            **block("progress_linear", targetScore=100, durationSeconds=100),
            "transitions": [when("score >= 20 and ticks > 3", "rest"), when("stateSeconds >= 5", "rest")],
        },
        rest={**block("idle"), "transitions": [when("stateSeconds >= 10", "run")]},
    )
    assert told(behaviour, [5, 10, 15, 20, 25]) == [5, 5, 5, 9, 9]


def test_r38_one_transition_a_tick_though_the_next_holds_already():
    step = machine(
        a={**block("complete_at", seconds=999, score=9), "transitions": [when("ticks >= 1", "b")]},
        b={**block("idle"), "transitions": [when("ticks >= 1", "c")]},
        c=block("complete_at", seconds=0, score=5),
    )
    assert told(step, [5, 10]) == [0, 5]


NAMES = [
    ("elapsedSeconds >= 10", [0, 1, 1]),
    ("stateSeconds >= 15", [0, 0, 1]),
    ("remainingSeconds <= 20", [0, 1, 1]),
    ("ticks == 3", [0, 0, 1]),
    ("score == 2", [0, 0, 1]),
    ("rank == 3", [0, 0, 1]),
    ("leaderScore == 5", [1, 1, 1]),
    ("target == 8", [1, 1, 1]),
    ("score * 4 >= target", [0, 0, 1]),
    ("not (rank > 3) and leaderScore - score < 4", [0, 0, 1]),
]


@pytest.mark.parametrize(("expr", "holds"), NAMES)
def test_r38_what_conditions_speak_of(expr: str, holds: list[int]):
    """One bot climbs to 2 in 15 s, among humans at 5, 4 and 1; a sign is what it shows once the condition holds."""
    climb = block("progress_linear", targetScore=8, durationSeconds=60)
    state = {**climb, "transitions": [when(expr, "sign")]}
    bots = seated(machine(climb=state, sign=block("complete_at", seconds=0, score=99)))
    shown = []
    for seconds in (5, 10, 15):
        bots.advance(at(seconds), 0, People([5, 4, 1], ends_at=at(30)))
        shown.append(int(bots.values[0] == 99))
    assert shown == holds


def test_r28_a_bot_ranks_behind_players_and_behind_bots_who_came_to_the_score_before():
    sign = {
        "a": {**block("idle"), "transitions": [when("rank == 3", "sign")]},
        "sign": block("complete_at", seconds=0, score=9),
    }
    machines = [machine(**sign) for _ in range(3)]
    bots = seated(*machines)
    bots.advance(at(5), 0, People([0, -5]))
    assert bots.values == [0, 9, 0]


def test_r38_without_an_end_the_remaining_time_is_the_largest_whole_number():
    behaviour = machine(
        a={**block("idle"), "transitions": [when("remainingSeconds == 9007199254740991", "b")]}, b=block("quit")
    )
    assert told(behaviour, [5]) == [None]


def climbing_machine(expr: str) -> dict[str, Any]:
    climb = block("random_step_with_fall", target=3, fallChance=0)
    return machine(climb={**climb, "transitions": [when(expr, "away")]}, away=block("quit"))


def test_r38_after_a_write_those_whose_block_moved_with_it_may_change_state():
    bots, people = seated(climbing_machine("score >= target"), block("idle")), People([1])
    told = [bots.wrote(write, people) and (bots.values[0], list(bots.standing)) for write in (1, 2, 3, 4)]
    assert told == [(1, [0, 1]), (2, [0, 1]), (3, [1]), False]


def test_r36_what_a_write_sets_off_happens_at_the_moment_of_the_write():
    climb = {**block("random_step_with_fall", target=3, fallChance=0), "transitions": [when("score == 1", "jump")]}
    bots, people = seated(machine(climb=climb, jump=block("complete_at", seconds=0, score=50))), People([1])
    bots.advance(at(10), 6, people)
    assert bots.wrote(9, people)
    assert (bots.values, bots.reached) == ([50], [9])


def test_r38_what_is_final_takes_no_way_out_even_at_the_tick_at_which_it_becomes_so():
    state = {**block("complete_at", seconds=5, score=7), "transitions": [when("stateSeconds >= 5", "away")]}
    assert told(machine(a=state, away=block("quit")), [5, 10]) == [7, 7]


def test_r38_a_bot_that_begins_to_follow_while_nobody_looks_has_followed_from_then_on():
    linear = block("progress_linear", targetScore=100, durationSeconds=100)
    late = sequence(block("wait", seconds=40), block("track_position", targetRank=1, maxStep=1))
    bots = seated(late, linear)
    bots.advance(at(90), 0, People())
    assert bots.values == [10, 90]


def test_r37_a_bot_frozen_at_its_target_still_changes_state_with_time():
    bots, people = seated(climbing_machine("stateSeconds >= 20")), People([1])
    for write in range(1, 9):
        bots.wrote(write, people)
    assert bots.values == [3]
    assert bots.advance(at(20), 8, people)
    assert bots.standing == []


def test_r37_the_climb_may_be_the_last_step_of_a_sequence():
    bots = seated(sequence(block("wait", seconds=10), block("random_step_with_fall", target=5, fallChance=0)))
    assert not bots.wrote(1, People([1]))
    bots.advance(at(10), 1, People([1]))
    assert bots.wrote(4, People([1]))
    assert (bots.values, bots.reached) == ([1], [4])


def test_r28_where_the_lowest_leads_a_bot_has_a_row_from_its_completion_on():
    linear = block("progress_linear", targetScore=40, durationSeconds=20)
    rests = sequence(linear, block("wait", seconds=30), block("complete"))
    bots = seated(rests, block("complete_at", seconds=10, score=3), linear, ascending=True)
    rows = []
    for seconds in (5, 10, 20, 50, 100):
        changed = bots.advance(at(seconds), 2, People(ascending=True))
        rows.append((changed, list(bots.standing), bots.last_moved_tick))
    assert rows == [(False, [], 0), (True, [1], 2), (False, [1], 2), (True, [0, 1], 10), (False, [0, 1], 10)]
    assert (bots.values, bots.reached) == ([40, 3, 40], [2 + 10, 2 + 2, 2 + 4])


class Unasked(People):
    """A board that no bot may look at."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"a bot asked for {name}")


def test_r38_final_bots_cost_nothing_and_time_never_moves_them_again():
    finals = [block("complete"), block("quit"), block("complete_at", seconds=5, score=1)]
    settled = [block("idle"), sequence(block("progress_linear", targetScore=3, durationSeconds=10))]
    frozen = machine(a={**block("complete"), "transitions": [when("ticks > 0", "b")]}, b=block("quit"))
    bots = seated(*finals, *settled, frozen)
    bots.advance(at(20), 0, People())
    assert bots.next_move_at(0) is None
    assert bots.next_move_at(99) is None
    assert not bots.advance(at(10**9), 99, Unasked())
    assert list(bots.standing) == [0, 2, 3, 4, 5]


def test_r38_a_bot_that_time_moves_says_when_it_moves_next():
    bots = seated(sequence(block("wait", seconds=62), block("complete_at", seconds=30, score=1)))
    assert bots.next_move_at(0) == at(65)
    bots.advance(at(65), 0, Unasked())
    assert bots.next_move_at(0) == at(95)


def test_r38_a_tracker_sleeps_until_an_input_or_another_bot_moves():
    def looking_at(bots: Bots) -> int | None:
        return bots.next_move_at(0)

    bots = seated(block("track_position", targetRank=1), block("complete_at", seconds=300, score=10))
    bots.advance(at(15), 0, People([5]))
    assert looking_at(bots) == at(300)
    assert bots.next_move_at(1) == at(20)
    bots.advance(at(290), 1, People([5]))
    bots.advance(at(305), 1, People([5]))
    assert bots.values == [10, 10]


def test_r38_moments_count_inputs_and_ticks():
    bots = seated(block("progress_linear", targetScore=4, durationSeconds=40))
    bots.advance(at(25), 3, People())
    assert (bots.values, bots.reached, bots.last_moved_tick) == ([2], [3 + 4], 4)
    bots.advance(at(30), 8, People())
    assert (bots.values, bots.reached, bots.last_moved_tick) == ([3], [8 + 6], 6)


def test_r38_the_grid_has_its_ticks_at_the_beat_and_not_before():
    bots = seated(block("progress_linear", targetScore=100, durationSeconds=100))
    assert not bots.advance(BEGAN + TICK_MS - 1, 0, People())
    assert bots.advance(BEGAN + TICK_MS, 0, People())
