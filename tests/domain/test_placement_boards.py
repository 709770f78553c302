"""Boards that a start sits at once on (R-30): cohorts, leagues, divisions, and what a window makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_window_cases import ID, Play, ended, sent

from kraty_actors.domain.contest_messages import AttemptEnded, Open, Seat
from kraty_actors.domain.ids import contest_id, last_number
from kraty_actors.domain.placement.groups import cohort_of
from kraty_actors.domain.window_messages import Admit, GetMember, Placed

BOTS = {"botBindings": [{"botId": "climber", "count": 2}]}
LEAGUES = ["bronze", "silver", "gold"]


def grouped(**board: Any) -> dict[str, Any]:
    return {"leaderboard": {"mode": "grouped", **board}}


def segmented(**board: Any) -> dict[str, Any]:
    return {"leaderboard": {"mode": "segmented", "leagues": LEAGUES, **board}}


def boards_of(play: Play, admits: list[Admit]) -> list[int | None]:
    """The contest that each of them is placed in."""
    replies = [play.say(admit).reply for admit in admits]
    assert all(isinstance(reply, Placed) for reply in replies)
    return [last_number(reply.contest_id) for reply in replies]


def test_r30_groups_are_filled_in_order_of_first_start_bots_taking_seats_too():
    play = Play(**grouped(capacity=4), **BOTS)
    assert boards_of(play, [Admit(player) for player in range(1, 6)]) == [1, 1, 2, 2, 3]


def test_r30_a_group_has_fifty_seats_unless_it_says_otherwise():
    play = Play(**grouped())
    assert boards_of(play, [Admit(player) for player in range(1, 52)]) == [1] * 50 + [2]


def test_r30_a_board_begins_with_its_first_player_and_those_of_a_global_event_with_the_window():
    play = Play(**grouped(capacity=4), **BOTS)
    outcome = play.say(Admit(1))
    assert [type(message.command) for message in outcome.messages] == [Open, Seat]
    (opening,) = sent(outcome, Open)
    assert (opening.starts_at, opening.bot_seats) == (play.now, None)
    (opening,) = sent(Play().opened, Open)
    assert opening.starts_at == Play().opened.messages[0].command.starts_at


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("NL", "NL", True),
        ("NL", "nl", False),
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (1, "1", False),
        (None, None, True),
        (None, "", False),
        (None, 0, False),
        (None, float("nan"), True),
        (None, ["NL"], True),
    ],
)
def test_r30_who_is_in_one_cohort(one: Any, other: Any, together: bool):
    play = Play(**grouped(cohortBy="country"))
    first, second = boards_of(play, [Admit(1, trait=one), Admit(2, trait=other)])
    assert (first == second) == together


def test_r30_without_cohort_by_all_are_one_cohort():
    play = Play(**grouped())
    assert boards_of(play, [Admit(1, trait="NL"), Admit(2, trait="PT")]) == [1, 1]


@given(st.lists(st.sampled_from([None, "NL", 1, 1.0, True, "1"]), max_size=60), st.integers(2, 4))
def test_r30_every_cohort_is_filled_on_its_own(traits: list[Any], capacity: int):
    play = Play(**grouped(cohortBy="country", capacity=capacity))
    placed = boards_of(play, [Admit(player, trait=trait) for player, trait in enumerate(traits, 1)])
    for number in set(placed):
        there = [trait for trait, board in zip(traits, placed, strict=True) if board == number]
        assert len({cohort_of(trait) for trait in there}) == 1
        assert len(there) <= capacity
    assert len(set(placed)) == sum(
        -(-sum(cohort_of(t) == c for t in traits) // capacity) for c in set(map(cohort_of, traits))
    )


def test_r30_a_place_is_kept_for_the_window_whatever_the_player_is_like_later():
    play = Play(attempt={"replayableDuringWindow": True}, **segmented(capacity=2))
    assert boards_of(play, [Admit(1, league="gold")]) == [1]
    play.say(AttemptEnded(1, True))
    assert boards_of(play, [Admit(1, league="bronze"), Admit(2, league="gold")]) == [1, 1]
    assert play.say(GetMember(1)).reply.league == "gold"


@pytest.mark.parametrize("league", [None, "wood"])
def test_r30_new_players_and_those_of_a_league_that_is_no_more_are_in_the_first(league: str | None):
    play = Play(**segmented())
    boards_of(play, [Admit(1, league=league)])
    assert play.say(GetMember(1)).reply.league == "bronze"


def test_r30_a_league_is_one_division_or_several():
    admits = [Admit(1), Admit(2, league="silver"), Admit(3), Admit(4), Admit(5, league="silver")]
    assert boards_of(Play(**segmented()), admits) == [1, 2, 1, 1, 2]
    assert boards_of(Play(**segmented(capacity=4), **BOTS), admits) == [1, 2, 1, 3, 2]


def test_r30_a_division_is_told_whose_league_it_is():
    play = Play(**segmented())
    openings = [sent(play.say(Admit(player, league=league)), Open) for player, league in ((1, None), (2, "gold"))]
    assert [opening.league for (opening,) in openings] == ["bronze", "gold"]


def test_r30_mode_none_has_attempts_and_no_board():
    play = Play(leaderboard={"mode": "none"}, **BOTS)
    (opening,) = sent(play.opened, Open)
    assert opening.bot_seats == 0
    assert boards_of(play, [Admit(1), Admit(2)]) == [1, 1]
    member = play.say(GetMember(1)).reply
    assert (member.contest_id, member.board_id) == (contest_id(ID, 1), None)
    assert ended(play, 0) == [0]
