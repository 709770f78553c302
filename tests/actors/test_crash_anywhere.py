"""Killed at any point and started again, with the store as it then was: everything exactly once (R-56)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
import pytest
from acting import ROOTS, START, Give, Look, Purse, Sleep, SteppedStore, StillClock, Tell, World, counting, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kraty_actors.actors import checkpoints
from kraty_actors.actors.cell import Cell
from kraty_actors.actors.engine import Engine
from kraty_actors.actors.loop import answer_to
from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.window_messages import Report
from kraty_persistence import MemoryStore, Unit
from kraty_persistence.ports import Done

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
)
lives = st.lists(st.lists(steps, max_size=14), min_size=1, max_size=4)


@pytest.fixture(autouse=True, scope="module")
def small_helpings() -> Iterator[None]:
    """Every checkpoint is laid aside part by part, so that crashes fall between any two of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "HELPING_BYTES", 1)
        yield


class Lives:
    """Plays a script life after life. Gifts and tidings are numbered, and whom each went to is remembered; several
    tidings that are sent at once are told at once."""

    def __init__(self) -> None:
        self.store = SteppedStore()
        self.sent: dict[int, list[str]] = {}
        self.acknowledged: set[int] = set()

    async def play(self, script: list[list[Any]]) -> None:
        for life in script:
            async with running(self.store) as world:
                for step in life:
                    await self._take(step, world)
                self.store.crash()
        self.store.commit_from_now_on()
        async with running(self.store) as world:
            await world.settle()
            await self._look_at_those_at_rest(world)
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
                cell = world.loop._cells[actor]
                if cell.number > cell.checkpointed:
                    world.loop._checkpoints.write(cell)
        await world.settle()
        await self._look_at_those_at_rest(world)

    def _send(self, world: World, actor: str, kind: type[Give | Tell], to: list[str]) -> None:
        number = len(self.sent) + 1
        self.sent[number] = to
        world.loop.ask(actor, kind(number, to), lambda _: self.acknowledged.add(number))

    async def _look_at_those_at_rest(self, world: World) -> None:
        """R-13: who may be read at once shows nothing but what is stored."""
        for name in ROOTS:
            state = world.loop.at_rest(name, START)
            if state is not None:
                stored, purse = Cell(name), Purse()
                stored.recover(purse, await self.store.load(name))
                assert list(state.dump()) == list(purse.dump())

    def _check(self, world: World) -> None:
        states = world.states
        given = [number for state in states.values() for number in [*state.given, *state.told]]
        assert len(given) == len(set(given)), "a gift was applied twice"
        assert self.acknowledged <= set(given), "an acknowledged gift is gone"
        for name, state in states.items():
            assert state.total == sum(state.given) + sum(state.got) + sum(state.told)
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


# -- a whole game


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


GAME = {
    "gameId": "arena",
    "settings": {"seed": 5},
    "currencies": [{"key": "cash"}],
    "bots": [{"key": "climber", "behaviour": {"block": "random_step_with_fall"}}],
    "events": [
        {
            "key": "race",
            "availability": {"mode": "fixed", "startsAt": "2027-01-15T08:00:00Z", "endsAt": "2027-01-15T09:00:00Z"},
            "attempt": {"replayableDuringWindow": True},
            "metrics": [
                {"key": "streak", "target": 3, "capAtTarget": True, "resetOn": {"metricKey": "losses"}},
                {"key": "losses"},
            ],
            "leaderboard": {"mode": mode, **({"capacity": 4} if mode == "lobby_matched" else {})},
            "botBindings": [{"botId": "climber", "count": 3}],
            "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 100, "currencyKey": "cash"}},
        }
        for mode in ["lobby_matched"]
    ],
}
GAME["events"].append(
    GAME["events"][0] | {"key": "open_race", "leaderboard": {"mode": "global", "scoreAggregation": "sum"}}
)
OPENS, ENDS = 1_800_000_000_000, 1_800_003_600_000


class Session:
    """Three players who write, lose, win and start again; each step is repeated until it is acknowledged."""

    def __init__(self) -> None:
        self.store, self.clock = MortalStore(), StillClock(OPENS - 1000)
        self.attempts: dict[tuple[str, str], str] = {}
        self.written: dict[str, int] = {}
        self.todo: deque[Any] = deque(self._script())

    def _script(self) -> list[Any]:
        events = ["race", "open_race"]
        script: list[Any] = [("time", OPENS)]
        for event in events:
            script += [("start", name, event) for name in ("ann", "bob", "cat")]
        for number, (name, win) in enumerate([("ann", 1), ("ann", 1), ("bob", 1), ("bob", 0), ("ann", 1), ("cat", 1)]):
            script.append(("time", OPENS + 1000 * number))
            script += [("write", name, event, {"streak": 1, "losses": 1 - win}) for event in events]
        script += [("start", "ann", "open_race"), ("write", "ann", "open_race", {"streak": 2, "losses": 0})]
        script += [("finish", "cat", "open_race"), ("time", ENDS), ("settled",)]
        return script

    async def play(self, kills: list[int]) -> Any:
        for units in [*kills, None]:
            self.store.live(units)
            with anyio.CancelScope() as life:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._die, life)
                    await self._live()
                    life.cancel()
        return await self._result()

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
                    await anyio.lowlevel.checkpoint()

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
                while any(window.state != "finalized" for window in engine.catalogue.windows.values()):
                    await engine._world.read_catalogue()

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

    async def _result(self) -> Any:
        """All that a player could see afterwards."""
        self.store.live(None)
        found: dict[str, Any] = {}
        async with Engine.opened(self.store, self.clock) as engine:
            for event, view in engine.catalogue.events.items():
                (window,) = view.windows
                report = await engine.steering.report(window.window_id)
                assert isinstance(report, Report)
                found[event] = (view.state, report)
            for (name, _), attempt in self.attempts.items():
                player = await engine.players.resolve(name)
                seen = await answer_to(partial(engine.attempt, player.number, attempt))
                board = await engine.boards.read(seen.contest_id, GetBoard(limit=50))
                assert isinstance(seen, AttemptView)
                assert isinstance(board, BoardView)
                found[attempt] = (seen, board)
                found[name] = [(g.id, g.contents, g.source_ref) for g in (await engine.money.grants(player.number))[0]]
        return found


@pytest.fixture(scope="module")
def uninterrupted() -> tuple[Any, int]:
    """The result without a kill, and how many units it took."""
    session = Session()
    return anyio.run(session.play, [], backend="asyncio"), session.store.stored


def test_r43_r45_the_uninterrupted_game_pays_its_winners(uninterrupted: tuple[Any, int]):
    found, _ = uninterrupted
    assert [found[event][0] for event in ("race", "open_race")] == ["finalized", "finalized"]
    for event in ("race", "open_race"):
        report = found[event][1]
        assert (report.winners, report.grants, report.paid, report.remainder) == (1, 1, {"cash": 100}, 0)
    assert [len(found[name]) for name in ("ann", "bob", "cat")] == [2, 0, 0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_r56_a_game_that_is_killed_behind_any_unit_ends_as_if_it_never_was(
    backend: str, uninterrupted: tuple[Any, int]
):
    expected, units = uninterrupted
    assert units > 20
    for kill in range(units):
        found = anyio.run(Session().play, [kill], backend=backend)
        assert found == expected, f"killed behind unit {kill}"


@pytest.mark.parametrize("backend", BACKENDS)
@given(kills=st.lists(st.integers(0, 12), min_size=2, max_size=8))
@settings(max_examples=12, deadline=None)
def test_r56_nor_do_many_kills_matter(backend: str, kills: list[int], uninterrupted: tuple[Any, int]):
    assert anyio.run(Session().play, kills, backend=backend) == uninterrupted[0]
