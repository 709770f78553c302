"""What a board pays, by hand: ranks and pools when it is final, completions and milestones at once (R-42 to R-44)."""

from __future__ import annotations

from typing import Any

import pytest
from board_play import BOARD, Play, board, paid, said
from playing import STREAK, cash

from kraty_actors.domain import conclusion
from kraty_actors.domain.contest_messages import Closed, Finish, ForceComplete, Paid, Seat, Void, Write
from kraty_actors.domain.ids import parent
from kraty_actors.domain.outcome import Completed, MovedLeague, Pay, Refusal

WINDOW = parent(BOARD)
REPLAYS = {"attempt": {"replayableDuringWindow": True}}
FIXED = {"rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "pays_4"}}}


def tiers(*rows: tuple[int, int | None, int]) -> dict[str, Any]:
    """Each pays from a rank to a rank so much cash."""
    made = [{"fromRank": first, "toRank": last, "rewardBundleId": f"pays_{n}"} for first, last, n in rows]
    return {"rewardPolicy": {"type": "rank_scaled", "parameters": {"tiers": made}}}


def pool(predicate: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
    wins = {} if predicate is None else {"winnerPredicate": predicate}
    return {
        "rewardPolicy": {
            "type": "shared_pool",
            "parameters": {"pool": 100, "currencyKey": "cash", **wins, **parameters},
        }
    }


def play_of(*scores: int | None, **fields: Any) -> Play:
    """Players 1, 2, 3, ... with these scores; None has only started."""
    play = Play(**fields)
    play.seat(*range(1, len(scores) + 1))
    for serial, score in enumerate(scores):
        if score is not None:
            play.write(serial, {"points": score})
    return play


# -- ranks


def test_r42_who_has_no_applied_write_gets_nothing_and_the_others_keep_their_ranks():
    """Who has only started holds a rank that nobody is paid for."""
    play = play_of(5, 7, None, **tiers((1, 1, 9), (2, 2, 8), (3, 3, 3)))
    play.close()
    assert paid(play.settle()) == [(2, 9), (1, 8)]
    losing = {"metrics": [{"key": "points", "scorePerUnit": -1}]}
    play = play_of(5, None, 7, **tiers((1, 1, 9), (2, 2, 8), (3, 3, 3)), **losing)
    play.close()
    assert paid(play.settle()) == [(1, 8), (3, 3)]


def test_r42_a_write_of_nothing_is_a_write():
    play = play_of(0, **tiers((1, None, 2)))
    play.close()
    assert paid(play.settle()) == [(1, 2)]


def test_r42_bots_hold_their_ranks_and_are_paid_nothing():
    play = play_of(1, bots=2, **tiers((1, 1, 9), (2, 2, 8), (3, None, 7)))  # the write took both bots to 1
    play.write(0, {"points": 0})  # and this one to 2
    play.close()
    assert paid(play.settle()) == [(1, 7)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(1, 1, 9), (3, 3, 7)], [(4, 9), (2, 7)]),
        ([(2, None, 1)], [(3, 1), (2, 1), (1, 1)]),
        ([(5, None, 1)], []),
        ([(3, 9, 5), (1, 2, 6)], [(4, 6), (3, 6), (2, 5), (1, 5)]),
    ],
)
def test_r42_the_tier_that_fits(rows: list[tuple[int, int | None, int]], expected: list[tuple[int, int]]):
    play = play_of(1, 2, 3, 4, **tiers(*rows))
    play.close()
    steps = play.settle()
    assert paid(steps) == expected
    total = sum(amount for _, amount in expected)
    assert said(steps, Paid) == [Paid(BOARD, len(expected), len(expected), {"cash": total} if total else {})]
    pays = [effect for step in steps for effect in step.effects]
    assert {(pay.source_kind, pay.source_ref) for pay in pays if isinstance(pay, Pay)} <= {("event_window", WINDOW)}


def test_r42_of_a_cancelled_board_nobody_is_paid_by_rank():
    play = play_of(1, 2, **tiers((1, None, 1)))
    play.close(is_cancelled=True)
    assert paid(play.settle(is_cancelled=True)) == []


# -- completions


@pytest.mark.parametrize("how", ["write", "finish", "close"])
def test_r42_a_completed_attempt_is_paid_its_bundle_at_once_however_it_was_completed(how: str):
    play = Play(**FIXED, **({"metrics": STREAK} if how == "write" else {}))
    play.seat(1)
    if how == "write":
        assert paid(play.board.apply(write(0, "streak", 4), play.now)) == []
        outcome = play.board.apply(write(0, "streak", 1), play.now)
    else:
        play.write(0, {"points": 3})
        outcome = play.apply(Finish(0, 1)) if how == "finish" else play.close()[0]
    assert paid(outcome) == [(1, 4)]
    completed, pay = outcome.effects
    assert isinstance(completed, Completed)
    assert isinstance(pay, Pay)
    assert (pay.source_kind, pay.source_ref) == ("event_completion", f"{BOARD}.0")
    assert paid([*play.close(), *play.settle()] if how != "close" else play.settle()) == []


def write(serial: int, metric: str, value: int) -> Write:
    return Write(serial, {metric: value}, "increment", None, -1)


def test_r42_each_completed_attempt_has_a_grant_of_its_own():
    play = Play(**FIXED, **REPLAYS)
    grants = []
    for serial in range(2):
        play.seat(1)
        play.write(serial, {"points": 1})
        grants += [effect.grant_id for effect in play.apply(Finish(serial, 1)).effects if isinstance(effect, Pay)]
    assert len(set(grants)) == 2


def test_r12_an_attempt_that_is_completed_by_force_or_expires_pays_no_bundle():
    play = play_of(3, None, **FIXED)
    assert paid(play.apply(ForceComplete(0, 9, "ops"))) == []
    assert paid([*play.close(), *play.settle()]) == []


# -- pools


def test_r43_a_player_wins_by_any_of_their_attempts_and_once():
    play = Play(**pool({"type": "metric_at_least", "metricKey": "points", "threshold": 3}), **REPLAYS)
    for serial, score in enumerate([5, 4, 1]):
        play.seat(1)
        play.write(serial, {"points": score})
        play.apply(Finish(serial, 1))
    play.seat(2)
    assert said(play.close(), Closed) == [Closed(BOARD, 1)]
    assert paid(play.settle(50)) == [(1, 50)]


def test_r43_values_are_final_and_capped():
    target = [{"key": "points", "target": 3, "cap": 5}]
    for threshold, winners in ((5, 1), (6, 0)):
        predicate = {"type": "metric_at_least", "metricKey": "points", "threshold": threshold}
        assert said(play_of(9, **pool(predicate), metrics=target).close(), Closed) == [Closed(BOARD, winners)]


@pytest.mark.parametrize(
    ("predicate", "winners"),
    [
        ({"type": "completed"}, [1, 2, 4]),
        ({"type": "rank_at_most", "rank": 2}, [1, 2]),
        ({"type": "not", "condition": {"type": "rank_at_most", "rank": 2}}, [3, 4]),
        ({"type": "all", "conditions": [{"type": "completed"}, {"type": "rank_at_most", "rank": 3}]}, [1, 2, 4]),
        (
            {
                "type": "any",
                "conditions": [
                    {"type": "rank_at_most", "rank": 1},
                    {"type": "not", "condition": {"type": "completed"}},
                ],
            },
            [2, 3],
        ),
    ],
)
def test_r43_who_wins(predicate: dict[str, Any], winners: list[int]):
    play = play_of(5, 9, None, 2, **pool(predicate))
    assert said(play.close(), Closed) == [Closed(BOARD, len(winners))]
    assert paid(play.settle(7)) == [(player, 7) for player in winners]


def test_r43_each_board_has_grants_of_its_own_for_a_pool_of_its_own():
    names = []
    for scope in ("window", "board"):
        play = play_of(1, **pool(scope=scope))
        play.close()
        names += [effect.grant_id for step in play.settle(5) for effect in step.effects if isinstance(effect, Pay)]
    assert len(set(names)) == 2


def test_r43_without_a_share_nobody_is_paid():
    play = play_of(1, 2, **pool())
    play.close()
    steps = play.settle(0)
    assert (paid(steps), said(steps, Paid)) == ([], [Paid(BOARD, 0, 0, {})])


# -- step by step


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (2, [[Pay, Pay], [Pay, MovedLeague], [MovedLeague]]),
        (3, [[Pay, Pay, Pay], [MovedLeague, MovedLeague]]),
        (5, [[Pay, Pay, Pay, MovedLeague, MovedLeague]]),
        (1, [[Pay], [Pay], [Pay], [MovedLeague], [MovedLeague]]),
    ],
)
def test_r27_grants_and_moves_are_written_in_steps_together(
    most: int, expected: list[list[type]], monkeypatch: pytest.MonkeyPatch
):
    """Also where the grants end with a step."""
    monkeypatch.setattr(conclusion, "PLAYERS_PER_STEP", most)
    leagues = board(mode="segmented", leagues=["bronze", "silver"], promotion={"places": 2})
    play = play_of(1, 2, 3, league="bronze", **leagues, **pool())
    play.close()
    steps = play.settle(10)
    assert [[type(effect) for effect in step.effects] for step in steps] == expected
    assert [step.finished for step in steps] == [False] * (len(steps) - 1) + [True]
    assert said(steps, Paid) == [Paid(BOARD, 3, 3, {"cash": 30})]


def test_r27_winners_are_counted_in_steps_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conclusion, "ATTEMPTS_PER_STEP", 2)
    play = play_of(1, 2, 3, **pool())
    steps = play.close()
    assert [len(step.messages) for step in steps] == [1, 1, 1]
    assert said(steps, Closed) == [Closed(BOARD, 3)]


# -- milestones

LADDER = [
    {"key": "third", "metricKey": "points", "threshold": 30, "rewardBundleId": "pays_3"},
    {"key": "first", "metricKey": "points", "threshold": 10, "entries": [cash(1)]},
    {"key": "second", "metricKey": "points", "threshold": 20, "entries": [cash(2)]},
]


def fired(reply: Any) -> list[tuple[str, int]]:
    return [(one.key, entry["amount"]) for one in reply.fired for pay in one.grants for entry in pay.entries]


def test_r44_several_fire_in_one_write_in_declared_order_and_each_once():
    play = Play(milestoneRewards=LADDER)
    play.seat(1)
    assert fired(play.write(0, {"points": 9})) == []
    outcome = play.board.apply(write(0, "points", 21), play.now)
    assert fired(outcome.reply) == [("third", 3), ("first", 1), ("second", 2)]
    assert paid(outcome) == [(1, 3), (1, 1), (1, 2)]
    pays = [effect for effect in outcome.effects if isinstance(effect, Pay)]
    assert {(pay.source_kind, pay.source_ref) for pay in pays} == {("event_milestone", f"{BOARD}.0")}
    assert len({pay.grant_id for pay in pays}) == 3
    play.restart()
    assert fired(play.write(0, {"points": 5}, "set")) == []
    assert fired(play.write(0, {"points": 99}, "set")) == []


def test_r44_the_newest_write_again_names_the_same_grants_and_an_earlier_one_none():
    play = Play(milestoneRewards=LADDER)
    play.seat(1)
    first = play.write(0, {"points": 12}, seq=1)
    assert fired(first) == [("first", 1)]
    play.restart()
    again = play.write(0, {"points": 12}, seq=1)
    assert (again.fired, again.repeated) == (first.fired, True)
    play.write(0, {"points": 0}, seq=2)
    assert fired(play.write(0, {"points": 12}, seq=1)) == []
    assert fired(play.write(0, {"points": 0}, seq=2)) == []


def test_r44_milestones_read_capped_values_after_resets():
    ladder = [{"key": "six", "metricKey": "streak", "threshold": 5, "entries": [cash(1)]}]
    play = Play(metrics=STREAK, milestoneRewards=ladder)
    play.seat(1)
    assert fired(play.write(0, {"streak": 9, "losses": 1})) == []  # reset in the same write
    assert fired(play.write(0, {"streak": 9})) == [("six", 1)]
    capped = [{"key": "points", "cap": 5}]
    play = Play(metrics=capped, milestoneRewards=[{**LADDER[1], "threshold": 6}])
    play.seat(1)
    assert fired(play.write(0, {"points": 9})) == []


@pytest.mark.parametrize(("once", "again"), [("attempt", [("first", 1)]), ("window", [])])
def test_r44_a_replay_fires_again_unless_it_is_once_a_window(once: str, again: list[tuple[str, int]]):
    play = Play(milestoneRewards=[{**LADDER[1], "once": once}], **REPLAYS)
    for serial, expected in enumerate([[("first", 1)], again]):
        play.seat(1)
        assert fired(play.write(serial, {"points": 10})) == expected
        play.apply(Finish(serial, 1))
        play.restart()
    play.seat(2)
    assert fired(play.write(2, {"points": 10})) == [("first", 1)]


def test_r51_a_voided_attempt_has_not_fired_what_is_once_a_window():
    play = Play(milestoneRewards=[{**LADDER[1], "once": "window"}], **REPLAYS)
    play.seat(1)
    play.write(0, {"points": 10})
    play.apply(Void(0, "cheats", "ops"))
    play.apply(Seat(1))
    assert fired(play.write(1, {"points": 10})) == [("first", 1)]


def test_r44_milestones_come_before_what_the_completion_pays():
    target = [{"key": "points", "target": 10}]
    play = Play(metrics=target, milestoneRewards=LADDER, **FIXED)
    play.seat(1)
    assert paid(play.board.apply(write(0, "points", 10), play.now)) == [(1, 1), (1, 4)]


def test_r44_a_write_that_is_refused_fires_nothing():
    play = Play(milestoneRewards=LADDER)
    play.seat(1)
    assert isinstance(play.write(0, {"points": 10, "wrong": 1}), Refusal)
    assert fired(play.write(0, {"points": 10})) == [("first", 1)]
