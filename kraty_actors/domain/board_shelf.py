"""Every shared board of the game as the calendar keeps them: revisions, and which period is open (R-32).

How a board is edited:

- `resetCadence`, `timezone` and `sort` count at once: the period ends now and another begins;
- `scoreAggregation` counts from the next period on; a period that has no end of its own ends now;
- a season's end may be moved while the season runs, or put while the period after it is open, which then becomes the
  new season; one that has passed already ends the period now;
- an archived board takes no more scores. Its period goes on to its end, and no other opens until it is put back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from kraty_actors.definitions import Fault, SharedBoard
from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain.ids import board_id
from kraty_actors.domain.outcome import Message, Plain
from kraty_actors.domain.periods import BoardRules, Period, period_at
from kraty_actors.domain.shared_board_messages import EndPeriod, OpenPeriod

PAST_KEPT = 366
"""Past periods that are listed, the newest ones; older ones stay readable by their start."""


class BoardLibrary(Protocol):
    """Where every revision of a shared board is kept for those that play by it."""

    def add_board(self, rules: BoardRules) -> None: ...


@dataclass(slots=True, frozen=True)
class SharedBoardView:
    """A shared board as it stands. `past` are the periods that are over, the newest first."""

    key: str
    current: Period
    past: tuple[Period, ...]

    @property
    def current_id(self) -> str:
        return board_id(self.key, self.current.starts_at)

    def id_of(self, starts_at: int) -> str:
        """The board's id in the period that began at `starts_at`."""
        return board_id(self.key, starts_at)


@dataclass(slots=True, frozen=True)
class Filed:
    """What putting a board led to."""

    messages: list[Message]
    warnings: list[Fault]


@dataclass(slots=True)
class Shelved:
    """One board. `past` holds the newest periods that are over."""

    revisions: list[BoardRules]
    current: Period
    is_archived: bool
    past: deque[Period] = field(default_factory=lambda: deque(maxlen=PAST_KEPT))

    @property
    def newest(self) -> BoardRules:
        return self.revisions[-1]

    @property
    def rolls_over_at(self) -> int | None:
        return None if self.is_archived else self.current.ends_at


class BoardShelf:
    """See the module."""

    def __init__(self, library: BoardLibrary) -> None:
        self._library = library
        self._boards: dict[str, Shelved] = {}

    @property
    def next_rollover(self) -> int | None:
        """When the next period of a board is to open: `roll` then."""
        ends = (board.rolls_over_at for board in self._boards.values())
        return min((at for at in ends if at is not None), default=None)

    def bindings(self, keys: Iterable[str]) -> list[list[Plain]]:
        """Those of `keys` that take scores, each as [key, revision] (R-32)."""
        found = ((key, self._boards.get(key)) for key in keys)
        return [[key, board.newest.revision] for key, board in found if board is not None and not board.is_archived]

    def views(self) -> dict[str, SharedBoardView]:
        return {
            key: SharedBoardView(key, board.current, tuple(reversed(board.past))) for key, board in self._boards.items()
        }

    def put(self, board: SharedBoard, now: int) -> Filed:
        """A new board, or an edit of one, in effect from `now` on; the same again changes nothing."""
        shelved = self._boards.get(board.key)
        if shelved is None:
            return self._made(board, now)
        messages = _rolled(shelved, now)
        shelved.is_archived = board.archived
        old, rules = shelved.newest, _edited(shelved, board, now)
        if replace(rules, revision=old.revision) != old:
            shelved.revisions.append(rules)
            self._library.add_board(rules)
        period = period_at(shelved.newest, now)
        warnings = _warnings(shelved, old, period, now)
        return Filed([*messages, *_turned(shelved, period, now)], warnings)

    def roll(self, now: int) -> list[Message]:
        """Open every period that has begun up to now, those that nobody was there to open as well."""
        return [message for board in self._boards.values() for message in _rolled(board, now)]

    def _made(self, board: SharedBoard, now: int) -> Filed:
        rules = BoardRules.of(board, 1, now)
        shelved = self._boards[board.key] = Shelved([rules], period_at(rules, now), board.archived)
        self._library.add_board(rules)
        return Filed([_opening(shelved)], [])

    # -- checkpoint

    def dump(self) -> list[Plain]:
        return [
            {
                "revisions": [rules.dump() for rules in board.revisions],
                "current": _plain(board.current),
                "isArchived": board.is_archived,
                "past": [_plain(period) for period in board.past],
            }
            for board in self._boards.values()
        ]

    def restore(self, plain: Sequence[Mapping[str, Plain]]) -> None:
        for one in plain:
            revisions = [BoardRules.restored(rules) for rules in one["revisions"]]
            past = deque((Period(*period) for period in one["past"]), maxlen=PAST_KEPT)
            self._boards[revisions[0].key] = Shelved(revisions, Period(*one["current"]), one["isArchived"], past)
            for rules in revisions:
                self._library.add_board(rules)


def _edited(shelved: Shelved, board: SharedBoard, now: int) -> BoardRules:
    """The board's next revision, and the instant from which its periods count."""
    old, current = shelved.newest, shelved.current
    rules = BoardRules.of(board, old.revision + 1, old.since)
    anew = replace(rules, since=max(now, current.starts_at + 1))
    if rules.cadence == old.cadence == "season" and rules.season_ends_at != old.season_ends_at:
        to_come = rules.season_ends_at is not None and rules.season_ends_at > now
        return replace(rules, since=current.starts_at) if to_come and not current.is_over(now) else anew
    if _shape(rules) != _shape(old) or (rules.aggregation != old.aggregation and current.ends_at is None):
        return anew
    return rules


def _shape(rules: BoardRules) -> tuple[str | None, ...]:
    """What cannot change within a period."""
    return rules.sort, rules.cadence, None if rules.cadence in ("never", "season") else rules.timezone


def _warnings(shelved: Shelved, old: BoardRules, period: Period, now: int) -> list[Fault]:
    """What an operator may not have expected of an edit."""
    path, current = f"leaderboards.{old.key}", shelved.current
    if period.starts_at != current.starts_at and not current.is_over(now):
        return [Fault(path, "the edit ends the period that was open, and begins another")]
    if shelved.newest.aggregation != old.aggregation and period.ends_at is not None:
        return [Fault(path, f"scoreAggregation changes with the next period, at {iso_instant(period.ends_at)}")]
    return []


def _rolled(shelved: Shelved, now: int) -> list[Message]:
    messages: deque[Message] = deque(maxlen=PAST_KEPT + 1)
    while shelved.rolls_over_at is not None and shelved.rolls_over_at <= now:
        shelved.past.append(shelved.current)
        shelved.current = period_at(shelved.newest, shelved.rolls_over_at)
        messages.append(_opening(shelved))
    return list(messages)


def _turned(shelved: Shelved, period: Period, now: int) -> list[Message]:
    """Have `period` be the one that is open."""
    old, shelved.current = shelved.current, period
    if period == old:
        return []
    name = board_id(shelved.newest.key, old.starts_at)
    if period.starts_at == old.starts_at:
        return [Message(name, EndPeriod(period.ends_at))]
    if old.is_over(now):
        shelved.past.append(old)
        return [_opening(shelved)]
    shelved.past.append(Period(old.starts_at, period.starts_at))
    return [Message(name, EndPeriod(period.starts_at)), _opening(shelved)]


def _opening(shelved: Shelved) -> Message:
    rules, starts_at = shelved.newest, shelved.current.starts_at
    return Message(board_id(rules.key, starts_at), OpenPeriod(rules.key, rules.revision, starts_at))


def _plain(period: Period) -> list[Plain]:
    return [period.starts_at, period.ends_at]
