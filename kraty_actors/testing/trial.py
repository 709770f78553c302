"""One drawn world from beginning to end: played under faults, audited, restarted in peace, and audited again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import anyio

from kraty_actors.opening import unwrapped
from kraty_actors.testing.auditor import Auditor, BrokenRule
from kraty_actors.testing.auditor.findings import expect
from kraty_actors.testing.auditor.rewards import Due
from kraty_actors.testing.crowd import GHOSTS_GONE_SECONDS, SimulatedOperator, SimulatedPlayer, span_of
from kraty_actors.testing.faults import Faults
from kraty_actors.testing.proofs import prove
from kraty_actors.testing.seeded import run_seeded
from kraty_actors.testing.universe import JOURNAL_KEY, Universe
from kraty_actors.testing.worlds import World, draw_world

SETTLED_WITHIN_SECONDS = 300
"""All windows are finalized so long after the last has ended and faults are over."""

HANGS_AFTER_SECONDS = 4 * 3600
"""No world takes so long, by its own clock."""

PAGE = 200


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a seed.

    Attributes:
        digest: Of all that happened: the same for the same seed.
        virtual_seconds, seconds: How long it took by the universe's clock, and by the machine's.
        answers, ranks, windows: So many were judged.
    """

    seed: int
    digest: str
    virtual_seconds: float
    seconds: float
    answers: int
    ranks: int
    windows: int
    in_doubt: int
    crashes: int
    restarts: int
    outages: int


def run_trial(seed: int, faults: Faults | None = None, *, events: list[str] | None = None) -> Trial:
    """Play the world of a seed; what happens is added to `events`.

    Raises:
        BrokenRule: The server did what no rule allows.
    """
    world = draw_world(Random(f"{seed}:world"))
    universe = Universe(world.game, seed, faults or Faults(), events=events)
    auditor = Auditor(world.game, world.occurrences)
    begun = time.perf_counter()
    with unwrapped():
        began_at, ended_at = run_seeded(partial(_play_to_the_end, world, universe, auditor), seed, [universe])
    anyio.run(prove, universe.disk, JOURNAL_KEY, backend="trio")
    return Trial(
        seed, universe.digest, (ended_at - began_at) / 1000, time.perf_counter() - begun,
        auditor.answers, auditor.ranks, auditor.windows, auditor.in_doubt,
        universe.crashes, universe.restarts, universe.outages,
    )  # fmt: skip


async def _play_to_the_end(world: World, universe: Universe, auditor: Auditor) -> tuple[int, int]:
    with anyio.move_on_after(HANGS_AFTER_SECONDS):
        return await _play(world, universe, auditor)
    raise BrokenRule(f"R-58: after {HANGS_AFTER_SECONDS} seconds somebody waits for an answer yet")


async def _play(world: World, universe: Universe, auditor: Auditor) -> tuple[int, int]:
    began_at = universe.now_ms()
    operator = SimulatedOperator(world, universe, auditor)
    players = [SimulatedPlayer(name, world, universe, auditor) for name in world.players]
    async with universe.running():
        await operator.endow()
        async with anyio.create_task_group() as tasks:
            for player in players:
                tasks.start_soon(player.live)
            tasks.start_soon(operator.live)
        await universe.calm()
        await anyio.sleep(GHOSTS_GONE_SECONDS)
        await _all_finalized(world, universe, operator)
        closing = Closing(world, universe, auditor, operator, players)
        first = await closing.close()
        await universe.restart()
        second = await closing.close()
        expect(first == second, "R-56: a restart changed what is shown", first=first, second=second)
    return began_at, universe.now_ms()


async def _all_finalized(world: World, universe: Universe, operator: SimulatedOperator) -> None:
    until = universe.now_ms() + SETTLED_WITHIN_SECONDS * 1000
    for event, windows in world.occurrences.items():
        while True:
            listed = await operator.caller.ask("windows.list", eventKey=event)
            states = [one["state"] for one in (listed.ok or {})["windows"]]
            if states.count("finalized") >= len(windows) and not {"open", "closing"} & set(states):
                break
            expect(universe.now_ms() < until, "R-27: a window is not finalized", event=event, states=states)
            await anyio.sleep(5)


class Closing:
    """Reads everything at rest, and lets the auditor close the books on it."""

    def __init__(
        self,
        world: World,
        universe: Universe,
        auditor: Auditor,
        operator: SimulatedOperator,
        players: list[SimulatedPlayer],
    ) -> None:
        self._world = world
        self._universe = universe
        self._auditor = auditor
        self._operator = operator
        self._players = players
        self._participants: dict[str, str] = {}

    async def close(self) -> list[Mapping[str, Any]]:
        """All that is shown, judged."""
        shown: list[Mapping[str, Any]] = []
        for player in self._players:
            answer = await self._operator.caller.ask("players.get", playerId=player.name)
            self._participants[player.name] = (answer.ok or {})["player"]["participantId"]
            known = (await self._operator.caller.ask("players.lookup", playerId=player.name)).ok or {}
            for attempt in reversed(known["attempts"]):
                self._auditor.found(attempt["eventKey"], player.name, attempt)
        for key, books in self._auditor.events.items():
            for run in books.runs:
                answer = await self._operator.caller.ask("attempts.get", playerId=run.player, attemptId=run.attempt_id)
                expect(answer.ok is not None, "R-56: an attempt is gone", attempt=run.attempt_id)
                run.saw((answer.ok or {})["attempt"], span_of(answer))
                run.settled()
            self._auditor.check_placement(key)
        ranks = {key: await self._boards(key, shown) for key in self._auditor.events}
        season = await self._board(boardKey="season")
        self._auditor.check_shared(season, "season", self._participants)
        shown.append(season)
        due = self._auditor.due(ranks)
        return shown + [await self._money(player, due.get(player.name, Counter())) for player in self._players]

    async def _boards(self, key: str, shown: list[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, int]]]:
        found: list[tuple[str, Mapping[str, int]]] = []
        owners = {participant: player for player, participant in self._participants.items()}
        runs = self._auditor.events[key].runs
        for window_id, board_id in dict.fromkeys((run.window_id, run.board_id) for run in runs):
            if board_id is None:
                continue
            board = await self._board(leaderboardId=board_id)
            expect(board["finalized"], "R-27: a board is not final", board=board_id)
            self._auditor.check_board(board, key, self._participants)
            shown.append(board)
            humans = [one for one in board["entries"] if one["kind"] == "player"]
            found.append((window_id, {owners[one["participantId"]]: one["rank"] for one in humans}))
        return found

    async def _board(self, **which: Any) -> Mapping[str, Any]:
        answer = await self._operator.caller.ask("boards.read", limit=PAGE, **which)
        expect(answer.ok is not None, "R-33: a board cannot be read", which=which, answer=answer)
        return {name: value for name, value in (answer.ok or {}).items() if name != "version"}

    async def _money(self, player: SimulatedPlayer, due: Counter[Due]) -> Mapping[str, Any]:
        ask = self._operator.caller.ask
        grants: list[Mapping[str, Any]] = []
        after = None
        while True:
            page = (await ask("grants.list", playerId=player.name, limit=PAGE, after=after)).ok or {}
            grants += page["grants"]
            after = page["next"]
            if after is None:
                break
        for grant in grants:
            if grant["status"] == "pending":
                await ask("grants.claim", playerId=player.name, grantId=grant["id"])
        wallet = (await ask("wallet.get", playerId=player.name)).ok or {}
        balances = {one["key"]: one["balance"] for one in wallet["balances"]}
        self._auditor.check_money(player.name, due, grants, balances)
        return {"balances": balances, "grants": sorted(grant["id"] for grant in grants)}
