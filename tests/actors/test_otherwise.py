"""What a window would have paid by other rules is what it does pay when it is played by them (R-42, R-43, R-57)."""

from __future__ import annotations

import random
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest
from correcting import POLICIES, Worth, game_of, played, worth
from proving import GUARDED, played_to_its_end, racing

from kraty_actors.actors.derivation import Derivation
from kraty_actors.actors.otherwise import Comparison, Otherwise, Payments
from kraty_actors.actors.records import unpack
from kraty_actors.definitions import load_game
from kraty_actors.domain.payouts import EVENT_COMPLETION, EVENT_MILESTONE, EVENT_WINDOW
from kraty_actors.domain.rules import Rules
from kraty_persistence import Store

pytestmark = pytest.mark.anyio

OURS = (EVENT_COMPLETION, EVENT_MILESTONE, EVENT_WINDOW)
SCORES = {f"p{n}": (7 * n) % 13 for n in range(9)}


async def compared(store: Store, window: str, game: dict[str, Any], event: str) -> Comparison:
    payments = Payments()
    derivation = Derivation(store, watcher=payments)
    await derivation.calendar()
    derived = await derivation.window(window)
    assert derived is not None
    loaded = load_game(game).game
    definition = loaded.event(event)
    assert definition is not None
    return await Otherwise(store, payments, derivation, Rules.of(0, definition, loaded)).compare(derived)


async def paid_in(store: Store, window: str) -> dict[int, Worth]:
    """What was really granted, by player."""
    found: dict[int, Worth] = {}
    for row in await store.window_grants(window):
        if row.source_kind in OURS:
            found.setdefault(row.player, Counter()).update(worth(unpack(row.contents)))
    return found


def with_policy(game: dict[str, Any], event: str, policy: str) -> dict[str, Any]:
    other = deepcopy(game)
    one = next(one for one in other["events"] if one["key"] == event)
    one["rewardPolicy"] = POLICIES[policy]
    return other


@pytest.mark.parametrize("capacity", [None, 3])
@pytest.mark.parametrize("otherwise", POLICIES)
@pytest.mark.parametrize("policy", ["tiers", "first_three", "bundle"])
async def test_r57_it_is_what_the_other_rules_really_pay(policy: str, otherwise: str, capacity: int | None) -> None:
    """The same scores, played once under each policy. Rolls depend on the window, so those of chance are left out."""
    async with played(policy, SCORES, capacity=capacity) as scene:
        await scene.settle()
        game = with_policy(game_of(capacity=capacity), policy, otherwise)
        made = await compared(scene.store, scene.window, game, policy)
        was = await paid_in(scene.store, scene.window)
    async with played(otherwise, SCORES, capacity=capacity) as other:
        await other.settle()
        would = await paid_in(other.store, other.window)
    expected = {player: (_fixed(was, player), _fixed(would, player)) for player in was.keys() | would.keys()}
    told = {one.player: (_fixed({0: one.paid}, 0), _fixed({0: one.paid_otherwise}, 0)) for one in made.changed}
    differ = {player: both for player, both in expected.items() if both[0] != both[1]}
    assert {player: told[player] for player in differ} == differ
    assert {player for player, both in told.items() if both[0] != both[1]} == differ.keys()
    assert made.paid == sum(was.values(), Counter())
    assert made.moved == 0
    assert made.players == len(SCORES)


def _fixed(paid: dict[int, Worth], player: int) -> Worth:
    """Without what silver rolls: an amount from 40 to 60, in no bundle together with anything else."""
    found = Counter(paid.get(player, Counter()))
    cash = found["currency", "cash"]
    rolled = cash - cash % 3 if 40 <= cash <= 63 else 0
    if rolled:
        found["currency", "cash"] = 40
    return found


@pytest.mark.parametrize("capacity", [None, 2])
@pytest.mark.parametrize("policy", POLICIES)
async def test_r57_by_the_same_rules_nothing_changes(policy: str, capacity: int | None) -> None:
    async with played(policy, SCORES, capacity=capacity) as scene:
        await scene.settle()
        made = await compared(scene.store, scene.window, game_of(capacity=capacity), policy)
    assert made.changed == []
    assert made.paid == made.paid_otherwise
    assert not any(made.difference.values())


async def test_r57_scores_ranks_milestones_flags_bots_and_costs_are_worked_out_anew() -> None:
    race = await played_to_its_end()
    game = deepcopy(GUARDED)
    [event] = game["events"]
    event["metrics"][0]["scorePerUnit"] = 0
    event["metrics"][1]["scorePerUnit"] = 5  # bob leads nobody any more: he has no streak
    event["milestoneRewards"][0]["threshold"] = 6
    event["antiCheat"]["validators"][0]["params"] |= {"maxDelta": 3, "verdict": "reject"}
    event["entryCost"]["chargePer"] = "window"
    event["rewardPolicy"]["parameters"]["pool"] = 50
    made = await compared(race.store, race.window, game, "race")
    assert made.refused == {"anti_cheat_rejected": 3}  # bob's 5, cat's 7, cat's 4
    by_player = {one.player: one for one in made.changed}
    assert by_player[1].paid == {("currency", "cash"): 36}
    assert by_player[1].paid_otherwise == {("currency", "cash"): 50}  # alone, and never past the milestone
    assert by_player[2].paid_otherwise == {}
    assert made.charged == {("currency", "cash"): 25}
    assert made.charged_otherwise == {("currency", "cash"): 20}
    assert made.difference == {("currency", "cash"): 50 - 108}


async def test_r57_random_games_by_their_own_rules_change_nothing() -> None:
    for seed in range(8):
        chance = random.Random(seed)
        async with racing() as race:
            for name in ("ann", "bob", "cat"):
                await race.start(name)
            for _ in range(12):
                await race.write(
                    chance.choice(["ann", "bob"]), chance.choice([0, 6_000]), streak=1, losses=chance.randrange(2)
                )
            await race.write("cat", points=chance.randrange(12))
            await race.end()
        made = await compared(race.store, race.window, GUARDED, "race")
        assert made.changed == []
        assert made.refused == {}
        assert made.moved == 0
