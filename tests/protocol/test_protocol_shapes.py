"""Instants as they travel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kraty_protocol.shapes import iso, parse_iso


@given(st.integers(0, 253402300799999))
def test_every_millisecond_comes_back(at_ms: int) -> None:
    text = iso(at_ms)
    assert len(text) == 24
    assert parse_iso(text) == at_ms


def test_the_written_form() -> None:
    assert iso(1795377600000) == "2026-11-22T20:00:00.000Z"
    assert parse_iso("2026-11-22T21:00:00.25+01:00") == 1795377600250


@pytest.mark.parametrize("text", ["", "now", "2026-11-22", "2026-11-22T20:00:00"])
def test_an_instant_needs_a_zone(text: str) -> None:
    with pytest.raises(ValueError, match=r"zone|Invalid"):
        parse_iso(text)
