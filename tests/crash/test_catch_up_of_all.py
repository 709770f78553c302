"""A server that was down at random times ends where its twin does that never was: every kind of window and board, of
bot and of payment (R-22, R-24, R-27, R-30, R-32, R-36)."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from crash_game import shared_pool
from crash_patience import until
from test_catch_up import BEGIN, HOUR, fixed, recurring, stretches

from kraty_actors import Game, Refused, open_game
from kraty_actors.testing import ManualClock
from kraty_protocol.shapes import iso

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(120)]

HOURS = 54
PLAYERS = [f"player-{n}" for n in range(6)]
REPLAYABLE = {"replayableDuringWindow": True}
POINTS = [{"key": "points"}]
PRIZES = [{"key": key, "amount": amount} for key, amount in (("first", 100), ("rest", 10))]
GAME: dict[str, Any] = {
    "gameId": "catch-up",
    "settings": {"seed": 7, "botTickSeconds": 60},
    "currencies": [{"key": "cash"}],
    "bundles": [
        {"key": one["key"], "entries": [{"type": "currency", "currencyKey": "cash", "amount": one["amount"]}]}
        for one in PRIZES
    ],
    "bots": [
        {"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 9}}},
        {
            "key": "pacer",
            "behaviour": {
                "type": "sequence",
                "steps": [
                    {"block": "wait", "params": {"seconds": 600}},
                    {"block": "progress_linear", "params": {"targetScore": 40, "durationSeconds": 15_000}},
                    {"block": "complete"},
                ],
            },
        },
    ],
    "leaderboards": [
        {"key": "daily", "scoreAggregation": "sum", "resetCadence": "daily", "timezone": "America/New_York"},
        {"key": "season", "resetCadence": "season", "seasonEndsAt": iso(BEGIN + 30 * HOUR)},
    ],
    "events": [
        {
            "key": "race",
            "metrics": POINTS,
            "attempt": REPLAYABLE,
            "availability": recurring("UTC", range(0, 24, 6), 7),
            "contributesTo": ["daily", "season"],
            "botBindings": [{"botId": "pacer", "count": 3}, {"botId": "climber", "count": 2}],
            "rewardPolicy": {
                "type": "rank_scaled",
                "parameters": {
                    "tiers": [
                        {"fromRank": 1, "toRank": 1, "rewardBundleId": "first"},
                        {"fromRank": 2, "toRank": 9, "rewardBundleId": "rest"},
                    ]
                },
            },
        },
        {
            "key": "ladder",
            "metrics": POINTS,
            "attempt": {**REPLAYABLE, "durationSeconds": 5_400},
            "availability": recurring("Europe/Berlin", range(0, 24, 8), 6),
            "leaderboard": {
                "mode": "segmented",
                "leagues": ["bronze", "silver", "gold"],
                "capacity": 3,
                "promotion": {"places": 1},
                "relegation": {"places": 1},
            },
        },
        {
            "key": "lobbies",
            "metrics": [{"key": "wins", "target": 3}],
            "attempt": REPLAYABLE,
            "availability": recurring("UTC", range(1, 24, 5), 4),
            "leaderboard": {"mode": "lobby_matched", "capacity": 4, "fillStrategy": "fill_with_bots"},
            "botBindings": [{"botId": "pacer", "count": 1}],
            "rewardPolicy": {"type": "fixed_bundle", "parameters": {"rewardBundleId": "rest"}},
        },
        {
            "key": "own",
            "metrics": POINTS,
            "attempt": REPLAYABLE,
            "availability": {"mode": "personal", "durationSeconds": 3 * 3600, "repeat": True},
            "botBindings": [{"botId": "pacer", "count": 2}],
            "milestoneRewards": [{"key": "two", "metricKey": "points", "threshold": 2, "rewardBundleId": "rest"}],
        },
        {
            "key": "once",
            "metrics": POINTS,
            "availability": fixed(3, 40),
            "leaderboard": {"mode": "grouped", "capacity": 4},
            "rewardPolicy": shared_pool({"type": "rank_at_most", "rank": 2}),
        },
        {"key": "always", "metrics": POINTS, "attempt": REPLAYABLE, "contributesTo": ["daily"]},
    ],
}
EVENTS = [event["key"] for event in GAME["events"]]


@pytest.fixture
def anyio_backend() -> str:
    return "trio"


def is_quiet(game: Game, now: int) -> bool:
    """Whether all that is due is done, and told to everybody."""
    loop = game.engine._loop
    next_at = loop._alarms.next_at
    busy = any(cell.mailbox or cell.in_flight or cell.state is None for cell in loop._cells.values())
    return not busy and not loop._ready and not loop._settled and (next_at is None or next_at > now)


async def act(game: Game, hour: int, attempts: dict[str, str]) -> None:
    """What players do at an hour is a function of the hour."""
    chance = random.Random(hour)
    for player in chance.sample(PLAYERS, 4):
        for event in EVENTS:
            points = chance.choice([1, 2, 2.5])
            try:
                attempt = await game.start(player, event)
                attempts[attempt["attemptId"]] = player
                await game.progress_attempt(player, attempt["attemptId"], points)
            except Refused as refused:
                if refused.code not in (
                    "no_active_window",
                    "lobby_forming",
                    "attempt_finished",
                    "max_attempts_reached",
                ):
                    raise


async def season(folder: Path, down: set[int], quiet: set[int]) -> dict[str, Any]:
    """The hours of a game that does not run in those `down`, in which nobody plays in those `quiet`."""
    clock, attempts = ManualClock(BEGIN), {}
    found: dict[str, Any] = {}
    for hours in stretches(down, HOURS):
        clock.move_to(BEGIN + hours[0] * HOUR)
        async with open_game(GAME, store=f"sqlite:///{folder}.db", clock=clock) as game:
            for player in PLAYERS:  # some may never have an hour to play
                await game.introduce(player)
            for hour in hours:
                clock.move_to(BEGIN + hour * HOUR)
                await until(lambda: is_quiet(game, clock.now_ms()), 20)
                if hour not in quiet:
                    await act(game, hour, attempts)
                    clock.move_to(BEGIN + hour * HOUR + 60_000)  # lobbies have begun
                    await until(lambda: is_quiet(game, clock.now_ms()), 20)
            found = await outcome(game, attempts)
    return found


async def outcome(game: Game, attempts: dict[str, str]) -> dict[str, Any]:
    """All that can be seen: standings with their bots, attempts, leagues, grants. Participants have names of chance,
    and when a grant is written is the server's own affair: its time to live begins when it can be claimed."""
    names = {(await game.server.player(player))["participantId"]: player for player in PLAYERS}

    async def standings(board: str) -> list[tuple[Any, ...]]:
        page = await game.board(board, limit=200)
        return [(names.get(row["participantId"], row["name"]), row["score"], row["rank"]) for row in page["entries"]]

    seen = {name: await game.attempt(player, name) for name, player in attempts.items()}
    periods = {key: await game.board_periods(key) for key in ("daily", "season")}
    shared = [one["leaderboardId"] for found in periods.values() for one in [found["current"], *found["periods"]]]
    boards = {name.rpartition(".")[0] for name in attempts}
    return {
        "periods": periods,
        "standings": {board: await standings(board) for board in sorted(boards | {*shared})},
        "attempts": seen,
        "windows": {event: await game.operator.windows(event) for event in EVENTS},
        "leagues": {player: [(e["eventKey"], e["league"]) for e in await game.events(player)] for player in PLAYERS},
        "grants": {
            grant["id"]: (player, grant["sourceKind"], grant["sourceRefId"], grant["contents"], grant["status"])
            for player in PLAYERS
            for grant in await game.grants(player, limit=200)
        },
    }


async def test_r24_a_server_that_was_down_at_random_is_where_its_twin_is(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    down: set[int] = set()
    for _ in range(chance.randint(1, 4)):
        begins = chance.randrange(1, HOURS - 1)
        down |= set(range(begins, min(begins + chance.randint(1, 16), HOURS - 1)))
    steady = await season(tmp_path / "steady", set(), down)
    interrupted = await season(tmp_path / "interrupted", down, down)
    for what, found in steady.items():
        assert interrupted[what] == found, f"{what} after {sorted(down)}"
    kinds = {kind for _, kind, *_ in steady["grants"].values()}
    assert kinds == {"event_window", "event_completion", "event_milestone"}
    assert len(steady["periods"]["daily"]["periods"]) >= 2
