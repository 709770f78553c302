"""Who goes first, when something is due, and who may be read at once (R-13, R-38, R-58)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from acting import START, End, Give, Look, Sleep, SteppedStore, StillClock, Tell, World, counting, running

from kraty_actors.actors import lanes as lanes_module
from kraty_actors.actors.cell import Cell, Lane
from kraty_actors.actors.lanes import TURNS_SECONDS, Lanes
from kraty_actors.actors.loop import ActorLoop
from kraty_persistence import MemoryStore, StoreUnavailable

# -- turns


@pytest.fixture
def costly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the clock takes a third of the time that there is."""
    times: Iterator[float] = iter([TURNS_SECONDS * step / 3 for step in range(1000)])
    monkeypatch.setattr(lanes_module, "perf_counter", lambda: next(times))


def lined_up(**lanes: Lane) -> Lanes:
    found = Lanes()
    for name, lane in lanes.items():
        found.add(Cell(name), lane)
    return found


def turns(lanes: Lanes) -> list[str]:
    return [cell.id for cell, _ in lanes.take()]


@pytest.mark.usefixtures(costly.__name__)
def test_all_who_press_have_a_turn_and_the_patient_as_long_as_there_is_time():
    lanes = lined_up(a="patient", b="pressing", c="patient", d="pressing", **dict.fromkeys("efgh", "patient"))
    assert turns(lanes) == ["b", "d", "a", "c", "e", "f"]
    assert turns(lanes) == ["g", "h"]
    assert not lanes


@pytest.mark.usefixtures(costly.__name__)
def test_one_of_the_patient_has_a_turn_however_long_it_takes():
    lanes = lined_up(**dict.fromkeys("abc", "patient"))
    rest = []
    for cell, _ in lanes.take():
        rest.append(cell.id)
        for _ in range(3):
            lanes_module.perf_counter()
    assert rest == ["a"]
    assert lanes


def test_who_comes_in_line_during_the_turns_waits_for_the_next():
    lanes = lined_up(a="pressing", b="patient")
    seen = []
    for cell, lane in lanes.take():
        seen.append(cell.id)
        lanes.add(cell, lane)
    assert seen == ["a", "b"]
    assert turns(lanes) == ["a", "b"]


# -- what is due

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures(counting.__name__)]


async def test_r38_a_callback_comes_once_at_its_instant_and_never_before_it():
    clock = StillClock()
    async with running(MemoryStore(), clock) as world:
        rung: list[int] = []
        for at in (START + 3000, START + 1000, START + 2000):
            world.loop.call_at(at, lambda at=at: rung.append(at))
        for now, expected in [(999, 0), (1000, 1), (2999, 2), (9000, 3), (9999, 3)]:
            clock.now = START + now
            await world.look("a")
            await world.settle()
            assert rung == [START + 1000, START + 2000, START + 3000][:expected]


async def test_r38_a_callback_that_calls_for_another_at_once_lets_others_have_their_turns():
    async with running(MemoryStore()) as world:
        rung = []

        def again() -> None:
            rung.append(1)
            world.loop.call_at(START, again)

        again()
        assert await world.look("a") == 0
        assert 1 < len(rung) < 100


async def test_r58_callbacks_wait_for_the_store_to_come_back():
    store, clock = MemoryStore(), StillClock()
    async with running(store, clock) as world:
        rung: list[str] = []
        world.loop.call_at(START + 1000, lambda: rung.append("rung"))
        store.outage = StoreUnavailable("away")
        world.ask("a", Give(1))
        while not world.loop.store_is_away:
            await world.settle()
        clock.now = START + 1000
        await world.look("b")
        assert rung == []
        store.outage = None
        while not rung:
            await world.look("b")


# -- at rest


def rests(loop: ActorLoop, actor: str, now: int = START) -> bool:
    return loop.at_rest(actor, now) is not None


async def test_r13_nobody_is_at_rest_whose_change_is_not_committed():
    store = SteppedStore()
    async with running(store) as world:
        assert not rests(world.loop, "a")  # it has no state yet
        for command in (Give(1), Tell(2, ["b"])):
            world.ask("a", command)
            assert not rests(world.loop, "a")  # it waits for its turn
            await world.settle()
            assert not rests(world.loop, "a")  # it waits for its commit
            store.step()
            assert not rests(world.loop, "a")  # it waits to say so
            await world.settle()
            assert rests(world.loop, "a")
        assert not rests(world.loop, "b")  # what it heard is not committed
        store.commit_from_now_on()
        await world.settle()
        assert rests(world.loop, "b")


async def test_r13_nobody_is_at_rest_whose_alarm_has_come():
    clock = StillClock()
    async with running(MemoryStore(), clock) as world:
        await world.loop.call("a", Sleep(START + 1000))
        assert rests(world.loop, "a", START + 999)
        assert not rests(world.loop, "a", START + 1000)
        clock.now = START + 1000
        assert await world.look("a") == 1000
        assert rests(world.loop, "a", START + 1000)


async def test_r13_nobody_is_at_rest_who_is_not_in_memory():
    store = MemoryStore()
    async with running(store) as world:
        world.ask("a", Give(3))
        world.ask("a", End())
        await world.settle()
        assert not rests(world.loop, "a")
        assert not rests(world.loop, "x")
        assert await world.look("a") == 3


async def test_r56_nobody_is_at_rest_who_goes_back_to_what_is_stored():
    store = SteppedStore()
    world: World
    async with running(store) as world:
        await committed(world, store, Give(1))
        world.ask("a", Give(10))
        await world.settle()
        store.step(StoreUnavailable("away"))
        while world.states["a"].total != 1:
            assert not rests(world.loop, "a")
            world.loop.ask("b", Look())
            await world.settle()


async def committed(world: World, store: SteppedStore, command: Give) -> None:
    world.ask("a", command)
    await world.settle()
    store.step()
    await world.settle()
    assert rests(world.loop, "a")
