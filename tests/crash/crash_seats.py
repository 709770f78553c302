"""Who sits where: what windows with many boards promise about places, added up over the wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
from crash_players import World
from places import Place
from server_process import ServerProcess

from kraty_actors.client import Client, Refused

Map = dict[str, Any]
T = TypeVar("T")

AT_ONCE = 32
"""Requests that one connection has under way."""


@asynccontextmanager
async def serving(folder: Path, place: Place, game: Map) -> AsyncIterator[tuple[ServerProcess, World]]:
    """A server that serves the game, to be killed, and the world outside of it."""
    server = ServerProcess(folder, place)
    (folder / "game.json").write_text(json.dumps(game))
    try:
        await server.spawn()
        await server.listening()
        await server.warm_next()
        yield server, World(server.url, 0)
        assert await server.stop() == 0
        assert "Traceback" not in server.log.read_text(errors="replace")
    finally:
        await server.aclose()


async def kill_after(server: ServerProcess, seconds: float) -> None:
    """Kill it so much later, and start the next one."""
    await anyio.sleep(seconds)
    await server.kill()
    await server.spawn()
    await server.listening()
    await server.warm_next()


async def answered(world: World, ask: Callable[[Client], Awaitable[T]], **who: str) -> T:
    """The answer to what may be asked again and again until the server lives long enough to give one."""
    found: list[T] = []

    async def work(client: Client) -> None:
        found.append(await ask(client))

    await world.connected(work, **(who or {"role": "operator"}))
    return found[-1]


async def for_all(names: Iterable[str], do: Callable[[str], Awaitable[None]]) -> None:
    """Do it for each of them, for `AT_ONCE` at a time."""
    limit = anyio.CapacityLimiter(AT_ONCE)

    async def limited(name: str) -> None:
        async with limit:
            await do(name)

    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(limited, name)


async def open_window(operator: Client, event: str) -> str:
    windows = await operator.operator.windows(event)
    return next(window["windowId"] for window in windows if window["state"] == "open")


async def close(world: World, event: str, window: str) -> None:
    """End a window by command, as often as it takes: it ends once."""

    async def ask(operator: Client) -> None:
        while True:
            states = {one["windowId"]: one["state"] for one in await operator.operator.windows(event)}
            if states[window] == "finalized":
                return
            try:
                await operator.operator.finalize(event, window)
            except Refused as refused:  # it has become final since it was looked at
                if not refused.is_conflict:
                    raise

    await answered(world, ask)


async def rows_of(operator: Client, window: str, boards: int) -> dict[str, list[Map]]:
    """The players' rows on each of the window's boards, which are numbered from 1; a lobby may never have had one."""
    found: dict[str, list[Map]] = {}

    async def read(board: str) -> None:
        try:
            page = await operator.read_board(board, limit=200)
        except Refused as refused:
            if not refused.is_not_found:
                raise
        else:
            found[board] = [row for row in page["entries"] if row["kind"] == "player"]  # type: ignore[misc]

    await for_all((f"{window}.{number}" for number in range(1, boards + 1)), read)
    return found
