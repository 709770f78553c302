"""Windows never go missing and never repeat, in any zone and by any schedule, however rarely the calendar wakes."""

from __future__ import annotations

from typing import Any

from calendar_play import Play
from hypothesis import given, settings
from hypothesis import strategies as st
from playing import frozen, thawed
from test_schedule import HOUR, daily, ms, on
from test_schedule_twin import schedules, twin

from kraty_actors.definitions import AvailabilityRecurring
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.outcome import Tick
from kraty_actors.domain.schedule import DAY_MS
from kraty_actors.domain.window_messages import OpenWindow


def opened(schedule: AvailabilityRecurring, begin: int, waits: list[int]) -> list[tuple[int, int | None]]:
    """The windows that open from publication on, with a restart in the middle."""
    play = Play()
    play.now = begin
    play.put(race=schedule.as_defined())
    told = list(play.last_told)
    for wait in waits:
        play.now += wait
        play.calendar = thawed(Calendar(Library()), frozen(play.calendar))
        if play.calendar.wake_at is not None and play.calendar.wake_at <= play.now:
            play.apply(Tick())
            told += play.last_told
    openings = [command for _, command in told if isinstance(command, OpenWindow)]
    return [(command.starts_at, command.ends_at) for command in openings]


@given(schedules(), st.lists(st.integers(0, DAY_MS), max_size=4))
@settings(max_examples=25, deadline=None)
def test_r24_every_window_opens_once_in_any_zone(drawn: Any, waits: list[int]):
    """The twin watches the clock on the wall; beside, what is under way at publication opens at once."""
    schedule, begin = drawn
    after = begin + sum(waits)
    expected = twin(schedule, begin - 4 * DAY_MS, after).items()
    assert opened(schedule, begin, waits) == sorted(
        (start, end) for start, end in expected if end > begin or start > begin
    )


def test_r23_over_the_changes_of_the_clock_in_new_york():
    """20:00 for 24 hours: two are open for an hour in March, none for an hour in November."""
    evening = on("America/New_York", daily("20:00", 24 * HOUR))
    for first, overlap in (("2026-03-07T12:00Z", 1), ("2026-10-31T12:00Z", -1)):
        (_, one_ends), (two_starts, _) = opened(evening, ms(first), [DAY_MS, DAY_MS])[-2:]
        assert one_ends is not None
        assert one_ends - two_starts == overlap * HOUR * 1000
