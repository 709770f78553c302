"""The store goes away under a running game, at chosen moments: nothing is said of what it never took (R-58)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
import pytest
from crash_game import lobby_event
from crash_patience import until

from kraty_actors import Game, Refused, open_game
from kraty_persistence import MemoryStore, StoreUnavailable, Unit
from kraty_persistence.ports import Done

pytestmark = pytest.mark.anyio

ATTACK = {"key": "attack", "attempt": {"replayableDuringWindow": True}, "metrics": [{"key": "points"}]}
GAME = {
    "gameId": "outage",
    "settings": {"seed": 4},
    "currencies": [{"key": "cash"}],
    "bots": [{"key": "climber", "behaviour": {"type": "single", "block": "random_step_with_fall"}}],
    "events": [ATTACK, lobby_event("trail", 1)],
}


class FailingStore(MemoryStore):
    """Keeps back what the chosen actors hand over, until it is told that it cannot be stored."""

    def __init__(self) -> None:
        super().__init__()
        self.kept_back: set[str] = set()
        self.waiting: list[Done] = []

    def submit(self, unit: Unit, done: Done) -> None:
        if unit.actor in self.kept_back:
            self.waiting.append(done)
        else:
            super().submit(unit, done)

    def give_up(self) -> None:
        """Tell those who wait, in order, and take everything again."""
        self.kept_back.clear()
        for done in self.waiting:
            done(StoreUnavailable("away"))
        self.waiting.clear()


@asynccontextmanager
async def running(store: MemoryStore) -> AsyncIterator[Game]:
    async with open_game(GAME, store=store) as game:
        yield game


async def board_of(game: Game, player: str) -> str:
    return str((await game.start(player, "attack"))["leaderboardId"])


async def test_a_write_that_is_given_up_never_was_r58() -> None:
    """It is refused, what was read behind it is answered with what is stored, and the same seq then counts once."""
    store, answers = FailingStore(), {}
    async with running(store) as game, anyio.create_task_group() as tasks:
        attempt = await game.start("ada", "attack")
        board = str(attempt["leaderboardId"])

        async def write() -> None:
            with pytest.raises(Refused) as refused:
                await game.progress_attempt("ada", attempt["attemptId"], {"points": 5}, seq=1)
            answers["write"] = refused.value.code

        async def read() -> None:
            answers["read"] = (await game.board(board))["entries"][0]["score"]

        store.kept_back = {board}
        tasks.start_soon(write)
        await until(lambda: bool(store.waiting))
        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        assert answers == {}
        store.give_up()
        await until(lambda: len(answers) == 2)
        assert answers == {"write": "overloaded", "read": 0}
        again = await game.progress_attempt("ada", attempt["attemptId"], {"points": 5}, seq=1)
        assert (again["metricsRaw"], again.get("repeated")) == ({"points": 5}, None)


async def test_what_actors_told_each_other_survives_in_order_r58() -> None:
    """Several batches are lost at once: the players whom the window had sent to the board are seated all the same."""
    store, started = FailingStore(), []
    async with running(store) as game, anyio.create_task_group() as tasks:
        board = await board_of(game, "ada")
        store.kept_back = {board}

        async def start(player: str) -> None:
            started.append((await game.start(player, "attack"))["attemptId"])

        for n in range(5):
            tasks.start_soon(start, f"player-{n}")
            await until(lambda n=n: len(store.waiting) > n)
        store.give_up()
        await until(lambda: len(started) == 5)
        assert len(set(started)) == 5
        assert (await game.board(board))["total"] == 6


async def test_while_the_store_is_away_reads_go_on_and_writes_are_refused_at_once_r58() -> None:
    store = MemoryStore()
    async with running(store) as game:
        attempt = await game.start("ada", "attack")
        other = await game.start("bob", "trail")
        store.outage = StoreUnavailable("away")
        write = partial(game.progress_attempt, "ada", attempt["attemptId"], {"points": 5}, seq=1)
        for _ in range(3):
            with pytest.raises(Refused) as refused, anyio.fail_after(1):
                await write()
            assert (refused.value.code, refused.value.details) == ("overloaded", {"retryAfter": 1})
            assert not game.engine.is_healthy()
        with anyio.fail_after(1):  # an actor that was not writing when it began
            assert (await game.attempt("bob", other["attemptId"]))["status"] == "in_progress"
        store.outage = None
        await until(game.engine.is_healthy)
        assert (await write())["score"] == 5
        assert (await game.attempt("ada", attempt["attemptId"]))["lastSeq"] == 1


class ForgetfulStore(MemoryStore):
    """Takes records, but the server dies before any checkpoint is written."""

    def submit(self, unit: Unit, done: Done) -> None:
        if unit.record is not None:
            super().submit(unit, done)
        else:
            done(StoreUnavailable("it died"))


async def test_a_finalized_window_is_not_recovered_for_ever_r56() -> None:
    """Killed between its last input and its checkpoint, it is put away by the next start."""
    store, forgetful = MemoryStore(), ForgetfulStore()
    async with running(store) as game:
        window = (await game.start("ada", "attack"))["windowId"]
    forgetful.__dict__ = store.__dict__  # the same database
    async with running(forgetful) as game:
        await game.operator.finalize("attack")

    async def is_put_away() -> bool:
        return not any(name.startswith(window) for name in await store.unfinished())

    assert {name.partition(".")[0] for name in await store.unfinished()} >= {window}
    async with running(store):
        await until(is_put_away)


async def test_what_cannot_be_read_back_is_refused_at_once_r58() -> None:
    """An actor whose write was given up is not in memory any more; nobody waits for it until the store is back."""
    store = FailingStore()
    async with running(store) as game, anyio.create_task_group() as tasks:
        attempt = await game.start("ada", "attack")
        board = str(attempt["leaderboardId"])

        async def write() -> None:
            with pytest.raises(Refused, match="busy"):
                await game.progress_attempt("ada", attempt["attemptId"], {"points": 5}, seq=1)

        store.kept_back = {board}
        tasks.start_soon(write)
        await until(lambda: bool(store.waiting))
        store.outage = StoreUnavailable("away")
        store.give_up()
        for _ in range(3):
            with pytest.raises((Refused, StoreUnavailable), match="does not answer"), anyio.fail_after(1):
                await game.board(board)
            with pytest.raises(Refused, match="does not answer"), anyio.fail_after(1):
                await game.attempt("ada", attempt["attemptId"])
        store.outage = None
        await until(game.engine.is_healthy)
        assert (await game.board(board))["total"] == 1
