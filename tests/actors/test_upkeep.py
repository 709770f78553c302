"""Actors in memory: written down in between, out of it when nobody asks for them, and back before anybody notices."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from acting import (
    START,
    Break,
    End,
    Give,
    Got,
    Look,
    Purse,
    Sleep,
    SteppedStore,
    StillClock,
    World,
    counting,
    running,
)

from kraty_actors.actors import checkpoints, recovery
from kraty_actors.actors.cell import Cell, Note, read_note
from kraty_actors.actors.chain import UNKEYED
from kraty_actors.actors.upkeep import AGAIN_MS, CHECKPOINT_EVERY_MS, IDLE_MS
from kraty_actors.domain.outcome import Command
from kraty_persistence import JournalConflict, MemoryStore, StoreUnavailable

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures(counting.__name__)]


def is_here(world: World, actor: str) -> bool:
    return actor in world.loop._cells


async def stored(store: MemoryStore, actor: str) -> Purse:
    """A copy of what recovery would find."""
    purse = Purse()
    Cell(actor, UNKEYED).recover(purse, await store.load(actor))
    return purse


# -- out of memory and back


async def test_who_is_idle_is_written_down_and_leaves_memory_and_comes_back_with_the_next_message():
    store = MemoryStore()
    async with running(store) as world:
        assert await world.loop.call("a", Give(1)) == 1
        gone = weakref.ref(world.states["a"])
        await world.pass_time(IDLE_MS)
        assert not is_here(world, "a")
        assert (await store.load("a")).records == ()
        world.states.clear()
        gc.collect()
        assert gone() is None
        assert await world.loop.call("a", Give(2)) == 3


async def test_whoever_was_asked_lately_stays():
    async with running(MemoryStore()) as world:
        await world.loop.call("a", Give(1))
        await world.loop.call("b", Give(1))
        await world.pass_time(IDLE_MS - 1)
        assert await world.look("a") == 1
        await world.pass_time(1)
        assert (is_here(world, "a"), is_here(world, "b")) == (True, False)
        await world.pass_time(IDLE_MS)
        assert not is_here(world, "a")


async def test_r56_a_word_to_one_who_is_away_is_heard_once():
    async with running(MemoryStore()) as world:
        await world.loop.call("b", Give(1))
        await world.pass_time(IDLE_MS)
        assert not is_here(world, "b")
        await world.loop.call("a", Give(4, ["b"]))
        await world.pass_time(IDLE_MS)
        assert await world.look("b") == 5
        await world.loop.call("a", Give(5, ["b"]))
        await world.settle()
        assert (world.states["b"].got, await world.look("b")) == ([4, 5], 10)


async def test_who_waits_to_be_heard_stays():
    store = SteppedStore()
    store.at_once = True
    async with running(store) as world:
        await world.loop.call("b", Give(1))
        store.at_once = False
        world.ask("a", Give(1, ["b"]))
        await world.settle()
        store.step(of="a")
        await world.settle()
        await world.pass_time(2 * IDLE_MS)
        assert is_here(world, "a")
        store.commit_from_now_on()
        for _ in range(3):
            await world.pass_time(2 * IDLE_MS)
        assert not is_here(world, "a")


async def test_one_whose_rules_failed_stays_for_what_it_is_deaf_to(monkeypatch: pytest.MonkeyPatch):
    async with running(MemoryStore()) as world:
        apply = Purse.apply

        def failing(state: Purse, command: Command, now: int) -> object:
            if isinstance(command, Got):
                raise ZeroDivisionError("a bug")
            return apply(state, command, now)

        monkeypatch.setattr(Purse, "apply", failing)
        await world.loop.call("b", Give(1))
        await world.loop.call("a", Give(2, ["b"]))
        await world.pass_time(2 * IDLE_MS)
        assert is_here(world, "a")
        assert is_here(world, "b")


async def test_one_that_says_that_it_can_not_sleep_stays():
    async with running(MemoryStore()) as world:
        await world.loop.call("a", Give(1))
        world.states["a"].may_sleep = False
        await world.pass_time(2 * IDLE_MS)
        assert is_here(world, "a")


async def test_a_failing_read_of_one_that_was_away_breaks_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recovery, "LOAD_RETRY_SECONDS", 0.0005)
    store = MemoryStore()
    async with running(store) as world:
        await world.loop.call("a", Give(1))
        await world.pass_time(IDLE_MS)
        store.outage = StoreUnavailable("away")
        world.ask("a", Look())
        await world.settle()
        assert world.answers == []
        store.outage = None
        while not world.answers:
            await world.settle()
        assert world.answers == [1]


async def test_nobody_leaves_while_the_store_is_away():
    store = MemoryStore()
    async with running(store) as world:
        await world.loop.call("a", Give(1))
        store.outage = StoreUnavailable("away")
        await world.pass_time(2 * IDLE_MS)
        assert is_here(world, "a")
        store.outage = None
        await world.pass_time(2 * IDLE_MS)
        assert not is_here(world, "a")


async def test_r27_a_final_one_that_was_read_back_leaves_again():
    store = MemoryStore()
    async with running(store) as world:
        await world.loop.call("a", Give(3))
        world.ask("a", End())
        await world.settle()
        assert not is_here(world, "a")
        kept = await store.load("a")
        assert await world.look("a") == 3
        assert is_here(world, "a")
        await world.pass_time(2 * IDLE_MS)
        assert not is_here(world, "a")
        assert await store.load("a") == kept  # it was not written again


async def written_down_unheard(world: World, store: SteppedStore) -> None:
    """What `a` was just asked is stored, and `a` is written down, before anybody has heard what it says."""
    await world.settle()
    store.step(of="a")
    await world.settle()
    world.loop._checkpoints.write(world.loop._cells["a"])
    store.step(of="a")
    await world.settle()


async def test_r27_a_final_one_that_was_written_down_before_it_was_heard_is_over_once_it_is():
    store = SteppedStore()
    async with running(store) as world:
        world.ask("a", End(["b"]))
        await written_down_unheard(world, store)
        assert "a" in await store.unfinished()
        store.commit_from_now_on()
        await world.settle()
        assert await store.unfinished() == ["b"]


# -- alarms


async def test_an_alarm_rings_for_one_who_is_not_in_memory():
    store = MemoryStore()
    async with running(store) as world:
        await world.loop.call("a", Sleep(START + 3 * IDLE_MS))
        await world.pass_time(IDLE_MS)
        assert not is_here(world, "a")
        await world.pass_time(2 * IDLE_MS)
        assert (await stored(store, "a")).total == 1000
        assert world.states["a"].times[-1] == START + 3 * IDLE_MS


async def test_an_alarm_that_was_put_off_does_not_ring_at_its_old_time():
    store = MemoryStore()
    async with running(store) as world:
        await world.loop.call("a", Sleep(START + 3 * IDLE_MS))
        await world.pass_time(IDLE_MS)
        await world.loop.call("a", Sleep(START + 9 * IDLE_MS))
        await world.pass_time(IDLE_MS)
        assert not is_here(world, "a")
        await world.pass_time(IDLE_MS)
        assert not is_here(world, "a")
        await world.pass_time(6 * IDLE_MS)
        assert (await stored(store, "a")).total == 1000


@pytest.mark.parametrize("how", ["shut down", "killed while it slept", "killed"])
async def test_r56_an_alarm_rings_after_a_restart_for_one_whom_nobody_asks(how: str):
    store, clock = MemoryStore(), StillClock()
    async with running(store, clock) as world:
        await world.loop.call("a", Sleep(START + 9 * IDLE_MS))
        await world.loop.call("b", Give(1))
        if how == "shut down":
            await world.loop.checkpoint_all()
        if how == "killed while it slept":
            await world.pass_time(IDLE_MS)
    async with running(store, clock, lets_sleep=True) as world:
        assert is_here(world, "a") == (how == "killed")
        assert is_here(world, "b") == (how == "killed")
        await world.pass_time(9 * IDLE_MS)
        assert (await stored(store, "a")).total == 1000


async def test_r56_an_alarm_that_came_while_the_server_was_away_rings_at_its_start():
    store, clock = MemoryStore(), StillClock()
    async with running(store, clock) as world:
        await world.loop.call("a", Sleep(START + 9 * IDLE_MS))
        await world.loop.checkpoint_all()
    clock.now = START + 99 * IDLE_MS
    async with running(store, clock, lets_sleep=True):
        assert (await stored(store, "a")).total == 1000


async def test_r38_one_that_time_has_moved_without_a_trace_is_written_down_before_it_leaves():
    """As bots are, now and then: who comes back later need not go all that way again."""
    store, clock = MemoryStore(), StillClock()
    async with running(store, clock) as world:
        await world.loop.call("a", Sleep(START + 99 * IDLE_MS))
        await world.pass_time(IDLE_MS)
        await world.look("a")
        world.states["a"].wake_at = START + 100 * IDLE_MS
        await world.pass_time(IDLE_MS)
        assert not is_here(world, "a")
        assert read_note((await store.resting())["a"]) == Note(START + 100 * IDLE_MS, can_sleep=True)


async def test_r56_who_may_not_have_been_heard_is_recovered_at_a_start():
    store = SteppedStore()
    async with running(store) as world:
        world.ask("a", Give(1, ["b"]))
        await written_down_unheard(world, store)
        assert "a" in await store.resting()
        store.crash()
    store.at_once = True
    async with running(store, lets_sleep=True) as world:
        await world.settle()
        assert (await stored(store, "b")).got == [1]


# -- written down in between


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints in parts, each handed over by itself, and soon."""
    monkeypatch.setattr(checkpoints, "HELPING_BYTES", 1)
    monkeypatch.setattr(checkpoints, "INPUTS_MAX", 5)
    monkeypatch.setattr(checkpoints, "BYTES_AN_INPUT", 1_000_000)


@pytest.mark.usefixtures("small")
async def test_r56_so_many_inputs_at_most_are_replayed():
    store = MemoryStore()
    async with running(store) as world:
        for amount in range(23):
            await world.loop.call("a", Give(amount))
            assert len((await store.load("a")).records) < 5
        assert len(await store.history("a")) == 23


@pytest.mark.usefixtures("small")
async def test_r56_a_checkpoint_of_one_that_changes_all_the_time_is_that_of_one_batch():
    store = SteppedStore()
    async with running(store) as world:
        for amount in range(5):
            world.ask("a", Give(amount))
            await world.settle()
        assert [unit.number for unit, _ in store.waiting if unit.aside] == [5]
        for amount in range(5, 40):  # the records of the batches, and between them parts of the checkpoint
            world.ask("a", Give(amount))
            await world.settle()
            store.step()
            await world.settle()
        found = await store.load("a")
        assert found.checkpoint
        assert 0 < len(found.records) < found.number
        purse = await stored(store, "a")
        assert purse.given == list(range(found.number))


@pytest.mark.usefixtures("small")
async def test_r56_a_checkpoint_waits_for_the_commit_of_its_batch():
    """What is not stored may yet be lost, and another batch take its number."""
    store = SteppedStore()
    async with running(store) as world:
        for amount in range(5):
            world.ask("a", Give(amount))
            await world.settle()
        records = [entry for entry in store.waiting if entry[0].record]
        asides = [entry for entry in store.waiting if entry[0].aside]
        for _ in range(9):  # the parts go ahead, as what can wait may not, but what presses never knows
            for unit, done in [entry for entry in store.waiting if entry[0].record is None]:
                store.waiting.remove((unit, done))
                assert unit.checkpoint is None
                done(None)
                await world.settle()
        assert (len(records), len(asides)) == (5, 1)
        assert [unit for unit, _ in store.waiting if unit.checkpoint] == []


async def test_r56_no_checkpoint_is_left_of_a_batch_that_is_not_to_be_stored():
    store = SteppedStore()
    async with running(store) as world:
        for amount in (1, 2):
            world.ask("a", Give(amount))
            await world.settle()
            if amount == 1:
                store.step()
        world.loop._checkpoints.write(world.loop._cells["a"])
        await world.settle()
        store.step(JournalConflict("refused"))
        await world.settle()
        world.ask("a", Give(4))
        await world.settle()
        store.commit_from_now_on()
        await world.settle()
        await world.loop.checkpoint_all()
        assert (await stored(store, "a")).given == [1, 4]
        assert await world.look("a") == 5


async def test_r56_one_that_changes_now_and_then_is_written_down_after_a_while():
    store = MemoryStore()
    async with running(store) as world:
        for number in range(1, CHECKPOINT_EVERY_MS // IDLE_MS * 2 + 4):
            await world.loop.call("a", Give(1))
            await world.pass_time(IDLE_MS // 2)
            found = await store.load("a")
            assert found.number == number
        assert found.checkpoint
        assert len(found.records) < 4


async def test_a_large_one_is_written_down_less_often(monkeypatch: pytest.MonkeyPatch):
    assert checkpoints.room_for(0) == checkpoints.INPUTS_MAX
    assert checkpoints.room_for(100 * 1_000 * 1_000) == 100 * 1_000 * 1_000 // checkpoints.BYTES_AN_INPUT
    assert checkpoints.room_for(10**12) == checkpoints.LARGE_INPUTS_MAX


async def test_many_leave_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kraty_actors.actors.upkeep.AT_ONCE", 2)
    store = SteppedStore()
    store.at_once = True
    async with running(store) as world:
        for actor in ("a", "b", "c"):
            await world.loop.call(actor, Give(1))
        store.at_once = False
        await world.pass_time(IDLE_MS)
        assert len(store.waiting) == 2
        store.commit_from_now_on()
        await world.pass_time(AGAIN_MS)
        assert [is_here(world, actor) for actor in ("a", "b", "c")] == [False] * 3


async def test_an_actor_that_failed_while_it_was_written_down_is_not_written_as_it_never_was(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(checkpoints, "HELPING_BYTES", 1)
    store = SteppedStore()
    store.at_once = True
    said: list[Any] = []
    async with running(store) as world:
        await world.loop.call("a", Give(1))
        store.at_once = False
        world.loop._checkpoints.write(world.loop._cells["a"])
        world.loop.ask("a", Break(), said.append)
        store.commit_from_now_on()
        await world.settle()
        assert [reply.code for reply in said] == ["internal_error"]
        assert (await stored(store, "a")).total == 1
        assert await world.look("a") == 1
