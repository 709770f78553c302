"""A board being competed on, the slow and obvious way.

The twin keeps what happened and works everything out anew whenever it is asked: a row from the list of all scores
that its player ever wrote, the order from a sort of all rows, a verdict on a repeat from all writes ever applied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playing import expected_draws

from kraty_actors.domain.ids import bot_participant

REMEMBERED = 32
LIMIT = 2**53 - 1


@dataclass
class Run:
    """One attempt."""

    serial: int
    player: int
    started_at: int
    ends_at: int | None
    raw: dict[str, Any]
    applied: list[tuple[Any, Any]] = field(default_factory=list)  # (identity, body)
    answers: list[dict[str, Any]] = field(default_factory=list)
    scores: list[Any] = field(default_factory=list)
    status: str = "in_progress"
    ended_at: int | None = None

    @property
    def score(self) -> Any:
        return self.scores[-1] if self.scores else 0

    @property
    def is_completed(self) -> bool:
        return self.status == "completed"


class Twin:
    """`definition` is the event's JSON; every metric names its target, its reset and its weight."""

    def __init__(self, definition: dict[str, Any], board: str, seed: int, ends_at: int | None, bots: int) -> None:
        self.metrics = definition["metrics"]
        self.keys = [metric["key"] for metric in self.metrics]
        self.aggregation = definition["leaderboard"]["scoreAggregation"]
        self.ascending = definition["leaderboard"]["sort"] == "asc"
        self.duration = definition["attempt"]["durationSeconds"]
        self.board, self.seed, self.ends_at = board, seed, ends_at
        self.runs: list[Run] = []
        self.bots = [[0, 0] for _ in range(bots)]  # value, moment
        self.ticks = self.moment = 0
        self.timeline: dict[int, list[tuple[int, Any]]] = {}
        self.status = "open"

    # -- what happens

    def seat(self, player: int, now: int) -> Run:
        self.moment += 1
        ends = [] if self.ends_at is None else [self.ends_at]
        ends += [now + self.duration * 1000] if self.duration else []
        run = Run(len(self.runs), player, now, min(ends, default=None), dict.fromkeys(self.keys, 0))
        self.runs.append(run)
        if not self.ascending:
            self.timeline.setdefault(player, [(self.moment, 0)])
        return run

    def write(self, serial: int, player: int, changes: dict[str, Any], mode: str, identity: Any) -> Any:
        """The answer to an applied write, or a code and its details."""
        run = self.runs[serial] if 0 <= serial < len(self.runs) else None
        if run is None or run.player != player:
            return "not_found", None
        if self.status == "settled":
            return "attempt_finished", None
        repeat = self._repeat(run, identity, (mode, changes))
        if repeat is not None:
            return repeat
        if run.status != "in_progress":
            return "attempt_finished", None
        if changes.keys() - set(self.keys):
            return "invalid_metric", None
        incoming = {key: changes.get(key, run.raw[key] if mode == "set" else 0) for key in self.keys}
        if mode == "increment":
            incoming = {key: run.raw[key] + incoming[key] for key in self.keys}
        if max(incoming.values()) > LIMIT:
            return "validation_failed", None
        return self._apply(run, incoming, identity, (mode, changes))

    def finish(self, serial: int, player: int) -> Run | None:
        run = self.runs[serial] if 0 <= serial < len(self.runs) else None
        if run is None or run.player != player:
            return None
        if run.status == "in_progress":
            self.moment += 1
            self._end(run, None)
        return run

    def time_passes(self, now: int) -> list[Run]:
        """Attempts run out one by one, in the order of their ends."""
        due = [r for r in self.runs if r.status == "in_progress" and r.ends_at is not None and r.ends_at <= now]
        due.sort(key=lambda run: (run.ends_at, run.serial))
        for run in due:
            self.moment += 1
            self._end(run, run.ends_at)
        return due

    def close(self, at: int) -> list[Run]:
        ended = [run for run in self.runs if run.status == "in_progress"]
        for run in ended:
            self.moment += 1
            self._end(run, at)
        self.status = "closed"
        return ended

    # -- what comes of it

    def rows(self) -> list[tuple[int, Any]]:
        """(participant, score) in rank order: R-28 read from left to right."""
        made = [(score, False, since, player) for player in self.timeline for score, since in [self._row(player)]]
        if not self.ascending:
            made += [(value, True, since, bot_participant(seat)) for seat, (value, since) in enumerate(self.bots)]
        made.sort(key=lambda row: (row[0] if self.ascending else -row[0], *row[1:]))
        return [(row[3], row[0]) for row in made]

    def rank(self, player: int) -> int | None:
        return next((rank for rank, (who, _) in enumerate(self.rows(), 1) if who == player), None)

    def capped(self, raw: dict[str, Any]) -> dict[str, Any]:
        return {
            m["key"]: min(raw[m["key"]], m["target"]) if m.get("capAtTarget") else raw[m["key"]] for m in self.metrics
        }

    def winners(self, predicate: Any) -> list[int]:
        """`predicate(capped values, completed, rank)` over every attempt."""
        return sorted(
            {r.player for r in self.runs if predicate(self.capped(r.raw), r.is_completed, self.rank(r.player))}
        )

    # -- inside

    def _row(self, player: int) -> tuple[Any, int]:
        """The row's score, and since when it is what it is."""
        line = self.timeline[player]
        since = next(moment for at, (moment, value) in enumerate(line) if all(later == value for _, later in line[at:]))
        return line[-1][1], since

    def _stands(self, player: int) -> Any:
        """R-29, from every score that counts."""
        mine = [run for run in self.runs if run.player == player]
        if self.ascending:
            finals = [run.score for run in self.ended if run.player == player and run.is_completed]
            return {"best": min, "sum": sum, "latest": lambda scores: scores[-1]}[self.aggregation](finals)
        if self.aggregation == "sum":
            return sum(run.score for run in mine)
        seen = [score for run in mine for score in run.scores]
        return max(seen) if self.aggregation == "best" else seen[-1]

    @property
    def ended(self) -> list[Run]:
        return [self.runs[serial] for serial in self.end_order]

    @property
    def end_order(self) -> list[int]:
        return self.__dict__.setdefault("_end_order", [])

    def _apply(self, run: Run, incoming: dict[str, Any], identity: Any, body: Any) -> dict[str, Any]:
        self.moment += 1
        rose = {key for key in self.keys if incoming[key] > run.raw[key]}
        wiped = {m["key"] for m in self.metrics if m.get("resetOn") and m["resetOn"]["metricKey"] in rose}
        run.raw = {key: 0 if key in wiped else value for key, value in incoming.items()}
        capped = self.capped(run.raw)
        score = sum(capped[m["key"]] * m["scorePerUnit"] for m in self.metrics)
        run.scores.append(max(-LIMIT, min(LIMIT, score)))
        run.applied.append((identity, body))
        targets = [m for m in self.metrics if m.get("target")]
        if targets and all(capped[m["key"]] >= m["target"] for m in targets):
            run.status = "completed"
            self.end_order.append(run.serial)
        if not self.ascending:
            self.timeline[run.player].append((self.moment, self._stands(run.player)))
        elif run.is_completed:
            self.timeline.setdefault(run.player, []).append((self.moment, self._stands(run.player)))
        self._tick_bots()
        run.answers.append(self._answer(run))
        return run.answers[-1]

    def _answer(self, run: Run) -> dict[str, Any]:
        capped, rank = self.capped(run.raw), self.rank(run.player)
        return {"status": run.status, "metrics": capped, "raw": run.raw, "score": run.score, "rank": rank}

    def _end(self, run: Run, at: int | None) -> None:
        targets = any(m.get("target") for m in self.metrics)
        run.status = "completed" if run.applied and not targets else "expired"
        run.ended_at = at
        self.end_order.append(run.serial)
        if run.is_completed and self.ascending:
            self.timeline.setdefault(run.player, []).append((self.moment, self._stands(run.player)))

    def _tick_bots(self) -> None:
        self.ticks += 1
        draws = expected_draws(self.seed, self.board, self.ticks, len(self.bots))
        for seat, (value, _) in enumerate(self.bots):
            falls = draws[seat] < round(0.3 * 2**32)
            then = value if value >= 3 else 0 if falls else value + 1
            if then != value:
                self.bots[seat] = [then, self.moment]

    def _repeat(self, run: Run, identity: Any, body: Any) -> Any:
        if identity is None:
            return None
        alike = [entry for entry in run.applied if type(entry[0]) is type(identity)]
        for used, known in alike[-REMEMBERED:]:
            if used == identity:
                if known != body:
                    return "idempotency_conflict", None
                return run.answers[-1] if run.applied[-1][0] == identity else self._answer(run)
        if isinstance(identity, int) and alike and identity < alike[-1][0]:
            known_seqs = [used for used, _ in alike[-REMEMBERED:]]
            return "idempotency_conflict", False if len(alike) <= REMEMBERED or identity > known_seqs[0] else None
        return (
            ("idempotency_conflict", None)
            if any(used == identity for used, _ in alike if isinstance(used, int))
            else None
        )
