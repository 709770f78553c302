"""R-56: a game with an event of every mode, killed behind every unit that it stores, ends as if it never was."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whole_game import PLAYERS, Session, restless

BACKENDS = ["asyncio", "trio"]


@pytest.fixture(scope="module")
def uninterrupted() -> tuple[dict[str, Any], int]:
    """The result without a kill, and how many units it took."""
    session = Session()
    return anyio.run(session.play, [], backend="asyncio"), session.store.stored


def test_r43_r45_the_uninterrupted_game_pays_its_winners(uninterrupted: tuple[dict[str, Any], int]):
    found, _ = uninterrupted
    assert [found[event] for event in ("race", "open_race", "cup", "teams")] == ["finalized"] * 4
    assert [len(found[f"{name}'s grants"]) for name in PLAYERS] == [2, 0, 0]
    assert [found[f"{name}'s dossier"].leagues for name in ("ann", "bob")] == [{}, {"cup": "silver"}]
    totals = {row.participant: row.score for key, rows in found.items() if key.startswith("total ") for row in rows}
    assert len(totals) == len(PLAYERS)
    assert all(totals.values())


@pytest.mark.parametrize("backend", BACKENDS)
def test_r56_a_game_that_is_killed_behind_any_unit_ends_as_if_it_never_was(
    backend: str, uninterrupted: tuple[dict[str, Any], int]
):
    expected, units = uninterrupted
    assert units > 50
    for kill in range(units):
        found = anyio.run(Session().play, [kill], backend=backend)
        assert found == expected, f"killed behind unit {kill}"


@pytest.mark.usefixtures(restless.__name__)
@pytest.mark.parametrize("backend", BACKENDS)
@given(kills=st.lists(st.integers(0, 60), max_size=8))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_r56_nor_that_nobody_stays_in_memory(backend: str, kills: list[int], uninterrupted: tuple[dict[str, Any], int]):
    assert anyio.run(Session().play, kills, backend=backend) == uninterrupted[0]


@pytest.mark.parametrize("backend", BACKENDS)
@given(kills=st.lists(st.integers(0, 12), min_size=2, max_size=8))
@settings(max_examples=12, deadline=None)
def test_r56_nor_do_many_kills_matter(backend: str, kills: list[int], uninterrupted: tuple[dict[str, Any], int]):
    assert anyio.run(Session().play, kills, backend=backend) == uninterrupted[0]
