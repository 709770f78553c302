"""A board being competed on, the slow and obvious way.

The twin keeps what happened and works everything out anew whenever it is asked: a row from the list of all scores
that its player ever wrote, the order from a sort of all rows, a verdict on a repeat from all writes ever applied. Its
bots are stepped through every tick of the grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from bot_twin import People
from bot_twin import Twin as Bots

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
    score: Any = 0
    status: str = "in_progress"
    ended_at: int | None = None

    @property
    def is_completed(self) -> bool:
        return self.status in ("completed", "force_completed")

    @property
    def last_seq(self) -> int:
        return max([used for used, _ in self.applied if isinstance(used, int)], default=0)


@dataclass(frozen=True)
class Score:
    """One score that counts on the board: at the board's `moment` the attempt came to `value`."""

    moment: int
    run: Run
    value: Any


class Twin:
    """`definition` is the event's JSON; every metric names its target, its reset and its weight."""

    def __init__(self, definition: dict[str, Any], seed: int, ends_at: int | None, bots: list[dict[str, Any]]) -> None:
        self.metrics = definition["metrics"]
        self.keys = [metric["key"] for metric in self.metrics]
        board = definition["leaderboard"]
        self.has_board = board.get("mode") != "none"
        self.aggregation, self.ascending = board["scoreAggregation"], board["sort"] == "asc"
        self.places = [(board.get(name) or {"places": 0})["places"] for name in ("promotion", "relegation")]
        self.duration = definition["attempt"]["durationSeconds"]
        self.runs: list[Run] = []
        self.starts: list[Score] = []
        self.scores: list[Score] = []
        self.inputs = 0
        self.status, self.is_paused = "open", False
        self.people = People(ends_at=ends_at, ascending=self.ascending)
        target = max((metric.get("target") or 0 for metric in self.metrics), default=0)
        self.bots = Bots(bots if self.has_board else [], self.people, seed, target, self.ascending)

    # -- what happens

    def come_to(self, now: int) -> None:
        """Bots move on the grid, as far as time has come."""
        if self.status == "open":
            self._meet_people()
            self.bots.advance(now if self.ends_at is None else min(now, self.ends_at - 1), self.inputs)

    def seat(self, player: int, now: int) -> Run:
        self.inputs += 1
        ends = [] if self.ends_at is None else [self.ends_at]
        ends += [now + self.duration * 1000] if self.duration else []
        run = Run(len(self.runs), player, now, min(ends, default=None), dict.fromkeys(self.keys, 0))
        self.runs.append(run)
        self.starts.append(Score(self.moment, run, 0))
        return run

    def write(self, serial: int, player: int, changes: dict[str, Any], mode: str, identity: Any, now: int) -> Any:
        """The answer to an applied write, or a code and its details."""
        run = self.run_of(serial, player)
        if run is None:
            return "not_found", None
        if self.status == "settled":
            return "attempt_finished", None
        repeat = self._repeat(run, identity, (mode, changes))
        if repeat is not None:
            return repeat
        if self.is_paused:
            return "event_disabled", None
        if run.status != "in_progress":
            return "attempt_finished", None
        if changes.keys() - set(self.keys):
            return "invalid_metric", None
        incoming = {key: changes.get(key, run.raw[key] if mode == "set" else 0) for key in self.keys}
        if mode == "increment":
            incoming = {key: run.raw[key] + incoming[key] for key in self.keys}
        if max(incoming.values()) > LIMIT:
            return "validation_failed", None
        return self._apply(run, incoming, identity, (mode, changes), now)

    def finish(self, run: Run, now: int) -> None:
        if run.status == "in_progress":
            self._end(run, now)

    def force(self, run: Run, score: Any, now: int) -> None:
        if score is not None:
            self._scored(run, score)
        self._end(run, now, status="force_completed")

    def extend(self, ends_at: int) -> None:
        for run in self.runs:
            if run.status == "in_progress" and run.ends_at == self.ends_at:
                own = run.started_at + self.duration * 1000 if self.duration else ends_at
                run.ends_at = min(own, ends_at)
        self.people.ends_at = ends_at

    def time_passes(self, now: int) -> list[Run]:
        """Attempts run out one by one, in the order of their ends."""
        due = [r for r in self.runs if r.status == "in_progress" and r.ends_at is not None and r.ends_at <= now]
        due.sort(key=lambda run: (run.ends_at, run.serial))
        for run in due:
            self._end(run, run.ends_at)
        return due

    def close(self, at: int, *, is_cancelled: bool) -> list[Run]:
        ended = [run for run in self.runs if run.status == "in_progress"]
        for run in ended:
            self._end(run, at, status="expired" if is_cancelled else None)
        self.status = "closed"
        return ended

    # -- what comes of it

    def rows(self) -> list[tuple[int, Any]]:
        """(participant, score) in rank order: R-28 read from left to right."""
        if not self.has_board:
            return []
        made: list[Any] = [(value, False, since, player) for player, value, since in self._player_rows()]
        bots = [(seat, self.bots.players[seat]) for seat in self.bots.standing]
        made += [(bot.score, True, bot.moment, bot_participant(seat)) for seat, bot in bots]
        made.sort(key=lambda row: (row[0] if self.ascending else -row[0], *row[1:]))
        return [(row[3], row[0]) for row in made]

    def rank(self, player: int) -> int | None:
        return next((rank for rank, (who, _) in enumerate(self.rows(), 1) if who == player), None)

    def capped(self, raw: dict[str, Any]) -> dict[str, Any]:
        return {
            m["key"]: min(raw[m["key"]], m["target"]) if m.get("capAtTarget") else raw[m["key"]] for m in self.metrics
        }

    def winners(self, predicate: Callable[[Any, bool, int | None], bool]) -> list[int]:
        """`predicate(capped values, completed, rank)` over every attempt."""
        return sorted(
            {r.player for r in self.runs if predicate(self.capped(r.raw), r.is_completed, self.rank(r.player))}
        )

    def moves(self) -> tuple[list[int], list[int]]:
        """R-30: who goes up and who goes down; promotion wins, bots hold their places."""
        up, down = self.places
        places = [who for who, _ in self.rows()]
        going_up = [who for place, who in enumerate(places) if place < up]
        going_down = [who for place, who in enumerate(places) if place >= max(up, len(places) - down)]
        return [who for who in going_up if who > 0], [who for who in going_down if who > 0]

    @property
    def ends_at(self) -> int | None:
        return self.people.ends_at

    @property
    def moment(self) -> int:
        return self.inputs + self.bots.tick

    def run_of(self, serial: int, player: int | None = None) -> Run | None:
        run = self.runs[serial] if 0 <= serial < len(self.runs) else None
        return run if run is not None and player in (None, run.player) else None

    # -- inside

    def _player_rows(self) -> list[tuple[int, Any, int]]:
        """Every player's (number, score, since which moment the score is what it is)."""
        lines: dict[int, list[tuple[int, Any]]] = {}
        for start in [] if self.ascending else self.starts:
            lines.setdefault(start.run.player, [(start.moment, 0)])
        for at, score in enumerate(self.scores):
            value = self._stands(score.run.player, self.scores[: at + 1])
            lines.setdefault(score.run.player, []).append((score.moment, value))
        return [(player, line[-1][1], _since(line)) for player, line in lines.items()]

    def _stands(self, player: int, scores: list[Score]) -> Any:
        """R-29, from every score that counted so far; of an ascending board these are final ones."""
        own = [score for score in scores if score.run.player == player]
        if self.aggregation == "sum":
            newest = {score.run.serial: Fraction(score.value) for score in own}
            total = max(-LIMIT, min(LIMIT, sum(newest.values())))
            return int(total) if total.denominator == 1 else float(total)
        if self.aggregation == "latest":
            return own[-1].value
        return (min if self.ascending else max)(score.value for score in own)

    def _scored(self, run: Run, score: Any) -> None:
        self.inputs += 1
        run.score = max(-LIMIT, min(LIMIT, score))
        if not self.ascending:
            self.scores.append(Score(self.moment, run, run.score))

    def _apply(self, run: Run, incoming: dict[str, Any], identity: Any, body: Any, now: int) -> dict[str, Any]:
        rose = {key for key in self.keys if incoming[key] > run.raw[key]}
        wiped = {m["key"] for m in self.metrics if m.get("resetOn") and m["resetOn"]["metricKey"] in rose}
        run.raw = {key: 0 if key in wiped else value for key, value in incoming.items()}
        capped = self.capped(run.raw)
        run.applied.append((identity, body))
        self._scored(run, sum(capped[m["key"]] * m["scorePerUnit"] for m in self.metrics))
        if self._meets_targets(run):
            self._end(run, now)
        self._meet_people()
        self.bots.wrote(self.moment)
        run.answers.append(self._answer(run))
        return run.answers[-1]

    def _answer(self, run: Run) -> dict[str, Any]:
        capped, rank = self.capped(run.raw), self.rank(run.player)
        return {"status": run.status, "metrics": capped, "raw": run.raw, "score": run.score, "rank": rank}

    def _meets_targets(self, run: Run) -> bool:
        capped = self.capped(run.raw)
        targets = [m for m in self.metrics if m.get("target")]
        return bool(targets) and all(capped[m["key"]] >= m["target"] for m in targets)

    def _end(self, run: Run, at: int | None, status: str | None = None) -> None:
        self.inputs += 1
        is_attack = not any(m.get("target") for m in self.metrics)
        counts = bool(run.applied) if is_attack else self._meets_targets(run)
        run.status = status or ("completed" if counts else "expired")
        run.ended_at = at
        if self.ascending and run.is_completed:
            self.scores.append(Score(self.moment, run, run.score))

    def _meet_people(self) -> None:
        self.people.scores = [value for _, value, _ in self._player_rows()]

    def _repeat(self, run: Run, identity: Any, body: Any) -> Any:
        if identity is None:
            return None
        alike = [entry for entry in run.applied if type(entry[0]) is type(identity)]
        for used, known in alike[-REMEMBERED:]:
            if used == identity:
                if known != body:
                    return "idempotency_conflict", None
                return run.answers[-1] if run.applied[-1][0] == identity else self._answer(run)
        if isinstance(identity, int) and alike and identity <= run.last_seq:
            oldest = alike[-REMEMBERED:][0][0]
            return "idempotency_conflict", False if len(alike) <= REMEMBERED or identity > oldest else None
        return None


def _since(line: list[tuple[int, Any]]) -> int:
    """The first moment from which the score is the last one."""
    return next(moment for at, (moment, _) in enumerate(line) if all(later == line[-1][1] for _, later in line[at:]))
