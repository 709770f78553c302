"""Kill -9 while leagues move: everybody sits on one board, and moves once and where the standings say (R-30, R-56)."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import pytest
from crash_players import World
from crash_seats import Map, answered, close, for_all, kill_after, open_window, rows_of, serving
from crash_toll import Toll
from places import Place
from server_process import ServerProcess

from kraty_actors.client import Client

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(120)]

PLAYERS = [f"player-{number}" for number in range(306)]
LEAGUES = ["bronze", "silver", "gold"]
SEATS, PLACES = 3, 1
"""So many divisions that they cannot all be told in one step that their window closes."""
WINDOWS = 2
LATEST_SECONDS = 0.1
"""About as long as a window of this size takes to close and to be settled."""

LADDER: Map = {
    "key": "ladder",
    "metrics": [{"key": "points"}],
    "leaderboard": {
        "mode": "segmented",
        "leagues": LEAGUES,
        "capacity": SEATS,
        "promotion": {"places": PLACES},
        "relegation": {"places": PLACES},
    },
}
GAME: Map = {"gameId": "crash", "events": [LADDER]}


@pytest.fixture
def anyio_backend() -> str:
    return "trio"


async def play_window(operator: Client, scores: dict[str, int], leagues: dict[str, str]) -> dict[str, list[str]]:
    """Everybody enters the league that is theirs, and scores; the divisions, each from first to last."""
    boards: dict[str, list[str]] = defaultdict(list)

    async def play(name: str) -> None:
        player = operator.for_player(name)
        attempt = await player.start("ladder")
        await player.progress(attempt["attemptId"], scores[name], seq=1)
        boards[str(attempt["leaderboardId"])].append(name)
        [listed] = await player.list_events()
        assert listed["league"] == leagues[name], f"{name} plays in {listed['league']}"

    await for_all(PLAYERS, play)
    return {board: sorted(names, key=lambda name: -scores[name]) for board, names in boards.items()}


def moved(divisions: dict[str, list[str]], leagues: dict[str, str]) -> dict[str, str]:
    """R-30, worked out on its own: where everybody plays next."""
    then = dict(leagues)
    for names in divisions.values():
        for name in names[-PLACES:]:
            then[name] = LEAGUES[max(LEAGUES.index(leagues[name]) - 1, 0)]
        for name in names[:PLACES]:
            then[name] = LEAGUES[min(LEAGUES.index(leagues[name]) + 1, len(LEAGUES) - 1)]
    return then


async def close_under_fire(server: ServerProcess, world: World, window: str, chance: random.Random) -> None:
    """The server dies while the window closes, and once more while it picks up where it was."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(close, world, "ladder", window)
        await anyio.sleep(chance.uniform(0, LATEST_SECONDS))
        await server.kill()
        await server.spawn()
        await server.touched_database()
        await kill_after(server, chance.uniform(0, LATEST_SECONDS))


async def audit(world: World, window: str, divisions: dict[str, list[int]]) -> None:
    """Nobody is lost, nobody sits twice, and every division stands as it was acknowledged."""
    rows = await answered(world, lambda operator: rows_of(operator, window, len(divisions) + 1))
    assert {board: [row["score"] for row in found] for board, found in rows.items()} == divisions
    seated = [row["participantId"] for found in rows.values() for row in found]
    assert len(seated) == len({*seated}) == len(PLAYERS)


async def test_r30_everybody_moves_once_however_often_the_server_dies(
    seed: int, place: Place, tmp_path: Path, tell: Callable[[Toll], None]
) -> None:
    chance, leagues = random.Random(seed), dict.fromkeys(PLAYERS, LEAGUES[0])
    async with serving(tmp_path, place, GAME) as (server, world):
        for _ in range(WINDOWS):
            window = await answered(world, lambda operator: open_window(operator, "ladder"))
            scores = dict(zip(PLAYERS, chance.sample(range(10_000), len(PLAYERS)), strict=True))
            divisions = await answered(world, partial(play_window, scores=scores, leagues=leagues))
            await close_under_fire(server, world, window, chance)
            await audit(world, window, {b: [scores[name] for name in names] for b, names in divisions.items()})
            leagues = moved(divisions, leagues)
        assert {*leagues.values()} == {*LEAGUES}
        await answered(world, partial(play_window, scores=dict.fromkeys(PLAYERS, 0), leagues=leagues))
    seats = WINDOWS * len(PLAYERS)
    tell(Toll(2 * WINDOWS, seats, seats, 0, 0))
