"""Days on the wall clock of a zone (R-17), and names that are cut to route a message (R-24)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kraty_actors.domain import ids
from kraty_actors.domain.days import day_start, next_day_start

HOUR = 3_600_000
zones = st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "Atlantic/Azores", "Asia/Beirut"])
instants = st.integers(1_600_000_000_000, 2_000_000_000_000)


def local(at: int, zone: str) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone))


@given(instants, zones)
@example(1_714_082_400_000 - 1, "Africa/Cairo")  # 26 April 2024 began at 01:00: midnight was skipped
@example(1_714_082_400_000, "Africa/Cairo")
def test_r17_a_day_holds_the_instant_and_all_of_its_date(now: int, zone: str):
    start, end = day_start(now, zone), next_day_start(now, zone)
    assert start <= now < end
    assert {local(at, zone).date() for at in (start, now, end - 1)} == {local(now, zone).date()}
    assert local(start - 1, zone).date() == local(now, zone).date() - timedelta(days=1)
    assert local(end, zone).date() == local(now, zone).date() + timedelta(days=1)
    assert day_start(start, zone) == start == next_day_start(start - 1, zone)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-08T12:00Z", 23), ("2026-11-01T12:00Z", 25), ("2026-11-02T12:00Z", 24)]
)
def test_r17_new_york_days_by_hand(day: str, hours: int):
    now = round(datetime.fromisoformat(day).timestamp() * 1000)
    assert next_day_start(now, "America/New_York") - day_start(now, "America/New_York") == hours * HOUR


def test_r17_days_join_where_the_clock_goes_back_over_midnight():
    """In St John's 1 November 2009 began twice, for the clock went from 00:01 back to 23:01; the first time counts."""
    quarters = [round(datetime(2009, 10, 30, tzinfo=UTC).timestamp() * 1000) + n * HOUR // 4 for n in range(4 * 96)]
    days = sorted({(day_start(at, "America/St_Johns"), next_day_start(at, "America/St_Johns")) for at in quarters})
    assert [end for _, end in days[:-1]] == [start for start, _ in days[1:]]
    assert [(end - start) / HOUR for start, end in days] == [24, 24, 24, 25, 24]


keys = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,20}", fullmatch=True)
numbers = st.integers(1, 10**15 - 1)


@given(keys, st.integers(0, 2**53), numbers, st.integers(0, 10**15 - 1))
def test_r24_every_name_leads_back_to_what_it_was_made_of(key: str, start: int, number: int, serial: int):
    window = ids.window_id(key, start)
    contest = ids.contest_id(window, number)
    attempt = ids.attempt_id(contest, serial)
    assert len(attempt) <= 64
    assert [ids.window_of(name) for name in (window, contest, attempt)] == [window] * 3
    assert (ids.parent(window), ids.parent(contest), ids.parent(attempt)) == ("", window, contest)
    assert ids.split_attempt(attempt) == (contest, serial)
    assert (ids.last_number(contest), ids.last_number(attempt)) == (number, serial)
    assert [ids.is_contest(name) for name in (window, contest, attempt)] == [False, True, False]


def test_r24_a_windows_name_is_its_event_and_start():
    assert ids.window_id("race", 5) == ids.window_id("race", 5)
    assert len({ids.window_id(key, at) for key in ("race", "race\0", "rac") for at in (5, 55)}) == 6
    assert ids.window_id("trail_of_triumph", 1_800_000_000_000) == "w57cbdcdb5glcmnus"


SOUND = "w" + "a" * 16


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "calendar", SOUND, f"{SOUND}.0", f"{SOUND}.01", f"{SOUND}.-1", f"{SOUND}.1\n", f"{SOUND}.\u0661"),
        f"{SOUND.upper()}.1",
        f"{SOUND}1.1",
        f"{SOUND}.1.1.1",
        f"x{SOUND}.1",
        f"{SOUND}.{10**15}",
        "w" + "1" * 16 + ".1",
    ],
)
def test_a_name_that_is_not_ours_is_no_contest_and_no_attempt(name: str):
    assert not ids.is_contest(name)
    assert ids.split_attempt(f"{name}.0") is None


@pytest.mark.parametrize("serial", ["", "-1", "01", "1.0", " 1", "\u0661", str(10**15)])
def test_a_serial_that_is_not_ours_is_no_attempt(serial: str):
    assert ids.split_attempt(f"{SOUND}.1.{serial}") is None
    assert ids.split_attempt(f"{SOUND}.1.0") == (f"{SOUND}.1", 0)


@given(st.integers(0, 999_999))
def test_r28_a_bots_name_leads_back_to_its_seat(seat: int):
    participant = ids.bot_participant(seat)
    assert participant < 0
    assert ids.bot_seat(participant) == seat
    assert ids.bot_of_public_id(ids.bot_public_id(participant)) == participant


def test_r28_bots_sort_by_public_id_as_they_sit():
    public = [ids.bot_public_id(ids.bot_participant(seat)) for seat in range(1000)]
    assert public == sorted(public)
    assert ids.bot_participant(3) < ids.bot_participant(4)
    assert [ids.bot_of_public_id(name) for name in ("bot1", "bot00x1", "p4", "bot\u0661111")] == [None] * 4


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_r27_a_grants_name_is_its_window_player_policy_and_slot(one: int, other: int):
    named = {
        (w, p, s): ids.grant_id(w, p, "shared_pool", s) for w in ("w1", "w") for p in (one, other) for s in ("", "1")
    }
    assert len(set(named.values())) == len(named)
