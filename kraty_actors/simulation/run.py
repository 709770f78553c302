"""One run: a whole window of an event, from its opening until everything is paid, in virtual time (R-47)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kraty_actors.domain.numbers import Number, whole
from kraty_actors.domain.outcome import Outcome, Pay
from kraty_actors.domain.window import Window
from kraty_actors.simulation.crowd import Crowd
from kraty_actors.simulation.scenario import Scenario
from kraty_actors.simulation.stage import Stage
from kraty_actors.simulation.strategies import STRATEGIES, StrategyFault
from kraty_actors.simulation.tally import Amounts, FinalBoard, LobbyRecord, Tally, final_boards
from kraty_actors.simulation.venues import venue_of


@dataclass(slots=True, frozen=True)
class Run:
    """What came of one run.

    Attributes:
        participants: players with an attempt; `completers` are those with a completed one, `rewarded` those who were
            paid anything.
        completions: seconds since the beginning, of each completed attempt, in order.
        winners: players who were paid at the end of the window; `remainder` is what was left of pools.
        paid, by_source, income: amounts, with every crate opened; see `Tally`.
        waits: seconds for which players waited for their lobbies.
        ranks: of every player on a board, the final rank there, and the one among players alone.
        fingerprint: a digest of the final boards and of all grants.
    """

    participants: int
    attempts: int
    writes: int
    completers: int
    rewarded: int
    completions: Sequence[float]
    winners: int
    remainder: int
    paid: Amounts
    by_source: Counter[tuple[str, str, str]]
    income: Amounts
    refused: Counter[str]
    flagged: int
    lobbies: Sequence[LobbyRecord]
    waits: Sequence[Number]
    ranks: Sequence[tuple[int, int]]
    boards: Sequence[FinalBoard]
    pays: Sequence[Pay]
    fingerprint: str

    def without_details(self) -> Run:
        """The same without boards and grants, of which many runs would have too many to keep."""
        return replace(self, boards=(), pays=())


def play(scenario: Scenario, run: int = 0, *, seed: int | None = None, window_id: str | None = None) -> Run:
    """Play one run.

    Args:
        run: which one, from 0.
        seed: the seed of the window, instead of the run's own.
        window_id: the name of the window, likewise.

    Raises:
        StrategyFault: The strategy is not known, or did what no player can do.
        NeverOccurs: There is no window to play.
    """
    strategy = STRATEGIES.get(scenario.population.behaviour)
    if strategy is None:
        known = ", ".join(STRATEGIES)
        raise StrategyFault(f"no behaviour '{scenario.population.behaviour}'; known: {known}")
    chance = scenario.seed_of(run) if seed is None else seed
    name = window_id or scenario.window_id(run)
    tally = Tally(scenario.game)
    crowd: Crowd | None = None

    def hear(outcome: Outcome) -> None:
        tally.hear_effects(outcome.effects)
        for notice in outcome.notices:
            tally.hear_notice(notice, stage.now)
            if crowd is not None:
                crowd.hear(notice)

    stage = Stage(scenario.library, scenario.span.starts_at, hear)
    venue = venue_of(scenario, stage, run, chance, name)
    crowd = Crowd(scenario, stage, venue, strategy, chance, name)
    crowd.arrive()
    stage.play()
    return _result(scenario, stage, crowd, tally)


def _result(scenario: Scenario, stage: Stage, crowd: Crowd, tally: Tally) -> Run:
    begins_at = scenario.span.starts_at
    reports = [_report(window) for window in stage.windows.values()]
    boards = final_boards(stage.contests.values())
    return Run(
        participants=len(tally.entered),
        attempts=tally.attempts,
        writes=crowd.writes,
        completers=len(tally.completers),
        rewarded=len(tally.rewarded),
        completions=[(at - begins_at) / 1000 for at in sorted(tally.completions)],
        winners=sum(winners for winners, _ in reports),
        remainder=sum(remainder for _, remainder in reports),
        paid=tally.paid,
        by_source=tally.by_source,
        income=tally.income,
        refused=crowd.refused,
        flagged=tally.flagged,
        lobbies=list(tally.lobbies.values()),
        waits=[whole(wait / 1000) for wait in crowd.waits],
        ranks=[(one.rank, one.rank_among_humans) for board in boards for one in board.places if one.rank_among_humans],
        boards=boards,
        pays=tally.pays,
        fingerprint=_fingerprint(boards, tally.pays),
    )


def _report(window: Window) -> tuple[int, int]:
    report = window.report()
    if report is None:
        raise RuntimeError(f"{window.id} did not come to its end")
    return report.winners, report.remainder


def _fingerprint(boards: Sequence[FinalBoard], pays: Sequence[Pay]) -> str:
    digest = hashlib.sha256()
    for board in boards:
        digest.update(board.board_id.encode())
        for place in board.places:
            digest.update(f"\0{place.rank} {place.name} {place.score!r}".encode())
    for pay in pays:
        digest.update(f"\0{pay.grant_id} {pay.player} {pay.at} {json.dumps(pay.entries, sort_keys=True)}".encode())
    return digest.hexdigest()[:32]
