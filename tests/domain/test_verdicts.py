"""What validators make of a write on its way through a board (R-48 to R-51, R-15)."""

from __future__ import annotations

from typing import Any

import pytest
from board_play import BOARD, Play
from playing import SEED, START, STREAK, Book, Journal, event, frozen, rules

from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import Amend, GetAttempt, Open, Seat, Write
from kraty_actors.domain.ids import parent
from kraty_actors.domain.outcome import Flagged, Outcome, Refusal
from kraty_actors.domain.write_memory import REMEMBERED


def jump(most: float, verdict: str = "flag", metric: str = "points") -> dict[str, Any]:
    return {"key": "max_metric_jump", "params": {"metricKey": metric, "maxDelta": most, "verdict": verdict}}


def guarded(*validators: dict[str, Any], **fields: Any) -> Play:
    play = Play(antiCheat={"validators": list(validators)}, **fields)
    play.seat(1)
    return play


def write(play: Play, points: int, seq: int | None = None, mode: str = "increment") -> Outcome:
    return play.apply(Write(0, {"points": points}, mode, seq, 1))


def flags(outcome: Outcome) -> list[Flagged]:
    return [effect for effect in outcome.effects if isinstance(effect, Flagged)]


def test_r48_flag_flag_reject_and_the_fourth_never_runs():
    play = guarded(jump(10), jump(20), jump(30, "reject"), jump(1))
    outcome = write(play, 31, seq=1)
    assert isinstance(outcome.reply, Refusal)
    reason = "points rose by 31, over 30"
    assert (outcome.reply.code, outcome.reply.message) == ("anti_cheat_rejected", reason)
    assert outcome.reply.details == {"validatorKey": "max_metric_jump", "reason": reason}
    found = flags(outcome)
    assert [(one.verdict, one.outcome, one.reason) for one in found] == [
        ("flag", "reject", "points rose by 31, over 10"),
        ("flag", "reject", "points rose by 31, over 20"),
        ("reject", "reject", reason),
    ]
    assert len({one.anomaly_id for one in found}) == 3


@pytest.mark.parametrize(
    ("points", "said"),
    [(1, []), (2, [(1, "flag")]), (11, [(10, "flag"), (1, "flag")]), (20, [(10, "flag"), (1, "flag")])],
)
def test_r48_every_flag_is_recorded_and_the_limit_itself_is_legal(points: int, said: list[tuple[int, str]]):
    play = guarded(jump(10), jump(20, "reject"), jump(1))
    outcome = write(play, points)
    assert outcome.reply.score == points
    assert [(one.reason.rpartition(" ")[2], one.outcome) for one in flags(outcome)] == [
        (str(most), outcome) for most, outcome in said
    ]


def test_r50_a_flag_shows_raw_values_before_and_after_as_they_were_before_any_reset():
    play = guarded(jump(3, metric="streak"), metrics=STREAK)
    play.write(0, {"streak": 2})
    outcome = play.apply(Write(0, {"streak": 7, "losses": 1}, "increment", None, 1))
    assert (outcome.reply.metrics_raw, outcome.reply.score) == ({"streak": 0, "losses": 1}, 0)
    (flagged,) = flags(outcome)
    assert (flagged.before, flagged.after) == ({"streak": 2, "losses": 0}, {"streak": 9, "losses": 1})
    assert (flagged.player, flagged.event_key, flagged.window_id, flagged.attempt_id, flagged.at) == (
        1,
        "race",
        parent(BOARD),
        f"{BOARD}.0",
        play.now,
    )


def test_r50_of_a_rejected_write_nothing_stays_but_its_seq():
    """No score, no bot's tick, no milestone, no completion."""
    ladder = [{"key": "m", "metricKey": "points", "threshold": 5, "rewardBundleId": "pays_1"}]
    metrics = [{"key": "points", "target": 5}]
    play = guarded(jump(3, "reject"), bots=1, milestoneRewards=ladder, metrics=metrics)
    write(play, 1, seq=1)
    rows = play.rows()
    outcome = write(play, 5, seq=2)
    assert isinstance(outcome.reply, Refusal)
    assert (outcome.traced, outcome.moved, len(outcome.effects), list(outcome.messages)) == (True, False, 1, [])
    assert play.rows() == rows
    view = play.board.apply(GetAttempt(1), play.now).reply
    assert (view.status, view.score, view.last_seq) == ("in_progress", 1, 2)
    assert [write(play, 3, seq=3).reply.score, write(play, 1, seq=4).reply.status] == [4, "completed"]


def test_r37_a_flagged_write_ticks_the_bots_like_any_other():
    play = guarded(jump(3), bots=1)
    write(play, 4)
    assert [score for _, score in play.rows()] == [4, 1]


@pytest.mark.parametrize("restarts", [False, True])
def test_r15_a_rejected_write_again_is_told_the_same_and_judged_no_more(restarts: bool):
    play = guarded(jump(3, "reject"))
    first = write(play, 9, seq=1)
    if restarts:
        play.restart()
    again = write(play, 9, seq=1)
    assert (again.reply, again.traced, list(again.effects)) == (first.reply, False, [])
    assert write(play, 1, seq=1).reply.code == "idempotency_conflict"
    write(play, 1, seq=2)
    assert write(play, 9, seq=1).reply == first.reply
    assert write(play, 1, seq=2).reply.repeated


def test_r15_a_flagged_write_again_is_flagged_once():
    play = guarded(jump(3))
    assert len(flags(write(play, 9, seq=1))) == 1
    again = write(play, 9, seq=1)
    assert (again.reply.repeated, again.traced, list(again.effects)) == (True, False, [])


def test_r15_a_key_is_kept_for_a_rejected_write_as_well():
    play = guarded(jump(3, "reject"))
    said = [play.apply(Write(0, {"points": 9}, "increment", "k", 1)) for _ in range(2)]
    assert [(one.reply.code, one.traced) for one in said] == [
        ("anti_cheat_rejected", True),
        ("anti_cheat_rejected", False),
    ]


def test_r15_what_a_rejected_write_was_told_is_kept_as_long_as_its_seq():
    play = guarded(jump(3, "reject"))
    write(play, 9, seq=1)
    for seq in range(2, REMEMBERED + 1):
        write(play, 1, seq=seq)
    assert write(play, 9, seq=1).reply.code == "anti_cheat_rejected"
    write(play, 1, seq=REMEMBERED + 1)
    assert write(play, 9, seq=1).reply.details == {"lastSeq": REMEMBERED + 1, "applied": None}


def test_r13_keys_and_values_are_judged_before_validators():
    play = guarded(jump(3, "reject"))
    for metrics, refusal in (({"points": 9, "wrong": 1}, "invalid_metric"), ({"points": 2**53}, "validation_failed")):
        outcome = play.apply(Write(0, metrics, "increment", None, 1))
        assert (outcome.reply.code, list(outcome.effects)) == (refusal, [])


# -- a newer revision's validators, and replays


def book(*verdicts: list[dict[str, Any]]) -> Book:
    pages = [rules(event(antiCheat={"validators": made}), revision=n) for n, made in enumerate(verdicts, 1)]
    return Book(*pages)


def opened(pages: Book) -> Contest:
    contest = Contest(BOARD, pages)
    contest.apply(Open("race", 1, SEED, START, None), START)
    contest.apply(Seat(1), START)
    return contest


def test_r05_a_newer_revisions_validators_judge_from_then_on():
    contest = opened(book([jump(3, "reject")], [jump(5)], []))
    written = Write(0, {"points": 9}, "increment", None, 1)
    assert contest.apply(written, START).reply.code == "anti_cheat_rejected"
    contest.apply(Amend(2, []), START)
    play = Write(0, {"points": 9}, "increment", None, 1)
    assert len(contest.apply(play, START).effects) == 1
    contest.apply(Amend(3, []), START)
    assert list(contest.apply(Write(0, {"points": 9}, "increment", None, 1), START).effects) == []


@pytest.mark.parametrize("verdict", ["flag", "reject"])
def test_r57_a_replay_goes_by_what_was_said_whatever_validators_say_by_then(verdict: str):
    pages = book([jump(3, verdict)])
    contest, journal = Contest(BOARD, pages), Journal(BOARD)
    said = []
    for command in (Open("race", 1, SEED, START, None), Seat(1), *(_write(points) for points in (2, 9, 1))):
        said.append(contest.apply(command, START))
        journal.add(START, command)
    assert len(flags(said[3])) == 1
    for other in ([], [jump(0.5, "reject")], [jump(5)]):
        again = Contest(BOARD, book(other))
        told = [outcome for _, outcome in journal.replayed(again)]
        assert [(one.reply, one.effects) for one in told] == [(one.reply, one.effects) for one in said]
        assert frozen(again) == frozen(contest)


def _write(points: int) -> Write:
    return Write(0, {"points": points}, "increment", None, 1)
