"""What operators look up."""

from __future__ import annotations

from typing import Any

import pytest
from acting_for_ann import GAME, assert_shape
from servers import serving

from kraty_protocol import operator_shapes

pytestmark = pytest.mark.anyio


# -- the audit trail


async def test_the_audit_trail_names_players_and_comes_in_pages_newest_first_r57(codec: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        async with server.peer(role="server", codec=codec) as backend:
            await backend.ok("players.put", playerId="ann", attributes={"level": 3})
        await operator.ok("events.pause", eventKey="race")
        await operator.ok("events.resume", eventKey="race")
        whole = (await operator.ok("audit.list", limit=200))["audit"]
        for row in whole:
            assert_shape(row, operator_shapes.AuditRow)
        assert [_told(row) for row in whole[:3]] == [
            ("operator", "events.resume", "race", "paused", "live"),
            ("operator", "events.pause", "race", "live", "paused"),
            ("server", "players.put", "player:ann", {"level": None}, {"level": 3}),
        ]
        assert {row["who"] for row in whole[3:]} == {"file"}
        assert {row["at"] for row in whole} == {"2026-06-02T12:00:00.000Z"}
        pages: list[dict[str, Any]] = [await operator.ok("audit.list", limit=2)]
        while pages[-1]["next"] is not None:
            pages.append(await operator.ok("audit.list", limit=2, after=pages[-1]["next"]))
        assert [row for page in pages for row in page["audit"]] == whole


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "²", "9" * 64])
async def test_the_audit_trail_begins_behind_no_row_that_is_not_one(codec: str, after: str) -> None:
    async with serving(GAME) as server, server.peer(role="operator", codec=codec) as operator:
        assert await operator.ok("audit.list", after=after) == {"audit": [], "next": None}


async def test_an_event_with_the_name_of_a_player_is_no_player(codec: str) -> None:
    odd = {**GAME, "events": [{"key": "player:1", "metrics": [{"key": "laps"}]}]}
    async with serving(odd) as server, server.peer(role="operator", codec=codec) as operator:
        await operator.ok("wallet.get", playerId="ann")
        await operator.ok("events.pause", eventKey="player:1")
        (newest,) = (await operator.ok("audit.list", limit=1))["audit"]
        assert newest["subject"] == "player:1"


def _told(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["who"], row["action"], row["subject"], row["before"], row["after"]
