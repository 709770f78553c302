"""A contest and the shared boards that it contributes to, joined by as little of a loop as there can be.

What is committed survives a crash, what was said is said again until it was heard, and who hears something again drops
it by its number. Beside it the slow and obvious way: every score that ever counted, and sums from scratch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from playing import Book

from kraty_actors.actors.cell import Cell
from kraty_actors.actors.chain import UNKEYED
from kraty_actors.actors.records import FROM_ACTOR, pack_batch
from kraty_actors.domain.board_view import GetBoard
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.ids import board_id
from kraty_actors.domain.outcome import Command, Message, Tick
from kraty_actors.domain.periods import period_at
from kraty_actors.domain.shared_board import SharedBoard
from kraty_persistence import StoredActor

LIMIT = 2**53 - 1


class Actor:
    """One state machine, and what a store holds of it."""

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self.cell = Cell(name)
        self._make = make
        self._stored = StoredActor()
        self.crash()

    @property
    def state(self) -> Any:
        return self.cell.state

    def crash(self) -> None:
        """Only what is stored is left."""
        self.cell.recover(self._make(), self._stored)

    def checkpoint(self) -> None:
        self._stored = replace(self._stored, checkpoint=tuple(self.cell.checkpoint()), records=())

    def batch(self, now: int, told: Iterable[tuple[str, int, Command]], *, is_kept: bool) -> None:
        """Apply what is new of `told`, each from (source, number), and commit it, or crash before."""
        inputs = []
        for source, number, command in told:
            if source and number <= self.cell.heard.get(source, 0):
                continue
            outcome = self.state.apply(command, now)
            if source:
                self.cell.heard[source] = number
                inputs.append([FROM_ACTOR, source, number, *command.record()])
            elif outcome.traced:
                inputs.append(command.record())
            for message in outcome.messages:
                self.cell.say(message)
        if self.cell.gatherer is not None:
            for message in self.cell.gatherer.gathered(now):
                self.cell.say(message)
        if not is_kept:
            self.crash()
        elif inputs:
            self.cell.now, self.cell.number = now, self.cell.number + 1
            record = UNKEYED.add(self.cell.chain, self.cell.id, self.cell.number, pack_batch(now, inputs))
            records = (*self._stored.records, record)
            self._stored = replace(self._stored, number=self.cell.number, records=records)


class Together:
    """One contest and its boards; messages to the window are lost on nobody here."""

    def __init__(self, contest: str, book: Book) -> None:
        self._book = book
        self.contest = Actor(contest, lambda: Contest(contest, book))
        self.boards: dict[str, Actor] = {}
        self.said: dict[int, Message] = {}

    def tell(self, now: int, commands: Iterable[Command], *, is_kept: bool = True) -> None:
        """One batch of the contest's, with its tick if that is due."""
        wake_at = self.contest.state.wake_at if self.contest.cell.number else None
        ticks = [Tick()] if wake_at is not None and wake_at <= now else []
        self.contest.batch(now, [("", 0, command) for command in [*ticks, *commands]], is_kept=is_kept)
        if is_kept:
            self.compare_with_said()

    def compare_with_said(self) -> None:
        """A number stands for one message for ever, however often the contest is brought back."""
        for number, message in self.contest.cell.unheard.items():
            assert self.said.setdefault(number, message) == message

    def waiting(self, board: str | None = None) -> list[tuple[int, Message]]:
        """What the contest says until it is heard, to one board or to all."""
        found = self.contest.cell.unheard.items()
        return [(n, m) for n, m in found if m.to.startswith("b") and board in (None, m.to)]

    def deliver(self, board: str, now: int, *, is_kept: bool = True, is_acknowledged: bool = True) -> None:
        """Post what waits for one board; then it may crash before its commit, or the contest may not hear of that."""
        actor = self.boards.setdefault(board, Actor(board, lambda: SharedBoard(board, self._book)))
        words = [(self.contest.cell.id, number, message.command) for number, message in self.waiting(board)]
        due = actor.state.wake_at is not None and actor.state.wake_at <= now
        actor.batch(now, [*([("", 0, Tick())] if due else []), *words], is_kept=is_kept)
        if is_kept and is_acknowledged:
            for _, number, _ in words:
                self.contest.cell.unheard.pop(number)

    def deliver_all(self, now: int) -> None:
        for board in list(dict.fromkeys(message.to for _, message in self.waiting())):
            self.deliver(board, now)

    def rows(self, board: str, now: int) -> list[tuple[int, Any]]:
        view = self.boards[board].state.apply(GetBoard(limit=99), now).reply
        return [(standing.participant, standing.score) for standing in view.standings]


@dataclass(frozen=True)
class Scored:
    """An attempt came to a score: by a write, or by its completion, or both. `named` are the boards that the event
    named then, `ever_named` those that it named then or before."""

    order: int
    serial: int
    player: int
    started_at: int
    at: int
    prior: Any
    score: Any
    is_write: bool
    is_completed: bool
    named: frozenset[str]
    ever_named: frozenset[str]


@dataclass(frozen=True)
class Gone:
    """An attempt was taken out: nothing that was said of it counts any more."""

    serial: int
    player: int


def expected_rows(events: list[Scored | Gone], book: Book) -> dict[str, list[tuple[int, Any]]]:
    """R-28, R-29 and R-32 for every period of every board that should have heard of anything: rows in rank order."""
    periods: dict[tuple[str, int], list[tuple[int, Any]]] = {}
    scores = [one for one in events if isinstance(one, Scored)]
    for key in sorted({key for score in scores for key in score.named}):
        rules = book.board(key, 1)
        counting = [s for s in scores if (s.is_completed if rules.sort == "asc" else s.is_write)]
        for at in {period_at(rules, s.at).starts_at for s in counting if key in s.named}:
            inside = {s.order for s in counting if period_at(rules, s.at).starts_at == at}
            within = [one for one in events if isinstance(one, Gone) or one.order in inside]
            periods[key, at] = _rows(within, key, rules.aggregation, rules.sort, at)
    return {board_id(key, at): rows for (key, at), rows in periods.items()}


def _rows(events: list[Scored | Gone], key: str, aggregation: str, sort: str, began_at: int) -> list[tuple[int, Any]]:
    """What was taken out has never given a best score; a sum or a latest score changes when it goes."""
    sign = 1 if sort == "asc" else -1
    stands: dict[int, tuple[int, Any]] = {}
    gone = {one.serial for one in events if isinstance(one, Gone)}
    for order, event in enumerate(events):
        past = events[: order + 1]
        out = gone if aggregation == "best" else {one.serial for one in past if isinstance(one, Gone)}
        left = [one for one in past if isinstance(one, Scored) and one.serial not in out]
        own = [score for score in left if score.player == event.player]
        value = _value(own, key, aggregation, sort, began_at)
        if value != stands.get(event.player, (0, None))[1]:
            stands[event.player] = order, value
    ranked = sorted((sign * value, since, player) for player, (since, value) in stands.items() if value is not None)
    return [(player, stands[player][1]) for _, _, player in ranked]


def _value(own: list[Scored], key: str, aggregation: str, sort: str, began_at: int) -> Any:
    told = [score for score in own if key in score.named]
    if not told:
        return None
    if aggregation == "latest":
        return told[-1].score
    if aggregation == "best":
        return (min if sort == "asc" else max)(score.score for score in told)
    if sort == "asc":
        return _shown(sum(max(Fraction(0), Fraction(score.score)) for score in told))
    runs = {score.serial for score in told}
    return _shown(sum(_gained([s for s in own if s.serial == run], key, began_at) for run in runs))


def _gained(run: list[Scored], key: str, began_at: int) -> Fraction:
    """What one attempt brought into the period: its whole score, if it began in it and had no other when the event
    first named the board; from then on only what each write adds, so that the ones that were not told do not count, and
    never less than nothing."""
    told = [score for score in run if key in score.named]
    known = {after.order for before, after in itertools.pairwise(run) if key in before.ever_named}
    began_before = told[0].started_at < began_at or told[0].order in known
    base = Fraction(told[0].prior) if began_before else Fraction(0)

    def above(score: Any) -> Fraction:
        return max(Fraction(0), Fraction(score) - base)

    total = Fraction(0)
    for one in told:
        total = max(Fraction(0), total + above(one.score) - (above(one.prior) if one.order in known else 0))
    return total


def _shown(total: Fraction | int) -> Any:
    total = min(Fraction(total), Fraction(LIMIT))
    return int(total) if total.denominator == 1 else float(total)
