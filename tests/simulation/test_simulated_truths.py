"""Simulations of events whose outcome is known by hand (R-47)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import CASH, POOL, behaving, half_of_them, idler, runner, scenario

from kraty_actors import Dice, Move, Seen
from kraty_actors.simulation.built_in import BUILT_IN
from kraty_actors.simulation.figures import simulate
from kraty_actors.simulation.plain import plain_simulation
from kraty_actors.simulation.run import play

RANKED = {
    "type": "rank_scaled",
    "parameters": {"tiers": [{"fromRank": 1, "toRank": 2, "rewardBundleId": "prize"}]},
}
EACH_COMPLETION = {"type": "fixed_bundle", "parameters": {"rewardBundleId": "prize"}}


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    with behaving(runner=runner, half_of_them=half_of_them, idler=idler):
        yield


# -- who completes is paid


@pytest.mark.parametrize(("players", "share", "remainder"), [(1, 1000, 0), (3, 333, 1), (7, 142, 6), (1001, 0, 1000)])
def test_everybody_completes_and_shares_the_pool_r43(players: int, share: int, remainder: int):
    run = play(scenario(players, "runner", rewardPolicy=POOL))
    assert (run.participants, run.attempts, run.writes, run.completers) == (players, players, 3 * players, players)
    assert run.paid["currency", "cash"] == share * players
    assert run.remainder == remainder
    assert run.winners == (players if share else 0)
    assert {pay.entries[0]["amount"] for pay in run.pays} == ({share} if share else set())


def test_those_who_complete_share_it_and_nobody_else_r43():
    run = play(scenario(10, "half_of_them", rewardPolicy=POOL))
    assert run.completers == run.winners == 5
    assert {pay.player for pay in run.pays} == {1, 3, 5, 7, 9}
    assert run.paid["currency", "cash"] == 1000
    assert run.completions == [player + 180 for player in (1, 3, 5, 7, 9)]


def test_idle_play_is_not_paid_r42():
    run = play(scenario(5, "idler", rewardPolicy=RANKED))
    assert (run.participants, run.writes, run.pays) == (5, 0, [])


def test_each_completion_is_paid_and_every_crate_opened_r41():
    run = play(scenario(4, "runner", rewardPolicy=EACH_COMPLETION))
    assert run.paid == {("currency", "cash"): 200, ("crate", "chest"): 4, ("item", "bullet"): 8}
    assert run.by_source["event_completion", "currency", "cash"] == 200
    assert run.by_source["crate_open", "item", "bullet"] == 8
    assert run.winners == 0  # nothing is paid at the end


def test_milestones_are_counted_apart_r44():
    milestone = {"key": "two", "metricKey": "laps", "threshold": 2, "entries": [{**CASH, "amount": 7}]}
    run = play(scenario(4, "half_of_them", milestoneRewards=[milestone]))
    assert run.by_source["event_milestone", "currency", "cash"] == 14
    assert run.rewarded == 2


# -- entering costs


@pytest.mark.parametrize("afford", [0, 0.5, 1])
def test_who_cannot_pay_does_not_enter_and_fees_are_income_r20(afford: float):
    cost = {"currencies": [{"key": "gems", "amount": 20}], "items": [{"key": "bullet", "quantity": 1}]}
    run = play(scenario(200, "runner", entryCost=cost, afford=afford))
    assert run.income["currency", "gems"] == 20 * run.participants
    assert run.income["item", "bullet"] == run.participants
    assert run.refused["insufficient_entry_cost"] == 200 - run.participants
    assert run.participants == {0: 0, 1: 200}.get(afford, run.participants)
    assert afford in (0, 1) or 70 < run.participants < 130


def test_a_lobby_that_starts_is_paid_by_all_of_its_seats_r31():
    cost = {"currencies": [{"key": "gems", "amount": 20}]}
    board = {"mode": "lobby_matched", "capacity": 4, "fillTimeoutSeconds": 600}
    run = play(scenario(10, "runner", leaderboard=board, entryCost=cost, afford=0.7))
    assert run.participants == 10 - run.refused["insufficient_entry_cost"]
    assert run.income["currency", "gems"] == 20 * run.participants
    assert run.completers == run.participants > 4


# -- lobbies and boards


def test_lobbies_fill_in_order_of_coming_r31():
    board = {"mode": "lobby_matched", "capacity": 4, "fillTimeoutSeconds": 60}
    run = play(scenario(10, "runner", leaderboard=board))
    waits = [((lobby.started_at or 0) - lobby.since) / 1000 for lobby in run.lobbies]
    assert waits == [3, 3, 60]  # players come one a second: the fourth fills a lobby; the last two wait for nobody
    assert [lobby.humans for lobby in run.lobbies] == [4, 4, 2]
    assert sorted(run.waits) == [0, 0, 1, 1, 2, 2, 3, 3, 59, 60]


def test_who_comes_as_a_lobby_stops_waiting_is_too_late_r31():
    def apart(seen: Seen, dice: Dice) -> Move | None:
        return None if seen.attempts else Move.start(10 + 60 * (seen.player - 1))

    with behaving(apart=apart):
        run = play(scenario(2, "apart", leaderboard={"mode": "lobby_matched", "capacity": 2, "fillTimeoutSeconds": 60}))
    assert [lobby.humans for lobby in run.lobbies] == [1, 1]


def test_a_lobby_whose_only_player_moves_on_is_not_one_that_never_started_r31():
    match_by = {"attribute": "skill", "maxDifference": 0, "widenPerSecond": 20}
    board = {"mode": "lobby_matched", "capacity": 8, "fillTimeoutSeconds": 60, "matchBy": match_by}
    run = play(scenario(6, "runner", leaderboard=board, attributes={"skill": range(0, 2000, 400)}))
    assert all(lobby.started_at is not None for lobby in run.lobbies)
    assert sum(lobby.humans for lobby in run.lobbies) == 6
    numbers = [int(board.board_id.split(".")[1]) for board in run.boards]
    assert len(numbers) == len(run.lobbies) < max(numbers)  # there were more to begin with


def test_a_lobby_that_waits_for_ever_never_starts_r31():
    board = {"mode": "lobby_matched", "capacity": 4, "fillStrategy": "wait_full"}
    made = simulate(scenario(6, "runner", leaderboard=board))
    assert made.lobbies is not None
    assert (made.lobbies.started.values, made.lobbies.never_started.values) == ([1], [1])
    assert made.runs[0].participants == 4


def test_a_matchmaker_stands_in_for_the_game_s_own_r31():
    board = {"mode": "lobby_matched", "capacity": 4, "matchmaking": "external", "fillTimeoutSeconds": 60}
    bots = [{"botId": "climber", "count": 1}]
    run = play(scenario(8, "runner", leaderboard=board, botBindings=bots))
    assert [lobby.humans for lobby in run.lobbies] == [3, 3, 2]
    assert run.participants == run.completers == 8
    assert [len(board.places) for board in run.boards] == [4, 4, 3]


@pytest.mark.parametrize("count", [0, 5, 40])
def test_ranks_without_bots_are_those_among_players_r35(count: int):
    bots = [{"botId": "climber", "count": count}] if count else []
    run = play(scenario(30, "mixed", botBindings=bots))
    assert sorted(among for _, among in run.ranks) == [*range(1, 31)]
    assert all(0 <= rank - among <= count for rank, among in run.ranks)
    (board,) = run.boards
    assert len(board.places) == 30 + count
    ahead = 0
    for place in board.places:
        ahead += place.is_bot
        assert place.rank_among_humans in (None, place.rank - ahead)


def test_every_board_has_a_first_and_players_win_where_no_bot_stands():
    board = {"mode": "grouped", "capacity": 5}
    made = simulate(scenario(20, "runner", leaderboard=board, botBindings=[{"botId": "climber", "count": 3}], runs=3))
    assert made.bots is not None
    assert made.bots.human_wins.values == [1, 1, 1]  # who comes to 3 laps first of two: players before bots
    assert simulate(scenario(20, "runner", leaderboard=board)).bots is None


# -- time


@pytest.mark.parametrize(
    ("availability", "windows"),
    [
        ({"mode": "always"}, 1),
        ({"mode": "recurring_windows", "windows": [{"startTime": "20:00", "durationSeconds": 7200}]}, 1),
        ({"mode": "personal", "durationSeconds": 3600}, 6),
        ({"mode": "local_calendar", "windows": [{"startTime": "08:00", "durationSeconds": 3600}]}, 6),
    ],
)
def test_windows_of_every_kind_are_played_to_their_end_r22(availability: dict[str, Any], windows: int):
    run = play(scenario(6, "runner", availability=availability))
    assert (run.participants, run.completers, len(run.boards)) == (6, 6, windows)
    assert run.completions == [player + 180 for player in range(1, 7)]


def test_an_event_without_an_end_is_open_for_as_long_as_is_said():
    def late(seen: Seen, dice: Dice) -> Move | None:
        if not seen.playing:
            return None if seen.attempts else Move.start(seen.length - 2)
        return Move.write(1.5 if seen.player == 1 else 2, {"laps": 3})

    with behaving(late=late):
        run = play(scenario(2, "late", availability={"mode": "always"}, seconds=7200, rewardPolicy=POOL))
    assert run.completions == [7199.5]
    assert run.paid["currency", "cash"] == 1000


def test_an_own_window_comes_again_where_the_event_repeats_r22():
    def again(seen: Seen, dice: Dice) -> Move | None:
        if seen.playing:
            return Move.write(60, {"laps": 1})
        return Move.start(4000) if seen.attempts < 2 else None

    with behaving(again=again):
        personal = {"mode": "personal", "durationSeconds": 3600}
        once = play(scenario(2, "again", availability=personal))
        twice = play(scenario(2, "again", availability={**personal, "repeat": True}))
    assert (once.attempts, len(once.boards)) == (2, 2)
    assert (twice.attempts, len(twice.boards)) == (4, 4)


def test_attempts_run_out_in_time_and_their_players_may_come_again_r12():
    def slow(seen: Seen, dice: Dice) -> Move | None:
        return Move.write(50, {"laps": 1}) if seen.playing else Move.start(10) if seen.attempts < 3 else None

    attempt = {"durationSeconds": 120, "replayableDuringWindow": True}
    with behaving(slow=slow):
        run = play(scenario(3, "slow", attempt=attempt))
    assert (run.attempts, run.writes, run.completers) == (9, 18, 0)


def test_who_has_used_up_the_day_comes_again_on_the_next_r17():
    def eager(seen: Seen, dice: Dice) -> Move | None:
        return Move.write(1, {"laps": 3}) if seen.playing else Move.start(3600) if seen.attempts < 3 else None

    days = {"mode": "fixed", "startsAt": "2026-06-01T12:00:00Z", "endsAt": "2026-06-03T12:00:00Z"}
    attempt = {"replayableDuringWindow": True, "maxDailyAttempts": 1}
    with behaving(eager=eager):
        run = play(scenario(1, "eager", availability=days, attempt=attempt))
    assert (run.attempts, run.refused) == (3, {"max_daily_attempts_reached": 2})
    assert run.completions == [3601, 43_201, 129_601]


# -- what holds for all


@settings(deadline=None, max_examples=25)
@given(
    players=st.integers(1, 40),
    seed=st.integers(0, 2**53 - 1),
    behaviour=st.sampled_from(sorted(BUILT_IN)),
    scope=st.sampled_from(["window", "board"]),
    bots=st.integers(0, 4),
)
def test_a_pool_is_never_overspent_r43(players: int, seed: int, behaviour: str, scope: str, bots: int):
    policy = {"type": "shared_pool", "parameters": {**POOL["parameters"], "scope": scope}}  # type: ignore[dict-item]
    run = play(
        scenario(
            players,
            behaviour,
            seed=seed,
            rewardPolicy=policy,
            leaderboard={"mode": "grouped", "capacity": 10},
            botBindings=[{"botId": "climber", "count": bots}] if bots else [],
        )
    )
    pools = 1 if scope == "window" else len(run.boards)
    assert run.paid["currency", "cash"] + run.remainder == 1000 * pools
    assert run.winners <= run.completers <= run.participants <= players


@pytest.mark.parametrize("behaviour", sorted(BUILT_IN))
def test_more_players_never_write_less(behaviour: str):
    """Each player has dice of their own: whoever was there before does the same."""
    writes = [play(scenario(players, behaviour, seed=3)).writes for players in (1, 5, 20, 60)]
    assert writes == sorted(writes)
    assert writes[-1] > 0


@pytest.mark.parametrize("behaviour", sorted(BUILT_IN))
@pytest.mark.parametrize(
    "fields",
    [
        {"metrics": [{"key": "streak", "target": 5, "resetOn": {"metricKey": "losses"}}, {"key": "losses"}]},
        {"metrics": [{"key": "points"}], "attempt": {"replayableDuringWindow": True}},
        {"metrics": [{"key": "seconds"}], "leaderboard": {"sort": "asc"}},
        {"metrics": [{"key": "coins", "target": 5000}], "leaderboard": {"mode": "none"}},
    ],
    ids=["streak", "points", "fastest", "far"],
)
def test_the_built_in_players_get_somewhere_in_any_event(behaviour: str, fields: dict[str, Any]):
    run = play(scenario(40, behaviour, **fields))
    assert run.participants == 40
    assert run.writes > 0
    assert run.completers > 0 or (behaviour, fields["metrics"][0].get("target")) == ("casual", 5000)
    assert not run.refused.keys() - {"max_attempts_reached"}


# -- the same seed is the same result


def test_the_same_seed_gives_the_same_and_another_seed_another():
    fields: dict[str, Any] = {"botBindings": [{"botId": "climber", "count": 3}, {"botId": "pacer", "count": 2}]}
    made = [plain_simulation(simulate(scenario(30, runs=2, seed=seed, **fields))) for seed in (4, 4, 5)]
    assert made[0] == made[1]
    assert made[0]["fingerprint"] != made[2]["fingerprint"]


def test_runs_differ_and_so_do_their_rolls():
    lucky = {"type": "fixed_bundle", "parameters": {"rewardBundleId": "lucky"}}
    made = simulate(scenario(3, "runner", runs=10, rewardPolicy=lucky))
    assert len({run.fingerprint for run in made.runs}) == 10
    (cash, *_) = made.payouts
    assert len(set(cash.paid)) > 5


def test_no_run_depends_on_hashes_of_text():
    code = (
        "from kraty_actors.simulation.figures import simulate; from scenes import scenario; "
        "print(simulate(scenario(20, botBindings=[{'botId': 'hunter', 'count': 2}], leaderboard={'mode': 'grouped', "
        "'cohortBy': 'country'}, attributes={'country': ['PT', 'US']}, runs=2)).fingerprint)"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1
