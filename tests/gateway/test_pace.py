"""A pace is a token bucket: no more than the burst at once, and no more than the rate in the long run."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kraty_actors.gateway.pace import UNHURRIED, Pace

CHUNKS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), max_size=40)
"""Eighths of a second since the chunk before, and requests in the chunk."""


@given(st.sampled_from([1, 2, 4, 16]), st.integers(1, 50), CHUNKS)
def test_it_lets_through_what_a_bucket_of_tokens_would(rate: int, burst: int, chunks: list[tuple[int, int]]) -> None:
    pace = Pace(rate, burst)
    now, tokens = Fraction(1000), Fraction(burst)
    for eighths, requests in chunks:
        now += Fraction(eighths, 8)
        tokens = min(Fraction(burst), tokens + Fraction(eighths, 8) * rate)
        pace.at(float(now))
        for _ in range(requests):
            took = pace.take()
            assert took == (tokens >= Fraction(1, 2))  # half a request is given, so that rounding takes none away
            tokens -= took


def test_who_waits_as_long_as_they_are_told_gets_through() -> None:
    pace = Pace(3, 5)
    pace.at(100.0)
    assert sum(pace.take() for _ in range(10)) == 5
    wait = pace.wait_seconds()
    assert 0 < wait <= 1 / 3 + 0.001
    pace.at(100.0 + wait)
    assert [pace.take(), pace.take()] == [True, False]


def test_the_program_itself_is_never_too_fast() -> None:
    assert all(UNHURRIED.take() for _ in range(10_000))
