"""Plays a scenario: every row an operation of the wire, spoken by a client of its own for each who takes part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import TaskGroup, TaskStatus
from scenario_file import Scenario, Step
from scenario_words import Answer, Map, Names, Unmet, check, fields_of
from stages import Dial, Stage

from kraty_actors import Game
from kraty_actors.client import Client, ConnectionLost, Refused, connect
from kraty_actors.client.watch import Watch
from kraty_actors.testing import ManualClock

PATIENCE_SECONDS = 5
ROLES = {"ops": "operator", "backend": "server"}
OWN_ATTEMPT = ("events.progress", "events.finish", "attempts.get")
"""These mean the player's newest attempt where they name none."""


async def play(scenario: Scenario, stage: Stage) -> None:
    """Play a scenario to its end.

    Raises:
        AssertionError: A row went otherwise; says which, and how.
    """
    clock = ManualClock(scenario.begins_at)
    names = Names()
    rows = list(scenario.steps)
    while rows:
        async with opened(scenario.game, stage, clock, names) as cast:
            while rows:
                step = rows.pop(0)
                clock.move_to(step.at_ms)
                if (step.who, step.does) == ("server", "restarts"):
                    break
                if step.who:
                    await _play_row(cast, step)


async def _play_row(cast: Cast, step: Step) -> None:
    row = f"{step.where}: {step.who} {step.does}\n  expects {step.expects or 'nothing special'}"
    try:
        with anyio.fail_after(2 * PATIENCE_SECONDS):
            await cast.act(step.who, step.does, step.expects)
    except (Unmet, ValueError, TimeoutError) as error:
        raise AssertionError(f"{row}\n  but {error or 'nothing came'}") from error
    except Exception as error:
        error.add_note(row)
        raise


@asynccontextmanager
async def opened(game: Map, stage: Stage, clock: ManualClock, names: Names) -> AsyncIterator[Cast]:
    """A server, and whoever comes to speak to it, until the block is left."""
    failure: BaseException | None = None
    async with stage.opened(game, clock) as served, anyio.create_task_group() as tasks:
        url, dial = await stage.reachable(served, tasks)
        cast = Cast(served, tasks, url, dial, stage, names)
        try:
            yield cast
        except AssertionError as error:  # to be raised as it is, not in the task groups' wrapping
            failure = error
        await cast.dismiss()
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


@dataclass
class Actor:
    """One who takes part, connected."""

    client: Client
    leaving: anyio.Event = field(default_factory=anyio.Event)
    gone: anyio.Event = field(default_factory=anyio.Event)
    unread: list[Map] = field(default_factory=list)
    watch: Watch | None = None

    async def heard(self, name: str, expects: str, names: Names) -> Map:
        """The next push of that name with what is expected; those passed over are kept."""
        pushes = self.client.pushes()
        last: Unmet | None = None
        position = 0
        with anyio.move_on_after(PATIENCE_SECONDS), suppress(StopAsyncIteration):
            while True:
                if position == len(self.unread):
                    self.unread.append(await anext(pushes))
                push = self.unread[position]
                if push["push"] == name:
                    try:
                        check(Answer(push), expects, names)
                        return self.unread.pop(position)
                    except Unmet as unmet:
                        last = unmet
                position += 1
        raise last or Unmet(f"it never came; what came: {[push['push'] for push in self.unread]}")

    async def seen(self, expects: str, names: Names) -> None:
        """Wait until the watched board is as expected."""
        if self.watch is None:
            raise ValueError("watches no board")
        last: Unmet | None = None
        with anyio.move_on_after(PATIENCE_SECONDS), suppress(StopAsyncIteration):
            while True:
                view = self.watch.view
                board = {"entries": view.entries, "total": view.total, "final": view.final, "self": view.own}
                try:
                    return check(Answer(board), expects, names)
                except Unmet as unmet:
                    last = unmet
                await anext(self.watch)
        raise last or Unmet("the board never came")


@dataclass
class Cast:
    """All who take part, each on a connection that opens when they first do something."""

    game: Game
    tasks: TaskGroup
    url: str
    dial: Dial | None
    stage: Stage
    names: Names
    actors: dict[str, Actor] = field(default_factory=dict)

    async def act(self, who: str, does: str, expects: str) -> None:
        """One row of the table."""
        try:
            actor = self.actors.get(who) or await self.tasks.start(self._connected, who)
        except Refused as refused:
            return check(Answer(refused.details, refused.code), expects, self.names)
        verb, _, rest = does.partition(" ")
        if does == "hangs up":
            await self._leave(who)
        elif does == "is sent away":
            check(await self._sent_away(who, actor), expects, self.names)
        elif verb == "until":
            await self._until(who, actor, rest, expects)
        elif verb == "hears":
            self._remember(who, await actor.heard(rest, expects, self.names))
        elif verb == "watches":
            await self._watch(who, actor, rest, expects)
        elif verb == "sees":
            await actor.seen(expects, self.names)
        elif verb != "connects":
            check(await self._call(who, actor, verb, rest), expects, self.names)

    async def dismiss(self) -> None:
        """Let everybody go."""
        for who in list(self.actors):
            await self._leave(who)

    async def _connected(self, who: str, *, task_status: TaskStatus[Actor]) -> None:
        role: Any = ROLES.get(who, "player")
        player = who if role == "player" else None
        async with connect(
            self.url, role=role, player_id=player, codec=self.stage.codec, reconnect=False, dial=self.dial
        ) as client:
            if client.participant_id:
                self.names.players[client.participant_id] = who
            actor = self.actors[who] = Actor(client)
            task_status.started(actor)
            await actor.leaving.wait()
        actor.gone.set()

    async def _leave(self, who: str) -> None:
        """Hang up, and wait until the server has noticed."""
        actor = self.actors.pop(who)
        actor.leaving.set()
        await actor.gone.wait()
        while len(self.game._gateway._connections) > len(self.actors):
            await self.game._gateway._left.wait()

    async def _sent_away(self, who: str, actor: Actor) -> Answer:
        """Wait until the server closes the connection: the code of that."""
        code: int | None = None
        with anyio.move_on_after(PATIENCE_SECONDS):
            try:
                while True:
                    await actor.client.ping()
            except ConnectionLost as lost:
                code = lost.code
        await self._leave(who)
        return Answer({"code": code})

    async def _call(self, who: str, actor: Actor, op: str, fields: str) -> Answer:
        sent = fields_of(fields, self.names)
        whose = sent.get("playerId", who)
        if op in OWN_ATTEMPT and "attemptId" not in sent:
            sent["attemptId"] = self.names.value(f"@attempt.{whose}")
        elif op == "boards.read" and not sent.keys() & {"leaderboardId", "boardKey"}:
            sent["leaderboardId"] = self.names.value(f"@board.{whose}")
        try:
            answer = Answer(await actor.client.call(op, **sent))
        except Refused as refused:
            answer = Answer(refused.details, refused.code)
        self._remember(whose, answer.body)
        return answer

    async def _until(self, who: str, actor: Actor, does: str, expects: str) -> None:
        """Ask again until the answer is as expected: for what the server does by itself once the time has come."""
        op, _, fields = does.partition(" ")
        last: Unmet | None = None
        with anyio.move_on_after(PATIENCE_SECONDS):
            while True:
                answer = await self._call(who, actor, op, fields)
                try:
                    return check(answer, expects, self.names)
                except Unmet as unmet:
                    last = unmet
        raise last or Unmet("there was no answer")

    async def _watch(self, who: str, actor: Actor, fields: str, expects: str) -> None:
        asked = fields_of(fields, self.names)
        if "boardKey" in asked:
            read = await self._call(who, actor, "boards.read", f"boardKey={asked.pop('boardKey')}")
            asked["leaderboardId"] = read.body["leaderboardId"]
        board = asked.pop("leaderboardId", None) or self.names.value(f"@board.{who}")
        actor.watch = actor.client.watch(board, **asked)
        await anext(actor.watch)
        await actor.seen(expects, self.names)

    def _remember(self, who: str, body: Map) -> None:
        """Keep the names of what an answer is about."""
        known = self.names.known
        if "windowEndsAt" in body:  # an attempt that was started
            attempt = body["attempt"]
            known[f"attempt.{who}"] = attempt["attemptId"]
            known[f"board.{who}"] = attempt["leaderboardId"]
            known[f"window.{who}"] = attempt["windowId"]
        lobby_id = body["lobby"]["id"] if "lobby" in body else body.get("lobbyId")
        if lobby_id:
            known[f"lobby.{who}"] = lobby_id
