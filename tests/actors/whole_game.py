"""A game with an event of every mode, and a session of it that goes on wherever a kill leaves it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
import pytest
from acting import START, StillClock
from anyio.lowlevel import checkpoint

from kraty_actors.actors import checkpoints, upkeep
from kraty_actors.actors.engine import Engine
from kraty_actors.actors.loop import answer_to
from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.ids import window_of
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.window_messages import Report
from kraty_persistence import MemoryStore, Unit
from kraty_persistence.ports import Done

SECOND = 1_000
OPENS, ENDS = START, START + 3600 * SECOND
"""From 08:00 to 09:00."""
PLAYERS = ("ann", "bob", "cat")
STREAK: dict[str, Any] = {
    "availability": {"mode": "fixed", "startsAt": "2027-01-15T08:00:00Z", "endsAt": "2027-01-15T09:00:00Z"},
    "attempt": {"replayableDuringWindow": True},
    "metrics": [
        {"key": "streak", "target": 3, "capAtTarget": True, "resetOn": {"metricKey": "losses"}},
        {"key": "losses"},
    ],
    "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 100, "currencyKey": "cash"}},
}
POINTS: dict[str, Any] = {**STREAK, "metrics": [{"key": "points"}], "rewardPolicy": {"type": "none"}}
LEAGUES = {"leagues": ["bronze", "silver"], "promotion": {"places": 1}, "relegation": {"places": 1}}
GAME: dict[str, Any] = {
    "gameId": "arena",
    "settings": {"seed": 5},
    "currencies": [{"key": "cash"}],
    "bots": [
        {"key": "climber", "behaviour": {"block": "random_step_with_fall"}},
        {
            "key": "pacer",
            "behaviour": {"block": "progress_linear", "params": {"targetScore": 9, "durationSeconds": 90}},
        },
        {"key": "hunter", "behaviour": {"block": "match_player_pace"}},
    ],
    "leaderboards": [
        {"key": "total", "scoreAggregation": "sum"},
        {
            "key": "season",
            "scoreAggregation": "sum",
            "resetCadence": "season",
            "seasonEndsAt": "2027-01-15T08:00:05Z",
        },
        {"key": "fewest", "sort": "asc"},
    ],
    "events": [
        {
            **STREAK,
            "key": "race",
            "leaderboard": {"mode": "lobby_matched", "capacity": 4},
            "botBindings": [{"botId": "climber", "count": 3}],
        },
        {
            **STREAK,
            "key": "open_race",
            "leaderboard": {"mode": "global", "scoreAggregation": "sum"},
            "botBindings": [{"botId": "climber"}, {"botId": "pacer"}, {"botId": "hunter"}],
            "contributesTo": ["total", "season"],
        },
        {
            **POINTS,
            "key": "cup",
            "leaderboard": {"mode": "segmented", **LEAGUES},
            "contributesTo": ["season", "fewest"],
        },
        {**POINTS, "key": "teams", "leaderboard": {"mode": "grouped", "capacity": 2}, "contributesTo": ["total"]},
        {
            **POINTS,
            "key": "own",
            "availability": {"mode": "personal", "durationSeconds": 600},
            "leaderboard": {"mode": "none"},
            "contributesTo": ["total", "fewest"],
        },
    ],
}


@pytest.fixture
def restless() -> Iterator[None]:
    """Everybody is written down after every batch, part by part, and leaves memory as soon as nothing is to be done."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "HELPING_BYTES", 1)
        patch.setattr(checkpoints, "INPUTS_MAX", 1)
        patch.setattr(checkpoints, "BYTES_AN_INPUT", 1_000_000)
        patch.setattr(upkeep, "IDLE_MS", 0)
        yield


class MortalStore(MemoryStore):
    """Stores `lives` units, then the process is dead: nobody is told anything any more."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None
        self.stored = 0
        self.died = anyio.Event()

    def live(self, units: int | None) -> None:
        self.left, self.died = units, anyio.Event()

    def submit(self, unit: Unit, done: Done) -> None:
        if self.left == 0:
            self.died.set()
            return
        if self.left is not None:
            self.left -= 1
        self.stored += 1
        super().submit(unit, done)


def script() -> Iterator[tuple[Any, ...]]:
    """Three players who write, lose, win and start again."""
    yield "time", OPENS
    for event in ("race", "open_race", "cup", "teams"):
        yield from (("start", name, event) for name in PLAYERS)
    for number, (name, win) in enumerate([("ann", 1), ("ann", 1), ("bob", 1), ("bob", 0), ("ann", 1), ("cat", 1)]):
        yield "time", OPENS + SECOND * number
        for event in ("race", "open_race"):
            yield "write", name, event, {"streak": 1, "losses": 1 - win}
    for name, event, points in [("bob", "cup", 7), ("ann", "cup", 4), ("cat", "teams", 20), ("bob", "teams", 1)]:
        yield "write", name, event, {"points": points}
    yield "time", OPENS + 40 * SECOND  # the season is over; bots have moved on
    for name, points in (("ann", 50), ("bob", 60)):
        yield "start", name, "own"
        yield "write", name, "own", {"points": points}
    yield "write", "bob", "cup", {"points": 3}
    yield "write", "cat", "cup", {"points": 1}
    yield "finish", "ann", "own"
    yield "start", "ann", "open_race"
    yield "write", "ann", "open_race", {"streak": 2, "losses": 0}
    yield "finish", "cat", "open_race"
    yield "time", ENDS
    yield ("settled",)


class Session:
    """Each step of the script is repeated until it is acknowledged, over any number of kills."""

    def __init__(self) -> None:
        self.store, self.clock = MortalStore(), StillClock(OPENS - SECOND)
        self.attempts: dict[tuple[str, str], str] = {}
        self.written: dict[str, int] = {}
        self.todo: deque[Any] = deque(script())

    async def play(self, kills: list[int]) -> Any:
        """Live for so many units, again and again, and then to the end; all that can be seen afterwards."""
        for units in [*kills, None]:
            await self.begin(units)
        return await self._result()

    async def begin(self, units: int | None) -> None:
        """Live for so many units, or to the end."""
        self.store.live(units)
        with anyio.CancelScope() as life:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._die, life)
                await self._live()
                life.cancel()

    async def _die(self, life: anyio.CancelScope) -> None:
        await self.store.died.wait()
        life.cancel()

    async def _live(self) -> None:
        async with Engine.opened(self.store, self.clock) as engine:
            await engine.publishing.put_game(GAME, who="file", is_file=True)
            while self.todo:
                await self._step(engine, *self.todo[0])
                self.todo.popleft()
                for _ in range(40):
                    await checkpoint()

    async def _step(self, engine: Engine, what: str, *said: Any) -> None:
        match what, said:
            case "time", (now,):
                self.clock.now = now
                engine.lobbies.presence(1, here=True)
                await engine._world.read_catalogue()
            case "start", (name, event):
                await self._start(engine, name, event)
            case "write", (name, event, metrics):
                await self._write(engine, name, event, metrics)
            case "finish", (name, event):
                player = await engine.players.resolve(name)
                await answer_to(partial(engine.finish, player.number, self.attempts[name, event]))
            case "settled", ():
                while not await self._is_settled(engine):
                    await engine._world.read_catalogue()

    async def _is_settled(self, engine: Engine) -> bool:
        reports = [await engine.steering.report(window) for window in self._windows()]
        shared = engine.catalogue.windows.values()
        return all(isinstance(one, Report) for one in reports) and all(w.state == "finalized" for w in shared)

    def _windows(self) -> set[str]:
        return {window_of(attempt) for attempt in self.attempts.values()}

    async def _start(self, engine: Engine, name: str, event: str) -> None:
        player = await engine.players.resolve(name)
        started = await engine.entrance.start(player, event, {})
        assert not isinstance(started, Refusal | LobbyView), started
        self.attempts[name, event] = started.attempt_id

    async def _write(self, engine: Engine, name: str, event: str, metrics: dict[str, int]) -> None:
        player = await engine.players.resolve(name)
        attempt = self.attempts[name, event]
        seq = 1 + self.written.get(attempt, 0)
        reply = await answer_to(partial(engine.write, player.number, attempt, dict(metrics), "increment", seq))
        assert isinstance(reply, Written), reply
        self.written[attempt] = seq

    # -- afterwards

    async def _result(self) -> Any:
        self.store.live(None)
        found: dict[str, Any] = {}
        async with Engine.opened(self.store, self.clock) as engine:
            for window in self._windows():
                found[window] = await engine.steering.report(window)
            for event, view in engine.catalogue.events.items():
                found[event] = view.state
            for attempt in self.attempts.values():
                found |= await self._seen(engine, attempt)
            for key, board in engine.catalogue.boards.items():
                for period in (board.id_of(OPENS - SECOND), board.current_id):
                    read = await engine.boards.read(period, GetBoard(limit=50)) if isinstance(period, str) else None
                    found[f"{key} {period}"] = read.standings if isinstance(read, BoardView) else read
            for name in PLAYERS:
                player = await engine.players.resolve(name)
                found[f"{name}'s grants"] = [
                    (grant.contents, grant.source_ref) for grant in (await engine.money.grants(player.number))[0]
                ]
                found[f"{name}'s dossier"] = await self.store.dossier(player.number)
        return found

    async def _seen(self, engine: Engine, attempt_id: str) -> dict[str, Any]:
        attempt = await answer_to(partial(engine.attempt, -1, attempt_id))
        assert isinstance(attempt, AttemptView)
        board = await engine.boards.read(attempt.contest_id, GetBoard(limit=50))
        assert isinstance(board, BoardView) == attempt.has_board
        return {attempt_id: attempt, attempt.contest_id: board}
