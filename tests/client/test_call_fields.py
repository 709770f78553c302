"""What `kraty-actors call` makes of FIELD=VALUE."""

from __future__ import annotations

from typing import Any

import pytest

from kraty_actors.cli.call import _field


@pytest.mark.parametrize(
    ("op", "text", "value"),
    [
        ("wallet.credit", "idempotencyKey=1", "1"),
        ("wallet.credit", "playerId=7", "7"),
        ("wallet.credit", "amount=5", 5),
        ("events.get", "eventKey=true", "true"),
        ("events.list", "upcoming=true", True),
        ("events.progress", 'metrics={"laps": 1}', {"laps": 1}),
        ("lobbies.push", 'playerIds=["1", "2"]', ["1", "2"]),
        ("no.such", "field=1", 1),
    ],
)
def test_a_number_is_text_where_the_field_is_one(op: str, text: str, value: Any) -> None:
    assert _field(op, text) == (text.partition("=")[0], value)
