"""Players that operators take off boards, and out of their prizes (R-43, R-51)."""

from __future__ import annotations

from typing import Any

import pytest
from board_play import BOARD, Play, board, paid, said
from playing import HOUR, START
from test_payouts import pool, tiers
from test_window_cases import ID, lobby, sent
from test_window_cases import Play as WindowPlay

from kraty_actors.domain import conclusion
from kraty_actors.domain.contest_messages import (
    Close,
    Closed,
    Finish,
    GetAttempt,
    Paid,
    Pause,
    Resume,
    SetBan,
    Settle,
    Void,
    Write,
)
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.outcome import Tick
from kraty_actors.domain.window_messages import Admit, Finalize, GetForming, GetMember, GetReport

REPLAYS = {"attempt": {"replayableDuringWindow": True}}
BAN, UNBAN = SetBan(1, is_banned=True), SetBan(1, is_banned=False)


def scored(*scores: float, **fields: Any) -> Play:
    play = Play(**REPLAYS, **fields)
    play.seat(*range(1, len(scores) + 1))
    for serial, score in enumerate(scores):
        play.write(serial, {"points": score})
    return play


@pytest.mark.parametrize("restarts", [False, True])
def test_r51_a_banned_players_row_leaves_the_board_and_comes_back_where_it_stood(restarts: bool):
    play = scored(5, 5, 9)
    assert play.apply(BAN).moved
    if restarts:
        play.restart()
    assert play.rows() == [(3, 9), (2, 5)]
    assert play.board.apply(GetAttempt(1), play.now).reply.rank is None
    assert play.apply(UNBAN).moved
    assert play.rows() == [(3, 9), (1, 5), (2, 5)]
    assert not play.apply(UNBAN).moved


def test_r51_a_banned_player_writes_nothing_but_is_answered_what_was_applied_before():
    play = scored(1)
    play.write(0, {"points": 4}, seq=1)
    play.apply(BAN)
    assert play.write(0, {"points": 4}, seq=1).repeated
    refused = play.apply(Write(0, {"points": 1}, "increment", 2, 1))
    assert (refused.reply.code, refused.traced) == ("player_banned", False)
    play.apply(UNBAN)
    assert play.write(0, {"points": 1}, seq=2).score == 6


def test_r51_what_becomes_of_a_banned_players_attempt_shows_when_they_are_back():
    play = scored(3, 1, **board(sort="asc"))
    play.apply(BAN)
    play.apply(Finish(0, 1))
    play.apply(Finish(1, 2))
    assert play.rows() == [(2, 1)]
    play.apply(UNBAN)
    assert play.rows() == [(2, 1), (1, 3)]


@pytest.mark.parametrize("when", ["open", "ending", "judging", "waiting"])
@pytest.mark.parametrize("lifted", [False, True])
def test_r43_a_banned_player_never_wins_whenever_they_are_banned(
    when: str, lifted: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(conclusion, "ATTEMPTS_PER_STEP", 2)
    play = scored(5, 6, 7, **pool())
    if when in ("ending", "judging"):
        play.apply(Close(play.now))
        while play.board.conclusion is not None and play.board.conclusion.stage != when:
            play.apply(Tick())
    elif when == "waiting":
        assert said(play.close(), Closed) == [Closed(BOARD, 3)]
    play.apply(BAN)
    if lifted:
        play.apply(UNBAN)
    steps = play.close() if when == "open" else play.steps(Tick())
    assert said(steps, Closed)[-1:] == [Closed(BOARD, 3 if lifted else 2)]
    assert paid(play.settle(50)) == [(player, 50) for player in ([1, 2, 3] if lifted else [2, 3])]


def test_r43_who_moves_up_because_another_is_banned_wins_instead():
    play = scored(9, 5, 1, **pool({"type": "rank_at_most", "rank": 2}))
    play.close()
    play.apply(BAN)
    assert said(play.steps(Tick()), Closed) == [Closed(BOARD, 2)]
    assert paid(play.settle(50)) == [(2, 50), (3, 50)]


def test_r43_a_share_that_is_on_its_way_is_never_paid_more_often_than_it_was_counted():
    """The window has said how much while the board judges anew: of those who win now, no more than it knew of."""
    play = scored(9, 5, **pool())
    play.apply(BAN)
    assert said(play.close(), Closed) == [Closed(BOARD, 1)]
    play.apply(UNBAN)
    assert paid(play.settle(100)) == [(1, 100)]


def test_r42_a_banned_player_has_no_rank_to_be_paid_for():
    play = scored(9, 5, **tiers((1, 1, 9), (2, 2, 4)))
    play.close()
    play.apply(BAN)
    assert paid(play.settle()) == [(2, 9)]


def test_r51_once_a_board_pays_its_standings_are_final(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conclusion, "PLAYERS_PER_STEP", 1)
    play = scored(9, 5, **tiers((1, None, 4)))
    play.close()
    first = play.apply(Settle())
    play.apply(SetBan(2, is_banned=True))
    too_late = play.apply(Void(1, "cheats", "ops")).reply
    assert (too_late.code, too_late.details) == ("conflict", {"state": "completed"})
    assert paid([first, *play.steps(Tick())]) == [(1, 4), (2, 4)]
    assert play.apply(Void(1, "cheats", "ops")).reply.details == {"state": "settled"}


# -- the window


def test_r51_a_ban_reaches_the_board_that_the_player_is_on():
    play = WindowPlay(**lobby(3, 1))
    for player in (1, 2, 3, 4):
        play.admit(player)
    outcome = play.say(SetBan(3, is_banned=True))
    assert [(m.to, m.command) for m in outcome.messages] == [(contest_id(ID, 2), SetBan(3, is_banned=True))]
    assert list(play.say(SetBan(9, is_banned=True)).messages) == []


def test_r51_a_banned_player_gives_up_the_seat_in_a_lobby_that_forms():
    """Else it would start with them, on a board that never heard of the ban."""
    play = WindowPlay(**lobby(4, 1))
    play.admit(1)
    play.admit(2)
    outcome = play.say(SetBan(1, is_banned=True))
    (told,) = [notice for notice in outcome.notices if notice.push == "lobby"]
    assert (set(told.players), told.body.players) == ({1, 2}, {2})
    play.restart()
    assert play.say(GetForming()).reply == [2]
    assert play.say(GetMember(1)).reply.lobby is None
    assert not play.say(SetBan(1, is_banned=False)).notices
    assert play.say(Admit(1)).reply.players == {1, 2}


def test_r43_a_held_window_shares_its_pool_among_those_who_win_by_then():
    play = WindowPlay(**pool())
    for player in (1, 2):
        play.admit(player)
    play.say(Pause())
    play.say(Tick(), START + HOUR)
    play.say(Closed(contest_id(ID, 1), 2))
    assert sent(play.say(SetBan(1, is_banned=True)), SetBan) == [SetBan(1, is_banned=True)]
    play.say(Closed(contest_id(ID, 1), 1))
    play.restart()
    play.say(Resume())
    assert sent(play.say(Tick()), Settle) == [Settle(100)]
    play.say(Closed(contest_id(ID, 1), 2))  # too late: it has been told
    assert play.say(Paid(contest_id(ID, 1), 1, 1, {"cash": 100})).finished
    report = play.say(GetReport()).reply
    assert (report.winners, report.remainder) == (1, 0)


def test_r43_what_was_not_paid_after_all_is_left_over():
    play = WindowPlay(**pool())
    for player in (1, 2):
        play.admit(player)
    play.say(Finalize())
    play.say(Closed(contest_id(ID, 1), 2))
    assert sent(play.say(Tick()), Settle) == [Settle(50)]
    play.say(Paid(contest_id(ID, 1), 1, 1, {"cash": 50}))
    assert play.say(GetReport()).reply.remainder == 50
