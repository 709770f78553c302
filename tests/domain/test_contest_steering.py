"""What operators and windows do to a contest, and that neither questions nor checkpoints change what it comes to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playing import SEED, START, Book, event, frozen, rules, thawed

from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import (
    Close,
    Closed,
    Extend,
    Finish,
    ForceComplete,
    GetAttempt,
    Open,
    Pause,
    Resume,
    Seat,
    SetBan,
    Settle,
    Void,
    Write,
)
from kraty_actors.domain.outcome import Audited, Command, Completed, MovedLeague, Outcome, Pay, Refusal, Tick

BOARD = "waaaaaaaaaaaaaaaa.1"
SECOND, MINUTE = 1_000, 60_000
BOTS = [
    {"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 9}}},
    {
        "key": "pacer",
        "behaviour": {"block": "progress_linear", "params": {"targetScore": 90, "durationSeconds": 300, "jitter": 0.5}},
    },
    {"key": "late", "behaviour": {"block": "complete_at", "params": {"seconds": 60, "score": 7}}},
    {
        "key": "quitter",
        "behaviour": {
            "type": "sequence",
            "steps": [{"block": "wait", "params": {"seconds": 30}}, {"block": "quit"}],
        },
    },
    {"key": "hunter", "behaviour": {"block": "match_player_pace", "params": {"ratio": 0.5}}},
]


class Played:
    """A contest that hears what a test says, when it says it."""

    def __init__(
        self,
        ends_at: int | None = START + 10 * MINUTE,
        bots: tuple[str, ...] = (),
        league: str | None = None,
        **fields: Any,
    ) -> None:
        bindings = [{"botId": bot} for bot in bots]
        self.book = Book(rules(event(**fields, botBindings=bindings), BOTS))
        self.contest = Contest(BOARD, self.book)
        self.tell(Open("race", 1, SEED, START, ends_at, league=league), START)

    def tell(self, command: Command, at: int) -> Outcome:
        return self.contest.apply(command, at)

    def attempt(self, serial: int, at: int) -> AttemptView:
        view = self.tell(GetAttempt(-1, serial), at).reply
        assert isinstance(view, AttemptView)
        return view

    def seen(self, at: int) -> BoardView:
        """The board as anybody sees it; when to look again is only a hint."""
        view = self.tell(GetBoard(limit=200), at).reply
        assert isinstance(view, BoardView)
        return replace(view, moves_at=None)

    def rows(self, at: int) -> list[tuple[int, Any]]:
        return [(standing.participant, standing.score) for standing in self.seen(at).standings]

    def thaw(self) -> None:
        """Go on from a checkpoint."""
        self.contest = thawed(Contest(BOARD, self.book), frozen(self.contest))


def write(points: int, serial: int = 0, player: int = 1, seq: int | None = None) -> Write:
    return Write(serial, {"points": points}, "increment", seq, player)


def test_r26_a_paused_contest_takes_no_write_and_no_finish_but_answers_repeats():
    play = Played()
    play.tell(Seat(1), START)
    play.tell(write(3, seq=1), START)
    play.tell(Pause(), START)
    repeated = play.tell(write(3, seq=1), START).reply
    assert (repeated.score, repeated.repeated) == (3, True)
    for command in (write(1, seq=2), Finish(0, 1)):
        refused = play.tell(command, START).reply
        assert isinstance(refused, Refusal)
        assert (refused.code, refused.details) == ("event_disabled", {"state": "paused"})
    play.thaw()
    assert isinstance(play.tell(write(1, seq=2), START).reply, Refusal)
    play.tell(Resume(), START)
    assert play.tell(write(1, seq=2), START).reply.score == 4


def test_r26_clocks_run_on_while_it_is_paused():
    play = Played(attempt={"durationSeconds": 60})
    play.tell(Seat(1), START)
    play.tell(Pause(), START)
    play.tell(Tick(), START + MINUTE)
    assert play.attempt(0, START + MINUTE).status == "expired"


@pytest.mark.parametrize(
    ("duration", "ends_at"), [(None, START + 20 * MINUTE), (900, START + 15 * MINUTE), (60, START + MINUTE)]
)
def test_r5_attempts_that_end_with_the_window_end_later_with_it(duration: int | None, ends_at: int):
    play = Played(attempt={"durationSeconds": duration})
    play.tell(Seat(1), START)
    play.tell(Extend(START + 20 * MINUTE), START)
    play.thaw()
    assert play.attempt(0, START).ends_at == ends_at
    play.tell(Tick(), ends_at - 1)
    assert play.attempt(0, ends_at - 1).status == "in_progress"
    play.tell(Tick(), ends_at)
    assert play.attempt(0, ends_at).status == "expired"


@pytest.mark.parametrize(("score", "stands"), [(None, 4), (50, 50), (2, 4)])
def test_r12_a_forced_attempt_is_completed_with_the_given_score_or_its_own(score: int | None, stands: int):
    play = Played(metrics=[{"key": "points", "target": 100}])
    play.tell(Seat(1), START)
    play.tell(write(4), START)
    outcome = play.tell(ForceComplete(0, score, "ops"), START)
    assert (outcome.reply.status, outcome.reply.score) == ("force_completed", 4 if score is None else score)
    assert play.rows(START) == [(1, stands)]  # the best is what was seen at any write, R-29
    assert [type(effect) for effect in outcome.effects] == [Completed, Audited]
    assert not any(isinstance(effect, Pay) for effect in outcome.effects)
    again = play.tell(ForceComplete(0, 9, "ops"), START).reply
    assert (again.code, again.details) == ("conflict", {"state": "force_completed"})


def test_r12_an_attempt_that_ran_out_of_time_can_be_forced_until_the_window_closes():
    play = Played(attempt={"durationSeconds": 60}, leaderboard={"scoreAggregation": "sum"})
    play.tell(Seat(1), START)
    play.tell(Tick(), START + MINUTE)
    assert play.tell(ForceComplete(0, 30, "ops"), START + MINUTE).reply.status == "force_completed"
    assert play.rows(START + MINUTE) == [(1, 30)]
    play.tell(Seat(2), START + MINUTE)
    play.tell(Close(START + 10 * MINUTE), START + 10 * MINUTE)
    assert play.tell(ForceComplete(1, 30, "ops"), START + 10 * MINUTE).reply.code == "conflict"


@pytest.mark.parametrize(("duration", "ended_at"), [(60, START + MINUTE), (None, START + 10 * MINUTE)])
def test_r12_an_attempt_that_a_close_finds_running_ended_at_its_own_time(duration: int | None, ended_at: int):
    """It ran out before, and its tick had not come yet."""
    play = Played(attempt={"durationSeconds": duration})
    play.tell(Seat(1), START)
    play.tell(write(4), START)
    play.tell(Close(START + 10 * MINUTE), START + 10 * MINUTE)
    assert play.attempt(0, START + 10 * MINUTE).completed_at == ended_at


def test_r26_of_a_cancelled_contest_running_attempts_expire_and_nobody_wins():
    pool = {"type": "shared_pool", "parameters": {"pool": 10, "currencyKey": "cash"}}
    play = Played(rewardPolicy=pool)
    play.tell(Seat(1), START)
    play.tell(write(5), START)
    outcome = play.tell(Close(START + MINUTE, is_cancelled=True), START + MINUTE)
    assert outcome.messages[-1].command == Closed(BOARD, 0)
    assert not outcome.effects
    assert play.attempt(0, START + MINUTE).status == "expired"
    settled = play.tell(Settle(10, is_cancelled=True), START + MINUTE)
    assert (settled.finished, settled.effects) == (True, [])


SEGMENTED = {"mode": "segmented", "leagues": ["bronze", "silver", "gold"]}


def moves(play: Played, at: int) -> dict[int, str]:
    """Where players go once the contest closes and is final."""
    play.tell(Close(at), at)
    settled = play.tell(Settle(), at)
    assert settled.finished
    return {one.player: one.league for one in settled.effects if isinstance(one, MovedLeague)}


@pytest.mark.parametrize(
    ("league", "goes"), [("bronze", {3: "silver"}), ("gold", {1: "silver"}), ("wood", {}), (None, {})]
)
def test_r30_at_the_ends_nobody_moves_on(league: str | None, goes: dict[int, str]):
    places = {"promotion": {"places": 1}, "relegation": {"places": 1}}
    play = Played(leaderboard=SEGMENTED | places, league=league)
    for player in (1, 2, 3):
        play.tell(Seat(player), START)
        play.tell(write(player, serial=player - 1, player=player), START)
    assert moves(play, START + MINUTE) == goes


@pytest.mark.parametrize("is_cancelled_then", [True, False])
def test_r26_in_a_cancelled_window_nobody_moves(is_cancelled_then: bool):
    """Whether it was cancelled before its contests closed, or after."""
    play = Played(leaderboard=SEGMENTED | {"promotion": {"places": 1}}, league="bronze")
    play.tell(Seat(1), START)
    play.tell(Close(START + MINUTE, is_cancelled_then), START + MINUTE)
    settled = play.tell(Settle(0, is_cancelled=True), START + MINUTE)
    assert (settled.finished, settled.effects) == (True, [])


@pytest.mark.parametrize(
    ("up", "down", "promoted", "relegated"),
    [(1, 1, [3], [1]), (2, 1, [3, 2], [1]), (3, 3, [3, 2, 1], []), (2, 2, [3, 2], [1]), (0, 2, [], [2, 1])],
)
def test_r30_the_first_places_go_up_and_the_last_down_and_promotion_wins(
    up: int, down: int, promoted: list[int], relegated: list[int]
):
    leagues = SEGMENTED | {"relegation": {"places": down}} | ({"promotion": {"places": up}} if up else {})
    play = Played(leaderboard=leagues, league="silver")
    for player in (1, 2, 3):
        play.tell(Seat(player), START)
        play.tell(write(player, serial=player - 1, player=player), START)
    assert moves(play, START + MINUTE) == dict.fromkeys(promoted, "gold") | dict.fromkeys(relegated, "bronze")


def test_r30_bots_hold_ranks_and_never_move():
    play = Played(leaderboard=SEGMENTED | {"promotion": {"places": 2}}, bots=("late", "late"), league="silver")
    for player in (1, 2):
        play.tell(Seat(player), START)
    play.tell(write(9), START + MINUTE)
    assert moves(play, START + 2 * MINUTE) == {1: "gold"}  # the second place is a bot's


def test_r30_mode_none_has_attempts_and_no_board():
    play = Played(leaderboard={"mode": "none"})
    play.tell(Seat(1), START)
    assert play.tell(write(3), START).reply.rank is None
    assert play.tell(GetBoard(limit=5), START).reply.code == "not_found"


# -- neither questions nor checkpoints change anything

MOMENTS = st.integers(1, 40 * SECOND)
STEPS = st.one_of(
    st.tuples(st.just("seat"), st.integers(1, 3)),
    st.tuples(st.just("write"), st.integers(0, 4), st.integers(1, 4)),
    st.tuples(st.just("finish"), st.integers(0, 4)),
    st.tuples(st.just("force"), st.integers(0, 4), st.none() | st.integers(0, 20)),
    st.tuples(st.just("void"), st.integers(0, 4)),
    st.tuples(st.just("ban"), st.integers(1, 3), st.booleans()),
    st.tuples(st.just("pause")),
    st.tuples(st.just("resume")),
    st.tuples(st.just("extend"), st.integers(1, 9)),
    st.tuples(st.just("tick")),
    st.tuples(st.just("close")),
)


def command_of(step: tuple[Any, ...], at: int) -> Command:
    match step:
        case ("seat", player):
            return Seat(player)
        case ("write", serial, points):
            return Write(serial, {"points": points}, "increment", None, -1)
        case ("finish", serial):
            return Finish(serial, -1)
        case ("force", serial, score):
            return ForceComplete(serial, score, "ops")
        case ("void", serial):
            return Void(serial, "cheats", "ops")
        case ("ban", player, is_banned):
            return SetBan(player, is_banned)
        case ("pause",):
            return Pause()
        case ("resume",):
            return Resume()
        case ("extend", minutes):
            return Extend(START + (10 + minutes) * MINUTE)
        case ("close",):
            return Close(at)
    return Tick()


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(MOMENTS, STEPS, st.booleans(), st.booleans()), max_size=25),
    bots=st.lists(st.sampled_from([bot["key"] for bot in BOTS]), max_size=4),
    sort=st.sampled_from(["desc", "asc"]),
    aggregation=st.sampled_from(["best", "sum", "latest"]),
)
def test_r36_questions_and_checkpoints_change_nothing(steps: list[Any], bots: list[str], sort: str, aggregation: str):
    fields = {"leaderboard": {"sort": sort, "scoreAggregation": aggregation}, "attempt": {"durationSeconds": 120}}
    plain, asked = (Played(bots=tuple(bots), **fields) for _ in range(2))
    now, version = START, 0
    for wait, step, has_question, has_checkpoint in steps:
        if has_question:  # somewhere on the way to the next input
            view = asked.seen(now + wait // 2)
            assert view.version >= version
            version = view.version
        if has_checkpoint:
            rows = asked.rows(now + wait // 2)
            asked.thaw()
            assert asked.rows(now + wait // 2) == rows
        now += wait
        command = command_of(step, now)
        first, second = plain.tell(command, now), asked.tell(command, now)
        assert (first.reply, first.traced, first.messages, first.effects) == (
            second.reply,
            second.traced,
            second.messages,
            second.effects,
        )
        if isinstance(command, Close):
            for one in (plain, asked):
                one.tell(Settle(), now)
            break
    assert plain.seen(now) == asked.seen(now)
    asked.thaw()
    assert plain.seen(now) == asked.seen(now)
