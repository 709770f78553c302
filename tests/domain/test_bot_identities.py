"""Who sits on the seats of a board (R-31, R-35)."""

from __future__ import annotations

from typing import Any

from bot_twin import BOARD
from hypothesis import given
from hypothesis import strategies as st
from playing import CLIMBER, event, pool

from kraty_actors.definitions import BotDefinition
from kraty_actors.domain.bots import BotIdentity, Bots, Grid, Persona
from kraty_actors.domain.bots.identities import identities
from kraty_actors.domain.chance import Chance
from kraty_actors.domain.rules import Rules

PEOPLE = pool(key="people", names=["Ada", "Grace", "Edsger"], countries=["PT"])
FOXES = pool(key="foxes", names=["Fox"])


def bound(bots: list[dict[str, Any]], bindings: list[dict[str, Any]], default: str | None = None) -> Rules:
    definition = event(metrics=[{"key": "a", "target": 1}], botBindings=bindings)
    return Rules(1, definition, map(BotDefinition.model_validate, bots), [PEOPLE, FOXES], default)


def sitting(rules: Rules, count: int | None = None, board: str = BOARD, seed: int = 1) -> list[BotIdentity]:
    bots = Bots(rules.bot_seats(count), Chance(seed, board), Grid(0, 5000))
    return [bots.identity(seat) for seat in range(len(bots))]


def test_r35_names_come_from_the_binding_then_the_bot_then_the_game():
    def first(default: str | None, bot: dict[str, Any], **binding: Any) -> BotIdentity:
        return sitting(bound([{**CLIMBER, **bot}], [{"botId": "climber", **binding}], default))[0]

    assert first(None, {}) == BotIdentity("Bot 1", None, None)
    assert first("foxes", {}) == BotIdentity("Fox", None, None)
    assert first("people", {}).country == "PT"
    assert first("people", {"names": ["Rex"], "avatar": "dog"}) == BotIdentity("Rex", "dog", None)
    assert first("people", {"identityPool": "foxes", "country": "FI"}) == BotIdentity("Fox", None, "FI")
    assert first(None, {"identityPool": "people"}, identityPool="foxes") == BotIdentity("Fox", None, None)


def test_r35_names_differ_on_a_board_for_as_long_as_the_pool_lasts_and_then_come_round():
    rules = bound([{**CLIMBER, "identityPool": "people"}], [{"botId": "climber", "count": 7}])
    names = [who.name for who in sitting(rules)]
    assert sorted(names[:3]) == sorted(names[3:6]) == ["Ada", "Edsger", "Grace"]
    assert names[6] in PEOPLE.names


def test_r35_two_bindings_on_one_pool_and_names_of_the_bots_own_do_not_meet():
    bots = [{**CLIMBER, "key": "one", "names": ["Ada"]}, {**CLIMBER, "key": "two", "identityPool": "people"}]
    seats = [{"botId": "one"}, {"botId": "two"}, {"botId": "two"}]
    assert {who.name for who in sitting(bound(bots, seats))} == set(PEOPLE.names)


def test_r36_each_board_seats_others_and_always_the_same():
    rules = bound([{**CLIMBER, "identityPool": "people"}], [{"botId": "climber", "count": 3}])
    orders = [tuple(who.name for who in sitting(rules, board=f"w.{board}")) for board in range(1, 30)]
    assert len(set(orders)) == 6
    assert sitting(rules) == sitting(rules)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=12), st.integers(0, 12))
def test_r31_who_sits_on_a_seat_does_not_depend_on_the_seats_behind(draws: list[int], fewer: int):
    persona = Persona("pool", ("a", "b", "c", "d"), ("x", "y"))
    whole = identities([persona] * len(draws), draws)
    assert identities([persona] * len(draws[:fewer]), draws[:fewer]) == whole[:fewer]


def test_r31_further_bots_go_round_the_bindings_and_fewer_are_the_first_of_them():
    bots = [{**CLIMBER, "key": key, "names": [key]} for key in ("a", "b")]
    rules = bound(bots, [{"botId": "a", "count": 2}, {"botId": "b"}])
    assert [who.name for who in sitting(rules, 6)] == ["a", "a", "b", "a", "b", "a"]
    assert [who.name for who in sitting(rules, 2)] == ["a", "a"]
    assert sitting(bound(bots, []), 3) == []
