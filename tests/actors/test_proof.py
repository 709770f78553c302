"""What is stored of a window is what its journals give, byte for byte; whatever was changed shows (R-56, R-57)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from proving import proved
from whole_game import Session

from kraty_actors.domain.ids import window_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kills", [[], [7], [3, 9, 4, 11], [1] * 12], ids=["none", "one", "four", "twelve"])
async def test_windows_of_every_mode_are_what_their_journals_give(kills: list[int]) -> None:
    session = Session()
    await session.play(kills)
    agreed: dict[str, int] = {}
    for window in sorted({window_of(attempt) for attempt in session.attempts.values()}):
        derived, proof = await proved(session.store, window)
        assert proof.differences == []
        assert proof.remarks == []
        assert derived.is_over
        agreed = {key: agreed.get(key, 0) + count for key, count in proof.agreed.items()}
    assert agreed["states"] > 8
    assert agreed["messages"] > 20
    print(agreed)
