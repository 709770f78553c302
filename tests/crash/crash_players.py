"""Clients over sockets that never stop: they start, write, complete, claim, and come back after every crash."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import cycle

import anyio
from crash_books import Book, Library, Map, Sent
from crash_game import SPRINT_EVERY_MS, SPRINT_MS, SPRINTS, season_best, sprint_key

from kraty_actors.client import Client, ConnectionLost, Refused, connect
from kraty_protocol.shapes import parse_iso

PAUSE_SECONDS = 0.005
"""Between two writes on one attempt: some hundreds of writes a second in all, and a journal that stays short."""

FINALIZE_EVERY_SECONDS = 0.4
SEASON_MS = 700
CLAIM_EVERY_SECONDS = 0.3
COME_BACK_SECONDS = 0.08


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Bells:
    """Rung at the moments at which a crash hurts most: one event for each, replaced when it rings."""

    events: dict[str, anyio.Event] = field(default_factory=dict)

    def ring(self, name: str) -> None:
        self.events.pop(name, anyio.Event()).set()

    async def rung(self, name: str) -> None:
        await self.events.setdefault(name, anyio.Event()).wait()


@dataclass
class World:
    """What all clients share. `stopping`: settle what is pending, and go."""

    url: str
    begins_at: int
    urls: list[str] = field(default_factory=list)
    """Where else to come back to, in turns."""
    close_codes: Counter[int | None] = field(default_factory=Counter)
    hosts: dict[Client, str] = field(default_factory=dict)
    applied: list[tuple[str, int]] = field(default_factory=list)
    """Who has applied writes, by URL, and when each was sent (ms)."""
    library: Library = field(default_factory=Library)
    bells: Bells = field(default_factory=Bells)
    stopping: bool = False

    def sprint_now(self) -> str:
        """The fixed window that is open and started last."""
        number = (now_ms() - self.begins_at) // SPRINT_EVERY_MS
        return sprint_key(max(0, min(number, SPRINTS - 1)))

    async def ring_when_sprints_close(self) -> None:
        while not self.stopping:
            since = (now_ms() - self.begins_at - SPRINT_MS) % SPRINT_EVERY_MS
            await anyio.sleep((SPRINT_EVERY_MS - since) / 1000)
            self.bells.ring("close")

    def refused(self, who: str, refused: Refused) -> None:
        """Being sent away for a while is fine; any other refusal is a broken promise."""
        if refused.is_overloaded:
            self.bells.ring("overloaded")
        else:
            self.library.problems.append(f"{who}: {refused.code} {refused.message} {refused.details}")

    async def connected(self, work: Callable[[Client], Awaitable[None]], **who: str) -> None:
        """Do the work on a connection; when that is lost, on the next one, until the work is done."""
        for url in cycle([self.url, *self.urls]):
            try:
                async with connect(url, reconnect=False, **who) as client:  # type: ignore[arg-type]
                    self.hosts[client] = url
                    await work(client)
                    return
            except ConnectionLost as lost:
                self.close_codes[lost.code] += 1
            except (OSError, TimeoutError):
                pass
            await anyio.sleep(COME_BACK_SECONDS)


class Hand:
    """One player's playing of one event at a time: one write in flight, everything noted down."""

    def __init__(self, world: World, player: str, chance: random.Random, choose: Callable[[], str]) -> None:
        self._world = world
        self._library = world.library
        self._player = player
        self._chance = chance
        self._choose = choose
        self._book: Book | None = None

    async def play(self, client: Client) -> None:
        while not self._world.stopping or (self._book and self._book.pending):
            try:
                await self._step(client)
            except Refused as refused:
                await self._refused(refused)

    async def _step(self, client: Client) -> None:
        if self._book is None:
            await self._start(client)
            return
        if self._book.pending is None:
            self._book.pending = self._next(self._book)
            await anyio.sleep(PAUSE_SECONDS * self._chance.uniform(0.5, 1.5))
        await self._write(client, self._book, self._book.pending)

    async def _start(self, client: Client) -> None:
        if self._chance.random() < 0.5:
            self._world.bells.ring("start")
        started = await client.call("events.start", eventKey=self._choose())
        self._world.bells.ring("start")
        self._book = self._open(started["attempt"])

    def _open(self, attempt: Map) -> Book:
        """The attempt's book, which is there already if it was started before a crash."""
        known = self._library.books.get(attempt["attemptId"])
        if known is None:
            raw = attempt["metricsRaw"]
            self._library.expect(not any(raw.values()), f"{attempt['attemptId']} starts at {raw}")
            known = self._library.books[attempt["attemptId"]] = Book(
                attempt_id=attempt["attemptId"],
                player=self._player,
                event=attempt["eventKey"],
                window=attempt["windowId"],
                board=attempt["leaderboardId"],
                ends_at=parse_iso(attempt["endsAt"]) if attempt["endsAt"] else None,
                raw=dict.fromkeys(raw, 0),
            )
        return known

    def _next(self, book: Book) -> Sent:
        identity: int | str = book.last_seq + self._chance.randint(1, 3)
        if self._chance.random() < 0.2:
            identity = f"{book.writes}-{self._chance.randrange(10**9)}"
        if "points" in book.raw:
            if self._chance.random() < 0.1:
                return Sent(identity, {"points": self._chance.randrange(1000)}, "set")
            return Sent(identity, {"points": self._chance.uniform(0, 10)})
        if self._chance.random() < 0.15:
            return Sent(identity, self._chance.choice([{"losses": 1}, {"losses": 1, "streak": 1}]))
        return Sent(identity, {"streak": 1})

    async def _write(self, client: Client, book: Book, sent: Sent) -> None:
        completes = book.completes(sent)
        if completes and self._chance.random() < 0.5:
            self._world.bells.ring("completion")
        sent_at = now_ms()
        answer = await client.call("events.progress", attemptId=book.attempt_id, **sent.fields())
        if completes:
            self._world.bells.ring("completion")
        if not answer.get("repeated"):
            self._world.applied.append((self._world.hosts[client], sent_at))
        self._applied(book, sent, answer, sent_at)
        if book.status != "in_progress":
            self._book = None

    def _applied(self, book: Book, sent: Sent, answer: Map, sent_at: int) -> None:
        is_repeat = answer.get("repeated", False)
        late = book.ends_at is not None and sent_at >= book.ends_at
        self._library.expect(is_repeat or not late, f"{book.attempt_id}: a write after the end was applied")
        self._library.recovered_pending += is_repeat
        book.count(sent)
        book.acknowledged.append(sent.identity)
        raw = answer["metricsRaw"]
        self._library.expect(raw == book.raw, f"{book.attempt_id} {sent}: {raw} instead of {book.raw}")

    async def _refused(self, refused: Refused) -> None:
        if refused.is_attempt_finished and self._book is not None:
            self._settle(self._book, refused.details["attempt"])
            self._book = None
        elif refused.code not in ("lobby_forming", "no_active_window", "entry_requirement_failed"):
            self._world.refused(self._player, refused)
        await anyio.sleep(0.02)

    def _settle(self, book: Book, attempt: Map) -> None:
        """The attempt is over: what it stands at says whether the write that was pending counted."""
        sent, raw = book.pending, attempt["metricsRaw"]
        if sent is not None and raw == book.after(sent) != book.raw:
            book.count(sent)
            self._library.recovered_pending += 1
        book.pending = None
        book.status = attempt["status"]
        self._library.expect(raw == book.raw, f"{book.attempt_id} ended at {raw} instead of {book.raw}")


class Player:
    """One connection and three hands, and a purse into which grants are claimed."""

    def __init__(self, world: World, name: str, chance: random.Random) -> None:
        self._world = world
        self._name = name
        events: list[Callable[[], str]] = [lambda: "trail", lambda: "attack", world.sprint_now]
        self._hands = [Hand(world, name, chance, choose) for choose in events]
        self._codec = chance.choice(["msgpack", "json"])

    async def run(self) -> None:
        await self._world.connected(self._play, player_id=self._name, codec=self._codec)

    async def _play(self, client: Client) -> None:
        participant = self._world.library.participants.setdefault(self._name, str(client.participant_id))
        self._world.library.expect(participant == client.participant_id, f"{self._name} is somebody else now")
        losses: list[ConnectionLost] = []

        async def until_lost(work: Callable[[Client], Awaitable[None]]) -> None:
            try:
                await work(client)
            except ConnectionLost as lost:
                losses.append(lost)

        async with anyio.create_task_group() as tasks:
            for work in (*(hand.play for hand in self._hands), self._claim):
                tasks.start_soon(until_lost, work)
        if losses:
            raise losses[0]

    async def _claim(self, client: Client) -> None:
        while not self._world.stopping:
            try:
                for grant in (await client.grants(status="pending"))["grants"]:
                    claimed = await client.claim(grant["id"])
                    self._world.library.expect(claimed["status"] == "claimed", f"{grant['id']} was not claimed")
                    self._world.library.claimed[grant["id"]] += 1
            except Refused as refused:
                self._world.refused(self._name, refused)
            await anyio.sleep(CLAIM_EVERY_SECONDS)


async def close_windows(world: World, chance: random.Random) -> None:
    """The operator: ends the window of one of the two lasting events, over and over."""

    async def work(client: Client) -> None:
        while not world.stopping:
            await anyio.sleep(FINALIZE_EVERY_SECONDS * chance.uniform(0.5, 1.5))
            try:
                await finalize_current(world, client, chance.choice(["trail", "attack"]))
            except Refused as refused:
                world.refused("operator", refused)

    await world.connected(work, role="operator")


async def finalize_current(world: World, client: Client, event: str) -> None:
    windows = (await client.call("windows.list", eventKey=event))["windows"]
    opened = [window["windowId"] for window in windows if window["state"] == "open"]
    if opened:
        world.bells.ring("close")
        ended = await client.call("events.finalize", eventKey=event, windowId=opened[0])
        world.bells.ring("close")
        world.library.finalized |= {w["windowId"] for w in ended["windows"] if w["state"] == "finalized"}


async def roll_seasons(world: World) -> None:
    """An operator begins one short season after another, so that kills fall on rollovers as well."""

    async def work(operator: Client) -> None:
        while not world.stopping:
            try:
                await operator.call("boards.put", leaderboard=season_best(now_ms() + SEASON_MS))
            except Refused as refused:
                world.refused("roll_seasons", refused)
            await anyio.sleep(2 * SEASON_MS / 1000)

    await world.connected(work, role="operator")
