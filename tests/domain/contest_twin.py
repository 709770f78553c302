"""A board being competed on, the slow and obvious way.

The twin keeps what happened and works everything out anew whenever it is asked: a row from the list of all scores
that its player ever wrote, the order from a sort of all rows, a verdict on a repeat from all writes ever applied. Its
bots are stepped through every tick of the grid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from bot_twin import People
from bot_twin import Twin as Bots
from run_twin import Kept, Limits, Run, objections

from kraty_actors.domain.ids import bot_participant

LIMIT = 2**53 - 1


@dataclass(frozen=True)
class Event:
    """Something that changes a row. At the board's `moment` an attempt started, came to a score that counts, or was
    taken out."""

    what: Literal["start", "score", "void"]
    moment: int
    run: Run
    value: Any = 0


class Twin:
    """`definition` is the event's JSON; every metric names its target, its reset and its weight. `effects` is what was
    written for others since anybody took it."""

    def __init__(self, definition: dict[str, Any], seed: int, ends_at: int | None, bots: list[dict[str, Any]]) -> None:
        self.metrics = definition["metrics"]
        self.keys = [metric["key"] for metric in self.metrics]
        board = definition["leaderboard"]
        self.has_board = board.get("mode") != "none"
        self.aggregation, self.ascending = board["scoreAggregation"], board["sort"] == "asc"
        self.milestones = definition.get("milestoneRewards", [])
        self.completion: int | None = None
        self.limits: Limits = []
        self.duration = definition["attempt"]["durationSeconds"]
        self.runs: list[Run] = []
        self.events: list[Event] = []
        self.banned: set[int] = set()
        self.effects: list[tuple[Any, ...]] = []
        self.inputs = 0
        self.is_open, self.is_over, self.is_paused = True, False, False
        self.people = People(ends_at=ends_at, ascending=self.ascending)
        target = max((metric.get("target") or 0 for metric in self.metrics), default=0)
        self.bots = Bots(bots if self.has_board else [], self.people, seed, target, self.ascending)

    # -- what happens

    def come_to(self, now: int) -> None:
        """Bots move on the grid, as far as time has come."""
        if self.is_open:
            self._meet_people()
            self.bots.advance(now if self.ends_at is None else min(now, self.ends_at - 1), self.inputs)

    def seat(self, player: int, now: int) -> Run:
        self.inputs += 1
        ends = [] if self.ends_at is None else [self.ends_at]
        ends += [now + self.duration * 1000] if self.duration else []
        run = Run(len(self.runs), player, now, min(ends, default=None), dict.fromkeys(self.keys, 0))
        self.runs.append(run)
        self.events.append(Event("start", self.moment, run))
        return run

    def write(self, serial: int, player: int, changes: dict[str, Any], mode: str, identity: Any, now: int) -> Any:
        """The answer to an applied write, or a code and its details."""
        run = self.run_of(serial, player)
        if run is None:
            return "not_found", None
        if self.is_over:
            return "attempt_finished", None
        repeat = run.repeated(identity, (mode, changes), self._answer(run))
        if repeat is not None:
            return repeat
        if player in self.banned:
            return "player_banned", None
        if self.is_paused:
            return "event_disabled", None
        if run.is_over_by(now) or not self.is_open:
            return "attempt_finished", None
        if changes.keys() - set(self.keys):
            return "invalid_metric", None
        incoming = {key: changes.get(key, run.raw[key] if mode == "set" else 0) for key in self.keys}
        if mode == "increment":
            incoming = {key: run.raw[key] + incoming[key] for key in self.keys}
        if max(incoming.values()) > LIMIT:
            return "validation_failed", None
        return self._judged(run, incoming, identity, (mode, changes), now)

    def finish(self, run: Run, now: int) -> None:
        if run.status == "in_progress":
            self.end(run, now if run.ends_at is None else min(now, run.ends_at))

    def force(self, run: Run, score: Any, now: int) -> None:
        if score is not None:
            self._scored(run, score)
        self.end(run, now, status="force_completed")

    def void(self, run: Run, now: int) -> None:
        """R-51: it counts nowhere."""
        self.inputs += 1
        run.ended_at = now if run.status == "in_progress" else run.ended_at
        run.status, run.is_void = "expired", True
        self.events.append(Event("void", self.moment, run))

    def ban(self, player: int, *, is_banned: bool) -> None:
        self.inputs += 1
        (self.banned.add if is_banned else self.banned.discard)(player)

    def extend(self, ends_at: int) -> None:
        for run in self.runs:
            if run.status == "in_progress" and run.ends_at == self.ends_at:
                own = run.started_at + self.duration * 1000 if self.duration else ends_at
                run.ends_at = min(own, ends_at)
        self.people.ends_at = ends_at

    def time_passes(self, now: int, most: int = 99) -> list[Run]:
        """Attempts run out one by one, in the order of their ends; at most so many of them."""
        due = [run for run in self.running if run.is_over_by(now)]
        due.sort(key=lambda run: (run.ends_at, run.serial))
        for run in due[:most]:
            self.end(run, run.ends_at)
        return due[:most]

    def end(self, run: Run, at: int | None, status: str | None = None) -> None:
        self.inputs += 1
        run.status = status or self.final_status(run)
        run.ended_at = at
        if run.is_completed:
            self.effects.append(("completed", run.player))
        if run.status == "completed" and self.completion is not None:
            self._pay(run, self.completion, "event_completion")
        if self.ascending and run.is_completed:
            self.events.append(Event("score", self.moment, run, run.score))

    def final_status(self, run: Run) -> str:
        is_attack = not any(m.get("target") for m in self.metrics)
        return "completed" if (run.applied if is_attack else self._meets_targets(run)) else "expired"

    def take_effects(self) -> list[tuple[Any, ...]]:
        taken, self.effects = self.effects, []
        return taken

    # -- what comes of it

    @property
    def running(self) -> list[Run]:
        return [run for run in self.runs if run.status == "in_progress"]

    def rows(self) -> list[tuple[int, Any]]:
        """(participant, score) in rank order: R-28 read from left to right."""
        if not self.has_board:
            return []
        seen = [row for row in self._player_rows() if row[0] not in self.banned]
        made: list[Any] = [(value, False, since, player) for player, value, since in seen]
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

    @property
    def ends_at(self) -> int | None:
        return self.people.ends_at

    @property
    def moment(self) -> int:
        return self.inputs + self.bots.tick

    def run_of(self, serial: int, player: int | None = None) -> Run | None:
        run = self.runs[serial] if 0 <= serial < len(self.runs) else None
        return run if run is not None and player in (None, run.player) else None

    # -- rows

    def _player_rows(self) -> list[tuple[int, Any, int]]:
        """Every player's (number, score, since which moment the score is what it is)."""
        lines = [(player, self._line(player)) for player in dict.fromkeys(run.player for run in self.runs)]
        return [(player, line[-1][1], _since(line)) for player, line in lines if line and line[-1][1] is not None]

    def _line(self, player: int) -> list[tuple[int, Any]]:
        """The player's score, moment by moment. Of an ascending board only final scores count. What is taken out is as
        if it had never given a best score; a sum or a latest score changes when it goes."""
        line: list[tuple[int, Any]] = []
        past: list[Event] = []
        for one in self.events:
            if one.run.player != player or (one.what == "start" and self.ascending):
                continue
            past.append(one)
            out = {event.run.serial for event in past if event.what == "void"}
            left = [event for event in past if event.run.serial not in out]
            value = self._stands(left)
            if one.what == "start" and line and line[-1][1] is not None:
                continue
            if one.what == "void" and self.aggregation == "best" and any(event.what == "score" for event in left):
                line = [next((e.moment, value) for e in left if e.what == "score" and e.value == value)]
            else:
                line.append((one.moment, value))
        return line

    def _stands(self, events: Iterable[Event]) -> Any:
        """R-29, from everything that counts."""
        own = list(events)
        scores = [event for event in own if event.what == "score"]
        if not scores:
            return 0 if own else None
        if self.aggregation == "sum":
            newest = {score.run.serial: Fraction(score.value) for score in scores}
            total = max(-LIMIT, min(LIMIT, sum(newest.values())))
            return int(total) if total.denominator == 1 else float(total)
        if self.aggregation == "latest":
            return scores[-1].value
        return (min if self.ascending else max)(score.value for score in scores)

    # -- inside

    def _scored(self, run: Run, score: Any) -> None:
        self.inputs += 1
        run.score = max(-LIMIT, min(LIMIT, score))
        if not self.ascending:
            self.events.append(Event("score", self.moment, run, run.score))

    def _judged(self, run: Run, incoming: dict[str, Any], identity: Any, body: Any, now: int) -> Any:
        """R-48, R-50: what is flagged applies; of what is rejected only its identity stays."""
        key, before = self.keys[0], run.raw
        found = objections(key, before[key], incoming[key], self.limits)
        is_rejected = bool(found) and found[-1][0] == "reject"
        if is_rejected:
            self.inputs += 1
            run.kept.append(Kept(identity, body, rejected=found[-1][1]))
            answer: Any = ("anti_cheat_rejected", found[-1][1])
        else:
            answer = self._apply(run, incoming, identity, body, now)
        outcome = "reject" if is_rejected else "flag"
        self.effects += [("flag", verdict, outcome, reason, before, incoming) for verdict, reason in found]
        return answer

    def _apply(self, run: Run, incoming: dict[str, Any], identity: Any, body: Any, now: int) -> dict[str, Any]:
        rose = {key for key in self.keys if incoming[key] > run.raw[key]}
        wiped = {m["key"] for m in self.metrics if m.get("resetOn") and m["resetOn"]["metricKey"] in rose}
        before = self.capped(run.raw)
        run.raw = {key: 0 if key in wiped else value for key, value in incoming.items()}
        capped = self.capped(run.raw)
        run.kept.append(Kept(identity, body))
        self._scored(run, sum(capped[m["key"]] * m["scorePerUnit"] for m in self.metrics))
        fired = self._fired(run, before, capped)
        if self._meets_targets(run):
            self.end(run, now)
        self._meet_people()
        self.bots.wrote(self.moment)
        run.kept[-1] = Kept(identity, body, {**self._answer(run), "fired": fired})
        return run.kept[-1].answer or {}

    def _fired(self, run: Run, before: dict[str, Any], capped: dict[str, Any]) -> list[tuple[str, int]]:
        """R-44: in declared order, each once an attempt, or once among all the attempts of the player that count."""
        fired = []
        for one in self.milestones:
            key, amount = one["key"], one["entries"][0]["amount"]
            others = [run] if one["once"] == "attempt" else [r for r in self.runs if r.player == run.player]
            if any(key in other.fired for other in others if not other.is_void):
                continue
            if before[one["metricKey"]] < one["threshold"] <= capped[one["metricKey"]]:
                fired.append((key, amount))
                self._pay(run, amount, "event_milestone")
        run.fired += [key for key, _ in fired]
        return fired

    def _pay(self, run: Run, amount: int, kind: str) -> None:
        self.effects.append(("paid", run.player, amount, kind, run.serial))

    def _answer(self, run: Run) -> dict[str, Any]:
        capped, rank = self.capped(run.raw), self.rank(run.player)
        return {
            "status": run.status, "metrics": capped, "raw": run.raw, "score": run.score, "rank": rank, "fired": [],
        }  # fmt: skip

    def _meets_targets(self, run: Run) -> bool:
        capped = self.capped(run.raw)
        targets = [m for m in self.metrics if m.get("target")]
        return bool(targets) and all(capped[m["key"]] >= m["target"] for m in targets)

    def _meet_people(self) -> None:
        self.people.scores = [value for player, value, _ in self._player_rows() if player not in self.banned]


def _since(line: list[tuple[int, Any]]) -> int:
    """The first moment from which the score is the last one."""
    return next(moment for at, (moment, _) in enumerate(line) if all(later == line[-1][1] for _, later in line[at:]))
