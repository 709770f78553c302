"""The loop: what it says and when, what it keeps, and how it ends (R-13, R-56, R-58)."""

from __future__ import annotations

import anyio
import pytest
from acting import START, End, Give, Look, Sleep, SteppedStore, StillClock, Tell, Win, World, counting, running
from anyio.lowlevel import checkpoint

from kraty_actors.actors import loop as loop_module
from kraty_actors.domain.outcome import Completed, Refusal
from kraty_persistence import MemoryStore, StoreClosed, StoreTaken

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures(counting.__name__)]


async def test_r13_nothing_is_said_before_the_commit():
    store = SteppedStore()
    async with running(store) as world:
        world.ask("a", Give(5, ["b"]))
        world.ask("a", Look())
        await world.settle()
        assert (world.answers, world.ear.told, world.states["b"].got, len(store.waiting)) == ([], [], [], 1)
        store.step()
        await world.settle()
        assert world.answers == [5, 5]
        assert world.ear.told == [("notice", 5), ("moved", "a")]
        assert world.states["b"].got == [5]  # applied, and again not said before its own commit
        assert len(store.waiting) == 1


async def test_r19_what_others_read_of_is_there_before_the_answer_and_not_before_the_commit():
    store = SteppedStore()
    player = await store.resolve("ann", lambda: "p1")
    async with running(store) as world:
        world.loop.ask("a", Win(player.number), lambda _: world.ear.told.append("answered"))
        await world.settle()
        assert world.ear.told == []
        store.step()
        await world.settle()
        assert world.ear.told == [("happened", Completed(player.number, "race", "w")), "answered"]


async def test_r13_what_a_batch_gathers_is_said_once_to_each_and_after_its_commit():
    store = SteppedStore()
    async with running(store) as world:
        for amount, to in ((1, ["b", "c"]), (2, ["c"]), (3, ["b"])):
            world.ask("a", Tell(amount, to))
        await world.settle()
        assert (world.states["b"].heard, len(store.waiting)) == ([], 1)
        store.commit_from_now_on()
        world.ask("a", Tell(4, ["b"]))
        await world.settle()
        assert (world.states["b"].heard, world.states["c"].heard) == ([[1, 3], [4]], [[1, 2]])


@pytest.mark.parametrize("committed", [1, 2, 3])
async def test_r56_what_was_gathered_is_said_again_under_the_same_number_after_a_kill(committed: int):
    """Behind the sender's commit, behind the receiver's, behind the sender's checkpoint."""
    store = SteppedStore()
    async with running(store) as world:
        for amount in (1, 2):
            world.ask("a", Tell(amount, ["b"]))
        await world.settle()
        for _ in range(min(committed, 2)):
            store.step()
            await world.settle()
        if committed == 3:
            store.at_once = True
            await world.loop.checkpoint_all()
        store.crash()
    store.at_once = True
    async with running(store) as world:
        world.ask("a", Tell(3, ["b"]))
        await world.settle()
        assert world.states["b"].heard == [[1, 2], [3]]


async def test_r13_the_next_batch_is_applied_while_one_commits_and_speaks_after_it():
    store = SteppedStore()
    async with running(store) as world:
        for amount in (1, 2, 3):
            world.ask("a", Give(amount))
            world.ask("a", Look(), lambda total: ("seen", total))
            await world.settle()
        assert (world.answers, len(store.waiting)) == ([], 3)
        world.ask("b", Look())
        await world.settle()
        assert world.answers == [0]  # another actor's questions are not held up
        for expected in ([1, ("seen", 1)], [3, ("seen", 3)], [6, ("seen", 6)]):
            world.answers.clear()
            store.step()
            await world.settle()
            assert world.answers == expected


async def test_r13_a_question_is_answered_behind_the_commit_that_it_saw():
    store = SteppedStore()
    async with running(store) as world:
        for command in (Give(1), Look(), Look()):
            world.ask("a", command)
            await world.settle()
        assert (world.answers, len(store.waiting)) == ([], 1)
        store.step()
        await world.settle()
        assert world.answers == [1, 1, 1]


async def test_r58_a_full_mailbox_refuses_at_once_and_others_go_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop_module, "MAILBOX_MAX", 3)
    async with running(MemoryStore()) as world:
        for _ in range(5):
            world.ask("a", Give(1))
        refused = [answer for answer in world.answers if isinstance(answer, Refusal)]
        assert [refusal.code for refusal in refused] == ["overloaded", "overloaded"]
        assert refused[0].details["retryAfter"] > 0
        world.ask("b", Give(7))
        await world.settle()
        assert world.answers[2:] == [1, 2, 3, 7]


async def test_r58_memory_stays_bounded_while_commits_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop_module, "IN_FLIGHT_MAX", 2)
    monkeypatch.setattr(loop_module, "MAILBOX_MAX", 4)
    store = SteppedStore()
    async with running(store) as world:
        for _ in range(20):
            world.ask("a", Give(1))
            await world.settle()
        assert len(store.waiting) == 2
        assert [answer.code for answer in world.answers] == ["overloaded"] * 14
        world.answers.clear()
        store.commit_from_now_on()
        await world.settle()
        assert world.answers == [1, 2, 3, 4, 5, 6]


async def test_a_large_mailbox_is_worked_off_in_turns(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop_module, "BATCH_MAX", 4)
    store = SteppedStore()
    async with running(store) as world:
        for _ in range(10):
            world.ask("a", Give(1))
        await world.settle()
        assert len(store.waiting) == 3
        store.commit_from_now_on()
        await world.settle()
        assert world.answers == list(range(1, 11))


async def test_unheard_of_actors_are_not_there_and_leave_nothing_behind():
    async with running(MemoryStore()) as world:
        cells = set(world.loop._cells)
        for name in [f"x{n}" for n in range(50)]:
            world.ask(name, Look(), lambda reply: reply.code)
            world.ask(name, Give(1), lambda reply: reply.code)
            world.loop.ask(name, Give(1))
        await world.settle()
        assert world.answers == ["not_found"] * 100
        assert set(world.loop._cells) == cells


async def test_r56_recovery_is_the_checkpoint_and_the_inputs_after_it():
    store = MemoryStore()
    async with running(store) as world:
        world.ask("a", Give(1, ["b"]))
        await world.settle()
        await world.loop.checkpoint_all()
        assert ((await store.load("a")).records, (await store.load("b")).records) == ((), ())
        world.ask("a", Give(2, ["b", "c"]))
        world.ask("b", Give(4))
        await world.settle()
        before = {name: list(state.dump()) for name, state in world.states.items()}
    assert len((await store.load("a")).records) == 1
    async with running(store) as world:
        assert {name: list(state.dump()) for name, state in world.states.items()} == before
        assert [await world.look(name) for name in ("a", "b", "c")] == [3, 7, 2]


async def test_r56_a_checkpoint_at_shutdown_waits_for_what_was_accepted():
    store = SteppedStore()
    async with running(store) as world:
        world.ask("a", Give(1, ["b"]))
        store.at_once = True
        await world.loop.checkpoint_all()
        assert world.answers == [1]
    for name in ("a", "b"):
        found = await store.load(name)
        assert (found.records, found.number) == ((), 1)
        assert found.checkpoint


async def test_r13_time_inside_an_actor_never_goes_back_not_even_over_a_restart():
    store, clock = MemoryStore(), StillClock()
    async with running(store, clock) as world:
        for now in (START + 5000, START, START + 6000):
            clock.now = now
            await world.loop.call("a", Give(1))
    clock.now = START - 9000
    async with running(store, clock) as world:
        await world.loop.call("a", Give(1))
        assert world.states["a"].times == [START + 5000, START + 5000, START + 6000, START + 6000]


async def test_an_alarm_rings_once_before_whatever_came_later_and_again_after_a_restart():
    store, clock = MemoryStore(), StillClock()
    async with running(store, clock) as world:
        await world.loop.call("a", Sleep(START + 1000))
        await world.loop.call("b", Sleep(START + 9000))
        clock.now = START + 1000
        assert await world.look("a") == 1000  # a turn brings its tick along
    clock.now = START + 10_000
    async with running(store, clock) as world:
        await world.settle()
        assert [await world.look(name) for name in ("a", "b")] == [1000, 1000]
        assert world.states["b"].times == [START, START + 10_000]


async def test_r27_a_finished_actor_is_retired_only_when_all_that_it_said_was_heard():
    store = SteppedStore()
    async with running(store) as world:
        world.ask("a", End(["b"]))
        await world.settle()
        store.step()
        await world.settle()
        assert world.ear.told == [("finished", "a")]
        assert "a" in await store.unfinished()
        store.commit_from_now_on()
        await world.settle()
        assert await store.unfinished() == ["b"]
    async with running(store) as world:
        assert world.states["b"].got == [0]


@pytest.mark.parametrize("committed", [0, 1, 2, 3])
async def test_r27_finishing_survives_a_kill_between_any_two_commits(committed: int):
    store = SteppedStore()
    async with running(store) as world:
        world.ask("a", End(["b"]))
        for _ in range(committed):
            await world.settle()
            store.step()
        await world.settle()
        store.crash()
    store.at_once = True
    async with running(store) as world:
        if not committed:
            world.ask("a", End(["b"]))
        await world.settle()
        await world.loop.checkpoint_all()
        assert world.states["b"].got == [0]
    assert await store.unfinished() == ["b"]


async def test_r27_one_that_finished_without_a_word_is_retired_after_a_kill_too():
    store = SteppedStore()
    async with running(store) as world:
        world.ask("a", End())
        await world.settle()
        store.step()
        await world.settle()
        store.crash()
    assert await store.unfinished() == ["a"]
    store.at_once = True
    async with running(store) as world:
        await world.settle()
        assert await store.unfinished() == []
        await world.loop.checkpoint_all()


async def test_a_retired_actor_can_be_read_and_is_not_kept_in_memory():
    store = MemoryStore()
    async with running(store) as world:
        world.ask("a", Give(3))
        world.ask("a", End())
        await world.settle()
        assert "a" not in world.loop._cells
        assert await world.look("a") == 3


@pytest.mark.parametrize("error", [StoreTaken(), StoreClosed("closed")])
async def test_r56_another_owner_of_the_store_stops_the_loop_and_nothing_more_is_said(error: Exception):
    store = SteppedStore()

    async def play() -> None:
        async with running(store) as world:
            world.ask("a", Give(1), said.append)
            await world.settle()
            store.step(error)
            await world.settle()
            await checkpoint()

    said: list[object] = []
    with pytest.raises(ExceptionGroup) as raised:
        await play()
    assert said == []
    assert _leaves(raised.value) == [error]


def _leaves(group: BaseException) -> list[BaseException]:
    if isinstance(group, BaseExceptionGroup):
        return [leaf for inner in group.exceptions for leaf in _leaves(inner)]
    return [group]


async def test_asking_before_the_loop_runs_is_answered_when_it_does():
    world = World(MemoryStore())
    world.ask("a", Give(2))
    assert world.answers == []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(world.loop.run)
        await world.settle()
        assert world.answers == [2]
        tasks.cancel_scope.cancel()
