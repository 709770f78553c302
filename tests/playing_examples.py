"""Plays any game file through: four players take part in every event, from its next window's start to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio

from kraty_actors import open_game
from kraty_actors.client import Client, Refused, connect
from kraty_actors.definitions import EventDefinition, GameFile
from kraty_actors.testing import ManualClock
from kraty_protocol.shapes import parse_iso

Map = dict[str, Any]
BEGINS_AT = parse_iso("2026-06-01T00:00:00Z")
PATIENCE_SECONDS = 10
LONGEST_FILL_SECONDS = 60
PLAYERS = {"ann": "PT", "bob": "PT", "cid": "BR", "dan": "BR"}
TRIES = 4
"""Until the window is open, the lobby is pushed, and then full or timed out."""


@dataclass(frozen=True)
class Table:
    """A running game, the clock, and those who play."""

    clock: ManualClock
    ops: Client
    players: Mapping[str, Client]


async def play_through(game: GameFile) -> None:
    """Play every event of a game to the end.

    Raises:
        AssertionError: A board, a rank or a prize is missing.
        TimeoutError: Something never came.
    """
    async with seated(game) as table:
        for event in game.events:
            await _play_event(table, event)


@asynccontextmanager
async def seated(game: GameFile) -> AsyncIterator[Table]:
    """Serve the game, with players of whom is known whatever a condition may ask."""
    clock = ManualClock(BEGINS_AT)
    async with open_game(game.as_defined(), clock=clock, insecure_dev=True) as opened, AsyncExitStack() as stack:
        url = f"ws://127.0.0.1:{await opened.serve(port=0)}/v1/socket"
        ops = await stack.enter_async_context(connect(url, role="operator"))
        players = {
            name: await stack.enter_async_context(connect(url, player_id=name, reconnect=False)) for name in PLAYERS
        }
        for at, (name, country) in enumerate(PLAYERS.items()):
            attributes = {"country": country, "skill": 1000 + at, "level": 50, "timezone": "Europe/Lisbon"}
            await ops.call("players.put", playerId=name, attributes=attributes)
            for item in game.items:
                about = {"key": item.key, "quantity": 5, "reason": "test", "idempotencyKey": item.key}
                await ops.call("inventory.grant", playerId=name, **about)
            for currency in game.currencies:
                about = {"key": currency.key, "amount": 1000, "reason": "test", "idempotencyKey": currency.key}
                await ops.call("wallet.credit", playerId=name, **about)
        yield Table(clock, ops, players)


async def _play_event(table: Table, event: EventDefinition) -> None:
    started = await _start(table, event.key)
    await _check_charged(table, event)
    for share in (0.5, 1.0):
        table.clock.advance(60)
        for at, name in enumerate(started):
            await _write(table.players[name], started[name], event, share, at)
    boards = {str(one["leaderboardId"]) for one in started.values() if one["leaderboardId"]}
    assert bool(boards) == (event.leaderboard.mode != "none")
    for board_key in event.contributes_to:
        shared = await table.ops.call("boards.read", boardKey=board_key)
        assert shared["total"] >= len(started), f"{board_key}: {shared}"
    await _end(table, event, started["ann"])
    for board_id in boards:
        await _check_final(table, board_id)
    await _check_paid(table, event, started)


async def _check_paid(table: Table, event: EventDefinition, started: Mapping[str, Map]) -> None:
    """Somebody has won, and reached the milestones; nobody's play is suspicious (R-42 to R-44, R-48)."""
    due = {"event_milestone"} if event.milestone_rewards else set()
    policy = event.reward_policy.type
    if policy != "none":
        due.add("event_completion" if policy == "fixed_bundle" else "event_window")
    attempts = [one["attempt"] for one in started.values()]
    sources = {one[name] for one in attempts for name in ("attemptId", "windowId")}
    with anyio.fail_after(PATIENCE_SECONDS):
        while due:
            pages = [await player.call("grants.list", limit=200) for player in table.players.values()]
            grants = [grant for page in pages for grant in page["grants"] if grant["sourceRefId"] in sources]
            due -= {grant["sourceKind"] for grant in grants}
    assert (await table.ops.call("anomalies.list", eventKey=event.key))["anomalies"] == []


async def _check_charged(table: Table, event: EventDefinition) -> None:
    """Everybody has paid for the start, once (R-20)."""
    cost = event.entry_cost
    for player in table.players.values() if cost is not None else ():
        wallet = {one["key"]: one["balance"] for one in (await player.call("wallet.get"))["balances"]}
        assert [wallet[one.key] for one in cost.currencies] == [1000 - one.amount for one in cost.currencies]


async def _start(table: Table, event_key: str) -> dict[str, Map]:
    """Get everybody an attempt: wait for the window, push a lobby, wait until it starts."""
    started: dict[str, Map] = {}
    for _ in range(TRIES):
        waits: Map | None = None
        for name in PLAYERS.keys() - started.keys():
            try:
                started[name] = await table.players[name].call("events.start", eventKey=event_key)
            except Refused as refused:
                if not (refused.is_no_active_window or refused.is_lobby_forming):
                    raise
                waits = refused.details
        if waits is None:
            return started
        await _wait_for(table, event_key, waits)
    raise AssertionError(f"{event_key}: only {sorted(started)} could start")


async def _wait_for(table: Table, event_key: str, details: Map) -> None:
    if "opensAt" in details:
        table.clock.move_to(parse_iso(details["opensAt"]))
    elif details["lobbyId"] is None:
        await table.ops.call("lobbies.push", eventKey=event_key, key=event_key, playerIds=list(PLAYERS))
    else:
        table.clock.advance(LONGEST_FILL_SECONDS)


async def _write(player: Client, started: Map, event: EventDefinition, share: float, at: int) -> None:
    """Come so far towards every target, and a little further than who is next in what has none."""
    triggers = {metric.reset_on.metric_key for metric in event.metrics if metric.reset_on}
    goals = {metric.key: metric.target or 20 - at for metric in event.metrics if metric.key not in triggers}
    values = {key: goal * share for key, goal in goals.items()}
    ack = await player.call("events.progress", attemptId=started["attempt"]["attemptId"], metrics=values, mode="set")
    is_done = share == 1
    assert (ack["status"] == "completed") == (is_done and any(metric.target for metric in event.metrics)), ack
    has_row = event.leaderboard.mode != "none" and (is_done or event.leaderboard.sort == "desc")
    assert (ack["rank"] is not None) == has_row, ack


async def _end(table: Table, event: EventDefinition, started: Map) -> None:
    window_id = started["attempt"]["windowId"]
    if started["windowEndsAt"] is None:
        await table.ops.call("events.finalize", eventKey=event.key, windowId=window_id)
    else:
        table.clock.move_to(parse_iso(started["windowEndsAt"]))
    attempt_id = started["attempt"]["attemptId"]
    await _until(
        table.players["ann"],
        "attempts.get",
        lambda read: read["attempt"]["status"] == "completed",
        attemptId=attempt_id,
    )


async def _check_final(table: Table, board_id: str) -> None:
    board = await _until(table.ops, "boards.read", lambda read: read["finalized"], leaderboardId=board_id, limit=200)
    entries = board["entries"]
    assert [row["rank"] for row in entries] == list(range(1, board["total"] + 1))
    assert any(row["kind"] == "player" for row in entries)
    assert all(row["name"] for row in entries if row["kind"] == "bot")


async def _until(client: Client, op: str, holds: Callable[[Map], object], **fields: Any) -> Map:
    with anyio.fail_after(PATIENCE_SECONDS):
        while not holds(answer := await client.call(op, **fields)):
            pass
    return answer
