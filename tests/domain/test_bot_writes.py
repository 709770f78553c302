"""`random_step_with_fall`: one tick for each applied write of a human (R-37)."""

from __future__ import annotations

from typing import Any

from bot_twin import BOARD, People, seated
from hypothesis import given
from hypothesis import strategies as st
from playing import SEED, event, expected_draws, rules

from kraty_actors.actors.records import pack, unpack
from kraty_actors.domain.bots import Bots
from kraty_actors.domain.bots.at_writes import RandomStepWithFall
from kraty_actors.domain.chance import Chance

NOBODY_ELSE = People()


def climber(target: float, fall_chance: float = 0.3, step: int = 1) -> dict[str, Any]:
    return {"block": "random_step_with_fall", "params": {"target": target, "fallChance": fall_chance, "step": step}}


plans = st.lists(
    st.tuples(st.sampled_from([1, 3, 5, 2.5]), st.sampled_from([0, 0.3, 0.5, 0.95, 1]), st.integers(1, 4)),
    min_size=1,
    max_size=12,
)


@given(plans, st.integers(0, 1000), st.integers(0, 40), st.integers(0, 40))
def test_r37_every_write_matches_the_twin(plans: list[tuple[float, float, int]], seed: int, writes: int, cut: int):
    def make() -> Bots:
        return seated(*(climber(*plan) for plan in plans), seed=seed)

    bots, expected, since = make(), [0] * len(plans), [0] * len(plans)
    for write in range(1, writes + 1):
        if write == cut:
            dumped = unpack(pack(bots.dump()))
            bots = make()
            bots.restore(dumped)
        before, draws = list(expected), expected_draws(seed, BOARD, write, len(plans))
        for seat, (target, fall, step) in enumerate(plans):
            if expected[seat] < target:
                expected[seat] = 0 if draws[seat] < round(fall * 2**32) else expected[seat] + step
        since = [was if before[at] == expected[at] else 100 + write for at, was in enumerate(since)]
        assert bots.wrote(100 + write, NOBODY_ELSE) == (before != expected)
        assert (bots.values, bots.reached) == (expected, since)


def test_r37_a_bot_at_its_target_stays_there_for_good_and_one_that_always_falls_never_leaves_0():
    bots = seated(climber(5, 0, 2), climber(5, 1))
    told = [(bots.wrote(write, NOBODY_ELSE), list(bots.values)) for write in range(5)]
    assert told == [(True, [2, 0]), (True, [4, 0]), (True, [6, 0]), (False, [6, 0]), (False, [6, 0])]


def test_r37_a_draw_at_the_threshold_itself_does_not_fall():
    (draw,) = Chance(SEED, BOARD).draws(1, 1)
    for chance, score in ((draw / 2**32, 3), ((draw + 1) / 2**32, 0)):
        bots = seated(climber(5, chance), seed=SEED)
        bots.values[0] = 2
        bots.wrote(1, NOBODY_ELSE)
        assert bots.values == [score]


def test_r37_falls_come_as_often_as_the_chance_says():
    bots = seated(*[climber(10**9)] * 50, seed=SEED)
    stands_at_0 = 0
    for write in range(400):
        bots.wrote(write, NOBODY_ELSE)
        stands_at_0 += bots.values.count(0)
    assert 0.28 < stands_at_0 / (50 * 400) < 0.32  # 20,000 draws: 0.3 within six sigma


def test_r37_the_target_defaults_to_the_largest_of_the_event():
    definition = event(
        metrics=[{"key": "a", "target": 3}, {"key": "b", "target": 9}], botBindings=[{"botId": "climber", "count": 2}]
    )
    blocks = [seat.behaviour.states[0].block for seat in rules(definition).bot_seats()]
    assert [block.target for block in blocks if isinstance(block, RandomStepWithFall)] == [9, 9]


def test_r37_time_alone_moves_nothing():
    bots = seated(climber(5))
    assert bots.next_move_at(0) is None
    assert not bots.advance(10**15, 0, NOBODY_ELSE)
