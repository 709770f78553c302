"""A real game whose windows, boards and lobbies leave memory: nobody notices, and what is due is done (R-56)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from acting import StillClock
from anyio.lowlevel import checkpoint

from kraty_actors.actors.cell import read_note
from kraty_actors.actors.engine import Engine
from kraty_actors.actors.loop import answer_to
from kraty_actors.actors.upkeep import IDLE_MS
from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.ids import CALENDAR
from kraty_actors.domain.lobby import LobbyView
from kraty_persistence import MemoryStore

pytestmark = pytest.mark.anyio

HOUR = 3_600_000
METRICS: dict[str, Any] = {"metrics": [{"key": "points"}]}
GAME: dict[str, Any] = {
    "gameId": "sleepy",
    "settings": {"seed": 3, "lobby": {"fillStrategy": "wait_full"}},
    "currencies": [{"key": "cash"}],
    "bundles": [{"key": "prize", "entries": [{"type": "currency", "currencyKey": "cash", "amount": 5}]}],
    "bots": [
        {"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 50}}},
        {"key": "hunter", "behaviour": {"block": "match_player_pace"}},
    ],
    "events": [
        {
            **METRICS,
            "key": "cup",
            "availability": {"mode": "fixed", "startsAt": "2027-01-15T07:00:00Z", "endsAt": "2027-01-15T09:00:00Z"},
            "attempt": {"durationSeconds": 1200},
            "botBindings": [{"botId": "climber", "count": 3}, {"botId": "hunter", "count": 2}],
            "rewardPolicy": {
                "type": "rank_scaled",
                "parameters": {"tiers": [{"fromRank": 1, "toRank": 10, "rewardBundleId": "prize"}]},
            },
        },
        {**METRICS, "key": "duel", "leaderboard": {"mode": "lobby_matched", "capacity": 2}},
    ],
}


class Sleepy:
    """A server, and what is asked of it."""

    def __init__(self, engine: Engine, clock: StillClock) -> None:
        self.engine = engine
        self.clock = clock

    async def pass_time(self, ms: int) -> None:
        self.clock.now += ms
        self.engine.call_at(self.clock.now, lambda: None)
        for _ in range(60):
            await checkpoint()

    @property
    def awake(self) -> set[str]:
        return set(self.engine._loop._cells) - {CALENDAR}

    async def start(self, name: str, event: str) -> Any:
        return await self.engine.entrance.start(await self.engine.players.resolve(name), event, {})

    async def write(self, name: str, attempt: str, seq: int) -> Any:
        player = await self.engine.players.resolve(name)
        return await answer_to(partial(self.engine.write, player.number, attempt, 4, "increment", seq))

    async def attempt(self, name: str, attempt: str) -> Any:
        player = await self.engine.players.resolve(name)
        return await answer_to(partial(self.engine.attempt, player.number, attempt))

    async def board(self, board: str) -> BoardView:
        view = await self.engine.boards.read(board, GetBoard(limit=20))
        assert isinstance(view, BoardView)
        return view


@asynccontextmanager
async def sleepy(store: MemoryStore, clock: StillClock) -> AsyncIterator[Sleepy]:
    async with Engine.opened(store, clock) as engine:
        await engine.publishing.put_game(GAME, who="file", is_file=True)
        yield Sleepy(engine, clock)


async def test_r56_a_board_that_was_away_goes_on_as_if_it_never_was() -> None:
    store, clock = MemoryStore(), StillClock()
    async with sleepy(store, clock) as game:
        attempt = await game.start("ann", "cup")
        assert isinstance(attempt, AttemptView)
        first = await game.write("ann", attempt.attempt_id, 1)
        assert isinstance(first, Written)
        await game.pass_time(IDLE_MS)
        assert game.awake == set()
        again = await game.write("ann", attempt.attempt_id, 1)
        assert (again.repeated, again.score, again.rank) == (True, first.score, first.rank)
        before = await game.board(attempt.contest_id)
        second = await game.write("ann", attempt.attempt_id, 2)
        assert (second.score, second.repeated) == (8, False)
        assert (await game.board(attempt.contest_id)).version > before.version
        await game.pass_time(2 * IDLE_MS)
        assert game.awake == set()
        seen = await game.board(attempt.contest_id)
    async with sleepy(store, clock) as game:
        assert await game.board(attempt.contest_id) == seen


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_r12_r27_what_is_due_of_those_who_sleep_is_done_though_nobody_asks(*, is_restarted: bool) -> None:
    """An attempt runs out of time; later its window ends and pays."""
    store, clock = MemoryStore(), StillClock()
    async with sleepy(store, clock) as game:
        attempt = await game.start("ann", "cup")
        await game.write("ann", attempt.attempt_id, 1)
        await game.pass_time(IDLE_MS)
        if not is_restarted:
            await _comes_to_its_end(game, store, attempt)
    if is_restarted:
        async with sleepy(store, clock) as game:
            assert attempt.contest_id not in game.awake
            await _comes_to_its_end(game, store, attempt)


async def _comes_to_its_end(game: Sleepy, store: MemoryStore, attempt: AttemptView) -> None:
    await game.pass_time(1200_000)
    player = await game.engine.players.resolve("ann")
    assert await store.completed(player.number, "cup")  # a score attack with a write is completed by time
    await game.pass_time(HOUR)
    for _ in range(5):
        await game.pass_time(1000)
    grants, _ = await game.engine.money.grants(player.number)
    assert len(grants) == 1
    assert await store.unfinished() != []
    assert not {name for name in await store.unfinished() if attempt.contest_id.startswith(name)}
    assert (await game.attempt("ann", attempt.attempt_id)).status == "completed"
    await game.pass_time(2 * IDLE_MS)
    assert attempt.contest_id not in game.awake


async def test_r31_a_window_stays_while_one_of_its_lobbies_forms_and_is_there_at_the_next_start() -> None:
    store, clock = MemoryStore(), StillClock()
    async with sleepy(store, clock) as game:
        lobby = await game.start("ann", "duel")
        assert isinstance(lobby, LobbyView)
        window = lobby.window_id
        for _ in range(3):
            await game.pass_time(IDLE_MS)
        assert game.awake == {window}
    async with sleepy(store, clock) as game:
        assert window in game.awake
        note = read_note(store._actors[window].checkpoint[0])
        assert note is not None
        assert not note.can_sleep
        started = await game.start("bob", "duel")
        assert isinstance(started, AttemptView)
