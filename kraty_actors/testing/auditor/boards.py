"""Rows and ranks, from the scores that attempts had and the spans in which they came to them: R-28, R-29."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from kraty_actors.testing.auditor.attempts import Number
from kraty_actors.testing.auditor.findings import Span, expect
from kraty_actors.testing.auditor.runs import Run

Line = list[tuple[Number, Span]]
"""What a player's row showed, one after the other, and when it began to."""


def line_of(
    runs: Sequence[Run], aggregation: str, *, until: tuple[Run, int] | None = None, from_start: bool = True
) -> Line:
    """The row that a player's attempts make, in the order in which they were started; `until` the attempt's nth score.

    `from_start`: a started attempt stands at 0; on a shared board a row comes with the first write.
    """
    line: Line = [(0, runs[0].started)] if from_start else []
    newest: dict[str, Number] = {}
    best: Number | None = None
    for run in runs:
        for nth, (score, span) in enumerate(run.states[0].scores):
            newest[run.attempt_id] = score
            best = score if best is None else max(best, score)
            value = {"best": best, "latest": score, "sum": sum(newest.values())}[aggregation]
            if not line or value != line[-1][0]:
                line.append((value, span))
            if until is not None and (until[0] is run and until[1] == nth):
                return line
    return line


def check_ranks(runs: Sequence[Run], aggregation: str, bots: int) -> int:
    """Every rank that was answered lies between what others certainly had and what they may have had; how many. None is
    judged where somebody's scores are in doubt."""
    by_player: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_player[run.player].append(run)
    if any(run.has_doubts for run in runs):
        return 0
    lines = {player: line_of(own, aggregation) for player, own in by_player.items()}
    checked = 0
    for player, own in by_player.items():
        for run in own:
            for seen in run.ranks:
                mine = line_of(own, aggregation, until=(run, seen.nth))[-1]
                others = [_standing(line, mine, seen.span) for who, line in lines.items() if who != player]
                least = 1 + sum(least for least, _ in others)
                most = 1 + sum(most for _, most in others) + bots
                expect(
                    least <= seen.rank <= most,
                    "R-28: no order of writes gives this rank",
                    run=run.attempt_id,
                    seen=seen,
                    least=least,
                    most=most,
                    lines=lines,
                )
                checked += 1
    return checked


def _standing(line: Line, mine: tuple[Number, Span], span: Span) -> tuple[bool, bool]:
    """Whether another's row was certainly, or may have been, above mine at some instant of the span."""
    above = []
    if not line[0][1].is_before(span):
        above.append(False)
    ends: list[Span | None] = [*(begun for _, begun in line[1:]), None]
    for (value, begun), following in zip(line, ends, strict=True):
        if begun.sent > span.came or (following is not None and following.is_before(span)):
            continue
        if value == mine[0]:
            above += [True] if begun.is_before(mine[1]) else [False] if mine[1].is_before(begun) else [True, False]
        else:
            above.append(value > mine[0])
    return all(above) and bool(above), any(above)


def check_final(board: Mapping[str, Any], rows: Mapping[str, Line], bots: int, doubtful: Collection[str] = ()) -> None:
    """A board at its end: every row, no other, in order. `rows` by participant; of the `doubtful` only that they are
    there."""
    entries = board["entries"]
    humans = {one["participantId"]: one["score"] for one in entries if one["kind"] == "player"}
    expected = {who: humans.get(who) if who in doubtful else line[-1][0] for who, line in rows.items()}
    expect(humans == expected, "R-29: rows differ", board=board["leaderboardId"], shown=humans, expected=expected)
    expect(
        board["total"] == len(rows) + bots, "R-28: rows are missing", board=board["leaderboardId"], total=board["total"]
    )
    expect([one["rank"] for one in entries] == list(range(1, len(entries) + 1)), "R-28: ranks are not 1, 2, 3, ...")
    for upper, lower in pairwise(entries):
        ordered = upper["score"] > lower["score"] or (
            upper["score"] == lower["score"]
            and (upper["kind"] == "player", lower["kind"] == "player") != (False, True)
            and not (
                (upper["kind"], lower["kind"]) == ("player", "player")
                and not {upper["participantId"], lower["participantId"]} & set(doubtful)
                and rows[lower["participantId"]][-1][1].is_before(rows[upper["participantId"]][-1][1])
            )
        )
        expect(ordered, "R-28: rows are out of order", board=board["leaderboardId"], upper=upper, lower=lower)
