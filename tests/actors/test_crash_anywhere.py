"""Killed at any point and started again, with the store as it then was: everything exactly once (R-56)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from acting import ROOTS, START, Give, Look, Purse, Sleep, SteppedStore, StillClock, Tell, World, counting, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kraty_actors.actors import checkpoints
from kraty_actors.actors.cell import Cell
from kraty_actors.actors.upkeep import IDLE_MS

BACKENDS = ["trio", "asyncio"]
pytestmark = pytest.mark.usefixtures(counting.__name__)

# -- actors that count

actors = st.sampled_from(ROOTS)
steps = st.one_of(
    st.tuples(st.just("give"), actors, st.lists(actors, max_size=2)),
    st.tuples(st.just("tell"), actors, st.lists(st.lists(actors, max_size=2, unique=True), min_size=1, max_size=3)),
    st.tuples(st.just("commit"), st.integers(1, 4), st.none()),
    st.tuples(st.just("look"), actors, st.none()),
    st.tuples(st.just("checkpoint"), actors, st.none()),
    st.tuples(st.just("sleep"), actors, st.integers(1, 2 * IDLE_MS)),
    st.tuples(st.just("idle"), st.sampled_from([1, IDLE_MS]), st.integers(0, 8)),
)
lives = st.lists(st.lists(steps, max_size=14), min_size=1, max_size=4)


@pytest.fixture(autouse=True, scope="module")
def small_helpings() -> Iterator[None]:
    """Every checkpoint is laid aside part by part, so that crashes fall between any two of them, and begins anew before
    long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "HELPING_BYTES", 1)
        patch.setattr(checkpoints, "INPUTS_MAX", 3)
        patch.setattr(checkpoints, "BYTES_AN_INPUT", 1_000_000)
        yield


class Lives:
    """Plays a script life after life. Gifts and tidings are numbered, and whom each went to is remembered; several
    tidings that are sent at once are told at once."""

    def __init__(self) -> None:
        self.store = SteppedStore()
        self.clock = StillClock()
        self.sent: dict[int, list[str]] = {}
        self.acknowledged: set[int] = set()

    async def play(self, script: list[list[Any]]) -> None:
        for life in script:
            async with running(self.store, self.clock, lets_sleep=True) as world:
                for step in life:
                    await self._take(step, world)
                self.store.crash()
        self.store.commit_from_now_on()
        self.clock.now += 2 * IDLE_MS  # whoever sleeps is woken
        async with running(self.store, self.clock, lets_sleep=True) as world:
            await world.settle()
            await self._look_at_those_at_rest(world)
            await self._look_at_alarms()
            for name in ROOTS:
                await world.look(name)
            self._check(world)

    async def _take(self, step: Any, world: World) -> None:
        match step:
            case "give", actor, to:
                self._send(world, actor, Give, to)
            case "tell", actor, many:
                for to in many:
                    self._send(world, actor, Tell, to)
            case "commit", count, _:
                for _ in range(min(count, len(self.store.waiting))):
                    self.store.step()
            case "look", actor, _:
                world.loop.ask(actor, Look(), lambda total: world.answers.append((actor, total)))
            case "checkpoint", actor, _:
                cell = world.loop._cells.get(actor)
                if cell is not None and cell.number:
                    world.loop._checkpoints.write(cell)
            case "sleep", actor, ms:
                at = world.clock.now + ms
                world.loop.ask(actor, Sleep(at))
            case "idle", ms, commits:
                await self._commit_all(world, ms, commits)
        await world.settle()
        await self._look_at_those_at_rest(world)

    async def _commit_all(self, world: World, ms: int, commits: int) -> None:
        """All is stored and said; then time passes, and so many units of what that leads to are stored."""
        while self.store.waiting:
            self.store.step()
            await world.settle()
        await world.pass_time(ms)
        for _ in range(commits):
            if self.store.waiting:
                self.store.step()
                await world.settle()

    def _send(self, world: World, actor: str, kind: type[Give | Tell], to: list[str]) -> None:
        number = len(self.sent) + 1
        self.sent[number] = to
        world.loop.ask(actor, kind(number, to), lambda _: self.acknowledged.add(number))

    async def _look_at_those_at_rest(self, world: World) -> None:
        """R-13: who may be read at once shows nothing but what is stored."""
        for name in ROOTS:
            state = world.loop.at_rest(name, self.clock.now)
            if state is not None:
                stored, purse = Cell(name), Purse()
                stored.recover(purse, await self.store.load(name))
                assert list(state.dump()) == list(purse.dump())

    async def _look_at_alarms(self) -> None:
        """All of them were due, and nobody has asked."""
        for name in ROOTS:
            stored, purse = Cell(name), Purse()
            stored.recover(purse, await self.store.load(name))
            assert purse.wake_at is None

    def _check(self, world: World) -> None:
        states = world.states
        given = [number for state in states.values() for number in [*state.given, *state.told]]
        assert len(given) == len(set(given)), "a gift was applied twice"
        assert self.acknowledged <= set(given), "an acknowledged gift is gone"
        for name, state in states.items():
            assert state.total == sum(state.given) + sum(state.got) + sum(state.told) + 1000 * state.rung
            heard = [number for numbers in state.heard for number in numbers]
            for source in states.values():
                assert [number for number in state.got if number in source.given] == self._due(source.given, name)
                assert [number for number in heard if number in source.told] == self._due(source.told, name)

    def _due(self, said: list[int], name: str) -> list[int]:
        return [number for number in said for to in self.sent[number] if to == name]


@pytest.mark.parametrize("backend", BACKENDS)
@given(script=lives)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_r56_acknowledged_is_kept_and_messages_come_exactly_once_and_in_order(backend: str, script: list[list[Any]]):
    anyio.run(Lives().play, script, backend=backend)


@pytest.mark.anyio
async def test_an_alarm_that_rang_before_the_kill_and_was_not_committed_rings_again():
    store, clock = SteppedStore(), StillClock()
    async with running(store, clock) as world:
        world.ask("a", Sleep(START + 1000))
        await world.settle()
        store.step()
        clock.now = START + 1000
        world.ask("a", Look())
        await world.settle()
        assert (world.states["a"].total, world.answers) == (1000, [None])
        store.crash()
    store.at_once = True
    async with running(store, clock) as world:
        await world.settle()
        assert await world.look("a") == 1000
