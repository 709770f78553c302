"""Seeded chance and the bots that live by it (R-35 to R-37)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from playing import CLIMBER, SEED, event, expected_draws, pool, rules

from kraty_actors.actors.records import pack, unpack
from kraty_actors.definitions import BotDefinition
from kraty_actors.domain.bots import BotIdentity, Bots, BotSeat
from kraty_actors.domain.chance import DRAW_RANGE, Chance, threshold
from kraty_actors.domain.rules import Rules

NOBODY = BotIdentity("Bot", None, None)
BOARD = "w.1"


def test_r36_the_draws_are_these_on_every_machine_and_python():
    """Worked out with another program: `openssl dgst -shake256 -xoflen 12`."""
    assert Chance(7, "w.1").draws(1, 3) == (332495537, 625858850, 2189859453)
    assert Chance(-1, "wabc.12").draws(2**40, 2) == (558834508, 2141633543)


@given(st.integers(-(2**53), 2**53), st.integers(0, 2**60), st.integers(0, 60), st.integers(0, 60))
def test_r36_a_seat_draws_the_same_however_many_sit_beside_it(seed: int, tick: int, few: int, more: int):
    chance = Chance(seed, BOARD)
    drawn = chance.draws(tick, few + more)
    assert list(drawn) == expected_draws(seed, BOARD, tick, few + more)
    assert chance.draws(tick, few) == drawn[:few]


def test_r36_seed_board_and_tick_each_change_the_draws():
    blocks = [Chance(s, b).draws(t, 4) for s in (1, 2) for b in ("w.1", "w.2") for t in (1, 2)]
    assert len(set(blocks)) == len(blocks)
    assert Chance(1, "2").draws(0, 1) != Chance(12, "").draws(0, 1)


def test_r37_the_ends_of_chance_are_certain():
    assert (threshold(0), threshold(1)) == (0, DRAW_RANGE)
    assert threshold(0.3) / DRAW_RANGE == round(0.3 * DRAW_RANGE) / DRAW_RANGE


seats = st.lists(
    st.builds(
        lambda target, fall, step: (target, fall, step),
        st.sampled_from([1, 3, 5, 2.5]),
        st.sampled_from([0, 0.3, 0.5, 0.95, 1]),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=12,
)


@given(seats, st.integers(0, 1000), st.integers(0, 40), st.integers(0, 40))
def test_r37_every_tick_matches_the_twin(plans: list[tuple[float, float, int]], seed: int, ticks: int, cut: int):
    made = [BotSeat.of(NOBODY, *plan) for plan in plans]
    bots, expected, since = Bots(made, Chance(seed, BOARD)), [0] * len(plans), [0] * len(plans)
    for tick in range(1, ticks + 1):
        if tick == cut:
            dumped = unpack(pack(bots.dump()))
            bots = Bots(made, Chance(seed, BOARD))
            bots.restore(dumped)
        before, draws = list(expected), expected_draws(seed, BOARD, tick, len(plans))
        for seat, (target, fall, step) in enumerate(plans):
            if expected[seat] < target:
                expected[seat] = 0 if draws[seat] < round(fall * 2**32) else expected[seat] + step
        since = [was if before[at] == expected[at] else 100 + tick for at, was in enumerate(since)]
        assert bots.tick(100 + tick) == (before != expected)
        assert (bots.values, bots.reached) == (expected, since)
    assert bots.ticks == ticks


def test_r37_a_bot_at_its_target_stays_there_for_good_and_one_that_always_falls_never_leaves_0():
    made = [BotSeat.of(NOBODY, 5, 0, 2), BotSeat.of(NOBODY, 5, 1, 1)]
    bots = Bots(made, Chance(SEED, BOARD))
    told = [(bots.tick(tick), list(bots.values)) for tick in range(5)]
    assert told == [(True, [2, 0]), (True, [4, 0]), (True, [6, 0]), (False, [6, 0]), (False, [6, 0])]


def test_r37_a_draw_at_the_threshold_itself_does_not_fall():
    (draw,) = Chance(SEED, BOARD).draws(1, 1)
    for below, value in ((draw, 1), (draw + 1, 0)):
        bots = Bots([BotSeat(NOBODY, 5, below, 1)], Chance(SEED, BOARD))
        bots.tick(1)
        assert bots.values == [value]


def test_r37_falls_come_as_often_as_the_chance_says():
    bots = Bots([BotSeat.of(NOBODY, 10**9, 0.3, 1)] * 50, Chance(SEED, BOARD))
    stands_at_0 = 0
    for tick in range(400):
        bots.tick(tick)
        stands_at_0 += bots.values.count(0)
    assert 0.28 < stands_at_0 / (50 * 400) < 0.32  # 20,000 draws: 0.3 within six sigma


def test_r37_the_target_defaults_to_the_largest_of_the_event():
    definition = event(
        metrics=[{"key": "a", "target": 3}, {"key": "b", "target": 9}], botBindings=[{"botId": "climber", "count": 2}]
    )
    assert [seat.target for seat in rules(definition).bot_seats(Chance(1, BOARD))] == [9, 9]


def test_r31_further_bots_go_round_the_bindings():
    bots = [
        {
            **CLIMBER,
            "key": key,
            "names": [key],
            "behaviour": {"block": "random_step_with_fall", "params": {"target": 5}},
        }
        for key in ("a", "b")
    ]
    definition = event(botBindings=[{"botId": "a", "count": 2}, {"botId": "b"}])
    seated = rules(definition, bots).bot_seats(Chance(1, BOARD), extra=3)
    assert [seat.identity.name for seat in seated] == ["a", "a", "b", "a", "b", "a"]
    assert rules(event(), bots).bot_seats(Chance(1, BOARD), extra=3) == []


def test_r35_names_come_from_the_binding_then_the_bot_then_the_game():
    people, foxes = pool(key="people", names=["Ada"], countries=["PT"]), pool(key="foxes", names=["Fox"])

    def name(default: str | None, bot: dict[str, object], **binding: object) -> BotIdentity:
        definition = BotDefinition.model_validate({**CLIMBER, **bot})
        bound = event(metrics=[{"key": "a", "target": 1}], botBindings=[{"botId": "climber", **binding}])
        return Rules(1, bound, [definition], [people, foxes], default).bot_seats(Chance(1, BOARD))[0].identity

    assert name(None, {}) == BotIdentity("Bot 1", None, None)
    assert name("people", {}) == BotIdentity("Ada", None, "PT")
    assert name("people", {"names": ["Rex"], "avatar": "dog"}) == BotIdentity("Rex", "dog", None)
    assert name("people", {"identityPool": "foxes"}) == BotIdentity("Fox", None, None)
    assert name(None, {"identityPool": "foxes"}, identityPool="people") == BotIdentity("Ada", None, "PT")
