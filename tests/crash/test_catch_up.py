"""What should have happened while the server was down happens on start, in order and at its own times (R-24, R-27)."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from crash_game import lobby_event, shared_pool
from crash_patience import until

from kraty_actors import Game, Refused, open_game
from kraty_actors.actors.playback import Playback
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.ids import CALENDAR
from kraty_actors.domain.window_messages import OpenWindow
from kraty_actors.testing import ManualClock
from kraty_persistence import StoredRecord
from kraty_persistence.sql import open_sql_store
from kraty_protocol.shapes import iso, parse_iso

pytestmark = pytest.mark.anyio

BEGIN = parse_iso("2026-03-07T18:01:00Z")
"""A day before the clocks of New York go forward: two of its daily windows overlap by an hour."""
HOUR = 3_600_000
HOURS = 60
PLAYERS = ["ada", "bob", "cy"]


def fixed(first: int, last: int) -> dict[str, Any]:
    return {"mode": "fixed", "startsAt": iso(BEGIN + first * HOUR), "endsAt": iso(BEGIN + last * HOUR)}


def recurring(timezone: str, hours: Iterable[int], duration_hours: int) -> dict[str, Any]:
    windows = [{"startTime": f"{hour:02}:00", "durationSeconds": duration_hours * 3600} for hour in hours]
    return {"mode": "recurring_windows", "timezone": timezone, "windows": windows, "endsAt": iso(BEGIN + 50 * HOUR)}


REPLAYABLE = {"replayableDuringWindow": True}
TWO_BEST = shared_pool({"type": "rank_at_most", "rank": 2})
ATTACK: dict[str, Any] = {"metrics": [{"key": "points"}], "attempt": REPLAYABLE, "rewardPolicy": TWO_BEST}
GAME = {
    "gameId": "catch-up",
    "settings": {"seed": 6},
    "currencies": [{"key": "cash"}],
    "bots": [{"key": "climber", "behaviour": {"type": "single", "block": "random_step_with_fall"}}],
    "events": [
        lobby_event("daily", 1, availability=recurring("America/New_York", [20], 24), attempt=REPLAYABLE),
        {"key": "often", "availability": recurring("UTC", range(0, 24, 4), 5), **ATTACK},
        {"key": "early", "availability": fixed(1, 9), **ATTACK},
        {"key": "late", "availability": fixed(20, 28), **ATTACK, "attempt": {**REPLAYABLE, "durationSeconds": 7200}},
    ],
}
EVENTS = [event["key"] for event in GAME["events"]]


async def act(game: Game, hour: int, known: dict[str, str]) -> None:
    """What players do at an hour is a function of the hour."""
    chance = random.Random(hour)
    for player in PLAYERS:
        for event in EVENTS:
            points: float = chance.choice([1, 2, 2.5])
            try:
                attempt = await game.start(player, event)
                known[attempt["attemptId"]] = player
                await game.progress_attempt(player, attempt["attemptId"], points)
            except Refused as refused:
                if not refused.is_no_active_window:
                    raise


def is_behind(game: Game, now: int) -> bool:
    """Whether something that is due has not been done yet."""
    catalogue = game.engine.catalogue
    if any(window.state_at(now) == "closing" for window in catalogue.windows.values()):
        return True
    started = (one for event in catalogue.events.values() for one in event.upcoming(BEGIN) if one.starts_at <= now)
    return any(one.window_id not in catalogue.windows for one in started)


async def season(folder: Path, down: set[int], quiet: set[int]) -> dict[str, Any]:
    """Sixty hours of a game that does not run in the hours `down`, in which nobody plays in the hours `quiet`."""
    clock, known = ManualClock(BEGIN), {}
    url = f"sqlite:///{folder}/game.db"
    for hours in stretches(down):
        clock.move_to(BEGIN + hours[0] * HOUR)
        async with open_game(GAME, store=url, clock=clock) as game:
            for hour in hours:
                clock.move_to(BEGIN + hour * HOUR)
                await until(lambda: not is_behind(game, clock.now_ms()))
                if hour not in quiet:
                    await act(game, hour, known)
            found = await outcome(game, known)
    return found


def stretches(down: set[int], until_hour: int = HOURS) -> list[list[int]]:
    """The hours in which the server runs, cut where it does not."""
    found: list[list[int]] = [[]]
    for hour in range(until_hour + 1):
        if hour not in down:
            found[-1].append(hour)
        elif found[-1]:
            found.append([])
    return [hours for hours in found if hours]


async def outcome(game: Game, known: dict[str, str]) -> dict[str, Any]:
    """Windows, attempts and grants; only when a grant was written is the server's own affair."""
    windows = {event: await game.operator.windows(event) for event in EVENTS}
    grants = [(player, grant) for player in PLAYERS for grant in await game.grants(player, limit=200)]
    return {
        "windows": windows,
        "reports": {w["windowId"]: await game.report(w["windowId"]) for event in EVENTS for w in windows[event]},
        "attempts": {name: await game.attempt(player, name) for name, player in known.items()},
        "grants": {grant["id"]: (player, grant["sourceRefId"], grant["contents"]) for player, grant in grants},
    }


async def openings(folder: Path) -> list[tuple[str, int]]:
    """Which windows the calendar opened, in what order."""
    async with open_sql_store(f"sqlite:///{folder}/game.db", owner=False) as store:
        playback = Playback(CALENDAR, Calendar(Library()))
        records = [StoredRecord(*one) for one in enumerate(await store.history(CALENDAR), 1)]
        outcomes = [outcome for record in records for _, outcome in playback.play(record)]
    commands = [message.command for outcome in outcomes for message in outcome.messages]
    return [(one.event_key, one.starts_at) for one in commands if isinstance(one, OpenWindow)]


@pytest.mark.parametrize(
    "down",
    [range(5, 33), range(1, HOURS), [*range(2, 14), *range(19, 30), *range(40, 41)]],
    ids=["a day and more", "nearly always", "three times"],
)
async def test_a_server_that_was_down_is_where_its_twin_is(down: Iterable[int], tmp_path: Path) -> None:
    hours_down = set(down)
    twins = [tmp_path / name for name in ("steady", "interrupted")]
    for folder in twins:
        folder.mkdir()
    steady = await season(twins[0], set(), hours_down)
    interrupted = await season(twins[1], hours_down, hours_down)
    assert interrupted == steady
    assert steady["grants"]
    assert await openings(twins[1]) == await openings(twins[0])
