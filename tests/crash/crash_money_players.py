"""Those who pay and are paid, over sockets: everything that they are told is written down as a receipt."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
from crash_money_game import BULLETS, CROWD, MILESTONES, TARGETS, TOP_UP
from crash_players import COME_BACK_SECONDS, Bells
from crash_seats import for_all

from kraty_actors.client import Client, ConnectionLost, Refused, connect

Map = dict[str, Any]
PAUSE_SECONDS = 0.01
PAYERS = [f"payer-{n}" for n in range(6)]


@dataclass
class Receipts:
    """What was acknowledged: attempts by their players and events, milestones by their grants, adjustments by key."""

    attempts: dict[str, tuple[str, str]] = field(default_factory=dict)
    milestones: dict[str, tuple[str, str]] = field(default_factory=dict)
    adjusted: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    points: dict[str, int] = field(default_factory=dict)
    cups: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    asked: set[tuple[str, str]] = field(default_factory=set)

    @property
    def count(self) -> int:
        return sum(map(len, (self.attempts, self.milestones, self.adjusted, self.claimed, self.points)))


@dataclass
class Market:
    """What all clients share. While the gate is closed, nobody comes back."""

    url: str
    receipts: Receipts = field(default_factory=Receipts)
    bells: Bells = field(default_factory=Bells)
    problems: list[str] = field(default_factory=list)
    poor: dict[str, int] = field(default_factory=dict)
    stopping: bool = False
    gate: anyio.Event = field(default_factory=anyio.Event)

    def close_gate(self) -> None:
        if self.gate.is_set():
            self.gate = anyio.Event()

    def expect(self, condition: bool, problem: str) -> None:
        if not condition:
            self.problems.append(problem)

    async def connected(self, work: Callable[[Client], Awaitable[None]], **who: str) -> None:
        """Do the work on a connection; when that is lost, on the next one, until it is done."""
        while True:
            await self.gate.wait()
            with suppress(ConnectionLost, OSError, TimeoutError):
                async with connect(self.url, reconnect=False, **who) as client:  # type: ignore[arg-type]
                    await work(client)
                    return
            await anyio.sleep(COME_BACK_SECONDS)


@dataclass
class Payer:
    """One player in one paid event: starts, writes until the target is reached, and starts again."""

    market: Market
    name: str
    event: str
    attempt: str | None = None
    kills: int = 0

    async def run(self) -> None:
        await self.market.connected(self._play, player_id=self.name)

    async def _play(self, client: Client) -> None:
        while not self.market.stopping:
            try:
                await (self._start(client) if self.attempt is None else self._write(client, self.attempt))
            except Refused as refused:
                self._refused(refused)
            await anyio.sleep(PAUSE_SECONDS)

    async def _start(self, client: Client) -> None:
        self.market.bells.ring("start")
        attempt = (await client.call("events.start", eventKey=self.event))["attempt"]
        self.attempt, self.kills = attempt["attemptId"], attempt["lastSeq"]
        self.market.receipts.attempts[attempt["attemptId"]] = self.name, self.event

    async def _write(self, client: Client, attempt: str) -> None:
        """One kill a write, so that the seq is the number of kills."""
        kills = self.kills + 1
        milestones = {name for name, at, _ in MILESTONES[self.event] if at == kills}
        self.market.bells.ring("milestone" if milestones else "write")
        answer = await client.call("events.progress", attemptId=attempt, metricValue=1, seq=kills)
        self.kills = kills
        fired = {one["key"] for one in answer["milestonesFired"]}
        is_right = fired == milestones or fired == milestones - {"three"}
        self.market.expect(is_right, f"{attempt} fired {fired} at {kills}")
        for one in answer["milestonesFired"]:
            for grant in one["grants"]:
                self.market.receipts.milestones[grant["id"]] = attempt, one["key"]
        if kills == TARGETS[self.event]:
            self.attempt = None

    def _refused(self, refused: Refused) -> None:
        if refused.code == "insufficient_entry_cost":
            self.market.expect(refused.details["have"] < refused.details["needed"], f"{self.name}: {refused.details}")
            self.market.poor[self.name] = self.market.poor.get(self.name, 0)
        elif refused.is_attempt_finished:
            self.attempt = None
        elif refused.code not in ("overloaded", "no_active_window"):
            self.market.problems.append(f"{self.name}: {refused.code} {refused}")


async def cash_in(market: Market, name: str) -> None:
    """Claim whatever there is, and open the crates."""

    async def work(client: Client) -> None:
        while not market.stopping:
            with suppress(Refused):
                for grant in (await client.grants(status="pending", limit=20))["grants"]:
                    market.receipts.asked.add(("take", grant["id"]))
                    market.bells.ring("claim")
                    if grant["kind"] == "crate":
                        await client.open_crate(grant["id"])
                    else:
                        await client.claim(grant["id"])
                    market.receipts.claimed.add(grant["id"])
            await anyio.sleep(10 * PAUSE_SECONDS)

    await market.connected(work, player_id=name)


async def top_up(market: Market) -> None:
    """The backend sells to whoever is poor; each sale once, under a key of its own."""

    async def work(backend: Client) -> None:
        while not market.stopping:
            for name, sales in list(market.poor.items()):
                about = {"playerId": name, "reason": "sale", "idempotencyKey": f"cash-{sales}"}
                market.receipts.asked.add((name, f"cash-{sales}"))
                await backend.call("wallet.credit", key="cash", amount=TOP_UP, **about)
                market.receipts.adjusted[name, f"cash-{sales}"] = "cash", TOP_UP
                about["idempotencyKey"] = f"bullet-{sales}"
                market.receipts.asked.add((name, f"bullet-{sales}"))
                await backend.call("inventory.grant", key="bullet", quantity=BULLETS, **about)
                market.receipts.adjusted[name, f"bullet-{sales}"] = "bullet", BULLETS
                market.poor[name] = sales + 1
            await anyio.sleep(10 * PAUSE_SECONDS)

    await market.connected(work, role="server")


async def play_cups(market: Market, chance: random.Random) -> None:
    """A crowd plays one cup after the other; when all have written the operator ends it, and now and then another
    window: that of the hunt, which is paid for, or that of the arena, which is given back."""

    async def work(operator: Client) -> None:
        while not market.stopping:
            with suppress(Refused):
                await crowd_in(market, operator, chance)
                market.bells.ring("close")
                await end(market, operator, "cup", cancel=False)
                await end(market, operator, "arena", cancel=True)
                await end(market, operator, "hunt", cancel=False)

    await market.connected(work, role="operator")


async def crowd_in(market: Market, operator: Client, chance: random.Random) -> None:
    scores = list(range(1, CROWD + 1))
    chance.shuffle(scores)

    lost: list[ConnectionLost | Refused] = []

    async def one(name: str) -> None:
        try:
            await play(name)
        except (ConnectionLost, Refused) as error:
            lost.append(error)

    async def play(name: str) -> None:
        started = (await operator.call("events.start", playerId=name, eventKey="cup"))["attempt"]
        about = {"attemptId": started["attemptId"], "playerId": name}
        points = scores[int(name.rpartition("-")[2])]
        if started["lastSeq"] == 0 and started["status"] == "in_progress":
            await operator.call("events.progress", metricValue=points, seq=1, **about)
            market.receipts.points[started["attemptId"]] = points

    await for_all((f"fan-{n}" for n in range(CROWD)), one)
    if lost:
        raise lost[0]


async def end(market: Market, operator: Client, event: str, *, cancel: bool) -> None:
    """End the window of an event that is open, which opens the next one."""
    windows = (await operator.call("windows.list", eventKey=event))["windows"]
    for window in [one["windowId"] for one in windows if one["state"] == "open"][:1]:
        if cancel:
            market.receipts.asked.add(("cancel", window))
            await operator.call("windows.cancel", windowId=window)
            market.receipts.cancelled.add(window)
        else:
            if event == "cup":
                market.receipts.cups.add(window)
            await operator.call("events.finalize", eventKey=event, windowId=window)
