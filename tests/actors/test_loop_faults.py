"""When a rule fails, when a commit fails, when the store is away (R-56, R-58)."""

from __future__ import annotations

import pytest
from acting import START, Break, End, Give, Got, Look, Purse, Sleep, SteppedStore, StillClock, World, counting, running

from kraty_actors.actors import loop as loop_module
from kraty_actors.actors import outage, recovery
from kraty_actors.domain.outcome import Command, Refusal
from kraty_persistence import JournalConflict, MemoryStore, StoreError, StoreUnavailable

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures(counting.__name__)]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "STORE_RETRY_SECONDS", 0.0005)
    monkeypatch.setattr(recovery, "LOAD_RETRY_SECONDS", 0.0005)


def code(reply: object) -> object:
    return reply.code if isinstance(reply, Refusal) else reply


async def until(world: World, answers: int) -> list[object]:
    """Wait for so many answers in all; retries sleep, so the world is never quite idle."""
    await world.loop.call("c", Look())
    while len(world.answers) < answers:
        await world.loop.call("c", Look())
    return world.answers


async def test_a_failing_rule_is_our_bug_and_the_other_commands_of_its_batch_survive():
    async with running(MemoryStore()) as world:
        for command in (Give(1, ["b"]), Give(2), Break(), Give(4)):
            world.ask("a", command, code)
        assert sorted(await until(world, 4), key=str) == [1, 3, 7, "internal_error"]
        assert await world.look("a") == 7
        await world.settle()
        assert world.states["b"].got == [1]


async def test_a_failing_rule_behind_batches_that_are_being_committed():
    store = SteppedStore()
    async with running(store) as world:
        world.ask("a", Give(1), code)
        await world.settle()
        world.ask("a", Break(), code)
        world.ask("a", Give(2), code)
        await world.settle()
        assert world.answers == ["internal_error"]
        store.commit_from_now_on()
        assert await until(world, 3) == ["internal_error", 1, 3]
        assert await world.look("a") == 3


async def test_a_failing_read_breaks_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Break, "is_read", True)
    async with running(MemoryStore()) as world:
        assert await world.loop.call("a", Give(1)) == 1
        world.ask("a", Break(), code)
        world.ask("a", Look(), code)
        assert await until(world, 2) == ["internal_error", 1]


async def test_an_actor_whose_tick_fails_still_answers(monkeypatch: pytest.MonkeyPatch):
    store, clock = MemoryStore(), StillClock()
    async with running(store, clock) as world:
        await world.loop.call("a", Sleep(START + 1000))
        apply = type(world.states["a"]).apply

        def failing(state: object, command: Command, now: int) -> object:
            if command is loop_module.TICK:
                raise ZeroDivisionError("a bug")
            return apply(state, command, now)

        monkeypatch.setattr(type(world.states["a"]), "apply", failing)
        clock.now = START + 1000
        world.ask("a", Give(1), code)
        world.ask("a", Look(), code)
        assert await until(world, 2) == [1, 1]
        monkeypatch.undo()


async def test_r56_words_of_an_actor_that_a_rule_fails_on_are_kept_in_order_for_the_next_start(
    monkeypatch: pytest.MonkeyPatch,
):
    store = MemoryStore()
    async with running(store) as world:
        apply = Purse.apply

        def failing(state: Purse, command: Command, now: int) -> object:
            if command == Got(2):
                raise ZeroDivisionError("a bug")
            return apply(state, command, now)

        monkeypatch.setattr(Purse, "apply", failing)
        for amount in (1, 2, 3):
            world.ask("a", Give(amount, ["b"]), code)
        world.ask("c", Give(9, ["b"]), code)
        world.ask("b", Give(50), code)
        await until(world, 5)
        await world.settle()
        got = world.states["b"].got
        assert set(got) in ({9}, {1, 9})
        assert await world.look("b") == 50 + sum(got)
        await world.loop.checkpoint_all()
    monkeypatch.setattr(Purse, "apply", apply)
    async with running(store) as world:
        await world.settle()
        got = world.states["b"].got
        assert ([n for n in got if n < 9], len(got)) == ([1, 2, 3], 4)


@pytest.mark.parametrize("error", [JournalConflict("behind"), StoreUnavailable("away")])
async def test_r56_a_commit_that_fails_for_good_takes_its_actor_back_to_what_is_stored(error: StoreError):
    store = SteppedStore()
    async with running(store) as world:
        world.ask("a", Give(1), code)
        await world.settle()
        store.step()
        await world.settle()
        for amount in (10, 100):  # two batches on their way, a question behind them
            world.ask("a", Give(amount, ["b"]), code)
            await world.settle()
        world.ask("a", Look(), code)
        await world.settle()
        store.step(error)
        store.step(JournalConflict("behind"))
        store.at_once = True
        answers = await until(world, 4)
        assert answers == [1, "overloaded", "overloaded", 1]
        assert await world.look("a") == 1
        await world.settle()
        assert world.states["b"].got == []
        assert [note for note in world.ear.told if note[0] == "notice"] == [("notice", 1)]


async def test_r56_what_actors_said_is_neither_lost_nor_turned_round_when_the_receiver_is_taken_back():
    store = SteppedStore()
    async with running(store) as world:
        for amount in (1, 2, 3):
            world.ask("a", Give(amount, ["b"]))
            await world.settle()
            store.step(of="a")
            await world.settle()  # b has one more batch on its way
        mine = [unit.actor for unit, _ in store.waiting]
        assert mine == ["b", "b", "b"]
        for _ in mine:
            store.step(JournalConflict("behind"))
        store.at_once = True
        while (await world.look("b")) != 6:
            await world.settle()
        assert world.states["b"].got == [1, 2, 3]


async def test_r58_with_the_store_away_nothing_is_acknowledged_reads_go_on_and_service_resumes():
    store = MemoryStore()
    async with running(store) as world:
        assert await world.loop.call("a", Give(1)) == 1
        store.outage = StoreUnavailable("away")
        world.ask("a", Give(10), code)
        await until(world, 1)
        for _ in range(50):
            world.ask("b", Give(10), code)
        assert set(await until(world, 51)) == {"overloaded"}
        assert await world.look("b") == 0
        store.outage = None
        world.answers.clear()
        while world.answers[-1:] != [3]:
            expected = len(world.answers) + 1
            world.ask("a", Give(2), code)
            await until(world, expected)
        assert set(world.answers[:-1]) <= {"overloaded"}
        assert (await world.look("a"), await world.look("b")) == (3, 0)


async def test_r58_messages_and_alarms_wait_for_the_store_to_come_back():
    store, clock = SteppedStore(), StillClock()
    async with running(store, clock) as world:
        world.ask("b", Sleep(START + 1000))
        await world.settle()
        store.step()
        world.ask("a", Give(5, ["b"]))
        await world.settle()
        store.step()
        await world.settle()
        store.at_once, store.outage = True, StoreUnavailable("away")
        store.waiting.popleft()[1](store.outage)  # what b was to hear cannot be stored
        clock.now = START + 2000
        for _ in range(20):
            await world.loop.call("c", Look())
        store.outage = None
        while await world.look("b") != 1005:
            await world.settle()
        assert world.states["b"].got == [5]


async def test_a_checkpoint_that_cannot_be_stored_is_made_up_for_later():
    store = SteppedStore()
    async with running(store) as world:
        world.ask("a", End())
        await world.settle()
        store.step()
        await world.settle()
        store.step(StoreUnavailable("away"))
        await world.settle()
        assert await store.unfinished() == ["a"]
        store.at_once = True
        await world.loop.checkpoint_all()
    assert await store.unfinished() == []
