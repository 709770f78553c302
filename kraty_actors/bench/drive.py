"""Bringing a load to a server: an open loop, in which nobody waits for anybody."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import count, cycle

import anyio
from anyio.abc import TaskGroup, TaskStatus
from anyio.lowlevel import checkpoint

from kraty_actors.bench.load import Deed, Load
from kraty_actors.bench.measured import Measured, Waits
from kraty_actors.client import Client, ConnectionLost, Refused

DIALLED_AT_ONCE = 32
"""Connections that are opened at the same time, so that coming is not itself a storm."""

UNDER_WAY_MAX = 20_000
"""Requests without an answer. From then on nothing more is asked: what is due is left out, and the rate shows it."""

PATIENCE_SECONDS = 10.0
"""For which answers are waited for in the end."""

TOP = 50
"""Rows that a watcher watches."""

Dial = Callable[[str], AbstractAsyncContextManager[Client]]
"""Connects a player by name."""


class NobodyPlays(Exception):
    """Not one player could start; the message says why."""


@dataclass(slots=True)
class Second:
    """How the last second was: answers that came, refusals, requests under way at its end, and the waits, sorted."""

    number: int
    answered: int
    refused: int
    under_way: int
    ms: Sequence[float]


@dataclass(slots=True, eq=False)
class _Player:
    client: Client
    attempt_id: str
    board_id: str | None
    is_retired: bool = False


@dataclass(slots=True)
class _Tick:
    """What has come since somebody was told last."""

    ms: list[float] = field(default_factory=list)
    refused: int = 0


async def drive(load: Load, dial: Dial, tell: Callable[[Second], None]) -> Measured:
    """Connect everybody, play, and measure; `tell` is called every second while it is measured.

    Raises:
        NobodyPlays: The event cannot be entered.
        Refused: The server refused a `hello`.
        OSError, ConnectionLost: The server cannot be reached.
    """
    async with anyio.create_task_group() as tasks:
        clients = await _seated(tasks, dial, [f"{load.prefix}{n}" for n in range(1, load.players + 1)])
        players = await _started(clients, load.event)
        driving = _Drive(load, players, tell)
        watching = await _seated(tasks, dial, [f"{load.prefix}watcher-{n}" for n in range(1, load.watchers + 1)])
        for client in watching:
            tasks.start_soon(driving.watch, client)
        await driving.run()
        driving.measured.mismatches = sum(client.mismatches for client in watching)
        tasks.cancel_scope.cancel()
    return driving.measured


async def _seated(tasks: TaskGroup, dial: Dial, names: Sequence[str]) -> list[Client]:
    """Everybody connected, in order; they stay until the tasks end."""
    clients: dict[str, Client] = {}
    room = anyio.CapacityLimiter(DIALLED_AT_ONCE)

    async def come(name: str) -> None:
        async with room:
            clients[name] = await tasks.start(_stay, dial, name)

    for name in names[:1]:  # a server that is not there says so once
        await come(name)
    async with anyio.create_task_group() as coming:
        for name in names[1:]:
            coming.start_soon(come, name)
    return [clients[name] for name in names]


async def _stay(dial: Dial, name: str, *, task_status: TaskStatus[Client]) -> None:
    async with dial(name) as client:
        task_status.started(client)
        await anyio.sleep_forever()


async def _started(clients: Sequence[Client], event: str) -> list[_Player]:
    players: list[_Player] = []
    refused: list[Refused] = []
    for client in clients:
        try:
            attempt = await client.start(event)
        except Refused as error:
            refused.append(error)
        else:
            players.append(_Player(client, attempt["attemptId"], attempt["leaderboardId"]))
    if not players:
        raise NobodyPlays(f"{event} can not be entered: {refused[0]}")
    return players


class _Drive:
    def __init__(self, load: Load, players: Sequence[_Player], tell: Callable[[Second], None]) -> None:
        self.measured = Measured(load, {deed: Waits() for deed, share in load.mix.items() if share})
        self._load = load
        self._players = players
        self._tell = tell
        self._under_way = self._watchers = 0
        self._tick = _Tick()
        self._begun = 0.0

    async def run(self) -> None:
        """The load, from the warm-up to the last answer."""
        measured = self.measured
        started = anyio.current_time()
        self._begun = started + self._load.warm_up
        async with anyio.create_task_group() as looking:
            looking.start_soon(self._look_on)
            with anyio.CancelScope() as patience:
                async with anyio.create_task_group() as asking:
                    await self._ask(asking, started)
                    measured.seconds = anyio.current_time() - self._begun
                    patience.deadline = anyio.current_time() + PATIENCE_SECONDS
            measured.unanswered = self._under_way
            looking.cancel_scope.cancel()
        measured.retired = sum(player.is_retired for player in self._players)

    async def _ask(self, asking: TaskGroup, started: float) -> None:
        """Ask everything when it is due, until the time is over."""
        load, measured = self._load, self.measured
        chance = random.Random(0)
        deeds, shares = list(load.mix), list(load.mix.values())
        turn = cycle(self._players)
        until = load.warm_up + load.seconds
        used = time.process_time()
        for n in count():
            due = n / load.rate
            late = anyio.current_time() - started - min(due, until)
            if late < 0:
                await anyio.sleep(-late)
            elif n % 64 == 0:
                await checkpoint()  # answers are read even when there is no time to lose
            if due >= until or all(player.is_retired for player in self._players):
                break
            if due >= load.warm_up:
                measured.latest_ms = max(measured.latest_ms, late * 1000)
            [deed], player = chance.choices(deeds, shares), next(turn)
            if self._under_way < UNDER_WAY_MAX and not (deed == "write" and player.is_retired):
                self._under_way += 1
                asking.start_soon(self._do, deed, player, started + due)
        elapsed = anyio.current_time() - started
        measured.client_share = (time.process_time() - used) / elapsed if elapsed else 0

    async def _do(self, deed: Deed, player: _Player, due: float) -> None:
        waits = self.measured.waits[deed]
        is_measured = due >= self._begun
        waits.asked += is_measured
        try:
            await _DEEDS[deed](self, player)
        except (Refused, ConnectionLost) as error:
            self._tick.refused += 1
            if is_measured:
                waits.refused[error.code if isinstance(error, Refused) else "connection_lost"] += 1
        else:
            ms = (anyio.current_time() - due) * 1000
            self._tick.ms.append(ms)
            if is_measured:
                waits.answered(due - self._begun, ms)
        self._under_way -= 1

    async def _write(self, player: _Player) -> None:
        written = await player.client.progress(player.attempt_id, self._load.metrics or 1)
        if written["status"] != "in_progress":
            await self._start_again(player)

    async def _start_again(self, player: _Player) -> None:
        try:
            attempt = await player.client.start(self._load.event)
        except Refused:
            player.is_retired = True
        else:
            player.attempt_id, player.board_id = attempt["attemptId"], attempt["leaderboardId"]

    async def _read(self, player: _Player) -> None:
        await player.client.read_board(player.board_id, around="self")

    async def _list(self, player: _Player) -> None:
        await player.client.list_events()

    async def _ping(self, player: _Player) -> None:
        await player.client.ping()

    async def watch(self, client: Client) -> None:
        """Look on until the end; boards are shared out among watchers as they are among players."""
        boards = [player.board_id for player in self._players if player.board_id is not None]
        if not boards:
            return
        self._watchers += 1
        async for _ in client.watch(boards[self._watchers % len(boards)], limit=TOP):
            self.measured.pushes += bool(self._begun) and anyio.current_time() >= self._begun

    async def _look_on(self) -> None:
        for second in count(1):
            await anyio.sleep(1)
            tick, self._tick = self._tick, _Tick()
            self._tell(Second(second, len(tick.ms), tick.refused, self._under_way, sorted(tick.ms)))


_DEEDS: dict[Deed, Callable[[_Drive, _Player], Awaitable[None]]] = {
    "write": _Drive._write,
    "read": _Drive._read,
    "list": _Drive._list,
    "ping": _Drive._ping,
}
