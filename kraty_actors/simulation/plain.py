"""A simulation as JSON: what `kraty-actors simulate --json` prints and `events.simulate` answers."""

from __future__ import annotations

from typing import Any

from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain.numbers import whole
from kraty_actors.simulation.figures import QUANTILES, Payout, Simulation, Spread
from kraty_actors.simulation.tally import FinalBoard

BOARDS_SHOWN = 5
"""Boards whose final standings are shown, of the first run."""

ROWS_SHOWN = 50
"""Rows of each."""

Plain = dict[str, Any]


def plain_simulation(made: Simulation) -> Plain:
    """See the module; it is the same on every machine for the same scenario."""
    scenario = made.scenario
    population = scenario.population
    lobbies, bots, pool = made.lobbies, made.bots, made.pool
    return {
        "eventKey": scenario.event.key,
        "players": population.players,
        "behaviour": population.behaviour,
        "afford": whole(population.afford),
        "runs": scenario.runs,
        "seed": scenario.seed,
        "startsAt": iso_instant(scenario.span.starts_at),
        "endsAt": iso_instant(scenario.ends_at),
        "assumptions": scenario.assumptions,
        "fingerprint": made.fingerprint,
        "participants": spread(made.over_runs(lambda run: run.participants)),
        "attempts": spread(made.over_runs(lambda run: run.attempts)),
        "writes": spread(made.over_runs(lambda run: run.writes)),
        "flagged": spread(made.over_runs(lambda run: run.flagged)),
        "completed": spread(made.share(lambda run: run.completers)),
        "rewarded": spread(made.share(lambda run: run.rewarded)),
        "winners": spread(made.over_runs(lambda run: run.winners)),
        "payouts": [_payout(payout) for payout in made.payouts],
        "pool": None
        if pool is None
        else {
            "currencyKey": pool[0],
            "pool": pool[1],
            "remainder": spread(made.over_runs(lambda run: run.remainder)),
        },
        "completions": [{"seconds": moment.seconds, **_band(moment.completed)} for moment in made.moments],
        "lobbies": None
        if lobbies is None
        else {
            "started": spread(lobbies.started),
            "neverStarted": spread(lobbies.never_started),
            "full": spread(lobbies.full),
            "fillSeconds": _maybe(lobbies.fill_seconds),
            "humans": _maybe(lobbies.humans),
            "waitSeconds": _maybe(lobbies.wait_seconds),
        },
        "bots": None
        if bots is None
        else {
            "humanWinRate": spread(bots.human_wins),
            "rankWith": spread(bots.rank_with),
            "rankWithout": spread(bots.rank_without),
            "placesLost": spread(bots.places_lost),
        },
        "refusals": [{"code": code, "mean": mean} for code, mean in made.refusals],
        "standings": [_board(board) for board in made.runs[0].boards[:BOARDS_SHOWN]],
    }


def spread(figure: Spread) -> Plain:
    """Mean, quantiles and ends."""
    middle = {f"p{percent}": figure.at(percent) for percent in QUANTILES}
    return {"mean": figure.mean, "min": figure.values[0], **middle, "max": figure.values[-1]}


def _maybe(figure: Spread | None) -> Plain | None:
    return None if figure is None else spread(figure)


def _band(figure: Spread) -> Plain:
    return {"mean": figure.mean, "p5": figure.at(5), "p95": figure.at(95)}


def _payout(payout: Payout) -> Plain:
    return {
        "type": payout.kind,
        "key": payout.key,
        "paid": spread(Spread(sorted(payout.paid))),
        "income": spread(Spread(sorted(payout.income))),
        "net": spread(Spread(sorted(payout.net))),
        "sources": [{"sourceKind": source, "mean": mean} for source, mean in payout.sources],
    }


def _board(board: FinalBoard) -> Plain:
    """Of the first run."""
    return {
        "league": board.league,
        "total": len(board.places),
        "entries": [
            {
                "rank": place.rank,
                "kind": "bot" if place.is_bot else "player",
                "name": place.name,
                "score": place.score,
                "rankAmongHumans": place.rank_among_humans,
            }
            for place in board.places[:ROWS_SHOWN]
        ],
    }
