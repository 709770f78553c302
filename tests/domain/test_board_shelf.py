"""Shared boards in the calendar: which period is open after each edit, and who is told (R-32)."""

from __future__ import annotations

from typing import Any

import pytest
from playing import HOUR, START

from kraty_actors.definitions import SharedBoard
from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain.board_shelf import PAST_KEPT, BoardShelf, Filed
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.ids import board_id
from kraty_actors.domain.outcome import Message
from kraty_actors.domain.periods import Period
from kraty_actors.domain.shared_board_messages import EndPeriod, OpenPeriod

DAY = 24 * HOUR
MIDNIGHT = START - START % DAY + DAY
"""The first midnight (UTC) after the boards of these tests are made."""
LATER = START + HOUR
ENDS_PERIOD = "the edit ends the period that was open, and begins another"


def season(end: int) -> dict[str, Any]:
    return {"resetCadence": "season", "seasonEndsAt": iso_instant(end)}


class Game:
    """A shelf with one board on it, made at START."""

    def __init__(self, **fields: Any) -> None:
        self.library = Library()
        self.shelf = BoardShelf(self.library)
        self.fields: dict[str, Any] = {"key": "ladder"}
        self.made = self.put(START, **fields)

    def put(self, now: int, **fields: Any) -> Filed:
        self.fields |= fields
        return self.shelf.put(SharedBoard.model_validate(self.fields), now)

    @property
    def current(self) -> Period:
        return self.shelf.views()["ladder"].current

    @property
    def past(self) -> tuple[Period, ...]:
        return self.shelf.views()["ladder"].past


def opens(starts_at: int, revision: int = 1) -> Message:
    return Message(board_id("ladder", starts_at), OpenPeriod("ladder", revision, starts_at))


def ends(starts_at: int, at: int) -> Message:
    return Message(board_id("ladder", starts_at), EndPeriod(at))


@pytest.mark.parametrize(
    ("fields", "ends_at"),
    [
        ({}, None),
        ({"resetCadence": "daily"}, MIDNIGHT),
        (season(START + 5 * DAY), START + 5 * DAY),
        (season(START - DAY), None),
    ],
)
def test_r32_a_new_board_opens_a_period_at_once(fields: dict[str, Any], ends_at: int | None):
    game = Game(**fields)
    assert game.made == Filed([opens(START)], [])
    assert (game.current, game.past, game.shelf.next_rollover) == (Period(START, ends_at), (), ends_at)
    assert game.put(LATER) == Filed([], [])
    assert game.shelf.bindings(["ladder", "unheard_of"]) == [["ladder", 1]]


@pytest.mark.parametrize(
    ("before", "edit"),
    [
        ({"resetCadence": "daily"}, {"resetCadence": "weekly"}),
        ({"resetCadence": "daily"}, {"timezone": "Asia/Tokyo"}),
        ({"resetCadence": "daily"}, {"resetCadence": "never"}),
        ({"resetCadence": "daily"}, {"sort": "asc"}),
        ({}, {"resetCadence": "daily"}),
        ({}, {"sort": "asc"}),
        ({}, {"scoreAggregation": "sum"}),
        (season(START - DAY), {"scoreAggregation": "sum"}),
        (season(START + DAY), {"seasonEndsAt": iso_instant(START)}),
    ],
)
def test_r32_an_edit_that_cannot_wait_ends_the_period_and_begins_another(before: dict[str, Any], edit: dict[str, Any]):
    game = Game(**before)
    filed = game.put(LATER, **edit)
    assert filed.messages == [ends(START, LATER), opens(LATER, 2)]
    assert [str(warning) for warning in filed.warnings] == [f"leaderboards.ladder: {ENDS_PERIOD}"]
    assert (game.current.starts_at, game.past) == (LATER, (Period(START, LATER),))
    assert game.shelf.bindings(["ladder"]) == [["ladder", 2]]
    assert game.put(LATER + HOUR) == Filed([], [])


def test_r32_two_edits_in_one_millisecond_are_two_periods():
    game = Game()
    assert game.put(START, sort="asc").messages == [ends(START, START + 1), opens(START + 1, 2)]
    assert game.current == Period(START + 1, None)


def test_r32_how_scores_add_up_changes_with_the_next_period():
    game = Game(resetCadence="daily")
    filed = game.put(LATER, scoreAggregation="latest")
    assert filed.messages == []
    at = iso_instant(MIDNIGHT)
    assert [one.message for one in filed.warnings] == [f"scoreAggregation changes with the next period, at {at}"]
    assert game.shelf.roll(MIDNIGHT) == [opens(MIDNIGHT, 2)]


@pytest.mark.parametrize(
    ("before", "edit"), [({"resetCadence": "daily"}, {"name": "Ladder"}), ({}, {"timezone": "Asia/Tokyo"})]
)
def test_r32_other_edits_leave_the_period_alone(before: dict[str, Any], edit: dict[str, Any]):
    game = Game(**before)
    period = game.current
    assert game.put(LATER, **edit) == Filed([], [])
    assert game.current == period


class TestSeasons:
    """R-32: a season's end may be moved; what follows a season is open until a later end is put."""

    def test_the_end_of_a_running_season_moves(self):
        game = Game(**season(START + DAY))
        for at in (START + 3 * DAY, START + 2 * DAY):
            game.put(LATER, seasonEndsAt=iso_instant(at))
            assert (game.current, game.past) == (Period(START, at), ())
        assert game.put(LATER, seasonEndsAt=iso_instant(START + DAY)).messages == [ends(START, START + DAY)]

    def test_a_later_end_makes_the_period_after_a_season_the_new_season(self):
        game = Game(**season(START + DAY))
        assert game.shelf.roll(START + DAY) == [opens(START + DAY)]
        assert (game.current, game.shelf.next_rollover) == (Period(START + DAY, None), None)
        end = START + 9 * DAY
        assert game.put(START + 2 * DAY, seasonEndsAt=iso_instant(end)).messages == [ends(START + DAY, end)]
        assert game.current == Period(START + DAY, end)
        assert game.shelf.roll(end) == [opens(end, 2)]
        assert game.past == (Period(START + DAY, end), Period(START, START + DAY))

    def test_an_end_put_when_the_season_is_just_over_begins_the_next_one(self):
        game = Game(**season(START + DAY))
        filed = game.put(START + DAY, seasonEndsAt=iso_instant(START + 2 * DAY))
        assert filed.messages == [opens(START + DAY), ends(START + DAY, START + 2 * DAY)]


class TestRollover:
    """R-32: at the right instant even after downtime."""

    def test_every_period_that_was_missed_is_opened_in_its_turn(self):
        game = Game(resetCadence="daily")
        assert game.shelf.roll(MIDNIGHT - 1) == []
        days = [MIDNIGHT + n * DAY for n in range(4)]
        assert game.shelf.roll(days[3] + HOUR) == [opens(day) for day in days]
        assert game.current == Period(days[3], days[3] + DAY)
        assert [period.starts_at for period in game.past] == [days[2], days[1], days[0], START]
        assert game.shelf.roll(days[3] + HOUR) == []

    def test_after_years_only_the_newest_are_opened_and_listed(self):
        game = Game(resetCadence="daily")
        messages = game.shelf.roll(MIDNIGHT + 3000 * DAY)
        assert [message.to for message in messages] == [
            board_id("ladder", period.starts_at) for period in [*reversed(game.past), game.current]
        ]
        assert len(game.past) == PAST_KEPT

    def test_an_edit_rolls_over_first(self):
        game = Game(resetCadence="daily")
        now = MIDNIGHT + HOUR
        assert game.put(now, resetCadence="never").messages == [opens(MIDNIGHT), ends(MIDNIGHT, now), opens(now, 2)]


class TestArchive:
    """R-32: an archived board takes no more scores and stays readable."""

    def test_it_is_bound_no_more_and_opens_no_more_periods(self):
        game = Game(resetCadence="daily")
        assert game.put(LATER, archived=True) == Filed([], [])
        assert game.shelf.bindings(["ladder"]) == []
        assert (game.shelf.next_rollover, game.shelf.roll(MIDNIGHT + 5 * DAY)) == (None, [])
        assert game.current == Period(START, MIDNIGHT)

    def test_put_back_in_time_it_goes_on(self):
        game = Game(resetCadence="daily")
        game.put(LATER, archived=True)
        assert game.put(LATER, archived=False) == Filed([], [])
        assert game.shelf.bindings(["ladder"]) == [["ladder", 1]]

    def test_put_back_later_it_opens_the_period_of_that_day(self):
        game = Game(resetCadence="daily")
        game.put(LATER, archived=True)
        today = MIDNIGHT + 5 * DAY
        assert game.put(today + HOUR, archived=False) == Filed([opens(today)], [])
        assert (game.current, game.past) == (Period(today, today + DAY), (Period(START, MIDNIGHT),))

    def test_a_season_that_ended_meanwhile_is_not_begun_again(self):
        game = Game(**season(START + DAY))
        game.put(LATER, archived=True)
        now = START + 2 * DAY
        end = iso_instant(START + 3 * DAY)
        assert game.put(now, archived=False, seasonEndsAt=end).messages == [opens(now, 2)]
        assert game.past == (Period(START, START + DAY),)


def test_r56_a_shelf_is_read_back_as_it_was():
    game = Game(resetCadence="daily")
    game.put(LATER, scoreAggregation="sum")
    game.shelf.roll(MIDNIGHT + 400 * DAY)
    library = Library()
    shelf = BoardShelf(library)
    shelf.restore(game.shelf.dump())
    assert (shelf.dump(), shelf.views()) == (game.shelf.dump(), game.shelf.views())
    assert [library.board("ladder", n) for n in (1, 2)] == [game.library.board("ladder", n) for n in (1, 2)]
    assert shelf.roll(MIDNIGHT + 401 * DAY) == game.shelf.roll(MIDNIGHT + 401 * DAY)
