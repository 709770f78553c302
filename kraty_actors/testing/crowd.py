"""Who lives in a drawn world: players that do all that players do, the odd and the wrong too, and one operator."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import anyio

from kraty_actors.testing.auditor import Auditor
from kraty_actors.testing.auditor.attempts import Write
from kraty_actors.testing.auditor.findings import Span, expect
from kraty_actors.testing.auditor.runs import Run
from kraty_actors.testing.caller import Answer, Caller
from kraty_actors.testing.universe import Universe
from kraty_actors.testing.worlds import CURRENCIES, PURSE, World

MEAN_PAUSE_SECONDS = 5.0
WRONG_TIME_CHANCE = 0.03
"""How often a player turns to an event that has no open window."""

GHOSTS_GONE_SECONDS = 25.0
"""After so long nothing that was sent without an answer is under way any more."""


def span_of(answer: Answer) -> Span:
    return Span(answer.sent, answer.came)


class SimulatedPlayer:
    """Does one thing after the other, at random, and tells the auditor of each answer."""

    def __init__(self, name: str, world: World, universe: Universe, auditor: Auditor) -> None:
        self.name = name
        self.runs: dict[str, Run] = {}
        self._world = world
        self._universe = universe
        self._auditor = auditor
        self._rng = Random(f"{universe.seed}:{name}")
        hello = {"role": "player", "playerId": name}
        self.caller = Caller(universe.dial, universe.now_ms, hello, universe.tell)
        self._asked: dict[str, list[Write]] = {}

    async def live(self) -> None:
        """Play until the last window is over."""
        while self._universe.now_ms() < self._world.ends_at + 1000:
            await anyio.sleep(self._rng.expovariate(1 / MEAN_PAUSE_SECONDS))
            event = self._rng.choice(list(self._world.occurrences))
            if not self._world.is_about(event, self._universe.now_ms()) and self._rng.random() > WRONG_TIME_CHANCE:
                continue
            run = self.runs.get(event)
            await self._start(event) if run is None else await self._go_on(event, run)
        await self.caller.hang_up()

    async def _start(self, event: str) -> None:
        answer = await self.caller.ask("events.start", eventKey=event)
        run = self._auditor.started(event, self.name, answer, span_of(answer))
        if run is not None:
            self.runs[event] = run
            if answer.lost:
                await anyio.sleep(GHOSTS_GONE_SECONDS)

    async def _go_on(self, event: str, run: Run) -> None:
        deed = self._rng.random()
        if deed < 0.72:
            await self._write(run, self._new_write(run))
        elif deed < 0.80:
            await self._repeat(run)
        elif deed < 0.84:
            await self._look(run)
        elif deed < 0.88:
            await self._start_again(event, run)
        elif deed < 0.91:
            await self._give_up_on_a_write(run)
        elif deed < 0.95:
            await self._finish(run)
        elif deed < 0.98:
            await self._claim()
        else:
            await self.caller.hang_up()
        if run.is_certainly_over and self._rng.random() < 0.5:
            self.runs.pop(event, None)

    # -- deeds

    def _new_write(self, run: Run) -> dict[str, Any]:
        keys = [metric["key"] for metric in run.rules.metrics]
        chosen = self._rng.sample(keys, self._rng.randrange(1, len(keys) + 1))
        if "losses" in chosen and self._rng.random() < 0.7:
            chosen = ["points"]
        asked = self._asked.setdefault(run.attempt_id, [])
        last = max([write.seq for write in asked], default=0)
        return {
            "attemptId": run.attempt_id,
            "metrics": {key: self._rng.randrange(0, 9) for key in chosen},
            "mode": "set" if self._rng.random() < 0.15 else "increment",
            "seq": last + self._rng.choice([1, 1, 1, 2]),
        }

    async def _write(self, run: Run, fields: Mapping[str, Any]) -> None:
        answer = await self.caller.ask("events.progress", twice=self._rng.random() < 0.05, **fields)
        write = _written(fields, span_of(answer))
        if answer.code not in ("idempotency_conflict", "event_disabled", "attempt_finished"):
            self._asked.setdefault(run.attempt_id, []).append(write)
        self._auditor.answers += 1
        run.wrote(write, answer)
        for doubt in run.doubts[:1]:
            await self._ask_about(run, doubt)

    async def _ask_about(self, run: Run, write: Write) -> None:
        """Send a write again that can have no effect any more, to learn whether it had."""
        fields: dict[str, Any] = {
            "attemptId": run.attempt_id,
            "metrics": dict(write.changes),
            "mode": write.mode,
            "seq": write.seq,
        }
        answer = await self.caller.ask("events.progress", **fields)
        self._auditor.answers += 1
        run.wrote(_written(fields, span_of(answer)), answer)

    async def _repeat(self, run: Run) -> None:
        """An old seq, with its own body or another, or one that was left out."""
        asked = self._asked.get(run.attempt_id)
        if not asked:
            return
        old = self._rng.choice(asked[-8:])
        fields: dict[str, Any] = {
            "attemptId": run.attempt_id,
            "metrics": dict(old.changes),
            "mode": old.mode,
            "seq": old.seq,
        }
        if self._rng.random() < 0.3:
            fields["metrics"] = {"points": 8 if dict(old.changes) != {"points": 8} else 7}
        elif self._rng.random() < 0.3 and old.seq > 1:
            fields["seq"] = old.seq - 1
        answer = await self.caller.ask("events.progress", **fields)
        self._auditor.answers += 1
        run.wrote(_written(fields, span_of(answer)), answer)

    async def _give_up_on_a_write(self, run: Run) -> None:
        """Send a write, hang up at once, and never ask what became of it."""
        fields = self._new_write(run)
        sent = self._universe.now_ms()
        await self.caller.send_and_leave("events.progress", **fields)
        write = _written(fields, Span(sent, sent))
        self._asked.setdefault(run.attempt_id, []).append(write)
        run.abandoned(write)

    async def _look(self, run: Run) -> None:
        answer = await self.caller.ask("attempts.get", attemptId=run.attempt_id)
        self._auditor.answers += 1
        expect(answer.ok is not None, "R-56: an attempt is gone", attempt=run.attempt_id, code=answer.code)
        if answer.ok is not None:
            run.saw(answer.ok["attempt"], span_of(answer))

    async def _start_again(self, event: str, run: Run) -> None:
        answer = await self.caller.ask("events.start", eventKey=event)
        started = self._auditor.started(event, self.name, answer, span_of(answer))
        if started is not None and started is not run:
            self.runs[event] = started
        if answer.code == "lobby_forming":
            self.runs.pop(event, None)
        if answer.lost:
            await anyio.sleep(GHOSTS_GONE_SECONDS)

    async def _finish(self, run: Run) -> None:
        answer = await self.caller.ask("events.finish", attemptId=run.attempt_id)
        self._auditor.answers += 1
        run.ended(answer, span_of(answer))

    async def _claim(self) -> None:
        listed = await self.caller.ask("grants.list", status="pending", limit=3)
        for grant in (listed.ok or {"grants": []})["grants"][:1]:
            answer = await self.caller.ask("grants.claim", grantId=grant["id"], twice=self._rng.random() < 0.3)
            self._auditor.answers += 1
            expect(
                answer.ok is not None and answer.ok["grant"]["status"] == "claimed", "R-45: not claimed", answer=answer
            )


def _written(fields: Mapping[str, Any], span: Span) -> Write:
    return Write(fields["seq"], tuple(sorted(fields["metrics"].items())), fields["mode"], span)


class SimulatedOperator:
    """Gives everybody money, and now and then pauses an event or ends a window early."""

    def __init__(self, world: World, universe: Universe, auditor: Auditor) -> None:
        self._world = world
        self._universe = universe
        self._auditor = auditor
        self._rng = Random(f"{universe.seed}:operator")
        self.caller = Caller(universe.dial_safely, universe.now_ms, {"role": "operator"}, universe.tell)

    async def endow(self) -> None:
        for player in self._world.players:
            for currency in CURRENCIES:
                gift: dict[str, Any] = {"playerId": player, "key": currency, "amount": PURSE, "reason": "gift"}
                answer = await self.caller.ask("wallet.credit", **gift, idempotencyKey=f"gift:{player}:{currency}")
                expect(answer.ok is not None, "R-40: a credit is refused", answer=answer)
                self._auditor.credited(player, currency, PURSE)

    async def live(self) -> None:
        while self._universe.now_ms() < self._world.ends_at:
            await anyio.sleep(self._rng.uniform(30, 200))
            event = self._rng.choice(list(self._world.occurrences))
            if self._rng.random() < 0.7:
                await self._pause(event)
            else:
                await self._finalize(event)
        await self.caller.hang_up()

    async def _pause(self, event: str) -> None:
        if not await self._set_paused(event, is_paused=True):
            return
        await anyio.sleep(self._rng.uniform(1, 30))
        await self._set_paused(event, is_paused=False)

    async def _set_paused(self, event: str, *, is_paused: bool) -> bool:
        self._auditor.pausing(event, self._universe.now_ms(), is_paused=is_paused)
        answer = await self.caller.ask("events.pause" if is_paused else "events.resume", eventKey=event)
        done = answer.ok is not None or answer.details.get("state") == ("paused" if is_paused else "live")
        self._auditor.paused(event, span_of(answer) if done else None, is_paused=is_paused)
        return done

    async def _finalize(self, event: str) -> None:
        listed = await self.caller.ask("windows.list", eventKey=event)
        windows = (listed.ok or {"windows": []})["windows"]
        current = next((one for one in windows if one["state"] == "open"), None)
        if current is None:
            return
        ends_at = next(
            end for start, end in self._world.occurrences[event] if start <= self._universe.now_ms() < end + 60_000
        )
        self._auditor.finalizing(event, ends_at, self._universe.now_ms())
        answer = await self.caller.ask("events.finalize", eventKey=event, windowId=current["windowId"])
        done = answer.ok is not None or answer.details.get("state") == "finalized"
        self._auditor.finalized(event, ends_at, span_of(answer) if done else None)
