"""What a contest passes on to shared boards: every score, once, in the order of its writes (R-13, R-32)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kraty_actors.domain.attempt import Attempt
from kraty_actors.domain.ids import board_id
from kraty_actors.domain.outcome import Message, Plain
from kraty_actors.domain.periods import BoardRules, Period, period_at
from kraty_actors.domain.rules import Rulebook
from kraty_actors.domain.shared_board_messages import Contribute, Retract

Number = int | float


@dataclass(slots=True)
class Bound:
    """A shared board that the contest contributes to. Nothing of before its input `bound_at` was ever told to it;
    `told` are the periods that have been told something, by their starts."""

    rules: BoardRules
    bound_at: int
    told: list[int] = field(default_factory=list)
    period: Period | None = None

    def period_at(self, now: int) -> Period:
        period = self.period
        if period is None or (period.ends_at is not None and now >= period.ends_at):
            period = self.period = period_at(self.rules, now)
        return period

    def tell(self, now: int) -> str:
        """The id of the period that is told something now."""
        starts_at = self.period_at(now).starts_at
        if starts_at not in self.told:
            self.told.append(starts_at)
        return board_id(self.rules.key, starts_at)

    def told_since(self, at: int) -> list[str]:
        """The ids of the periods that may have been told of something that began at an instant."""
        ended = [starts_at for starts_at in self.told if starts_at <= at][:-1]
        return [board_id(self.rules.key, starts_at) for starts_at in self.told[len(ended) :]]


class Contributions:
    """Gathers over one batch of inputs; boards of highest scores are told of every write, those of lowest scores of
    final ones only (R-28)."""

    __slots__ = ("_bound", "_contest", "_ever_bound", "_finals", "_rulebook", "_writes")

    def __init__(self, contest: str, rulebook: Rulebook) -> None:
        self._contest = contest
        self._rulebook = rulebook
        self._bound: list[Bound] = []
        self._ever_bound: dict[str, Bound] = {}
        self._writes: list[Plain] = []
        self._finals: list[Plain] = []

    def bind(self, boards: Iterable[Sequence[Plain]], order: int) -> None:
        """Contribute from now on to these boards, each [key, revision]; `order` is the contest's next input.

        A board that is left out for a while and named again has been told what came before, so that nothing of it is
        added twice.
        """
        self._bound = []
        for key, revision in boards:
            known = self._ever_bound.get(key)
            bound = Bound(self._rulebook.board(key, revision), *((known.bound_at, known.told) if known else (order,)))
            self._ever_bound[key] = bound
            self._bound.append(bound)

    def wrote(self, attempt: Attempt, prior_order: int, prior: Number, at: int) -> None:
        """A write was applied; before it, at the input `prior_order`, the attempt's score was `prior`."""
        if self._bound:
            entry = self._entry(attempt, prior_order, prior, at)
            self._writes.append(entry)
            if attempt.counts_as_completed:
                self._finals.append(entry)

    def completed(self, attempt: Attempt, at: int) -> None:
        """The attempt was completed without a write."""
        if self._bound:
            self._finals.append(self._entry(attempt, attempt.last_order, attempt.score, at))

    def _entry(self, attempt: Attempt, prior_order: int, prior: Number, at: int) -> list[Plain]:
        completed = attempt.counts_as_completed
        return [attempt.player, attempt.serial, attempt.started_at, prior_order, prior, attempt.score, at, completed]

    def messages(self, now: int) -> list[Message]:
        """What was gathered, to each board in listed order."""
        if not self._writes and not self._finals:
            return []
        said = []
        for bound in self._bound:
            entries = self._finals if bound.rules.sort == "asc" else self._writes
            if entries:
                rules, starts_at = bound.rules, bound.period_at(now).starts_at
                told = Contribute(self._contest, rules.key, rules.revision, starts_at, bound.bound_at, entries)
                said.append(Message(bound.tell(now), told))
        self._writes, self._finals = [], []
        return said

    def retracted(self, attempt: Attempt, now: int) -> list[Message]:
        """What was gathered, and after it that the attempt was taken out: to each board that may have heard of it, also
        if the event names it no more (R-51)."""
        retract = Retract(self._contest, attempt.serial, attempt.player)
        said = self.messages(now)
        for bound in self._ever_bound.values():
            said += [Message(board, retract) for board in bound.told_since(attempt.started_at)]
        return said

    def dump(self) -> Plain:
        ever = [[one.rules.key, one.rules.revision, one.bound_at, one.told] for one in self._ever_bound.values()]
        return [ever, [bound.rules.key for bound in self._bound]]

    def restore(self, plain: Plain) -> None:
        ever, bound = plain
        for key, revision, bound_at, told in ever:
            self._ever_bound[key] = Bound(self._rulebook.board(key, revision), bound_at, told)
        self._bound = [self._ever_bound[key] for key in bound]
