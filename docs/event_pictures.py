"""Draws the pictures of `docs/events.md` from small games that are played: `python docs/event_pictures.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import anyio

from drawing import BLUE, GREEN, INK, ORANGE, PAPER, VIOLET, WIDTH, keep, sheet, text
from kraty_actors import Game, open_game
from kraty_actors.definitions import load_game
from kraty_actors.domain.placement.lobbies import Lobbies
from kraty_actors.domain.schedule import occurrences
from kraty_actors.domain.window_messages import Admit, OpenWindow
from kraty_actors.testing import ManualClock

BOT = "#848d97"
HOUR_MS = 3_600_000


def pictures() -> dict[str, str]:
    """Every picture of the page, by its name."""
    return {"life": life(), "lobbies": lobbies(), "leagues": leagues()}


# -- the life of an event: noon to midnight from Friday to Sunday, paused over Saturday's end

SCHEDULE = {
    "mode": "recurring_windows",
    "endsAt": "2026-06-08T00:00:00Z",
    "windows": [{"startTime": "12:00", "durationSeconds": 43_200, "daysOfWeek": [5, 6, 0]}],
}
THURSDAY = 1_780_531_200_000
MONDAY_NOON = THURSDAY + 108 * HOUR_MS
PUBLISHED, PAUSED, RESUMED = (THURSDAY + hours * HOUR_MS for hours in (12, 66, 81))
STATE_COLOURS = {"draft": BOT, "scheduled": VIOLET, "live": GREEN, "paused": ORANGE, "finalized": INK}


def life() -> str:
    event = {"key": "race", "availability": SCHEDULE, "metrics": [{"key": "laps"}]}
    availability = load_game({"gameId": "drawn", "events": [event]}).game.events[0].availability
    windows = [(one.starts_at, one.ends_at or 0) for one in occurrences(availability, THURSDAY, MONDAY_NOON)]
    parts = [*_days(), *_states(windows[0][0], windows[-1][1])]
    for number, (starts_at, ends_at) in enumerate(windows, 1):
        parts += _window(number, starts_at, ends_at)
    parts += [text(8, 71, "event"), text(8, 125, "windows")]
    return sheet("an event and its windows over five days", 190, parts)


def _days() -> Iterator[str]:
    for number, day in enumerate(("Thu", "Fri", "Sat", "Sun", "Mon")):
        x = _at(THURSDAY + number * 24 * HOUR_MS)
        yield f'<path d="M{x:.1f} 30V160" stroke="{INK}" stroke-opacity=".25"/>'
        yield text(x + 4, 180, f"{day} 00:00")


def _states(opens_at: int, finalized_at: int) -> Iterator[str]:
    changes: list[tuple[int, str, str]] = [
        (THURSDAY, "draft", ""),
        (PUBLISHED, "scheduled", "publish"),
        (opens_at, "live", ""),
        (PAUSED, "paused", "pause"),
        (RESUMED, "live", "resume"),
        (finalized_at, "finalized", ""),
        (MONDAY_NOON, "", ""),
    ]
    for (since, state, command), (until, _, _) in pairwise(changes):
        yield _bar(_at(since), 52, _at(until) - _at(since), 28, STATE_COLOURS[state], state)
        if command:
            yield text((x := _at(since)), 22, command, "middle")
            yield f'<path d="M{x:.1f} 28V48m-4 -6l4 6l4 -6" fill="none" stroke="{INK}"/>'


def _window(number: int, starts_at: int, ends_at: int) -> Iterator[str]:
    """A window that ends while the event is paused is settled when that is over."""
    paid_at = RESUMED if PAUSED <= ends_at < RESUMED else ends_at
    yield _bar(_at(starts_at), 106, _at(ends_at) - _at(starts_at), 28, BLUE, f"open {number}")
    if paid_at > ends_at:
        yield _bar(_at(ends_at), 106, _at(paid_at) - _at(ends_at), 28, BOT, "closing")
    yield text(_at(paid_at) + 4, 152, "pays")


def _at(instant: int) -> float:
    return 70 + (instant - THURSDAY) / (MONDAY_NOON - THURSDAY) * (WIDTH - 86)


# -- a lobby of four seats, one of them a bot's, to which players come after 3, 12 and 40 seconds

Strategy = Literal["start_short", "fill_with_bots", "wait_full"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
CAPACITY, SECONDS, ROW = 4, 50, 24
ARRIVALS = {3: "Ann", 12: "Bob", 40: "Cid"}


@dataclass
class Story:
    """What became of Ann's lobby: who sits there since which second, and when it started."""

    seats: list[tuple[str, int]]
    started: int

    def bars(self, top: float) -> Iterator[str]:
        """A row for each seat, pale while the lobby waits."""
        for row, (name, since) in enumerate(self.seats):
            y, colour = top + row * ROW, BOT if name == "bot" else BLUE
            yield _bar(_second(since), y, _second(self.started) - _second(since), 20, colour, opacity=0.4)
            yield _bar(_second(self.started), y, _second(SECONDS) - _second(self.started), 20, colour, name)
        for row in range(len(self.seats), CAPACITY):
            yield text(_second(SECONDS) - 8, top + row * ROW + 14, "empty", "end")
        x = _second(self.started)
        yield f'<path d="M{x:.1f} {top - 4}v{CAPACITY * ROW + 4}" stroke="{INK}" stroke-width="2"/>'


def lobbies() -> str:
    lanes = 3 * (CAPACITY * ROW + 20)
    parts = [text(_second(second), lanes + 16, f"{second} s", "middle") for second in range(0, SECONDS, 10)]
    for lane, strategy in enumerate(STRATEGIES):
        top = 14 + lane * (CAPACITY * ROW + 20)
        parts += [text(8, top + 50, strategy), *_story(strategy).bars(top)]
    return sheet("a lobby that forms, under each fill strategy", lanes + 28, parts)


def _story(strategy: Strategy) -> Story:
    """What the rules make of these players."""
    board = {"mode": "lobby_matched", "capacity": CAPACITY}
    event = {"key": "duel", "metrics": [{"key": "hits"}], "leaderboard": board, "botBindings": [{"botId": "rex"}]}
    bots = [{"key": "rex", "behaviour": {"block": "idle"}}]
    definition = load_game({"gameId": "drawn", "bots": bots, "events": [event]}).game.events[0]
    placement = Lobbies(definition, OpenWindow("duel", 1, 1, "UTC", 0, None, 30, strategy))
    story = Story([], SECONDS)
    for second in range(SECONDS):
        placement.end_waits(second * 1000)
        place = placement.place(Admit(second), second * 1000).lobby if second in ARRIVALS else None
        if place is not None and place.number == 1:
            story.seats.append((ARRIVALS[second], second))
        lobby = placement.get(1)
        if lobby is not None:
            missing = lobby.bots - [name for name, _ in story.seats].count("bot")
            story.seats += [("bot", second)] * missing
            story.started = SECONDS if lobby.started_at is None else lobby.started_at // 1000
    return story


def _second(second: float) -> float:
    return 120 + second / SECONDS * (WIDTH - 136)


# -- leagues over four windows: the first of each moves up and the last moves down, past a bot that has 6 points

POINTS = {"Ann": (9, 8, 5, 9), "Bob": (7, 9, 4, 8), "Cid": (5, 7, 8, 7), "Dan": (3, 2, 4, 5)}
LADDER = {
    "gameId": "drawn",
    "bots": [
        {"key": "rex", "names": ["Rex"], "behaviour": {"block": "complete_at", "params": {"seconds": 5, "score": 6}}}
    ],
    "events": [
        {
            "key": "ladder",
            "metrics": [{"key": "points"}],
            "leaderboard": {
                "mode": "segmented",
                "leagues": ["bronze", "silver", "gold"],
                "promotion": {"places": 1},
                "relegation": {"places": 1},
            },
            "botBindings": [{"botId": "rex"}],
        }
    ],
}
COLOURS = {"Ann": BLUE, "Bob": VIOLET, "Cid": ORANGE, "Dan": GREEN, "Rex": BOT}
TOPS = {"gold": 36, "silver": 104, "bronze": 196}
FLOOR, COLUMN, PILL = 328, 156, 84
Standings = dict[str, list[tuple[str, float]]]
"""In each league who is there with how many points, by rank."""


def leagues() -> str:
    windows = anyio.run(_played, backend="trio")
    parts = [text(_column(number) + PILL / 2, 18, f"window {number + 1}", "middle") for number in range(len(windows))]
    for (league, top), below in zip(TOPS.items(), [*[*TOPS.values()][1:], FLOOR], strict=True):
        parts.append(
            f'<rect x="6" y="{top - 8}" width="{WIDTH - 12}" height="{below - top - 6}" fill="{INK}" opacity=".08"/>'
        )
        parts.append(text(18, (top + below) / 2 - 7, league))
    places = [_places(standings) for standings in windows]
    for number, (before, after) in enumerate(pairwise(places)):
        parts += [_move(name, _column(number) + PILL, before[name], after[name]) for name in POINTS]
    for number, standings in enumerate(windows):
        parts += _pills(standings, _column(number))
    return sheet("four players who move between leagues over four windows", FLOOR, parts)


async def _played() -> list[Standings]:
    """What the server makes of these players: it moves them when a window is finalized."""
    clock = ManualClock(THURSDAY)
    async with open_game(LADDER, clock=clock) as game:
        for name in POINTS:
            await game.introduce(name, name=name)
        return [await _played_window(game, clock, number) for number in range(4)]


async def _played_window(game: Game, clock: ManualClock, number: int) -> Standings:
    attempts = {name: await game.start(name, "ladder") for name in POINTS}
    clock.advance(10)
    for name, attempt in attempts.items():
        await game.progress_attempt(name, attempt["attemptId"], {"points": POINTS[name][number]})
    standings: Standings = {}
    for name, attempt in attempts.items():
        (listed,) = await game.events(name)
        board = await game.board(attempt["leaderboardId"] or "")
        standings[listed["league"] or ""] = [(row["name"] or "", row["score"]) for row in board["entries"]]
    await game.operator.finalize("ladder", attempts["Ann"]["windowId"])
    return standings


def _places(standings: Standings) -> dict[str, float]:
    """How far down each player stands in the picture."""
    return {name: TOPS[league] + at * ROW for league, rows in standings.items() for at, (name, _) in enumerate(rows)}


def _pills(standings: Standings, x: float) -> Iterator[str]:
    for league, rows in standings.items():
        for at, (name, score) in enumerate(rows):
            yield _bar(x, TOPS[league] + at * ROW, PILL, 20, COLOURS[name], f"{at + 1}. {name} {score:g}")


def _move(name: str, x: float, before: float, after: float) -> str:
    bend = (COLUMN - PILL) / 2
    path = f"M{x} {before + 10}C{x + bend} {before + 10} {x + bend} {after + 10} {x + 2 * bend} {after + 10}"
    return f'<path d="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="2.5"/>'


def _column(number: int) -> float:
    return 90 + number * COLUMN


# -- what all of them are made of


def _bar(x: float, y: float, width: float, height: float, colour: str, label: str = "", opacity: float = 1) -> str:
    bar = f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" fill="{colour}" opacity="{opacity}"/>'
    return bar + text(x + width / 2, y + height / 2 + 4, label, "middle", PAPER) if label else bar


def main() -> None:
    keep("events", pictures())


if __name__ == "__main__":
    main()
