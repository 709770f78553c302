"""Kill -9 while lobbies form, by themselves and by a matchmaker: nobody lost, nobody in two places (R-31, R-56)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest
from crash_players import World
from crash_seats import Map, answered, close, kill_after, open_window, rows_of, serving
from crash_toll import Toll
from places import Place

from kraty_actors.client import Client, Refused
from kraty_protocol.shapes import Attempt

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(120)]

PLAYERS = [f"player-{number}" for number in range(30)]
TEAMS = {f"match-{number}": [f"member-{number}-{seat}" for seat in range(3)] for number in range(12)}
KILLS = 2
ARRIVING_SECONDS = 1.5
LOOK_AGAIN_SECONDS = 0.1

REPLAYABLE = {"replayableDuringWindow": True}
LOBBIES = {"mode": "lobby_matched", "capacity": 4}
GAME: Map = {
    "gameId": "crash",
    "events": [
        {
            "key": "quick",
            "metrics": [{"key": "points"}],
            "attempt": REPLAYABLE,
            "leaderboard": {**LOBBIES, "fillTimeoutSeconds": 1},
        },
        {
            "key": "arranged",
            "metrics": [{"key": "points"}],
            "attempt": REPLAYABLE,
            "leaderboard": {**LOBBIES, "matchmaking": "external"},
        },
    ],
}


@pytest.fixture
def anyio_backend() -> str:
    return "trio"


class Round:
    """One window of each event, and what its players were told for certain."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self.participants: dict[str, str] = {}
        self.boards: dict[str, str] = {}
        self.scores: Counter[str] = Counter()
        self.lobbies: dict[str, str] = {}

    async def all_play(self) -> None:
        """Until everybody has found a lobby and has scored in it."""
        async with anyio.create_task_group() as tasks:
            for name in PLAYERS:
                tasks.start_soon(self._arrive, name, lambda name=name: self._play(name, "quick"))
            for key, members in TEAMS.items():
                tasks.start_soon(self._arrive, key, lambda key=key, members=members: self._match(key, members))

    async def _arrive(self, name: str, then: Callable[[], Awaitable[None]]) -> None:
        await anyio.sleep(self._chance.uniform(0, ARRIVING_SECONDS))
        await then()

    async def _match(self, key: str, members: list[str]) -> None:
        """R-31: a push is the same lobby however often it is sent, and its members play there."""

        async def push(server: Client) -> None:
            for _ in range(2):
                lobby = await server.server.push_lobby("arranged", key, members)
                assert self.lobbies.setdefault(key, lobby["id"]) == lobby["id"], f"{key} has two lobbies"

        await answered(self._world, push, role="server")
        async with anyio.create_task_group() as tasks:
            for name in members:
                tasks.start_soon(self._play, name, "arranged")
        assert {self.boards[name] for name in members} == {self.lobbies[key]}

    async def _play(self, name: str, event: str) -> None:
        points = self._chance.randint(1, 9)

        async def play(client: Client) -> None:
            attempt = await _seated(client, event)
            board = str(attempt["leaderboardId"])
            assert self.boards.setdefault(name, board) == board, f"{name} sits in two lobbies"
            self.participants[name] = str(client.participant_id)
            answer = await client.progress(attempt["attemptId"], points, seq=1)
            assert answer["score"] == points, f"{name}: a write was lost or doubled"

        await answered(self._world, play, player_id=name)
        self.scores[name] = points

    async def audit(self, event: str, window: str, names: list[str]) -> None:
        """Everybody has one row in the whole window, where they were told, with what was acknowledged."""
        rows = await answered(self._world, lambda operator: rows_of(operator, window, 2 * len(names)))
        found = {(row["participantId"], board, row["score"]) for board, found in rows.items() for row in found}
        expected = {(self.participants[name], self.boards[name], self.scores[name]) for name in names}
        assert found == expected, event
        assert sum(len(found) for found in rows.values()) == len(names), event
        assert max(len(found) for found in rows.values()) <= LOBBIES["capacity"], event


async def _seated(client: Client, event: str) -> Attempt:
    """Ask until the lobby has begun; a player whom a crash has cut off takes the seat up by asking again."""
    while True:
        try:
            return await client.start(event)
        except Refused as refused:
            if not refused.is_lobby_forming:
                raise
            await anyio.sleep(LOOK_AGAIN_SECONDS)


async def test_r31_everybody_finds_one_lobby_however_often_the_server_dies(
    seed: int, place: Place, tmp_path: Path, tell: Callable[[Toll], None]
) -> None:
    chance = random.Random(seed)
    events = {"quick": PLAYERS, "arranged": [name for members in TEAMS.values() for name in members]}
    async with serving(tmp_path, place, GAME) as (server, world):
        windows = await answered(world, open_windows)
        played = Round(world, chance)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(played.all_play)
            for _ in range(KILLS):
                await kill_after(server, chance.uniform(0.1, 2 * ARRIVING_SECONDS / KILLS))
        for event, names in events.items():
            await close(world, event, windows[event])
            await played.audit(event, windows[event], names)
    seats = len(played.boards)
    tell(Toll(KILLS, seats, seats, 0, 0))


async def open_windows(operator: Client) -> dict[str, str]:
    return {event: await open_window(operator, event) for event in ("quick", "arranged")}
