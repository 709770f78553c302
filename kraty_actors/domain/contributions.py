"""What a contest passes on to shared boards: every score, once, in the order of its writes (R-13, R-32)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kraty_actors.domain.attempt import Attempt
from kraty_actors.domain.ids import board_id
from kraty_actors.domain.outcome import Message, Plain
from kraty_actors.domain.periods import BoardRules, Period, period_at
from kraty_actors.domain.rules import Rulebook
from kraty_actors.domain.shared_board_messages import Contribute, Retract

Number = int | float


@dataclass(slots=True)
class Bound:
    """A shared board that the contest contributes to. Nothing of before its input `bound_at` was ever told to it."""

    rules: BoardRules
    bound_at: int
    period: Period | None = None

    def period_at(self, now: int) -> Period:
        period = self.period
        if period is None or (period.ends_at is not None and now >= period.ends_at):
            period = self.period = period_at(self.rules, now)
        return period


class Contributions:
    """Gathers over one batch of inputs; boards of highest scores are told of every write, those of lowest scores of
    final ones only (R-28)."""

    __slots__ = ("_bound", "_contest", "_finals", "_first_bound", "_rulebook", "_writes")

    def __init__(self, contest: str, rulebook: Rulebook) -> None:
        self._contest = contest
        self._rulebook = rulebook
        self._bound: list[Bound] = []
        self._first_bound: dict[str, int] = {}
        self._writes: list[Plain] = []
        self._finals: list[Plain] = []

    def bind(self, boards: Iterable[Sequence[Plain]], order: int) -> None:
        """Contribute from now on to these boards, each [key, revision]; `order` is the contest's next input.

        A board that is left out for a while and named again has been told what came before, so that nothing of it is
        added twice.
        """
        rules = [self._rulebook.board(key, revision) for key, revision in boards]
        self._bound = [Bound(one, self._first_bound.setdefault(one.key, order)) for one in rules]

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
                said.append(Message(board_id(rules.key, starts_at), told))
        self._writes, self._finals = [], []
        return said

    def retracted(self, attempt: Attempt, now: int, *, was_completed: bool) -> list[Message]:
        """What was gathered, and after it that the attempt was taken out: to each board, in every period since it
        began (R-51)."""
        said = self.messages(now)
        for bound in self._bound:
            at: int | None = attempt.started_at
            while at is not None and at <= now:
                period = period_at(bound.rules, at)
                said.append(self._retraction(bound, period, attempt, was_completed=was_completed))
                at = period.ends_at
        return said

    def _retraction(self, bound: Bound, period: Period, attempt: Attempt, *, was_completed: bool) -> Message:
        rules = bound.rules
        retract = Retract(
            self._contest,
            rules.key,
            rules.revision,
            period.starts_at,
            bound.bound_at,
            attempt.player,
            attempt.serial,
            attempt.started_at,
            attempt.last_order,
            attempt.score,
            was_completed,
        )
        return Message(board_id(rules.key, period.starts_at), retract)

    def dump(self) -> Plain:
        return [self._first_bound, [[bound.rules.key, bound.rules.revision] for bound in self._bound]]

    def restore(self, plain: Plain) -> None:
        self._first_bound, bound = plain
        self.bind(bound, 0)
