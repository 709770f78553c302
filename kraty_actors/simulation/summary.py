"""The figures of a simulation by name, for people, and how they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kraty_actors.domain.numbers import Number
from kraty_actors.simulation.figures import Simulation, Spread

Unit = Literal["count", "share", "seconds", "milliseconds"]


@dataclass(slots=True, frozen=True)
class Figure:
    """One figure of the summary. `of` says over what it spreads: runs, lobbies, players."""

    group: str
    name: str
    spread: Spread
    unit: Unit = "count"
    of: str = "run"


def summary(made: Simulation) -> Iterator[Figure]:
    """All figures, group by group."""
    yield Figure("players", "took part", made.over_runs(lambda run: run.participants))
    yield Figure("players", "attempts", made.over_runs(lambda run: run.attempts))
    yield Figure("players", "writes", made.over_runs(lambda run: run.writes))
    yield Figure("players", "completed", made.share(lambda run: run.completers), "share")
    yield Figure("players", "rewarded", made.share(lambda run: run.rewarded), "share")
    yield Figure("players", "paid at the end", made.over_runs(lambda run: run.winners))
    if any(run.flagged for run in made.runs):
        yield Figure("players", "writes flagged", made.over_runs(lambda run: run.flagged))
    yield from _money(made)
    yield from _lobbies(made)
    yield from _bots(made)


def _money(made: Simulation) -> Iterator[Figure]:
    for payout in made.payouts:
        yield Figure("money", f"{payout.key} paid", Spread(sorted(payout.paid)))
        if any(payout.income):
            yield Figure("money", f"{payout.key} taken", Spread(sorted(payout.income)))
            yield Figure("money", f"{payout.key} net", Spread(sorted(payout.net)))
    if made.pool is not None:
        yield Figure("money", f"{made.pool[0]} left in pools", made.over_runs(lambda run: run.remainder))


def _lobbies(made: Simulation) -> Iterator[Figure]:
    lobbies = made.lobbies
    if lobbies is None:
        return
    yield Figure("lobbies", "started", lobbies.started)
    yield Figure("lobbies", "never started", lobbies.never_started)
    yield Figure("lobbies", "started full", lobbies.full, "share")
    if lobbies.fill_seconds is not None:
        yield Figure("lobbies", "time to fill", lobbies.fill_seconds, "seconds", "lobby")
    if lobbies.humans is not None:
        yield Figure("lobbies", "players at the start", lobbies.humans, of="lobby")
    if lobbies.wait_seconds is not None:
        yield Figure("lobbies", "wait of a player", lobbies.wait_seconds, "seconds", "player")


def _bots(made: Simulation) -> Iterator[Figure]:
    bots = made.bots
    if bots is None:
        return
    yield Figure("bots", "boards won by a player", bots.human_wins, "share")
    yield Figure("bots", "rank of a player", bots.rank_with, of="player")
    yield Figure("bots", "rank without bots", bots.rank_without, of="player")
    yield Figure("bots", "places lost to bots", bots.places_lost, of="player")


def written(value: Number, unit: Unit = "count") -> str:
    """A value for people: `1,234.5`, `44.4 %`, `1 h 5 min`."""
    match unit:
        case "share":
            return f"{_short(value * 100)} %"
        case "seconds":
            return _duration(value)
    return _short(value)


def _short(value: Number) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _duration(seconds: Number) -> str:
    if seconds < 60:
        return f"{_short(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
