"""A final window without some of its players: against a second working out, for any of them, crashes included."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from correcting import MILESTONE, POOL, TARGET, TIERS, BreakingStore, Played, Worth, game_of, played, worth
from hypothesis import given, settings
from hypothesis import strategies as st
from postgres_server import Database

from kraty_actors.actors.records import unpack
from kraty_actors.definitions import load_game
from kraty_actors.domain.ids import grant_id
from kraty_actors.domain.loot import Bundles, roll
from kraty_actors.domain.outcome import Refusal
from kraty_persistence import Change, MemoryStore, Store, StoreError
from kraty_persistence.sql import open_sql_store

pytestmark = pytest.mark.anyio

BUNDLES = Bundles.of(load_game(game_of()).game)
SCORES = {"ann": 9, "bob": 12, "cat": 4, "dan": 30, "eve": 11, "fay": 0}
"""By rank: dan, bob, eve, ann, cat, fay. Two stand first on their own, with a bot behind the last who has a point."""


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    database: Database | None = request.getfixturevalue("database") if request.param == "postgresql" else None
    async with open_sql_store(f"sqlite:///{tmp_path}/game.db" if database is None else database.url) as store:
        yield store


# -- worked out by hand


def ranked(scores: Mapping[str, int], without: frozenset[str]) -> list[str]:
    """R-28: by score, then who came to it first. The bot stands at 0 behind all players who do."""
    return sorted(scores.keys() - without, key=lambda name: (-scores[name], list(scores).index(name)))


def due(event: str, scores: Mapping[str, int], without: frozenset[str], window: str, numbers: Mapping[str, int]) -> Any:
    """What each player is due at the end of the window (R-42, R-43), on one board."""
    order = ranked(scores, without)
    if event == "tiers":
        found: dict[str, Worth] = {}
        for rank, name in enumerate(order, 1):
            tier = next((one for one in TIERS if one[0] <= rank <= (one[1] or rank)), None)
            if tier is not None and scores[name]:
                loot = roll(BUNDLES[tier[2]], grant_id(window, numbers[name], "rank_scaled", str(tier[0])))
                found[name] = worth(loot.entries) + Counter({("crate", key): 1 for key in loot.crates})
        return found
    winners = {
        "completed": [name for name in order if scores[name] >= TARGET],
        "first_three": order[:3],
        "not_the_first": order[1:],
        "bundle": [],
    }[event]
    return {name: Counter({("currency", "cash"): POOL // len(winners)}) for name in winners}


async def check(scene: Played, event: str, scores: Mapping[str, int], without: frozenset[str]) -> None:
    """What stands is what is due, nobody who is left out has anything, and the books balance."""
    expected = due(event, scores, without, scene.window, scene.numbers)
    for name in scores:
        if name in without:
            kinds = ("event_window", "event_completion", "event_milestone", "crate_open")
            assert not await scene.standing(name, *kinds), name
        else:
            assert await scene.standing(name, "event_window") == expected.get(name, Counter()), name
            milestones = Counter({("currency", "cash"): 3}) if scores[name] >= MILESTONE["threshold"] else Counter()
            assert await scene.standing(name, "event_milestone") == milestones
        assert all(amount >= 0 for amount in (await scene.store.balances(scene.numbers[name])).values())
    assert await scene.store.ledger_faults() == []
    report = await scene.engine.corrections.close_report(scene.window)
    assert not isinstance(report, Refusal)
    assert report.mismatches == []


# -- what is planned


async def test_the_plan_of_a_pool(store: Store):
    """R-43: two of three winners are left, and share what three shared before."""
    async with played("completed", SCORES, store=store) as scene:
        plan = await scene.correct("dan", apply=False)
        told = {scene_name(scene, one.player): one for one in plan.corrections}
        moves = {name: (one.rank_before, one.rank_after) for name, one in told.items()}
        assert moves == {"dan": (1, None), "bob": (2, 1), "eve": (3, 2), "ann": (4, 3), "cat": (5, 4), "fay": (6, 5)}
        assert (plan.moved, plan.is_applied) == (5, False)
        cash = {name: (one.given["currency", "cash"], one.taken["currency", "cash"]) for name, one in told.items()}
        assert cash == {"dan": (0, 336), "bob": (167, 0), "eve": (167, 0), "ann": (0, 0), "cat": (0, 0), "fay": (0, 0)}
        assert [one.owed for one in plan.corrections] == [Counter()] * 6


async def test_the_plan_of_tiers_takes_the_old_grant_and_gives_the_new_one(store: Store):
    async with played("tiers", SCORES, store=store) as scene:
        await scene.claim_all("bob")
        plan = await scene.correct("dan", apply=False)
        bob = next(one for one in plan.corrections if one.player == scene.numbers["bob"])
        assert (bob.rank_before, bob.rank_after) == (2, 1)
        assert bob.given == Counter({("currency", "cash"): 100, ("crate", "box"): 1})
        assert 40 <= bob.taken["currency", "cash"] <= 60
        dan = next(one for one in plan.corrections if one.player == scene.numbers["dan"])
        assert dan.taken == Counter({("currency", "cash"): 103, ("crate", "box"): 1})
        await scene.correct("dan")
        await check(scene, "tiers", SCORES, frozenset({"dan"}))
        assert await scene.store.balances(scene.numbers["bob"]) == {"cash": 3}  # of the milestone


async def test_who_has_spent_it_owes_it(store: Store):
    """R-40: a crate that was opened is taken back by what came out of it; a wallet is never below 0."""
    async with played("tiers", SCORES, store=store) as scene:
        await scene.claim_all("dan")
        dan = scene.numbers["dan"]
        assert await scene.store.balances(dan) == {"cash": 112}
        spent = [Change("currency", "cash", -100), Change("item", "arrow", -1)]
        await scene.store.adjust(dan, spent, key="k", reason="shop", source="s", now=1)
        for apply in (False, True):
            plan = await scene.correct("dan", apply=apply)
            [one] = [one for one in plan.corrections if one.player == dan]
            assert (one.taken, one.owed) == (
                Counter({("currency", "cash"): 12}),
                Counter({("currency", "cash"): 100, ("item", "arrow"): 1}),
            )
            assert plan.sums[2] == one.owed
        assert (await scene.store.balances(dan), await scene.store.inventory(dan)) == ({}, {})
        await check(scene, "tiers", SCORES, frozenset({"dan"}))


async def test_what_attempts_have_earned_is_taken_back_too(store: Store):
    """A bundle for completion, its crate and a milestone; those of others stay."""
    async with played("bundle", SCORES, store=store) as scene:
        plan = await scene.correct("dan", "cat")
        [dan] = [one for one in plan.corrections if one.changes_hands]
        assert (dan.player, dan.taken) == (
            scene.numbers["dan"],
            Counter({("currency", "cash"): 103, ("crate", "box"): 1}),
        )
        assert await scene.standing("bob", "event_completion", "event_milestone") == dan.taken
        await check(scene, "bundle", SCORES, frozenset({"dan", "cat"}))


def scene_name(scene: Played, number: int) -> str:
    return next(name for name, of in scene.numbers.items() if of == number)


# -- what is done


async def test_a_plan_writes_nothing():
    store = MemoryStore()
    async with played("tiers", SCORES, store=store) as scene:
        await scene.settle()
        before = frozen(store)
        assert (await scene.correct("dan", "eve", apply=False)).corrections
        assert frozen(store) == before


def frozen(store: MemoryStore) -> Any:
    names = ("_grants", "_ledger", "_holdings", "_audit", "_meta", "_actors", "_outbox", "_players")
    return copy.deepcopy({name: getattr(store, name, None) for name in names})


async def test_applied_twice_it_is_nothing_the_second_time(store: Store):
    """Once, with one row in the audit trail, which says who is left out and what it came to."""
    async with played("completed", SCORES, store=store) as scene:
        await scene.correct("dan")
        rows = await store.audit()
        assert (rows[0].who, rows[0].action, rows[0].subject) == ("op", "windows.correct", scene.window)
        cash = [{"type": "currency", "currencyKey": "cash", "amount": amount} for amount in (334, 336)]
        assert unpack(rows[0].after or b"") == {
            "without": [scene.numbers["dan"]],
            "granted": [cash[0]],
            "taken": [cash[1]],
            "owed": [],
        }
        assert unpack(rows[0].before or b"") == {"without": []}
        grants = {name: await scene.grants(name) for name in SCORES}
        for apply in (False, True):
            again = await scene.correct("dan", apply=apply)
            assert (again.corrections, again.moved) == ([], 0)
        assert {name: await scene.grants(name) for name in SCORES} == grants
        assert await store.audit() == rows


async def test_who_was_left_out_stays_out_of_the_next_correction(store: Store):
    async with played("completed", SCORES, store=store) as scene:
        await scene.correct("dan")
        plan = await scene.correct("bob")
        assert {scene_name(scene, one.player) for one in plan.corrections if one.changes_hands} == {"bob", "eve"}
        assert await scene.standing("eve", "event_window") == Counter({("currency", "cash"): 1000})
        await check(scene, "completed", SCORES, frozenset({"dan", "bob"}))
        [eve] = [one for one in plan.corrections if one.player == scene.numbers["eve"]]
        assert (eve.rank_before, eve.rank_after) == (2, 1)


async def test_ranks_go_up_tier_by_tier_with_every_correction(store: Store):
    scores = {"ann": 9, "bob": 8, "cat": 7, "dan": 6, "eve": 5}
    async with played("tiers", scores, store=store) as scene:
        for left_out in (["ann"], ["ann", "bob"], ["cat"]):
            await scene.correct(*left_out)
        await check(scene, "tiers", scores, frozenset({"ann", "bob", "cat"}))
        # eve was paid for rank 5, not for 4, for 3, and stays there at 2.
        of_eve = [row for row in await scene.grants("eve") if row.source_kind == "event_window"]
        assert sorted(row.withdrawn_at is None for row in of_eve) == [False, True]


async def test_delivered_grants_are_credited_and_taken_from_the_wallet(store: Store):
    """R-45."""
    async with played("completed", SCORES, store=store, delivery="auto") as scene:
        await scene.correct("dan")
        assert await store.balances(scene.numbers["dan"]) == {}
        assert await store.balances(scene.numbers["bob"]) == {"cash": 333 + 167 + 3}
        await check(scene, "completed", SCORES, frozenset({"dan"}))


async def test_each_board_is_judged_by_itself(store: Store):
    """R-43: a pool for each board, and players who move up only on theirs."""
    async with played("not_the_first", SCORES, store=store, capacity=4) as scene:  # three players and a bot a board
        assert await scene.standing("ann", "event_window") == Counter({("currency", "cash"): 500})
        plan = await scene.correct("cat", "eve", apply=True)
        # With dan, eve and fay, eve was the second: only fay is left behind dan. With ann and bob, ann is.
        found = {name: (await scene.standing(name, "event_window"))["currency", "cash"] for name in SCORES}
        assert found == {"ann": 1000, "bob": 0, "cat": 0, "dan": 0, "eve": 0, "fay": 1000}
        assert plan.moved == 1


async def test_a_share_that_falls_is_taken_back_and_given_anew(store: Store):
    """Without the first there is another first, who was one of the winners and is none any more."""
    async with played("not_the_first", {"ann": 9, "bob": 8, "cat": 7}, store=store) as scene:
        plan = await scene.correct("ann")
        rows = {scene_name(scene, one.player): (one.given, one.taken) for one in plan.corrections if one.changes_hands}
        cash = "currency", "cash"
        assert rows == {
            "ann": (Counter(), Counter({cash: 3})),
            "bob": (Counter(), Counter({cash: 500})),
            "cat": (Counter({cash: 500}), Counter()),
        }
        await check(scene, "not_the_first", {"ann": 9, "bob": 8, "cat": 7}, frozenset({"ann"}))


async def test_of_a_cancelled_window_only_what_was_earned_on_the_way_is_accounted_for(store: Store):
    """R-26."""
    async with played("bundle", SCORES, store=store) as scene:
        other = Played(scene.engine, store, scene.clock)
        await other.play("tiers", SCORES)
        await other.engine.steering.cancel(other.window, who="op")
        await other.settle()
        report = await other.engine.corrections.close_report(other.window)
        assert not isinstance(report, Refusal)
        assert (report.state, report.winners, report.grants, report.paid) == ("cancelled", 0, 4, Counter())
        assert (report.granted, report.mismatches) == (Counter({("currency", "cash"): 12}), [])


# -- what cannot be done


async def test_only_a_final_window_is_corrected(store: Store):
    async with played("completed", SCORES, store=store) as scene:
        live = Played(scene.engine, store, scene.clock)
        await live.play("tiers", SCORES)
        refusal = await live.engine.corrections.correct(live.window, ["dan"], apply=True, who="op")
        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.details) == ("conflict", {"state": "open"})
        assert "ban the player or void their attempts" in refusal.message
        await live.engine.steering.cancel(live.window, who="op")
        await live.settle()
        refusal = await live.engine.corrections.correct(live.window, ["dan"], apply=True, who="op")
        assert isinstance(refusal, Refusal)
        assert "cancelled" in refusal.message
        assert not [row for row in await store.audit() if row.action == "windows.correct"]


@pytest.mark.parametrize(
    ("window", "without", "details"),
    [
        (None, ["dan", "zoe"], {"path": "without[1]"}),
        (None, ["ida"], {"path": "without[0]"}),
        ("waaaaaaaaaaaaaaaa", ["dan"], {}),
        ("nonsense", ["dan"], {}),
    ],
)
async def test_who_was_not_there_cannot_be_left_out(window: str | None, without: Sequence[str], details: Any):
    async with played("completed", SCORES) as scene:
        await scene.engine.players.resolve("ida")
        refusal = await scene.engine.corrections.correct(window or scene.window, without, apply=True, who="op")
        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.details) == ("not_found", details)


async def test_the_banned_stay_out_and_what_was_voided_stays_void(store: Store):
    """R-51: a correction begins from the board as it was when the window ended."""
    store = MemoryStore()
    async with played("bundle", SCORES, store=store) as scene:
        window = Played(scene.engine, store, scene.clock)
        await window.play("completed", SCORES)
        dan = await window.engine.players.resolve("dan")
        await window.engine.bans.set(dan, is_banned=True, reason=None, who="op")
        await window.engine.steering.void(window.attempts["bob"], "bot", who="op")
        await window.end("completed")
        assert await window.standing("eve", "event_window") == Counter({("currency", "cash"): 1000})
        report = await window.engine.corrections.close_report(window.window)
        assert not isinstance(report, Refusal)
        assert report.mismatches == []
        plan = await window.correct("ann", apply=False)
        changed = [one.player for one in plan.corrections if one.changes_hands]
        assert changed == [window.numbers["ann"]]  # her milestone


# -- any of it


names = [f"p{n}" for n in range(9)]


@st.composite
def stories(draw: Callable[..., Any]) -> tuple[Any, ...]:
    players = names[: draw(st.integers(1, len(names)))]
    scores = {name: draw(st.integers(0, 14)) for name in players}
    event = draw(st.sampled_from(["tiers", "completed", "first_three", "not_the_first", "bundle"]))
    some = st.sets(st.sampled_from(players), min_size=1, max_size=3)
    rounds = draw(st.lists(st.tuples(some, some, st.none() | st.integers(0, 6)), min_size=1, max_size=4))
    return event, scores, draw(st.sampled_from(["claim", "auto"])), rounds


@given(story=stories())
@settings(max_examples=60, deadline=None)
def test_any_corrections_come_to_what_is_due_whatever_breaks_off(story: tuple[Any, ...]) -> None:
    """Players claim and spend in between; a correction dies after any change, and is asked for again."""
    anyio.run(_live_through, *story)


async def _live_through(event: str, scores: Mapping[str, int], delivery: str, rounds: Sequence[Any]) -> None:
    store = BreakingStore()
    async with played(event, scores, store=store, delivery=delivery) as scene:
        without: frozenset[str] = frozenset()
        await check(scene, event, scores, without)
        for n, (spenders, named, lives) in enumerate(rounds):
            for name in sorted(spenders - without):
                await scene.claim_all(name)
                await spend(scene, name, f"spent{n}")
            store.left = lives
            try:
                await scene.correct(*sorted(named))
            except* StoreError:
                pass
            store.left = None
            foretold = await scene.correct(*sorted(named), apply=False)
            done = await scene.correct(*sorted(named))
            assert done.sums == foretold.sums
            without |= named
            await check(scene, event, scores, without)
            again = await scene.correct(*sorted(named))
            assert (again.corrections, again.moved) == ([], 0)
        trail = [row for row in await store.audit() if row.action == "windows.correct"]
        assert len(trail) <= len(rounds)
        assert set(unpack(trail[0].after or b"")["without"]) == {scene.numbers[name] for name in without}


async def spend(scene: Played, name: str, key: str) -> None:
    """Half of it."""
    player = scene.numbers[name]
    cash = (await scene.store.balances(player)).get("cash", 0)
    if cash > 1:
        change = Change("currency", "cash", -(cash // 2))
        await scene.store.adjust(player, [change], key=key, reason="shop", source="s", now=1)
