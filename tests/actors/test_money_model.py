"""Any interleaving of everything that moves money, over losses and kills, against a model of it (R-20, R-27, R-40)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import anyio
import pytest
import trio.testing
from acting import START, SteppedStore, StillClock
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from money_books import Audit, Books, Run
from money_deeds import Deed, Deeds
from money_ends import Ends
from money_game import ADJUSTMENTS, EVENTS, GIFTS, PLAYERS, TTL_DAYS, money_game

from kraty_actors.actors.engine import Engine
from kraty_persistence import StoreUnavailable

SECOND = 1_000
HOUR = 3600 * SECOND
QUIET = 60
"""Turns after which everything waits for something that only the story can bring."""

players = st.integers(1, len(PLAYERS))
events = st.sampled_from(EVENTS)
steps = st.one_of(
    st.tuples(st.just("start"), players, events),
    st.tuples(st.just("write"), players, events, st.integers(0, 3)),
    st.tuples(st.just("finish"), players, events),
    st.tuples(st.just("take"), players, st.integers(0, 9)),
    st.tuples(st.just("adjust"), players, st.integers(0, len(ADJUSTMENTS) - 1)),
    st.tuples(st.just("gift"), players, st.integers(0, len(GIFTS) - 1)),
    st.tuples(st.just("ban"), players, st.booleans()),
    st.tuples(st.just("void"), players, events),
    st.tuples(st.just("close"), events),
    st.tuples(st.just("cancel"), events),
    st.tuples(st.just("presence"), players, st.booleans()),
    st.tuples(st.just("time"), st.sampled_from([SECOND, 11 * SECOND, 3 * HOUR, TTL_DAYS * 25 * HOUR])),
    st.tuples(st.just("hold")),
    st.tuples(st.just("commit"), st.integers(1, 4)),
    st.tuples(st.just("lose"), st.integers(0, 3)),
    st.tuples(st.just("crash")),
    st.tuples(st.just("restart")),
)
kills = st.lists(st.integers(0, 2), min_size=1, max_size=4)
games = st.builds(
    lambda who, event, all_kills: [("start", who, event), *(("write", who, event, n) for n in all_kills)],
    players,
    events,
    kills,
)
stories = st.lists(steps.map(lambda step: [step]) | games, max_size=30).map(lambda parts: list(chain(*parts)))
FIRST = [("adjust", 1, 0), ("adjust", 1, 3), ("adjust", 2, 0)]
"""Somebody who can pay for everything, somebody who can pay for some, and somebody poor."""


class Story:
    """Plays steps on one engine after another, all on one store."""

    def __init__(self, delivery: str) -> None:
        self.store = SteppedStore()
        self.clock = StillClock(START)
        self.books = Books(is_auto=delivery == "auto")
        self.unanswered: list[Deed] = []
        self._game = money_game(delivery=delivery)

    async def play(self, steps: Sequence[Any]) -> None:
        life: list[Any] = []
        for step in [*FIRST, *steps]:
            if step[0] in ("crash", "restart"):
                await self._live(life, step[0])
                life = []
            else:
                life.append(step)
        await self._live(life, "end")

    async def _live(self, steps: Sequence[Any], then: str) -> None:
        """One server, from its start to its end; whoever was not answered before asks again."""
        self.store.crash()
        self.store.commit_from_now_on()
        with anyio.CancelScope() as life:
            async with Engine.opened(self.store, self.clock) as engine:
                await engine.publishing.put_game(self._game, who="file", is_file=True)
                for name in PLAYERS:
                    await engine.players.resolve(name)
                await self._settle()
                await self._audit(engine)  # before anybody comes back
                async with anyio.create_task_group() as tasks:
                    await self._play(engine, tasks, steps)
                    if then == "crash":
                        self.store.at_once = False
                        life.cancel()
                    else:
                        self.store.commit_from_now_on()
                        await self._settle()
                    if then == "end":
                        await self._end(engine)
                    tasks.cancel_scope.cancel()

    async def _play(self, engine: Engine, tasks: TaskGroup, steps: Sequence[Any]) -> None:
        for deed in self.unanswered:
            tasks.start_soon(self._do, engine, deed)
        for step in steps:
            await self._step(engine, tasks, step)
            await self._settle()
            (await Audit.of(self.books, self.store)).check_causes()

    async def _settle(self) -> None:
        for _ in range(QUIET):
            await checkpoint()

    async def _audit(self, engine: Engine) -> Audit:
        audit = await Audit.of(self.books, self.store)
        audit.check_causes()
        audit.check_acknowledged()
        await audit.check_entries(engine)
        return audit

    async def _do(self, engine: Engine, deed: Deed) -> None:
        deeds = Deeds(engine, self.books)
        while not await deeds.try_once(*deed):
            await checkpoint()
        self.unanswered.remove(deed)

    # -- steps

    async def _step(self, engine: Engine, tasks: TaskGroup, step: Any) -> None:
        match step:
            case "time", ms:
                self.clock.now += ms
                engine._world.ask_for_catalogue()
            case "presence", player, is_here:
                engine.lobbies.presence(player, here=is_here)
            case ("hold",):
                self.store.at_once = False
            case "commit", count:
                for _ in range(min(count, len(self.store.waiting))):
                    self.store.step()
            case "lose", at if at < len(self.store.waiting):
                self.store.step(StoreUnavailable("lost"), of=self.store.waiting[at][0].actor)
            case "lose", _:
                self.store.commit_from_now_on()
            case _:
                for deed in await self._deeds(engine, step):
                    self.unanswered.append(deed)
                    tasks.start_soon(self._do, engine, deed)

    async def _deeds(self, engine: Engine, step: Any) -> list[Deed]:
        """What a step comes to as things stand."""
        match step:
            case "write", player, event, kills:
                run = self._newest(player, event)
                if run is None or run.is_writing:
                    return []
                run.is_writing = True
                return [("write", run.attempt_id, run.seq + 1, kills)]
            case "finish", player, event:
                run = self._newest(player, event)
                return [] if run is None else [("finish", run.attempt_id)]
            case "void", player, event:
                run = self._newest(player, event, with_kills=True) or self._newest(player, event)
                return [] if run is None else [("void", run.attempt_id)]
            case "take", player, at:
                pending = await engine.money.grants(player, limit=10)
                grants = pending[0][at : at + 1]
                return [("open" if grant.kind == "crate" else "claim", player, grant.id) for grant in grants]
            case ("close" | "cancel") as what, event:
                window = self._window(engine, event)
                names = (event,) if what == "close" else ()
                return [] if window is None else [(what, *names, window)]
        return [step]

    def _newest(self, player: int, event: str, *, with_kills: bool = False) -> Run | None:
        runs = [run for run in self.books.runs.values() if (run.player, run.event) == (player, event)]
        return next((run for run in reversed(runs) if run.kills or not with_kills), None)

    def _window(self, engine: Engine, event: str) -> str | None:
        if event == "solo":
            return next((run.window for run in reversed(self.books.runs.values()) if run.event == event), None)
        window = engine.catalogue.events[event].current(self.clock.now)
        return None if window is None else window.window_id

    # -- the end

    async def _end(self, engine: Engine) -> None:
        """Everybody is answered, every window ends, and all is added up."""
        deeds = Deeds(engine, self.books)
        for player in range(1, len(PLAYERS) + 1):
            await deeds.try_once("ban", player, False)
        await self._until_answered()
        self.clock.now += 3 * HOUR
        for event in EVENTS:
            window = None if event == "solo" else self._window(engine, event)
            if window is not None:
                assert await deeds.try_once("close", event, window)
        await engine._world.read_catalogue()
        await self._settle()
        audit = await self._audit(engine)
        await Ends(audit, engine).check()

    async def _until_answered(self) -> None:
        with anyio.fail_after(20):
            while self.unanswered:  # noqa: ASYNC110 -- some of them wait for others, and for time
                await anyio.sleep(0.001)


def run(story: Story, steps: Sequence[Any], backend: str) -> None:
    options = {"clock": trio.testing.MockClock(autojump_threshold=0)} if backend == "trio" else {}
    anyio.run(story.play, steps, backend=backend, backend_options=options)


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
@given(steps=stories, delivery=st.sampled_from(["claim", "auto"]))
@settings(max_examples=80, deadline=None)
def test_r20_r27_r40_money_comes_from_somewhere_and_goes_somewhere(
    backend: str, steps: list[Any], delivery: str
) -> None:
    run(Story(delivery), steps, backend)
