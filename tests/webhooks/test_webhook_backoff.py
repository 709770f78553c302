"""R-53: exponential backoff with jitter, exact for each delivery and try."""

from __future__ import annotations

import statistics

import pytest

from kraty_actors.webhooks.backoff import FIRST_MS, GIVE_UP_MS, LONGEST_MS, asked_ms, pause_ms, rest_ms, spent_ms

NOW = 1_700_000_000_000


def test_known_pauses_stay_as_they_are() -> None:
    pinned = [4245, 10949, 18238, 40966, 74602, 178269, 348385, 724364, 1030992, 2620029, 3503574, 4193657]
    assert [pause_ms("d1", attempt) for attempt in range(1, 13)] == pinned


def test_a_pause_doubles_up_to_an_hour_give_or_take_a_fifth() -> None:
    for attempt in range(1, 60):
        plain = min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS)
        for delivery in range(50):
            assert 0.8 * plain <= pause_ms(f"d{delivery}", attempt) <= 1.2 * plain


def test_deliveries_that_failed_together_do_not_come_again_together() -> None:
    pauses = [pause_ms(f"d{delivery}", 5) for delivery in range(1_000)]
    assert len(set(pauses)) > 900
    assert statistics.fmean(pauses) == pytest.approx(16 * FIRST_MS, rel=0.02)


def test_about_thirty_tries_fill_a_day() -> None:
    for delivery in range(50):
        tries = next(tries for tries in range(100) if spent_ms(f"d{delivery}", tries) >= GIVE_UP_MS)
        assert 30 <= tries <= 36


def test_an_endpoint_rests_longer_with_each_failure_up_to_a_minute() -> None:
    rests = [rest_ms(failures) for failures in range(13)]
    assert rests[:4] == [0, 100, 200, 400]
    assert rests == sorted(rests)
    assert rests[-1] == rest_ms(10_000) == 60_000


@pytest.mark.parametrize(
    ("header", "ms"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        ("120", 120_000),
        (" 7 ", 7_000),
        ("3600", 3_600_000),
        ("3601", 3_600_000),
        ("9" * 50_000, 3_600_000),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("١٢", 0),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10_000),
        ("Tue, 14 Nov 2023 22:13:30 -0000", 10_000),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("Tue, 14 Nov 2040 22:00:00 GMT", 3_600_000),
        ("Tue, 99 Nov 2023 22:00:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(header: str | None, ms: int) -> None:
    assert asked_ms(header, NOW) == ms
