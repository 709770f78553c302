"""A window that is over, reconciled: what its boards say is due against what the store has granted (R-27)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from anyio.lowlevel import checkpoint as yield_to_others

from kraty_actors.actors.copies import Copies
from kraty_actors.actors.reckoning import (
    Board,
    Reckoning,
    attempts_of,
    descendants,
    grant_pages,
    left_out_of,
)
from kraty_actors.actors.records import unpack
from kraty_actors.actors.takings import Amounts, amounts_of
from kraty_actors.domain import attempt as states
from kraty_actors.domain.attempt import Attempt
from kraty_actors.domain.balancing import Balance
from kraty_actors.domain.ids import attempt_id, last_number
from kraty_actors.domain.outcome import Pay
from kraty_actors.domain.payouts import completion_pays, milestone_pays
from kraty_actors.domain.retrial import Retrial
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import WindowStage
from kraty_persistence import GrantRow, Store

ROWS_PER_LOOK = 100
"""Grants that are looked at before others have a turn."""


@dataclass(slots=True, frozen=True)
class Mismatch:
    """A grant that nothing accounts for (`orphan`), or one that is due and not there (`missing`)."""

    kind: Literal["orphan", "missing"]
    player: int
    grant_id: str
    what: str


@dataclass(slots=True)
class CloseReport:
    """What a window came to. Grants that were taken back are only counted: `grants` are those that stand.

    `winners` are the players to whom something is due at the end of the window, `paid` is what stands granted for that
    by currency, `granted` all that stands, for attempts and out of crates too. Nothing is wrong if `mismatches` is
    empty.
    """

    window_id: str
    event_key: str
    state: WindowStage
    participants: int
    winners: int = 0
    grants: int = 0
    withdrawn: int = 0
    paid: Amounts = field(default_factory=Counter)
    granted: Amounts = field(default_factory=Counter)
    remainder: int = 0
    left_out: frozenset[int] = frozenset()
    mismatches: list[Mismatch] = field(default_factory=list)


class Closing:
    """The reconciliation of one window."""

    def __init__(self, store: Store, copies: Copies, window: Window, at: int) -> None:
        self._store = store
        self._copies = copies
        self._window = window
        self._at = at
        self._left_out: frozenset[int] = frozenset()
        floor = window.floor
        self._report = CloseReport(window.id, floor.rules.event.key, window.stage, floor.participants)

    async def report(self) -> CloseReport:
        """Read everything and compare it."""
        report = self._report
        self._left_out = report.left_out = await left_out_of(self._store, self._window.id)
        reckoning = Reckoning(
            self._store, self._copies, self._window, without=self._left_out, before=self._left_out, at=self._at
        )
        reckoning.seen = self._count_paid
        async for board in reckoning.boards():
            report.winners += board.winners
            for player, balance in board.balances.items():
                report.mismatches += _mismatches(player, balance)
            await self._check_attempts(board)
        for player, held in reckoning.held.items():
            standing = [grant for grant in held if not grant.is_withdrawn]
            report.mismatches += (Mismatch("orphan", player, one.id, "they took no part") for one in standing)
        report.remainder = reckoning.pools.remainder if report.state == "finalized" else 0
        return report

    async def _count_paid(self, rows: Sequence[GrantRow]) -> None:
        standing = await self._count(rows)
        held = amounts_of(unpack(row.contents) for row in standing)
        self._report.paid.update({key: amount for key, amount in held.items() if key[0] == "currency"})

    async def _count(self, rows: Sequence[GrantRow]) -> list[GrantRow]:
        """Add grants to the report, and what came out of them; those of them that stand."""
        standing = [row for row in rows if row.withdrawn_at is None]
        self._report.withdrawn += len(rows) - len(standing)
        opened = [row for row in standing if row.kind == "crate" and row.claimed_at is not None]
        came_out = await descendants(self._store, opened) if opened else []
        self._report.grants += len(standing) + len(came_out)
        for row in (*standing, *came_out):
            self._report.granted.update(amounts_of([unpack(row.contents)]))
        return standing

    # -- what attempts have earned

    async def _check_attempts(self, board: Board) -> None:
        """Every grant of an attempt is due to it, and all that is due is there."""
        trial, rules = board.trial, board.trial.arena.rules
        found: Counter[int] = Counter()
        known, due = -1, dict[str, int]()
        async for page in grant_pages(self._store, trial.arena.id, within=True):
            for start in range(0, len(page), ROWS_PER_LOOK):
                for row in await self._count(page[start : start + ROWS_PER_LOOK]):
                    serial = _serial(row)
                    if serial != known:
                        known, due = serial, {pay.grant_id: pay.player for pay in self._due_to(trial, serial)}
                    if due.get(row.id) == row.player:
                        found[serial] += 1
                    else:
                        orphan = Mismatch("orphan", row.player, row.id, f"nothing of {row.source_ref} accounts for it")
                        self._report.mismatches.append(orphan)
                await yield_to_others()
        if rules.completion_entries is not None or trial.arena.milestones:
            for attempts in attempts_of(trial):
                self._report.mismatches += self._missing(trial, attempts, found)
                await yield_to_others()

    def _missing(self, trial: Retrial, attempts: Sequence[Attempt], found: Counter[int]) -> Iterator[Mismatch]:
        for attempt in attempts:
            due = self._due_to(trial, attempt.serial)
            if len(due) > found[attempt.serial]:
                name = attempt_id(trial.arena.id, attempt.serial)
                what = f"{name} earned {len(due)} and has {found[attempt.serial]}"
                yield Mismatch("missing", attempt.player, due[0].grant_id, what)

    def _due_to(self, trial: Retrial, serial: int) -> list[Pay]:
        if not 0 <= serial < len(trial.arena.attempts):
            return []
        [attempt] = trial.arena.attempts.some(serial, 1)
        if attempt.is_void or attempt.player in self._left_out:
            return []
        return earned(trial.arena.rules, attempt, attempt_id(trial.arena.id, serial))


def earned(rules: Rules, attempt: Attempt, name: str) -> list[Pay]:
    """What an attempt was paid on the way: for its milestones, and for being completed."""
    fired = milestone_pays(rules, attempt.fired, attempt.player, name, 0) if attempt.fired else ()
    pays = [pay for milestone in fired for pay in milestone.grants]
    if attempt.status == states.COMPLETED:
        pays += completion_pays(rules, attempt.player, name, 0)
    return pays


def _mismatches(player: int, balance: Balance) -> Iterator[Mismatch]:
    for grant_id in balance.take:
        yield Mismatch("orphan", player, grant_id, "it is not due to them")
    for pay in balance.give:
        if pay.kind == "reward":
            yield Mismatch("missing", player, pay.grant_id, "it is due to them and not there")


def _serial(row: GrantRow) -> int:
    number = last_number(row.source_ref or "")
    return -1 if number is None else number
