"""What servers, operators and lobbies' players do on the wire, an embedding program does by a call."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest
from small_game import CLOSES, GAME, NEXT_DAY, NOON, opened_at_noon

from kraty_actors import Refused, open_game
from kraty_actors.testing import ManualClock
from kraty_protocol.shapes import iso

pytestmark = pytest.mark.anyio

ITEMS: dict[str, Any] = {**GAME, "items": [{"key": "bow"}]}
LADDER: dict[str, Any] = {"key": "ladder", "resetCadence": "daily"}


async def test_a_server_keeps_players_and_their_belongings_r19_r40() -> None:
    async with open_game(ITEMS, clock=ManualClock(NOON)) as game:
        put = await game.server.put_player("ada", {"level": 3}, name="Ada")
        assert (put["attributes"], put["name"]) == ({"level": 3}, "Ada")
        assert await game.server.player("ada") == put
        given = [await game.server.credit("ada", "cash", 5, reason="gift", idempotency_key="one") for _ in range(2)]
        assert [(one["balance"], one["applied"]) for one in given] == [(5, True), (5, False)]
        await game.server.grant_items("ada", "bow", 2, reason="gift", idempotency_key="two")
        assert (await game.wallet("ada"), await game.inventory("ada")) == ({"cash": 5}, {"bow": 2})


async def test_an_operator_steers_events_and_windows_r26() -> None:
    async with opened_at_noon() as (game, _):
        operator = game.operator
        assert (await operator.pause("sprint"))["state"] == "paused"
        with pytest.raises(Refused) as refused:
            await game.start("ada", "sprint")
        assert refused.value.is_event_disabled
        await operator.resume("sprint")
        [window] = await operator.windows("sprint")
        assert (await operator.override_window(window["windowId"], {"tier": None}))["metadata"] == {"tier": None}
        assert (await operator.override_window(window["windowId"], None))["override"] is None
        assert (await operator.extend_window(window["windowId"], iso(NEXT_DAY)))["endsAt"] == iso(NEXT_DAY)
        attempt = await game.start("ada", "sprint")
        assert (await operator.force_complete(attempt["attemptId"]))["status"] == "force_completed"
        assert [one["state"] for one in await operator.finalize("sprint")] == ["finalized"]
        assert (await operator.window_report(window["windowId"]))["participants"] == 1


async def test_what_the_program_asks_is_judged_as_on_the_wire() -> None:
    async with opened_at_noon() as (game, _):
        for asked, code, path in [
            (game.server.credit("ada", "cash", 0, reason="r", idempotency_key="k"), "validation_failed", "amount"),
            (game.server.credit("ada", "cash", 10**30, reason="r", idempotency_key="k"), "validation_failed", "amount"),
            (game.server.credit("ada", "gold", 1, reason="r", idempotency_key="k"), "validation_failed", "key"),
            (game.operator.extend_window("waaaaaaaaaaaaaaaa", "tomorrow"), "validation_failed", "endsAt"),
            (game.operator.pause("nothing"), "not_found", None),
            (game.operator.publish("sprint"), "conflict", None),
            (game.lobby("ada", "waaaaaaaaaaaaaaaa.1"), "not_found", None),
            (game.board("sprint", period="current"), "validation_failed", "period"),
        ]:
            with pytest.raises(Refused) as refused:
                await asked
            assert (refused.value.code, refused.value.details.get("path")) == (code, path)
        for value, error in (({1}, TypeError), (float("nan"), ValueError), ("\ud800", ValueError)):
            with pytest.raises(error):
                await game.server.put_player("ada", {"level": value})  # type: ignore[dict-item]


async def test_what_the_program_keeps_is_not_what_the_game_keeps_r36() -> None:
    async with opened_at_noon() as (game, _):
        [window] = await game.operator.windows("sprint")
        mine: dict[str, Any] = {"colours": ["red"]}
        await game.operator.override_window(window["windowId"], mine)
        mine["colours"].append("blue")
        [window] = await game.operator.windows("sprint")
        window["metadata"]["colours"].append("green")
        assert (await game.operator.windows("sprint"))[0]["metadata"] == {"colours": ["red"]}


async def test_lobbies_are_left_and_pushed_r31() -> None:
    async with opened_at_noon() as (game, _):
        with pytest.raises(Refused) as forming:
            await game.start("ada", "duel")
        lobby_id = forming.value.details["lobbyId"]
        assert (await game.lobby("ada", lobby_id))["participantCount"] == 1
        assert (await game.leave_lobby("ada", lobby_id))["participantCount"] == 0
        pushed = await game.server.push_lobby("duel", "one", ["ada", "bob"])
        assert (await game.start("ada", "duel"))["lobbyId"] == pushed["id"]


async def test_a_shared_board_is_read_and_watched_by_its_key_until_its_period_is_over_r32_r34() -> None:
    async with opened_at_noon() as (game, clock):
        await game.operator.put_board(LADDER)
        event = {"key": "climb", "metrics": [{"key": "steps"}], "contributesTo": ["ladder"]}
        await game.operator.put_event(event)
        for player, steps in (("ada", 3), ("bob", 5), ("cy", 4)):
            await game.progress(player, "climb", steps)
        around = await game.board(board_key="ladder", around="self", limit=0, player="cy")
        assert [(row["rank"], row["isSelf"]) for row in around["entries"]] == [(2, True)]
        seen = []
        async with aclosing(game.watch_board(board_key="ladder", player="ada")) as boards:
            async for board in boards:
                seen.append((board["self"], board["finalized"]))
                clock.move_to(NEXT_DAY)
        assert (seen[0], seen[-1]) == (({"rank": 3, "score": 3}, False), ({"rank": 3, "score": 3}, True))
        periods = await game.board_periods("ladder")
        assert (periods["current"]["startsAt"], periods["current"]["endsAt"]) == (_day(29), _day(30))
        [past] = periods["periods"]
        assert (await game.board(board_key="ladder", period=past["startsAt"]))["total"] == 3
        assert (await game.board(board_key="ladder"))["total"] == 0


def _day(number: int) -> str:
    return CLOSES.replace("-29T00:00:00Z", f"-{number}T00:00:00.000Z")
